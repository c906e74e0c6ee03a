use std::collections::BTreeMap;

use sealane_tests::{
    World,
    frontend::{self, Answer},
    process::Ended,
    tls::{Authority, SERVER_NAME},
};

use crate::support::start;

/// Runs a worker that cannot start, and returns its exit code and what it says about that.
async fn refusal(
    arguments: &[&str],
    variables: &BTreeMap<String, String>,
) -> anyhow::Result<(Option<i32>, Vec<String>)> {
    let Ended { code, said } = start(arguments, variables)?.ends().await?;
    let (complaints, events): (Vec<_>, Vec<_>) = said
        .into_iter()
        .partition(|line| line.starts_with("sealane-worker: "));
    for event in events {
        assert!(event.starts_with(r#"{"timestamp""#), "{event}");
        assert!(!event.contains("panic"), "{event}");
    }
    Ok((code, complaints))
}

fn assert_one_line(complaints: &[String], words: &[&str]) {
    let [line] = complaints else {
        panic!("expected one line: {complaints:#?}");
    };
    for word in words {
        assert!(line.contains(word), "no {word:?} in: {line}");
    }
}

/// A world whose server answers everything alike.
async fn world_with_a_server_that_says(answer: Answer) -> anyhow::Result<World> {
    let mut world = World::new().await;
    let address = frontend::start(answer).await?;
    world.set("TEMPORAL_ADDRESS", address.to_string());
    Ok(world)
}

#[tokio::test]
async fn an_unknown_flag_is_a_usage_error() -> anyhow::Result<()> {
    let ended = start(&["--frobnicate"], &BTreeMap::new())?.ends().await?;

    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(ended.said[0].contains("--frobnicate"), "{ended:?}");
    Ok(())
}

#[tokio::test]
async fn every_bad_setting_is_reported_at_once() -> anyhow::Result<()> {
    let mut world = World::new().await;
    world
        .set("SEALANE_DRAIN_TIMEOUT", "soon")
        .set("SEALANE_MAX_ACTIVITIES", "0")
        .set("TEMPORAL_ADDRESS", "nowhere")
        .set("TEMPORAL_CODEC_ENDPOINT", "http://localhost:8081");

    let (code, complaints) = refusal(&[], world.variables()).await?;

    assert_eq!(code, Some(78), "{complaints:#?}");
    for name in [
        "SEALANE_DRAIN_TIMEOUT",
        "SEALANE_MAX_ACTIVITIES",
        "TEMPORAL_ADDRESS",
        "TEMPORAL_CODEC_ENDPOINT",
    ] {
        let about = complaints.iter().filter(|line| line.contains(name)).count();
        assert_eq!(about, 1, "{name}: {complaints:#?}");
    }
    assert_eq!(complaints.len(), 4, "{complaints:#?}");
    Ok(())
}

#[tokio::test]
async fn without_a_key_nothing_starts() -> anyhow::Result<()> {
    let mut world = World::new().await;
    let missing = world.folder().join("nobody-wrote-this.json");
    let missing = missing.display().to_string();
    world.set("SEALANE_KEY_FILE", &missing);
    let with_missing = refusal(&[], world.variables()).await?;
    world.set("SEALANE_KEY_FILE", "");
    let with_none = refusal(&[], world.variables()).await?;

    assert_eq!((with_missing.0, with_none.0), (Some(78), Some(78)));
    assert_one_line(&with_missing.1, &["SEALANE_KEY_FILE", &missing]);
    assert_one_line(
        &with_none.1,
        &["SEALANE_KEY_FILE", "SEALANE_ENCRYPTION=off"],
    );
    Ok(())
}

#[tokio::test]
async fn a_bad_key_is_named_without_its_bytes() -> anyhow::Result<()> {
    let world = World::new().await;
    let ring = r#"{"active":"blue","keys":{"blue":"c2VjcmV0LWJ5dGVz"}}"#;
    std::fs::write(world.key_file(), ring)?;

    let (code, complaints) = refusal(&[], world.variables()).await?;

    assert_eq!(code, Some(78));
    assert_one_line(
        &complaints,
        &["SEALANE_KEY_FILE", "\"blue\"", "16, 24 or 32"],
    );
    assert!(!complaints[0].contains("c2Vj"), "{complaints:?}");
    assert!(!complaints[0].contains("secret-bytes"), "{complaints:?}");
    Ok(())
}

#[tokio::test]
async fn an_address_where_nobody_answers_is_named() -> anyhow::Result<()> {
    let mut world = World::new().await;
    let free = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = free.local_addr()?.to_string();
    drop(free);
    world.set("TEMPORAL_ADDRESS", &address);

    let (code, complaints) = refusal(&[], world.variables()).await?;

    assert_eq!(code, Some(69), "{complaints:#?}");
    assert_one_line(&complaints, &[&address, "TEMPORAL_ADDRESS"]);
    Ok(())
}

#[tokio::test]
async fn tls_towards_a_server_without_is_explained() -> anyhow::Result<()> {
    let mut world = World::new().await;
    world.set("TEMPORAL_TLS", "true");

    let (code, complaints) = refusal(&[], world.variables()).await?;

    assert_eq!(code, Some(69), "{complaints:#?}");
    let address = &world.variables()["TEMPORAL_ADDRESS"];
    assert_one_line(&complaints, &[address, "TEMPORAL_TLS"]);
    Ok(())
}

#[tokio::test]
async fn a_refused_api_key_is_told_but_not_shown() -> anyhow::Result<()> {
    let mut world = World::new().await;
    let answer = Answer::Status(16, "Request unauthorized");
    let server = frontend::start(answer).await?;
    let authority = Authority::new()?;
    authority.write_client_files(world.folder())?;
    let front = authority.front(&server.to_string(), false).await?;
    let ca = world.folder().join("ca.pem").display().to_string();
    world
        .set("TEMPORAL_ADDRESS", front.to_string())
        .set("TEMPORAL_API_KEY", "tmprl_sk_revoked")
        .set("TEMPORAL_TLS_SERVER_CA_CERT_PATH", ca)
        .set("TEMPORAL_TLS_SERVER_NAME", SERVER_NAME);

    let (code, complaints) = refusal(&[], world.variables()).await?;

    assert_eq!(code, Some(77), "{complaints:#?}");
    assert_one_line(&complaints, &["Request unauthorized", "TEMPORAL_API_KEY"]);
    assert!(!complaints[0].contains("revoked"), "{complaints:?}");
    Ok(())
}

#[tokio::test]
async fn a_missing_permission_is_told() -> anyhow::Result<()> {
    let world = world_with_a_server_that_says(Answer::Status(7, "Namespace not yours")).await?;

    let (code, complaints) = refusal(&[], world.variables()).await?;

    assert_eq!(code, Some(77), "{complaints:#?}");
    assert_one_line(&complaints, &["Namespace not yours", "TEMPORAL_NAMESPACE"]);
    Ok(())
}

#[tokio::test]
async fn an_unknown_namespace_is_named() -> anyhow::Result<()> {
    let mut world = World::new().await;
    world.set("TEMPORAL_NAMESPACE", "atlantis");

    let (code, complaints) = refusal(&[], world.variables()).await?;

    assert_eq!(code, Some(77), "{complaints:#?}");
    assert_one_line(&complaints, &["atlantis", "TEMPORAL_NAMESPACE"]);
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_too_old_is_told_which_version_is_needed() -> anyhow::Result<()> {
    let world = world_with_a_server_that_says(Answer::Version("1.19.0")).await?;

    let (code, complaints) = refusal(&[], world.variables()).await?;

    assert_eq!(code, Some(69), "{complaints:#?}");
    assert_one_line(&complaints, &["1.19.0", "1.25", "upgrade"]);
    Ok(())
}

#[tokio::test]
async fn a_taken_port_is_named() -> anyhow::Result<()> {
    let mut world = World::new().await;
    let taken = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = taken.local_addr()?.to_string();
    world.set("SEALANE_HTTP_ADDR", &address);

    let (code, complaints) = refusal(&[], world.variables()).await?;

    assert_eq!(code, Some(69), "{complaints:#?}");
    assert_one_line(&complaints, &[&address, "SEALANE_HTTP_ADDR"]);
    Ok(())
}
