//! The payload key and the password of the database: in pipes, and nowhere else. The harness looks for them in every call,
//! output and file of every run.

use super::stage::{DIGITS, ENCODED, KEY, Stage};

#[test]
fn the_key_goes_from_openssl_to_az_over_standard_input() {
    let outcome = Stage::empty().deploys(&["--debug"]);

    let set = outcome.succeeds().call("az keyvault secret set");
    assert_eq!(set.stdin.as_deref(), Some(KEY));
    assert_eq!(
        set.value("--query"),
        Some("id"),
        "az prints the value unless it is told what to print"
    );
    let shown = outcome
        .calls
        .iter()
        .filter(|call| call.is("az keyvault secret show --name payload-key"));
    assert!(shown.clone().count() > 0);
    assert!(shown.clone().all(|call| {
        call.value("--query")
            .is_some_and(|query| query.contains("length(value)"))
    }));
}

#[test]
fn the_password_goes_to_terraform_and_to_the_cluster_over_standard_input() {
    let stage = Stage::empty();

    let outcome = stage.deploys(&["--debug"]);

    outcome.succeeds();
    let password = format!("Aa1{DIGITS}");
    assert_eq!(stage.things().password.as_deref(), Some(password.as_str()));
    let plan = outcome
        .call("terraform plan -var-file=/dev/stdin")
        .stdin
        .clone();
    assert_eq!(
        plan.as_deref(),
        Some(format!("postgresql_password = \"{password}\"\n").as_str())
    );
    assert_eq!(stage.things().database_secret.as_deref(), Some(ENCODED));
    assert!(!outcome.stderr.contains(ENCODED));
}

#[test]
fn a_password_that_is_in_the_vault_is_used_again_and_a_raised_version_makes_another() {
    let stage = Stage::empty();
    stage.deploys(&[]).succeeds();
    let old = "OldPassword123456789012345".to_owned();
    stage.things().password = Some(old.clone());
    let mut world = stage.world();
    world.secret(&old);

    world
        .run("deploy", &["demo", "--yes"])
        .succeeds()
        .never("openssl rand -hex 24");
    assert_eq!(stage.things().planned_password.as_ref(), Some(&old));

    let file = "infra/environments/demo/terraform.tfvars";
    let text = world.read(file).unwrap();
    world.write(file, &format!("{text}postgresql_password_version = 2\n"));
    world
        .run("deploy", &["demo", "--yes"])
        .succeeds()
        .called("openssl rand -hex 24");
    assert_eq!(
        stage.things().planned_password.as_deref(),
        Some(format!("Aa1{DIGITS}").as_str())
    );
}

#[test]
fn a_database_whose_password_nobody_knows_is_not_guessed_at() {
    let stage = Stage::empty();
    stage.deploys(&[]).succeeds();
    let mut things = stage.things();
    let resources = &mut things.state["values"]["root_module"]["child_modules"][0]["resources"];
    resources
        .as_array_mut()
        .unwrap()
        .retain(|it| it["name"] != "password");
    drop(things);

    stage
        .deploys(&[])
        .fails(1, "password-lost")
        .says("raise postgresql_password_version")
        .never("terraform plan");
}

#[test]
fn no_kubeconfig_but_its_own_is_used() {
    let stage = Stage::empty();
    let mut world = stage.world();
    world.env("KUBECONFIG", "/somebody/elses/config");

    let outcome = world.run("deploy", &["demo", "--yes"]);

    outcome.succeeds();
    for call in outcome
        .calls
        .iter()
        .filter(|call| ["kubectl", "helm", "kubelogin"].contains(&call.program.as_str()))
    {
        let version =
            call.is("kubectl version") || call.is("helm version") || call.is("kubelogin --version");
        assert!(
            version || call.env["KUBECONFIG"].ends_with("/.sealane/demo/kubeconfig"),
            "{}",
            call.line()
        );
    }
    let mode = std::fs::metadata(world.root().join(".sealane/demo/kubeconfig"))
        .unwrap()
        .permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o600
    );
}

#[test]
fn nothing_temporary_is_left() {
    let stage = Stage::empty();
    let world = stage.world();

    world.run("deploy", &["demo", "--yes"]).succeeds();

    let mut left: Vec<_> = std::fs::read_dir(world.root().join(".sealane/demo"))
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(
        left,
        [
            "deploy.json",
            "deploy.last-good.json",
            "instance",
            "kubeconfig",
            "manifests.last-good.yaml",
            "manifests.yaml",
            "outputs.json",
            "workloads.json"
        ]
    );
}

#[test]
fn a_secret_that_somebody_wrote_into_the_variables_goes_nowhere_from_there() {
    let secret = "hush-hush-3141592653";
    for line in [
        format!("postgresql_password = \"{secret}\"\n"),
        format!("postgresql_password = \"{secret}${{x}}\"\n"),
        format!("shell_password = \"{secret}\"\n"),
    ] {
        let world = Stage::empty().world();
        let file = "infra/environments/demo/terraform.tfvars";
        let text = world.read(file).unwrap();
        world.write(file, &format!("{text}{line}"));

        let outcome = world.run("deploy", &["demo", "--yes", "--debug"]);

        outcome.ends_with(2);
        assert!(
            !outcome.stderr.contains(secret) && !outcome.stdout.contains(secret),
            "{outcome}"
        );
        assert!(
            outcome
                .calls
                .iter()
                .all(|call| !call.line().contains(secret)),
            "{outcome}"
        );
        assert!(
            outcome.stderr.contains("++ "),
            "what holds no secret is traced: {outcome}"
        );
    }
}

#[test]
fn what_killed_runs_left_is_removed() {
    let world = Stage::deployed().world();
    world.write(".sealane/demo/tmp.abcdefgh/plan.json", "old\n");

    world
        .run("deploy", &["demo", "--yes", "--dry-run"])
        .succeeds();

    assert_eq!(world.read(".sealane/demo/tmp.abcdefgh/plan.json"), None);
}

#[test]
fn only_a_run_that_went_through_is_what_others_compare_with() {
    let stage = Stage::deployed();
    let world = stage.world();
    let kept = ".sealane/demo/deploy.last-good.json";
    world
        .run("deploy", &["demo", "--yes", "--dry-run"])
        .succeeds();
    assert_eq!(world.read(kept), None);

    world.run("deploy", &["demo", "--yes"]).succeeds();
    let good = world.read(kept);
    assert_eq!(world.document(kept)["outcome"], "completed");
    assert_eq!(
        world.read(".sealane/demo/manifests.last-good.yaml"),
        world.read(".sealane/demo/manifests.yaml")
    );

    world.write(".sealane/demo/manifests.last-good.yaml", "as it was\n");
    world
        .run("deploy", &["demo", "--yes", "--dry-run"])
        .succeeds();
    stage.things().doctor = serde_json::json!([]);
    world.run("deploy", &["demo", "--yes"]).ends_with(1);
    assert_eq!(world.read(kept), good);
    assert_eq!(
        world
            .read(".sealane/demo/manifests.last-good.yaml")
            .as_deref(),
        Some("as it was\n")
    );
}
