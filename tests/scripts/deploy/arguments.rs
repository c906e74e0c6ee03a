//! What is told before anything is asked of Azure.

use super::stage::Stage;
use crate::harness::Reply;

#[test]
fn what_cannot_be_meant_is_refused_with_a_line() {
    let world = Stage::empty().world();
    let cases: [(&[&str], &str, &str); 11] = [
        (&[], "usage", "the environment is missing"),
        (
            &["demo", "other"],
            "usage",
            "\"other\" is one word too many",
        ),
        (&["../demo"], "environment-name", "\"../demo\" is no name"),
        (&["De mo"], "environment-name", "2 to 16"),
        (
            &["nowhere"],
            "environment-missing",
            "infra/environments/nowhere/terraform.tfvars",
        ),
        (&["demo", "--fast"], "usage", "\"--fast\" is not known"),
        (
            &["demo", "--build", "podman"],
            "usage",
            "expected acr, docker or none",
        ),
        (&["demo", "--build"], "usage", "--build needs a value"),
        (
            &["demo", "--image", "sealane:latest"],
            "usage",
            "expected REPOSITORY@sha256:",
        ),
        (&["demo", "--workloads-only"], "usage", "give --image"),
        (
            &["demo", "--yes", "--outputs", "/nowhere"],
            "outputs-missing",
            "cannot be read",
        ),
    ];
    for (arguments, slug, words) in cases {
        let outcome = world.run("deploy", arguments);
        outcome.fails(2, slug).says(words).never("terraform init");
    }
}

#[test]
fn all_that_is_wrong_with_the_variables_is_told_at_once_and_no_secret_repeated() {
    let mut world = Stage::empty().world();
    let file = "infra/environments/demo/terraform.tfvars";
    let text = world.read(file).unwrap();
    let text = text
        .replace("westeurope", "mars")
        .replace("= 24", "= 2400")
        .replace("\"demo\"", "\"other\"");
    world.write(
        file,
        &format!(
            "{text}postgresql_password = \"hunter2hunter2\"\nwoker_nodes = {{ min = 1, max = 2 }}\n"
        ),
    );
    world.secret("mars-is-no-secret");

    let outcome = world.run("deploy", &["demo"]);

    outcome
        .fails(2, "variables")
        .says("location is mars")
        .says("ttl_hours is 2400, expected 1 to 168");
    outcome
        .says("environment is \"other\", expected \"demo\"")
        .says("woker_nodes is no variable");
    outcome
        .says("postgresql_password is in the file, where no secret belongs")
        .never("az");
    assert!(!outcome.stderr.contains("hunter2"), "{outcome}");
}

#[test]
fn variables_are_read_as_terraform_reads_them() {
    let stage = Stage::empty();
    let world = stage.world();
    let file = "infra/environments/demo/terraform.tfvars";
    let text = world.read(file).unwrap();
    let more = "# a comment with \" in it\n\nzones = [ \"1\", # the first\n  \"2\",\n] // end\noperators = {\n  \"a # b\" = { object_id = \"x\", type = \"User\" }\n}\nprivate_cluster=false\r\n";
    world.write(file, &format!("{text}{more}"));

    world.run("deploy", &["demo", "--yes"]).succeeds();
}

#[test]
fn a_line_that_is_no_assignment_is_named_by_its_number() {
    for (line, words) in [
        ("location", "line 8"),
        ("zones = [\"1\"", "line 8"),
        ("location = var.x", "the value of location, in line 8"),
    ] {
        let world = Stage::empty().world();
        let file = "infra/environments/demo/terraform.tfvars";
        let text = world.read(file).unwrap();
        world.write(file, &format!("{text}{line}\n"));

        world
            .run("deploy", &["demo"])
            .fails(2, "variables-unreadable")
            .says(words);
    }
}

#[test]
fn without_a_backend_nothing_is_planned() {
    let world = Stage::empty().world();
    std::fs::remove_file(world.root().join("infra/environments/demo/backend.hcl")).unwrap();

    world
        .run("deploy", &["demo"])
        .fails(2, "backend-missing")
        .never("terraform plan");
}

#[test]
fn programs_that_are_missing_or_too_old_are_told_at_once() {
    let world = Stage::empty().world();
    world.without("kubelogin");
    world.answer("terraform version", "Terraform v1.9.8");
    world.answer("kubectl version", "no idea");
    world.answer("helm version", Reply::fail(1, "broken"));

    let outcome = world.run("deploy", &["demo"]);

    outcome
        .fails(3, "prerequisites")
        .says("kubelogin is missing (expected 0.1.4 or newer)");
    outcome
        .says("terraform is 1.9.8, expected 1.11.0 or newer")
        .says("kubectl tells no version that can be read");
    outcome
        .says("helm does not tell its version")
        .never("az account show");
}

#[test]
fn sealane_is_taken_from_its_variable_first() {
    let stage = Stage::empty();
    let mut world = stage.world();
    world.without("sealane");
    world.run("deploy", &["demo"]).fails(3, "sealane-missing");

    let file = world
        .write("own", "#!/bin/sh\necho \"own sealane: $*\" >&2\nexit 78\n")
        .root()
        .join("own");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&file, mode).unwrap();
    world.env("SEALANE", &file.display().to_string());

    world
        .run("deploy", &["demo", "--yes"])
        .fails(1, "lint-failed")
        .says("ended with 78");
}
