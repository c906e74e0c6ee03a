//! What may enter a build: nothing that is not Rust, wherever somebody leaves it.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use sealane_tests::orders::patiently;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::{
    linters::python,
    repository::{files, members, root, text},
};

/// What must never be in a layer, by the names under which people leave it.
const SECRETS: &[&str] = &[
    "config.env",
    ".env",
    ".env.production",
    "keys.json",
    "sealane-keys.json",
    "payload-key",
    "payload.key",
    "tls.pem",
    "id_ed25519",
    "shop.token",
    "token",
    "tokens.json",
    "terraform.tfstate",
    "terraform.tfstate.backup",
    "terraform.tfvars",
    "kubeconfig",
    "outputs.json",
    "credentials.toml",
    ".git/config",
    ".cargo/credentials.toml",
    ".sealane/keys.json",
    ".azure/msal_token_cache.json",
    ".kube/config",
    "target/release/sealane",
];

/// Members of the workspace that are in no program of the image.
const NOT_SHIPPED: [&str; 5] = ["benches/compare", "dev", "examples/hello", "fuzz", "tests"];

/// Returns all files of the repository, and every secret in every folder of it.
pub(crate) fn littered() -> anyhow::Result<BTreeSet<PathBuf>> {
    let files = files("")?;
    let folders: BTreeSet<_> = files.iter().filter_map(|it| it.parent()).collect();
    let secrets = folders
        .iter()
        .flat_map(|folder| SECRETS.iter().map(|secret| folder.join(secret)));
    Ok(secrets.chain(files.iter().cloned()).collect())
}

/// Returns what Docker would send to the builder.
async fn admitted() -> anyhow::Result<BTreeSet<PathBuf>> {
    admitted_by(&text(".dockerignore")?).await
}

/// Returns what Docker would send to the builder if `ignored` were in .dockerignore.
async fn admitted_by(ignored: &str) -> anyhow::Result<BTreeSet<PathBuf>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("image/context.py");
    let question = json!({"ignored": ignored, "paths": littered()?});
    let mut command = python().await?.command();
    let command = command.arg(script).stdin(Stdio::piped());
    let command = command.stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take().context("stdin is piped")?;
    stdin.write_all(question.to_string().as_bytes()).await?;
    drop(stdin);
    let output = patiently("context.py", child.wait_with_output()).await?;
    ensure!(output.status.success(), "context.py failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Copies what a build needs, and no more, to `place`.
pub(crate) async fn copied_to(place: &Path) -> anyhow::Result<()> {
    let there = files("")?;
    let admitted = admitted().await?;
    for file in there.iter().filter(|it| admitted.contains(*it)) {
        let copy = place.join(file);
        fs::create_dir_all(copy.parent().context("a folder")?)?;
        fs::copy(root().join(file), copy)?;
    }
    Ok(())
}

/// True for what a build of Rust reads, and for the two files that are the builder's own.
pub(crate) fn is_wanted(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    matches!(
        name,
        Some("Cargo.toml" | "Cargo.lock" | "Dockerfile" | ".dockerignore")
    ) || path.extension().is_some_and(|it| it == "rs")
}

#[tokio::test]
async fn nothing_but_rust_enters_a_build_wherever_it_lies() -> anyhow::Result<()> {
    let admitted = admitted().await?;
    let unwanted: Vec<_> = admitted.iter().filter(|it| !is_wanted(it)).collect();
    assert!(unwanted.is_empty(), "{unwanted:#?}");
    let hidden = |it: &&PathBuf| {
        it.iter().any(|part| {
            (part.to_string_lossy().starts_with('.') && part != ".dockerignore") || part == "target"
        })
    };
    assert_eq!(admitted.iter().find(hidden), None);
    Ok(())
}

#[tokio::test]
async fn a_pattern_that_admits_too_much_would_be_seen() -> anyhow::Result<()> {
    let ignored = text(".dockerignore")? + "!client/src\n";
    let admitted = admitted_by(&ignored).await?;
    assert!(
        admitted.contains(Path::new("client/src/cli/config.env")),
        "{admitted:#?}"
    );
    Ok(())
}

#[tokio::test]
async fn cargo_finds_the_whole_workspace_in_what_is_admitted() -> anyhow::Result<()> {
    let admitted = admitted().await?;
    for member in members()? {
        let manifest = Path::new(&member).join("Cargo.toml");
        assert!(
            admitted.contains(&manifest),
            ".dockerignore admits no {}",
            manifest.display()
        );
    }
    let context = tempfile::tempdir()?;
    copied_to(context.path()).await?;
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--offline",
            "--no-deps",
            "--format-version",
            "1",
        ])
        .current_dir(context.path())
        .output()?;
    let words = String::from_utf8_lossy(&metadata.stderr);
    assert!(metadata.status.success(), "{words}");
    Ok(())
}

/// Without it, cargo looks for the file of a bench or a test, which is not admitted, and cargo-chef cannot stand in for it.
#[test]
fn every_target_that_is_named_says_where_it_is() -> anyhow::Result<()> {
    for member in members()? {
        let manifest = text(Path::new(&member).join("Cargo.toml"))?;
        for target in manifest.split("\n[[").skip(1) {
            let target = target.split("\n[").next().unwrap_or_default();
            assert!(target.contains("\npath = "), "{member}: [[{target}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn all_code_of_the_programs_is_admitted() -> anyhow::Result<()> {
    let admitted = admitted().await?;
    for member in members()?
        .iter()
        .filter(|it| !NOT_SHIPPED.contains(&it.as_str()))
    {
        for file in files(&format!("{member}/src"))? {
            let is_code = file.extension().is_some_and(|it| it == "rs");
            assert!(
                !is_code || admitted.contains(&file),
                "{} stays out",
                file.display()
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_code_includes_while_it_compiles_is_admitted() -> anyhow::Result<()> {
    let admitted = admitted().await?;
    for file in &admitted {
        let is_shipped = !NOT_SHIPPED.iter().any(|it| file.starts_with(it));
        let is_test = file.to_string_lossy().contains("tests");
        if !is_shipped || is_test || file.extension().is_none_or(|it| it != "rs") {
            continue;
        }
        for included in included(file)? {
            assert!(
                admitted.contains(&included),
                "{} includes {}, which stays out",
                file.display(),
                included.display()
            );
        }
    }
    Ok(())
}

/// Returns what `file` includes before its tests begin.
fn included(file: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let code = text(file)?;
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let folder = file.parent().context("a folder")?;
    let mut found = Vec::new();
    for call in ["include_str!(\"", "include_bytes!(\"", "include!(\""] {
        for rest in code.split(call).skip(1) {
            let path = rest.split('"').next().unwrap_or_default();
            let path = root().join(folder).join(path).canonicalize()?;
            found.push(path.strip_prefix(root().canonicalize()?)?.to_owned());
        }
    }
    Ok(found)
}
