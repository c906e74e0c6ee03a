//! What the Dockerfile promises, read from its text.

use anyhow::Context;

use crate::{recipe::Recipe, repository::text};

/// The programs of the image, and the crates that they are of.
pub(crate) const PROGRAMS: [(&str, &str); 3] = [
    ("sealane", "sealane-client"),
    ("sealane-codec-server", "sealane-codec-server"),
    ("sealane-worker", "sealane-worker"),
];

/// Returns the Dockerfile.
pub(crate) fn recipe() -> anyhow::Result<Recipe> {
    Recipe::parse(&text("Dockerfile")?)
}

#[test]
fn every_base_image_has_a_tag_for_people_and_a_digest_for_the_builder() -> anyhow::Result<()> {
    let recipe = recipe()?;
    let images = recipe.base_images();
    assert_eq!(images.len(), 2, "the compiler and the base: {images:?}");
    for image in images {
        let (name, digest) = image.split_once("@sha256:").context(image.to_owned())?;
        assert!(
            name.rsplit('/').next().is_some_and(|it| it.contains(':')),
            "{image} has no tag"
        );
        let hexadecimal = |it: char| matches!(it, '0'..='9' | 'a'..='f');
        assert!(
            digest.len() == 64 && digest.chars().all(hexadecimal),
            "{image}"
        );
    }
    Ok(())
}

#[test]
fn the_compiler_is_the_one_everything_is_tested_with() -> anyhow::Result<()> {
    let toolchain = text("rust-toolchain.toml")?;
    let channel = toolchain.split('"').nth(1).context("no channel")?;
    let recipe = recipe()?;
    let compiler = recipe.base_images()[0];
    let expected = format!("docker.io/library/rust:{channel}-slim-bookworm@");
    assert!(
        compiler.starts_with(&expected),
        "{compiler}, expected {expected}…"
    );
    Ok(())
}

#[test]
fn the_compiler_runs_on_the_platform_of_the_builder() -> anyhow::Result<()> {
    let from: Vec<_> = text("Dockerfile")?
        .lines()
        .filter(|it| it.starts_with("FROM "))
        .map(str::to_owned)
        .collect();
    assert!(
        from[0].starts_with("FROM --platform=$BUILDPLATFORM "),
        "{}",
        from[0]
    );
    let last = from.last().context("no stage")?;
    assert!(
        !last.contains("--platform"),
        "the image is of the target's platform: {last}"
    );
    Ok(())
}

#[test]
fn the_image_adds_programs_and_runs_nothing_while_it_is_made() -> anyhow::Result<()> {
    let recipe = recipe()?;
    let image = recipe.image()?;
    assert!(
        image
            .base
            .starts_with("gcr.io/distroless/cc-debian12:nonroot@"),
        "{}",
        image.base
    );
    assert_eq!(image.all("COPY"), ["--from=build /out/ /usr/local/bin/"]);
    for keyword in ["RUN", "ADD", "ENTRYPOINT", "ENV", "SHELL", "VOLUME"] {
        assert!(image.all(keyword).is_empty(), "{keyword} in the last stage");
    }
    assert_eq!(
        image.all("CMD"),
        [r#"["/usr/local/bin/sealane", "--help"]"#]
    );
    Ok(())
}

#[test]
fn the_user_is_a_number_that_is_not_root() -> anyhow::Result<()> {
    assert_eq!(recipe()?.image()?.all("USER"), ["65532:65532"]);
    Ok(())
}

#[test]
fn the_labels_say_what_it_is_and_of_which_revision() -> anyhow::Result<()> {
    let recipe = recipe()?;
    let labels = recipe.image()?.all("LABEL").join(" ");
    for name in ["title", "description", "licenses", "revision"] {
        assert!(
            labels.contains(&format!("org.opencontainers.image.{name}=")),
            "{name}: {labels}"
        );
    }
    assert!(
        labels.contains(r#"image.revision="$SEALANE_REVISION""#),
        "{labels}"
    );
    let manifest = text("Cargo.toml")?;
    assert!(manifest.contains("license = \"MIT\"") && labels.contains("licenses=\"MIT\""));
    Ok(())
}

#[test]
fn the_revision_is_what_the_api_says_it_is() -> anyhow::Result<()> {
    let recipe = recipe()?;
    let build = recipe
        .stages()
        .iter()
        .find(|it| it.name.as_deref() == Some("build"));
    let build = build.context("no stage build")?;
    assert!(
        build
            .all("RUN")
            .iter()
            .any(|it| it.contains(r#"SEALANE_COMMIT="$SEALANE_REVISION""#))
    );
    assert!(text("service/src/build.rs")?.contains(r#"option_env!("SEALANE_COMMIT")"#));
    Ok(())
}

#[test]
fn every_tool_that_is_installed_has_a_version() -> anyhow::Result<()> {
    let recipe = recipe()?;
    let installs: Vec<_> = recipe
        .stages()
        .iter()
        .flat_map(|it| it.all("RUN"))
        .filter_map(|it| it.split_once("cargo install "))
        .map(|(_, rest)| rest)
        .collect();
    assert_eq!(installs.len(), 1, "{installs:?}");
    assert!(installs[0].starts_with("--locked "), "{installs:?}");
    for tool in installs[0].split_whitespace().skip(1) {
        let (name, version) = tool.split_once('@').context(tool.to_owned())?;
        assert_eq!(version.split('.').count(), 3, "{name} {version}");
    }
    Ok(())
}

#[test]
fn dependencies_and_programs_are_built_alike() -> anyhow::Result<()> {
    let recipe = recipe()?;
    let runs: Vec<_> = recipe
        .stages()
        .iter()
        .flat_map(|it| it.all("RUN"))
        .collect();
    let builds: Vec<_> = runs
        .iter()
        .filter(|it| it.contains("chef cook") || it.contains("auditable build"))
        .collect();
    assert_eq!(builds.len(), 2, "{runs:?}");
    for build in builds {
        let options = ["--locked", "--profile image", "--bins"].map(str::to_owned);
        let packages = PROGRAMS.map(|(_, package)| format!("--package {package}"));
        for wanted in options.iter().chain(&packages) {
            assert!(build.contains(wanted.as_str()), "no {wanted} in {build}");
        }
    }
    let cooked = runs.iter().position(|it| it.contains("chef cook"));
    let built = runs.iter().position(|it| it.contains("auditable build"));
    assert!(cooked < built);
    Ok(())
}

#[test]
fn panics_unwind_in_the_image_as_everywhere() -> anyhow::Result<()> {
    let manifest = text("Cargo.toml")?;
    let (_, profile) = manifest
        .split_once("[profile.image]")
        .context("no profile image")?;
    let profile = profile.split("\n[").next().context("never")?;
    assert!(profile.contains("inherits = \"release\""), "{profile}");
    let setting = |it: &str| !it.trim_start().starts_with('#') && it.contains("panic");
    assert!(
        !manifest.lines().any(setting),
        "the SDK needs panics to unwind"
    );
    Ok(())
}
