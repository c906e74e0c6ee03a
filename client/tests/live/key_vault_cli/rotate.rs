//! `sealane keys rotate`.

use std::{fs, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use sealane_tests::azure::{Endpoint, Fault, NewVersion, Role, SECRET, Trouble};
use serde_json::json;

use super::{DAY, DELAY, Keyboard, REFRESH, fields, time};

/// Times are shown in whole seconds, and never early.
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn the_first_version_is_active_at_once() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;

    let made = keyboard.json("keys rotate").await?;
    let rows = keyboard.json("keys list").await?;

    let expected = [
        "decryptsEverywhere",
        "encryptsEverywhere",
        "encryptsFrom",
        "keyId",
        "next",
        "version",
    ];
    assert_eq!(fields(&made), expected);
    let versions = keyboard.versions();
    assert_eq!(made["version"], versions[0].version);
    let id = format!("{SECRET}/{}", versions[0].version);
    assert_eq!(made["keyId"], id);
    assert_eq!(time(&made, "encryptsFrom"), time(&rows[0], "created"));
    assert_eq!(made["next"], "start the processes that use it");
    assert_eq!(
        (&rows[0]["keyId"], &rows[0]["stage"]),
        (&json!(id), &json!("active"))
    );
    let note = "active early: no older version is usable";
    assert_eq!(rows[0]["note"], note);
    Ok(())
}

#[tokio::test]
async fn the_key_is_random_and_in_the_vault_alone() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    keyboard.json("keys rotate").await?;

    keyboard.json("keys rotate").await?;

    let versions = keyboard.versions();
    let values: Vec<_> = versions.iter().map(|it| it.value.as_str()).collect();
    assert_eq!(values.len(), 2);
    assert_ne!(values[0], values[1]);
    for value in &values {
        assert_eq!(BASE64_STANDARD.decode(value)?.len(), 32);
    }
    for file in fs::read_dir(keyboard.vault.world.folder())? {
        let content = fs::read_to_string(file?.path())?;
        assert!(!values.iter().any(|value| content.contains(value)));
    }
    Ok(())
}

#[tokio::test]
async fn of_two_versions_made_at_once_the_second_is_the_newer_one() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    let first = keyboard.vault.add_key(Duration::ZERO);

    let second = keyboard.json("keys rotate").await?;
    let rows = keyboard.json("keys list").await?;

    assert!(time(&rows[0], "created") > time(&rows[1], "created"));
    assert_eq!(
        (&rows[0]["keyId"], &rows[1]["keyId"]),
        (&second["keyId"], &json!(first))
    );
    Ok(())
}

#[tokio::test]
async fn a_rotation_says_when_each_stage_begins() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    let old = keyboard.vault.add_key(DAY);

    let made = keyboard.json("keys rotate").await?;
    let rows = keyboard.json("keys list").await?;

    let created = time(&rows[0], "created");
    assert_eq!(time(&made, "decryptsEverywhere"), created + REFRESH);
    assert_eq!(time(&made, "encryptsFrom"), created + DELAY);
    assert_eq!(time(&made, "encryptsEverywhere"), created + DELAY + REFRESH);
    assert_eq!(time(&made, "disableReplacedFrom"), created + 2 * DELAY);
    assert_eq!(made["replaces"], old);
    let next = made["next"].as_str().unwrap_or_default();
    assert!(
        next.contains("sealane keys reencrypt-schedules") && next.contains(&old),
        "{next}"
    );
    assert_eq!(
        (&rows[0]["keyId"], &rows[0]["stage"]),
        (&made["keyId"], &json!("pending"))
    );
    assert_eq!(rows[0]["activates"], made["encryptsFrom"]);
    assert_eq!(
        (&rows[1]["keyId"], &rows[1]["stage"]),
        (&json!(old), &json!("active"))
    );
    Ok(())
}

#[tokio::test]
async fn a_later_moment_is_told_to_the_vault() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    keyboard.vault.add_key(DAY);
    let before = keyboard.vault.fake.now();

    let made = keyboard.json("keys rotate --activate-in 30m").await?;

    let attributes = &keyboard.versions()[1].attributes;
    let not_before = attributes.not_before.expect("a date");
    let wanted = before + 2 * DELAY;
    let encrypts = time(&made, "encryptsFrom");
    assert_eq!(encrypts, not_before + DELAY);
    assert!(encrypts + SECOND >= wanted && encrypts <= attributes.created + 2 * DELAY + SECOND);
    Ok(())
}

#[tokio::test]
async fn a_moment_before_everybody_knows_is_refused() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    keyboard.vault.add_key(DAY);

    let early = keyboard.run("keys rotate --activate-in 14m").await?;
    let exact = keyboard.run("keys rotate --activate-in 15m").await?;

    let line = early.fails(64);
    assert!(
        line.starts_with("--activate-in is 14m, expected at least 15m"),
        "{line}"
    );
    assert!(line.contains("SEALANE_KEY_ACTIVATION_DELAY"), "{line}");
    exact.succeeds();
    assert_eq!(keyboard.vault.fake.count(Endpoint::SetSecret), 1);
    assert_eq!(keyboard.versions()[1].attributes.not_before, None);
    Ok(())
}

