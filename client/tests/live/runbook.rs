//! docs/key-rotation.md, typed in from top to bottom while workflows and a schedule go on.
//!
//! Every section with commands is a test with a vault, a namespace and processes of its own. A command
//! that only looks is repeated until it prints what the document says; one that changes something is run
//! once. One second stands for three minutes of the document.

mod azure_cli;
mod document;
mod key_file;
mod namespace;
mod pattern;
mod scene;
mod shell;
mod traffic;

use std::time::Duration;

use self::scene::{Scene, Start};

/// How long ago a key was made that everybody has used for long.
const DAY: Duration = Duration::from_hours(24);

#[test]
fn every_section_with_commands_is_executed() {
    let executed = [
        "The first key",
        "A planned rotation",
        "Taking a rotation back",
        "A key has leaked",
        "The active version was disabled",
        "A version was disabled too early",
        "All versions are disabled",
        "The vault is down",
        "A key has sealed too much",
        "Rotating a key file",
        "From a key file to Key Vault",
        "From secret to envelope",
    ];

    assert_eq!(document::executable(), executed);
}

#[tokio::test]
async fn the_first_key() -> anyhow::Result<()> {
    let mut scene = Scene::open(Start::EmptyVault).await?;
    scene.follow("The first key").await?;
    scene.ends_well().await
}

#[tokio::test]
async fn a_planned_rotation() -> anyhow::Result<()> {
    let mut scene = Scene::open(Start::OneKey).await?;
    scene.begin_traffic().await?;
    scene.open_order("order-1042").await?;
    scene.follow("A planned rotation").await?;
    scene.ends_without_a_trouble().await
}

#[tokio::test]
async fn taking_a_rotation_back() -> anyhow::Result<()> {
    let mut scene = Scene::open(Start::OneKey).await?;
    scene.begin_traffic().await?;
    scene.follow("Taking a rotation back").await?;
    scene.ends_without_a_trouble().await
}

#[tokio::test]
async fn a_key_has_leaked() -> anyhow::Result<()> {
    let mut scene = Scene::open(Start::OneKey).await?;
    scene.begin_traffic().await?;
    scene.open_order("order-1042").await?;
    scene.follow("A key has leaked").await?;
    scene.ends_well().await
}

#[tokio::test]
async fn the_active_version_was_disabled() -> anyhow::Result<()> {
    let mut scene = Scene::open(Start::OneKey).await?;
    scene.begin_traffic().await?;
    scene.add_key("NEW", DAY / 2);
    scene.until_active("NEW").await?;
    scene.disable("NEW");
    scene.follow("The active version was disabled").await?;
    scene.ends_well().await
}

#[tokio::test]
async fn a_version_was_disabled_too_early() -> anyhow::Result<()> {
    let mut scene = Scene::open(Start::OneKey).await?;
    scene.begin_traffic().await?;
    scene.add_key("NEW", DAY / 2);
    scene.until_active("NEW").await?;
    scene.disable("OLD");
    scene.follow("A version was disabled too early").await?;
    scene.ends_well().await
}

#[tokio::test]
async fn all_versions_are_disabled() -> anyhow::Result<()> {
    let mut scene = Scene::open(Start::OneKey).await?;
    scene.begin_traffic().await?;
    scene.disable("OLD");
    scene.follow("All versions are disabled").await?;
    scene.ends_without_a_trouble().await
}

#[tokio::test]
async fn the_vault_is_down() -> anyhow::Result<()> {
    let mut scene = Scene::open(Start::OneKey).await?;
    scene.begin_traffic().await?;
    scene.follow("The vault is down").await?;
    scene.ends_without_a_trouble().await
}

#[tokio::test]
async fn a_key_has_sealed_too_much() -> anyhow::Result<()> {
    let mut scene = Scene::open(Start::OneKey).await?;
    scene.follow("A key has sealed too much").await?;
    scene.ends_well().await
}

#[tokio::test]
async fn rotating_a_key_file() -> anyhow::Result<()> {
    let mut scene = Scene::open(Start::KeyFile).await?;
    scene.begin_traffic().await?;
    scene.follow("Rotating a key file").await?;
    scene.ends_without_a_trouble().await
}

#[tokio::test]
async fn from_a_key_file_to_key_vault() -> anyhow::Result<()> {
    let mut scene = Scene::open(Start::KeyFile).await?;
    scene.begin_traffic().await?;
    scene.follow("From a key file to Key Vault").await?;
    scene.ends_without_a_trouble().await
}

#[tokio::test]
async fn from_secret_to_envelope() -> anyhow::Result<()> {
    let mut scene = Scene::open(Start::OneKey).await?;
    scene.begin_traffic().await?;
    scene.follow("From secret to envelope").await?;
    scene.ends_without_a_trouble().await
}
