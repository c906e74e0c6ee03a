//! The Temporal server, while keys are as they should be.

use sealane_dev::server::DevServer;
use sealane_tests::{
    frontend::{self, Answer},
    server,
    tls::{Authority, SERVER_NAME},
};

use super::Pod;

/// A port that nobody serves any more: that of the discard protocol.
const NOBODY: &str = "127.0.0.1:9";

/// gRPC's status of that name.
const UNAUTHENTICATED: u8 = 16;

const NO_AUTH: [&str; 3] = ["temporal-namespace", "pollers-workflow", "pollers-activity"];

#[tokio::test]
async fn a_server_that_is_not_there_skips_what_needs_it_and_no_more() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with("TEMPORAL_ADDRESS", NOBODY);

    let report = pod.examine().await;

    let skipped = [&["temporal-tls", "temporal-auth"][..], &NO_AUTH].concat();
    report.fails(69, &["temporal-tcp"], &skipped).says(
        "temporal-tcp",
        &["no TCP connection to 127.0.0.1:9", "refused"],
        &["temporal server start-dev", "kubectl get networkpolicy"],
    );
    for check in ["vault-get", "keys", "clock"] {
        assert_eq!(report.status(check), "pass");
    }
    Ok(())
}

#[tokio::test]
async fn a_host_that_does_not_resolve_is_told_from_one_that_refuses() -> anyhow::Result<()> {
    let pod = Pod::new()
        .await?
        .with("TEMPORAL_ADDRESS", "frontend.invalid:7233");

    let report = pod.examine().await;

    assert_eq!(report.finished.code, 69, "{}", report.finished);
    let remedy = "kubectl get service -A | grep frontend";
    report.says(
        "temporal-tcp",
        &["DNS does not resolve frontend.invalid:7233"],
        &[remedy],
    );
    Ok(())
}

#[tokio::test]
async fn a_namespace_that_does_not_exist_is_a_bad_setting() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with("TEMPORAL_NAMESPACE", "payments");

    let report = pod.examine().await;

    report
        .fails(
            78,
            &["temporal-namespace"],
            &["pollers-workflow", "pollers-activity"],
        )
        .says(
            "temporal-namespace",
            &["no namespace \"payments\""],
            &["temporal operator namespace list --address"],
        );
    assert_eq!(report.status("temporal-auth"), "pass");
    Ok(())
}

#[tokio::test]
async fn a_refused_api_key_is_not_shown_even_if_the_server_quotes_it() -> anyhow::Result<()> {
    let answer = Answer::Status(UNAUTHENTICATED, "no such key: s3cr3t-api-key");
    let address = frontend::start(answer).await?.to_string();
    let pod = Pod::new().await?.with("TEMPORAL_ADDRESS", &address);
    let pod = pod
        .with("TEMPORAL_API_KEY", "s3cr3t-api-key")
        .with("TEMPORAL_TLS", "false");

    let report = pod.examine().await;

    report.fails(77, &["temporal-auth"], &NO_AUTH).says(
        "temporal-auth",
        &["refuses TEMPORAL_API_KEY", "no such key: <redacted>"],
        &["TEMPORAL_API_KEY", "tcld apikey list"],
    );
    assert!(
        !report.finished.to_string().contains("s3cr3t"),
        "{}",
        report.finished
    );
    Ok(())
}

#[tokio::test]
async fn tls_is_a_check_of_its_own() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let behind = server().await;
    let front = authority
        .front(DevServer::address(behind), false)
        .await?
        .to_string();
    let pod = Pod::new().await?.with("TEMPORAL_ADDRESS", &front);
    authority.write_client_files(pod.world.folder())?;
    let ca = pod.world.folder().join("ca.pem").display().to_string();
    let stranger = pod
        .world
        .folder()
        .join("azure-root.pem")
        .display()
        .to_string();
    let pod = pod.with("TEMPORAL_TLS_SERVER_NAME", SERVER_NAME);

    let pod = pod.with("TEMPORAL_TLS_SERVER_CA_CERT_PATH", &stranger);
    let distrusted = pod.examine().await;
    let pod = pod.with("TEMPORAL_TLS_SERVER_CA_CERT_PATH", &ca);
    let trusted = pod.examine().await;

    let skipped = [&["temporal-auth"][..], &NO_AUTH].concat();
    distrusted.fails(69, &["temporal-tls"], &skipped).says(
        "temporal-tls",
        &["fails after TCP connected", "certificate"],
        &[
            "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
            "TEMPORAL_TLS_SERVER_NAME",
        ],
    );
    for check in [
        "temporal-tcp",
        "temporal-tls",
        "temporal-auth",
        "temporal-namespace",
    ] {
        assert_eq!(trusted.status(check), "pass", "{}", trusted.finished);
    }
    Ok(())
}

