//! The source against a scripted vault, in virtual time.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

use super::{Source, SourceOptions};
use crate::{
    KeyRing, SharedKeyRing,
    azure::Cause,
    key_vault::{
        LoadError, Status,
        scripted::{Script, key},
    },
    rotation::{Policy, Stage},
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// 31 bytes.
const TOO_SHORT: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";

const OPTIONS: SourceOptions = SourceOptions {
    refresh: Duration::from_secs(300),
    policy: Policy {
        activation_delay: Duration::from_secs(900),
    },
    start_limit: Duration::from_secs(120),
};

async fn start(vault: &Script) -> Result<(SharedKeyRing, Source), LoadError> {
    Source::start(Box::new(vault.clone()), OPTIONS, &|_| ()).await
}

async fn refused(vault: &Script) -> LoadError {
    start(vault).await.map(|(ring, _)| ring).unwrap_err()
}

/// A vault with one key in use, and a source that has loaded it.
async fn running() -> (Script, SharedKeyRing, Source) {
    let vault = Script::default().with("old", DAY, 1);
    let (ring, source) = start(&vault).await.unwrap();
    (vault, ring, source)
}

fn ids(ring: &SharedKeyRing) -> Vec<String> {
    ring.current().ids().map(ToString::to_string).collect()
}

fn active(ring: &SharedKeyRing) -> String {
    ring.current().active().to_string()
}

fn status(source: &Source) -> Status {
    source.status().current()
}

fn failing(source: &Source) -> Option<&'static str> {
    status(source).failing.map(|failing| failing.reason)
}