#[tokio::test]
async fn odd_values_are_refused_before_the_vault_is_asked() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    keyboard.vault.add_key(DAY);

    let long = "k".repeat(129);
    for id in ["", "ä", "a b", long.as_str()] {
        let refused = keyboard
            .run(&format!("keys rotate --key-id '{id}'"))
            .await?;
        let expected = format!("--key-id is {id:?}, expected 1 to 128 ASCII");
        assert!(refused.fails(64).starts_with(&expected), "{refused}");
    }
    let late = keyboard.run("keys rotate --activate-in 30M").await?;
    let month = keyboard.run("keys rotate --activate-in 31d").await?;

    assert!(month.fails(64).contains("at most 30days"), "{month}");
    assert!(late.fails(64).ends_with("M months"), "{late}");
    assert!(keyboard.vault.fake.requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn an_id_of_ones_own_becomes_a_tag_and_is_never_given_twice() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    keyboard.vault.add_key(DAY);

    let made = keyboard.json("keys rotate --key-id payloads-2026").await?;
    let taken = keyboard.run("keys rotate --key-id payloads-2026").await?;

    assert_eq!(made["keyId"], "payloads-2026");
    assert_eq!(
        keyboard.versions()[1].tags["sealane-key-id"],
        "payloads-2026"
    );
    let line = taken.fails(64);
    assert!(
        line.starts_with("--key-id is \"payloads-2026\", expected"),
        "{line}"
    );
    assert_eq!(keyboard.versions().len(), 2);
    Ok(())
}

#[tokio::test]
async fn an_id_of_a_disabled_version_is_taken_too() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    keyboard.vault.add_key(DAY);
    let disabled = NewVersion {
        disabled: true,
        created: Some(keyboard.vault.fake.now() - 2 * DAY),
        tags: [("sealane-key-id".to_owned(), "payloads-2025".to_owned())].into(),
        ..NewVersion::default()
    };
    let value = "AAECAwQFBgcICQoLDA0ODw==";
    keyboard
        .vault
        .fake
        .add_version_with(SECRET, value, disabled);

    let taken = keyboard.run("keys rotate --key-id payloads-2025").await?;

    let line = taken.fails(64);
    assert!(line.contains("payloads-2025"), "{line}");
    assert_eq!(keyboard.versions().len(), 2);
    Ok(())
}

#[tokio::test]
async fn nothing_is_made_while_all_versions_are_disabled() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    keyboard.vault.add_key(DAY);
    let version = keyboard.versions().remove(0).version;
    keyboard.vault.fake.set_enabled(SECRET, &version, false);

    let refused = keyboard.run("keys rotate").await?;

    let line = refused.fails(78);
    assert_eq!(
        line,
        "all versions of secret payload-key in https://unit.vault.azure.net/ are disabled; \
         enable the one that was active last, then rotate"
    );
    assert_eq!(keyboard.versions().len(), 1);

    keyboard.vault.fake.set_enabled(SECRET, &version, true);
    keyboard.run("keys rotate").await?.succeeds();
    assert_eq!(keyboard.versions().len(), 2);
    Ok(())
}

#[tokio::test]
async fn the_role_that_is_missing_is_named() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    keyboard.vault.add_key(DAY);
    keyboard.vault.fake.revoke(Role::SecretsOfficer);

    let finished = keyboard.run("keys rotate").await?;

    let line = finished.fails(77);
    assert!(line.contains("Key Vault Secrets Officer"), "{line}");
    assert!(
        line.contains("secret payload-key in https://unit.vault.azure.net/"),
        "{line}"
    );
    assert_eq!(keyboard.versions().len(), 1);
    Ok(())
}

#[tokio::test]
async fn without_a_vault_there_is_nothing_to_rotate() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    let file = keyboard.vault.world.folder().join("keys.json");
    let terminal = keyboard.terminal.clone().without("KEYVAULT_URL");
    let terminal = terminal.without("KEYVAULT_SECRET_NAME");
    let terminal = terminal.with("SEALANE_KEY_FILE", &file.display().to_string());

    let finished = terminal.run("keys rotate").await;

    let line = finished.fails(78);
    assert!(line.starts_with("KEYVAULT_URL is not set"), "{line}");
    assert!(keyboard.vault.fake.requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_deleted_secret_in_the_way_is_one_clear_line() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    keyboard.vault.add_key(DAY);
    keyboard.vault.fake.delete_secret(SECRET);

    let finished = keyboard.terminal.run("keys rotate").await;

    let line = finished.fails(78);
    assert!(
        line.contains("a deleted one of that name is in the way"),
        "{line}"
    );
    assert!(line.contains("az keyvault secret recover"), "{line}");
    Ok(())
}

#[tokio::test]
async fn a_vault_out_of_reach_is_no_reason_to_try_for_ever() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    keyboard.vault.add_key(DAY);
    keyboard.vault.fake.vault_down();

    let finished = keyboard.run("keys rotate").await?;

    let line = finished.fails(69);
    assert!(line.contains("https://unit.vault.azure.net/"), "{line}");
    assert_eq!(keyboard.versions().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_version_whose_answer_got_lost_is_not_made_twice() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    keyboard.vault.add_key(DAY);
    let lost = Fault::at(Endpoint::SetSecret, Trouble::Reset).once();
    keyboard.vault.fake.inject(lost);

    let finished = keyboard.run("keys rotate").await?;
    let rows = keyboard.json("keys list").await?;

    let line = finished.fails(69);
    assert!(line.contains("sealane keys list"), "{line}");
    assert_eq!(keyboard.versions().len(), 2, "{rows:#}");
    Ok(())
}
