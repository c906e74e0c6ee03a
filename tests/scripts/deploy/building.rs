//! The image: built once for the same sources, pinned by digest, by whoever can.

use super::stage::{DIGEST, REVISION, Stage, refusal};
use crate::{
    environment::GROUP,
    harness::{Reply, World},
};

const OTHER: &str = "sha256:3434343434343434343434343434343434343434343434343434343434343434";

fn digest_of(world: &World) -> String {
    let instance = world.document(".sealane/demo/instance/kustomization.yaml");
    instance["images"][0]["digest"]
        .as_str()
        .expect("a digest")
        .to_owned()
}

#[test]
fn the_registry_builds_with_buildkit_from_the_sources_alone() {
    let stage = Stage::empty();
    let world = stage.world();
    world.write("infra/environments/demo/secret.txt", "not a source\n");
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let files = seen.clone();
    world.on(move |call| {
        if call.is("az acr run") {
            let context = call.args.iter().find(|word| word.ends_with("/context"))?;
            let entries = std::fs::read_dir(context)
                .unwrap()
                .map(|it| it.unwrap().file_name().into_string().unwrap());
            files.lock().unwrap().extend(entries);
            let task = std::fs::read_to_string(format!("{context}/task.yaml")).unwrap();
            assert!(
                task.contains("DOCKER_BUILDKIT=1") && task.contains("--platform linux/amd64"),
                "{task}"
            );
        }
        None
    });

    let outcome = world.run("deploy", &["demo", "--yes"]);

    outcome.succeeds();
    let run = outcome.call("az acr run");
    assert_eq!(run.value("--resource-group"), Some(GROUP));
    assert!(
        run.args.contains(&format!("revision={REVISION}")),
        "{}",
        run.line()
    );
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    assert_eq!(
        seen,
        [".dockerignore", "Cargo.toml", "Dockerfile", "task.yaml"]
    );
    assert_eq!(digest_of(&world), DIGEST);
}

#[test]
fn the_same_sources_are_built_once_and_others_anew() {
    let stage = Stage::deployed();
    let tag = |outcome: &crate::harness::Outcome| {
        outcome
            .call("az acr repository show")
            .value("--image")
            .unwrap()
            .to_owned()
    };

    let world = stage.world();
    let again = world.run("deploy", &["demo", "--yes"]);
    again
        .succeeds()
        .never("az acr run")
        .says("was built from the same sources");
    world.write("Cargo.toml", "# changed\n");
    let changed = world.run("deploy", &["demo", "--yes"]);
    assert_ne!(tag(&again), tag(&changed));

    stage
        .deploys(&["--rebuild"])
        .succeeds()
        .called("az acr run");
}

#[test]
fn docker_signs_in_with_a_configuration_that_goes_with_the_run() {
    let stage = Stage::empty();
    let world = stage.world();
    world.answer("docker version", "28.0.4").answer(
        "docker context inspect",
        "unix:///run/user/1000/docker.sock",
    );
    let things = stage.clone();
    world.on(move |call| {
        call.is("docker build")
            .then(|| Reply::ok("built\n"))
            .or_else(|| {
                call.is("docker push").then(|| {
                    things.things().digest = Some(DIGEST);
                    Reply::ok("pushed\n")
                })
            })
    });

    let outcome = world.run("deploy", &["demo", "--yes", "--build", "docker"]);

    outcome.succeeds().in_order(&[
        "az acr login",
        "docker build --platform linux/amd64",
        "docker push",
        "az acr repository show",
    ]);
    let config = &outcome.call("docker push").env["DOCKER_CONFIG"];
    assert!(config.contains("/.sealane/demo/tmp."), "{config}");
    assert!(!std::path::Path::new(config).exists());
    assert_eq!(
        outcome.call("docker build").env["DOCKER_HOST"],
        "unix:///run/user/1000/docker.sock"
    );
}

#[test]
fn an_image_that_is_given_is_looked_for_and_none_is_built() {
    let stage = Stage::empty();
    stage.things().digest = Some(DIGEST);
    let image = format!("sealanedemoa1b2c3.azurecr.io/sealane@{DIGEST}");
    stage
        .deploys(&["--image", &image])
        .succeeds()
        .never("git")
        .never("az acr run");

    let other = format!("sealanedemoa1b2c3.azurecr.io/sealane@{OTHER}");
    stage
        .deploys(&["--image", &other])
        .fails(1, "image-missing")
        .says(OTHER);

    let elsewhere = format!("ghcr.io/shop/sealane@{OTHER}");
    let world = stage.world();
    world
        .run("deploy", &["demo", "--yes", "--image", &elsewhere])
        .succeeds()
        .says("nobody checks here");
    assert_eq!(digest_of(&world), OTHER);
}

#[test]
fn a_build_that_fails_or_leaves_nothing_is_told() {
    let world = Stage::empty().world();
    world.answer("az acr run", Reply::fail(1, "ERROR: Run failed"));
    world
        .run("deploy", &["demo", "--yes"])
        .fails(1, "build-failed")
        .says("Run failed")
        .never("kubectl rollout");

    let world = Stage::empty().world();
    world.answer("az acr run", "done");
    world
        .run("deploy", &["demo", "--yes"])
        .fails(1, "image-missing");

    Stage::empty()
        .deploys(&["--build", "none"])
        .fails(1, "image-missing")
        .never("az acr run");

    let world = Stage::empty().world();
    world.answer("az acr repository show", "latest");
    world
        .run("deploy", &["demo", "--yes"])
        .fails(1, "registry-unreadable")
        .says("expected a digest");

    let world = Stage::empty().world();
    world.answer(
        "az acr repository show",
        refusal("CONNECTIVITY_REFRESH_TOKEN_ERROR"),
    );
    world
        .run("deploy", &["demo", "--yes"])
        .fails(1, "registry-unreadable")
        .never("az acr run");
}

#[test]
fn outside_a_clone_there_is_nothing_to_build() {
    let world = Stage::empty().world();
    world.answer(
        "git ls-files",
        Reply::fail(128, "fatal: not a git repository"),
    );

    world
        .run("deploy", &["demo", "--yes"])
        .fails(1, "no-checkout")
        .says("not a git repository");
}