#[tokio::test]
async fn an_api_key_is_never_advised_to_be_sent_in_the_clear() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with("TEMPORAL_API_KEY", "s3cr3t-api-key");

    let report = pod.examine().await;

    let skipped = [&["temporal-auth"][..], &NO_AUTH].concat();
    report.fails(69, &["temporal-tls"], &skipped).says(
        "temporal-tls",
        &[],
        &["TEMPORAL_API_KEY turns TLS on", "remove TEMPORAL_API_KEY"],
    );
    assert!(
        !report.finished.stdout.contains("TEMPORAL_TLS=false"),
        "{}",
        report.finished
    );
    Ok(())
}

#[tokio::test]
async fn a_server_that_wants_tls_is_not_taken_for_one_that_refuses() -> anyhow::Result<()> {
    let front = Authority::new()?
        .front(server().await.address(), false)
        .await?
        .to_string();
    let pod = Pod::new().await?.with("TEMPORAL_ADDRESS", &front);

    let report = pod.examine().await;

    report.fails(69, &["temporal-auth"], &NO_AUTH).says(
        "temporal-auth",
        &["does not answer as Temporal"],
        &["TEMPORAL_TLS=true"],
    );
    Ok(())
}

#[tokio::test]
async fn a_server_that_hangs_up_may_want_a_client_certificate() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let front = authority
        .front(server().await.address(), true)
        .await?
        .to_string();
    let pod = Pod::new().await?.with("TEMPORAL_ADDRESS", &front);
    authority.write_client_files(pod.world.folder())?;
    let file = |name: &str| pod.world.folder().join(name).display().to_string();
    let (ca, certificate, key) = (file("ca.pem"), file("client.pem"), file("client.key"));
    let pod = pod.with("TEMPORAL_TLS_SERVER_NAME", SERVER_NAME);
    let pod = pod.with("TEMPORAL_TLS_SERVER_CA_CERT_PATH", &ca);

    let without = pod.examine().await;
    let pod = pod.with("TEMPORAL_TLS_CLIENT_CERT_PATH", &certificate);
    let pod = pod.with("TEMPORAL_TLS_CLIENT_KEY_PATH", &key);
    let with = pod.examine().await;

    without.fails(69, &["temporal-auth"], &NO_AUTH).says(
        "temporal-auth",
        &["does not answer as Temporal"],
        &["TEMPORAL_TLS_CLIENT_CERT_PATH", "client certificate"],
    );
    with.says("temporal-auth", &["accepts the client certificate"], &[]);
    assert_eq!(with.finished.code, 0, "{}", with.finished);
    Ok(())
}

#[tokio::test]
async fn a_server_that_greets_anybody_is_asked_on() -> anyhow::Result<()> {
    /// gRPC's status of that name.
    const PERMISSION_DENIED: u8 = 7;
    let greeting = |code, words| Answer::Greeting("1.30.0", code, words);
    let denies = frontend::start(greeting(PERMISSION_DENIED, "Request unauthorized.")).await?;
    let refuses = frontend::start(greeting(UNAUTHENTICATED, "who are you")).await?;

    let pod = Pod::new()
        .await?
        .with("TEMPORAL_ADDRESS", &denies.to_string());
    let denied = pod.examine().await;
    let pod = pod.with("TEMPORAL_ADDRESS", &refuses.to_string());
    let refused = pod.examine().await;

    let skipped = ["pollers-workflow", "pollers-activity"];
    denied.fails(77, &["temporal-namespace"], &skipped).says(
        "temporal-namespace",
        &["Request unauthorized."],
        &["TEMPORAL_NAMESPACE", "credentials"],
    );
    refused.fails(77, &["temporal-auth"], &NO_AUTH).says(
        "temporal-auth",
        &["who are you"],
        &["TEMPORAL_API_KEY"],
    );
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_too_old_is_told_by_its_version() -> anyhow::Result<()> {
    let address = frontend::start(Answer::Version("1.24.2"))
        .await?
        .to_string();
    let pod = Pod::new().await?.with("TEMPORAL_ADDRESS", &address);

    let report = pod.examine().await;

    report
        .fails(69, &["temporal-auth"], &NO_AUTH)
        .says("temporal-auth", &["1.24.2"], &[]);
    Ok(())
}