#[tokio::test(start_paused = true)]
async fn start_loads_every_enabled_version_the_active_one_first() {
    let vault = Script::default().with("b", DAY, 2).with("a", 2 * DAY, 1);
    let vault = vault.with("c", MINUTE, 3).with("d", 3 * DAY, 4);
    vault.disable("d", SystemTime::now() - DAY);

    let (ring, source) = start(&vault).await.unwrap();

    assert_eq!(active(&ring), "k/b");
    assert_eq!(ids(&ring), ["k/a", "k/b", "k/c"]);
    assert_eq!(vault.state().gets, ["b", "c", "a"]);
    let status = status(&source);
    assert_eq!(status.active.unwrap().version, "b");
    assert!(status.last_success.is_some() && status.active_since.is_some());
    let held: Vec<_> = status.versions.iter().map(|v| v.held).collect();
    assert_eq!(held, [true, true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn start_waits_for_a_role_that_was_just_assigned() {
    for cause in [
        Cause::ForbiddenByRbac,
        Cause::Exchange {
            aadsts: Some(70_021),
        },
        Cause::Unavailable { status: 503 },
    ] {
        let vault = Script::default().with("a", DAY, 1);
        vault.state().list = Some(cause);
        vault.state().failing_lists = Some(4);

        let (ring, source) = start(&vault).await.unwrap();

        assert_eq!(active(&ring), "k/a");
        let status = status(&source);
        assert_eq!(status.failures.values().sum::<u64>(), 4);
        assert_eq!(status.failing, None);
    }
}

#[tokio::test(start_paused = true)]
async fn start_gives_up_at_its_limit_with_the_last_reason() {
    let vault = Script::default().with("a", DAY, 1);
    vault.state().list = Some(Cause::ForbiddenByRbac);
    let began = Instant::now();

    let error = refused(&vault).await;

    assert!(error.is_refusal() && !error.is_unreachable());
    assert!(began.elapsed() > OPTIONS.start_limit / 2);
    assert!(began.elapsed() <= OPTIONS.start_limit);
}

#[tokio::test(start_paused = true)]
async fn start_waits_for_an_unknown_host_for_a_short_time_only() {
    let vault = Script::default();
    vault.state().list = Some(Cause::UnknownHost);
    let began = Instant::now();

    let error = refused(&vault).await;

    assert!(!error.is_refusal() && !error.is_unreachable(), "{error}");
    assert!(began.elapsed() <= Duration::from_secs(10));
    assert!(vault.state().lists > 1);
}

#[tokio::test(start_paused = true)]
async fn start_fails_at_once_where_waiting_does_not_help() {
    let no_version = Script::default();
    let disabled = Script::default().with("a", DAY, 1);
    disabled.disable("a", SystemTime::now());
    let bad = Script::default().with("a", 2 * DAY, 1);
    bad.add_value("b", SystemTime::now() - DAY, TOO_SHORT);
    let missing = Script::default();
    missing.state().list = Some(Cause::NotFound);

    for (vault, reason, text) in [
        (
            no_version,
            "no_version",
            "secret k in https://unit.vault.azure.net/ does not exist",
        ),
        (
            disabled,
            "all_disabled",
            "has 1 versions and all are disabled",
        ),
        (
            bad,
            "key_value",
            "version b of secret k in https://unit.vault.azure.net/ holds no key",
        ),
        (missing, "not_found", "KEYVAULT_SECRET_NAME"),
    ] {
        let error = refused(&vault).await;

        assert_eq!(error.reason(), reason);
        assert!(error.to_string().contains(text), "{error}");
        assert!(!error.is_refusal() && !error.is_unreachable());
        assert_eq!(vault.state().lists, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_disabled_while_it_is_fetched_is_listed_again() {
    let vault = Script::default().with("a", DAY, 1);
    vault.state().key.insert("a", Cause::SecretDisabled);
    let enable = async {
        sleep(Duration::from_secs(5)).await;
        vault.state().key.clear();
    };

    let (started, ()) = tokio::join!(start(&vault), enable);

    assert_eq!(active(&started.unwrap().0), "k/a");
}

#[tokio::test(start_paused = true)]
async fn a_new_version_decrypts_at_once_and_encrypts_after_its_delay() {
    let (vault, ring, mut source) = running().await;
    let now = SystemTime::now();
    vault.add("new", now, 2);

    source.look(now + MINUTE).await;
    assert_eq!(ids(&ring), ["k/new", "k/old"]);
    assert_eq!(active(&ring), "k/old");

    source.look(now + 16 * MINUTE).await;
    assert_eq!(active(&ring), "k/new");
    assert_eq!(status(&source).active_since, Some(now + 16 * MINUTE));
    assert_eq!(
        vault.state().gets,
        ["old", "new"],
        "each value is fetched once"
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_version_without_a_key_does_not_displace_the_old_one() {
    let (vault, ring, mut source) = running().await;
    let now = SystemTime::now();
    vault.add_value("new", now, TOO_SHORT);

    source.look(now).await;
    assert_eq!(failing(&source), None, "it is not needed yet");

    source.look(now + DAY).await;
    assert_eq!(active(&ring), "k/old");
    assert_eq!(failing(&source), Some("key_value"));
    let stage = status(&source).versions[0].stage;
    assert!(matches!(stage, Stage::Active { .. }), "{stage:?}");

    vault.add("newer", now, 3);
    vault.disable("new", now + DAY);
    source.look(now + 2 * DAY).await;
    assert_eq!(active(&ring), "k/newer");
    assert_eq!(failing(&source), None);
    assert_eq!(vault.state().gets, ["old", "new", "newer"]);
}

#[tokio::test(start_paused = true)]
async fn failures_leave_the_ring_alone_and_are_counted() {
    let (vault, ring, mut source) = running().await;
    let before = ring.current();
    let loaded = status(&source).last_success;

    for cause in [
        Cause::TokenFile,
        Cause::ForbiddenByRbac,
        Cause::Throttled,
        Cause::Timeout,
        Cause::NotFound,
        Cause::Timeout,
    ] {
        vault.state().list = Some(cause);
        source.look(SystemTime::now()).await;
    }

    assert!(std::sync::Arc::ptr_eq(&before, &ring.current()));
    let during = status(&source);
    assert_eq!(during.last_success, loaded);
    assert_eq!(during.failures["timeout"], 2);
    assert_eq!(during.failures.len(), 5);
    assert_eq!(during.failing.unwrap().reason, "timeout");

    vault.state().list = None;
    let now = SystemTime::now();
    source.look(now).await;
    assert_eq!(failing(&source), None);
    assert_eq!(status(&source).last_success, Some(now));
    assert!(std::sync::Arc::ptr_eq(&before, &ring.current()));
}

#[tokio::test(start_paused = true)]
async fn disabling_or_losing_everything_leaves_the_last_keys() {
    let (vault, ring, mut source) = running().await;

    vault.disable("old", SystemTime::now());
    source.look(SystemTime::now() + DAY).await;

    assert_eq!(active(&ring), "k/old");
    assert_eq!(failing(&source), Some("all_disabled"));
    assert!(!status(&source).versions[0].version.enabled);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_changes_takes_no_key_away() {
    let vault = Script::default().with("a", 2 * DAY, 1).with("b", DAY, 2);
    vault.rename("b", "payloads");
    let (ring, mut source) = start(&vault).await.unwrap();
    let before = ring.current();

    vault.rename("b", "k/b");
    source.look(SystemTime::now()).await;
    vault.rename("b", "k/a");
    source.look(SystemTime::now()).await;

    assert_eq!(active(&ring), "payloads");
    assert!(std::sync::Arc::ptr_eq(&before, &ring.current()));
    assert_eq!(failing(&source), None);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_version_goes_once_nobody_can_be_using_it() {
    let vault = Script::default().with("a", 2 * DAY, 1).with("b", DAY, 2);
    let (ring, mut source) = start(&vault).await.unwrap();
    assert_eq!(ids(&ring), ["k/a", "k/b"]);

    let now = SystemTime::now();
    vault.disable("a", now);
    source.look(now + DAY).await;

    assert_eq!(ids(&ring), ["k/b"]);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_refused_does_not_keep_others_from_being_used() {
    let (vault, ring, mut source) = running().await;
    let now = SystemTime::now();
    vault.add("new", now - MINUTE, 2);
    vault.add("newest", now, 3);
    vault.state().key.insert("new", Cause::Forbidden);

    source.look(now + MINUTE).await;
    assert_eq!(ids(&ring), ["k/newest", "k/old"]);
    assert_eq!(failing(&source), Some("forbidden"));

    vault.state().key.clear();
    source.look(now + 2 * MINUTE).await;
    assert_eq!(ids(&ring), ["k/new", "k/newest", "k/old"]);
    assert_eq!(failing(&source), None);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_went_away_does_not_keep_older_ones_from_being_fetched() {
    let (vault, ring, mut source) = running().await;
    let now = SystemTime::now();
    vault.add("new", now - MINUTE, 2);
    vault.add("newest", now, 3);
    vault.state().key.insert("newest", Cause::SecretDisabled);

    source.look(now + MINUTE).await;

    assert_eq!(ids(&ring), ["k/new", "k/old"]);
    assert_eq!(failing(&source), Some("secret_disabled"));
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_refuses_is_not_asked_for_every_version() {
    let (vault, _ring, mut source) = running().await;
    let now = SystemTime::now();
    vault.add("new", now - MINUTE, 2);
    vault.add("newest", now, 3);
    vault.state().key.insert("newest", Cause::ForbiddenByRbac);

    source.look(now + MINUTE).await;

    assert_eq!(vault.state().gets, ["old", "newest"]);
}

#[tokio::test(start_paused = true)]
async fn an_active_version_that_cannot_be_had_leaves_the_old_one_active() {
    let (vault, ring, mut source) = running().await;
    let now = SystemTime::now();
    vault.add("new", now, 2);
    vault.state().key.insert("new", Cause::Unreachable);

    source.look(now + DAY).await;

    assert_eq!(
        (active(&ring), failing(&source)),
        ("k/old".into(), Some("unreachable"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_never_answers_ends_a_look() {
    let (vault, ring, mut source) = running().await;
    vault.state().hangs = true;

    source.look(SystemTime::now()).await;

    assert_eq!(failing(&source), Some("timeout"));
    let old = KeyRing::new(
        "k/old".parse().unwrap(),
        [("k/old".parse().unwrap(), key(1))],
    );
    assert!(ring.current().same_as(&old.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn following_looks_once_per_interval_or_a_little_more_often() {
    let (vault, _ring, source) = running().await;
    vault.state().lists = 0;

    let _ = tokio::time::timeout(60 * MINUTE, source.follow()).await;

    let lists = vault.state().lists;
    assert!((12..=16).contains(&lists), "{lists}");
}

#[tokio::test(start_paused = true)]
async fn following_backs_off_from_a_failing_vault_and_finds_out_that_it_is_back() {
    let (vault, _ring, source) = running().await;
    let status = source.status();
    vault.state().lists = 0;
    vault.state().list = Some(Cause::Unreachable);
    vault.state().failing_lists = Some(5);

    // One interval until the first failure, and 1 + 2 + 4 + 8 + 16 s of waiting at most.
    let _ = tokio::time::timeout(OPTIONS.refresh + Duration::from_secs(32), source.follow()).await;

    assert_eq!(status.current().failures["unreachable"], 5);
    assert_eq!(status.current().failing, None);
    assert!((6..=7).contains(&vault.state().lists));
}

#[tokio::test(start_paused = true)]
async fn a_payload_under_an_unknown_key_makes_the_source_look() {
    let (vault, ring, source) = running().await;
    let following = tokio::spawn(source.follow());
    vault.add("new", SystemTime::now(), 2);

    ring.find("k/new").await;

    assert!(ids(&ring).contains(&"k/new".to_owned()));
    following.abort();
}
