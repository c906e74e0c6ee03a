//! What is in the image, and what it can do by itself.

use std::{collections::BTreeSet, fs, process::Command};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::{
    built::{Built, IMAGE, REVISION, built},
    gate,
    layers::{Entry, entries},
    sandbox::{Sandbox, say},
};
use crate::{
    context::{is_wanted, littered},
    dockerfile::PROGRAMS,
    repository::root,
};

/// Bytes that the image may be larger than its base.
const BUDGET: u64 = 60_000_000;

#[tokio::test]
async fn the_image_is_its_base_and_three_programs_below_the_budget() -> anyhow::Result<()> {
    let Some(built) = built("the_image_is_its_base_and_three_programs_below_the_budget").await?
    else {
        return Ok(());
    };
    let base = entries(&built.sandbox, &built.base)?;
    let mut image = entries(&built.sandbox, IMAGE)?;
    let mut size = 0;
    for (program, _) in PROGRAMS {
        let path = format!("usr/local/bin/{program}");
        let entry = image.remove(&path).context(path)?;
        say(&format!("image: {program} {} bytes", entry.size));
        size += entry.size;
        let kind = (
            entry.kind.as_str(),
            entry.mode.as_str(),
            entry.owner.as_str(),
        );
        assert_eq!(
            kind,
            ("f", "755", "0"),
            "{program}: only root may change it"
        );
    }
    say(&format!(
        "image: {size} bytes without the base, of {BUDGET}"
    ));
    assert!(
        size < BUDGET,
        "{size} bytes without the base, expected less than {BUDGET}"
    );
    // Folders get new times and sizes; what matters is that they are those of the base.
    let files = |it: (String, Entry)| (it.1.kind != "d").then_some(it.0);
    let (image, base): (BTreeSet<_>, BTreeSet<_>) = (
        image.into_iter().filter_map(files).collect(),
        base.into_iter().filter_map(files).collect(),
    );
    assert_eq!(image, base);
    Ok(())
}

#[tokio::test]
async fn there_is_no_shell_and_no_package_manager() -> anyhow::Result<()> {
    let Some(built) = built("there_is_no_shell_and_no_package_manager").await? else {
        return Ok(());
    };
    let tools = [
        "sh", "bash", "dash", "busybox", "perl", "python3", "apt", "apt-get", "dpkg", "apk",
        "curl", "wget",
    ];
    for path in entries(&built.sandbox, IMAGE)?.keys() {
        let name = path.rsplit('/').next().unwrap_or_default();
        assert!(!tools.contains(&name), "{path}");
    }
    let refused = built
        .runs(&["sh", "-c", "true"])
        .expect_err("there is no shell");
    assert!(refused.to_string().contains("not found"), "{refused:#}");
    Ok(())
}

#[tokio::test]
async fn the_image_says_who_runs_it_and_what_it_is() -> anyhow::Result<()> {
    let Some(built) = built("the_image_says_who_runs_it_and_what_it_is").await? else {
        return Ok(());
    };
    let config = built.config()?;
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Cmd"], json!(["/usr/local/bin/sealane", "--help"]));
    assert_eq!(
        config.get("Entrypoint").unwrap_or(&Value::Null),
        &Value::Null
    );
    let labels = &config["Labels"];
    assert_eq!(labels["org.opencontainers.image.revision"], REVISION);
    assert_eq!(labels["org.opencontainers.image.title"], "Sealane");
    assert_eq!(labels["org.opencontainers.image.licenses"], "MIT");
    assert!(
        built.runs(&[])?.contains("Usage: sealane"),
        "the default command says what there is"
    );
    Ok(())
}

#[tokio::test]
async fn every_program_runs_without_rights_on_a_root_that_it_cannot_write() -> anyhow::Result<()> {
    let Some(built) =
        built("every_program_runs_without_rights_on_a_root_that_it_cannot_write").await?
    else {
        return Ok(());
    };
    for (program, _) in PROGRAMS {
        let said = built.runs(&[program, "--version"])?;
        let version = format!("{program} {}", env!("CARGO_PKG_VERSION"));
        assert!(said.starts_with(&version), "{said}, expected {version}");
    }
    Ok(())
}

#[tokio::test]
async fn every_program_carries_the_list_of_its_crates() -> anyhow::Result<()> {
    let Some(built) = built("every_program_carries_the_list_of_its_crates").await? else {
        return Ok(());
    };
    for (program, package) in PROGRAMS {
        let packages = packages(built, program)?;
        for wanted in [package, "tokio", "rustls", "aws-lc-rs"] {
            assert!(
                packages.contains(wanted),
                "{program} says nothing of {wanted}"
            );
        }
        assert!(packages.len() > 100, "{program}: {}", packages.len());
    }
    Ok(())
}

/// Reads the section that cargo-auditable writes, with nothing of cargo-auditable.
fn packages(built: &Built, program: &str) -> anyhow::Result<BTreeSet<String>> {
    const UNPACK: &str =
        "import sys, zlib; sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read()))";
    let sandbox = &built.sandbox;
    let container = sandbox.run("buildah", &["from", "--pull=never", IMAGE])?;
    let folder = sandbox.run("buildah", &["mount", &container])?;
    let section = sandbox.place().join("tmp").join(format!("{program}.audit"));
    let dump = format!("--dump-section=.dep-v0={}", section.display());
    let dumped = sandbox.run(
        "objcopy",
        &[
            &dump,
            &format!("{folder}/usr/local/bin/{program}"),
            "/dev/null",
        ],
    );
    sandbox.run("buildah", &["rm", &container])?;
    dumped?;
    let unpacked = Command::new("python3")
        .args(["-c", UNPACK])
        .stdin(fs::File::open(section).context("there is no section .dep-v0")?)
        .output()?;
    ensure!(
        unpacked.status.success(),
        "{}",
        String::from_utf8_lossy(&unpacked.stderr)
    );
    let list: Value = serde_json::from_slice(&unpacked.stdout)?;
    let packages = list["packages"].as_array().context("no packages")?;
    Ok(packages
        .iter()
        .filter_map(|it| it["name"].as_str().map(str::to_owned))
        .collect())
}

#[test]
fn buildah_admits_no_more_to_a_build_than_docker() -> anyhow::Result<()> {
    if gate::wanted("buildah_admits_no_more_to_a_build_than_docker").is_none() {
        return Ok(());
    }
    let place = tempfile::tempdir()?;
    for path in littered()? {
        let copy = place.path().join(&path);
        fs::create_dir_all(copy.parent().context("a folder")?)?;
        fs::write(&copy, "nobody looks into it")?;
    }
    fs::copy(
        root().join(".dockerignore"),
        place.path().join(".dockerignore"),
    )?;
    fs::write(place.path().join("Dockerfile"), "FROM scratch\nCOPY . /\n")?;
    let sandbox = Sandbox::open("image-context")?;
    let folder = place.path().display().to_string();
    sandbox.run(
        "buildah",
        &[
            "build",
            "--network=host",
            "--tag=localhost/context",
            &folder,
        ],
    )?;
    let entries = entries(&sandbox, "localhost/context")?;
    sandbox.run("buildah", &["rmi", "localhost/context"])?;
    let files = entries
        .iter()
        .filter(|it| it.1.kind != "d")
        .map(|it| it.0.as_str());
    let unwanted: Vec<_> = files.clone().filter(|it| !is_wanted(it.as_ref())).collect();
    assert!(unwanted.is_empty(), "{unwanted:#?}");
    assert!(
        files.clone().any(|it| it == "worker/src/main.rs"),
        "nothing was copied"
    );
    Ok(())
}
