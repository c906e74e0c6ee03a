//! The way to the API: port-forward or gateway, token, strangers.

use serde_json::json;

use super::cluster::{Cluster, TOKEN, validate};
use crate::harness::{Reply, World};

#[test]
fn a_gateway_is_used_as_it_is_given() {
    let cluster = Cluster::healthy();
    let url = format!("http://127.0.0.1:{}", cluster.api.port);

    let outcome = validate(&cluster.world(), &["--once", "--url", &url]);

    outcome.succeeds().never("kubectl port-forward");
    assert_eq!(outcome.summary()["url"], url);
}

#[test]
fn a_token_is_sent_nowhere_without_tls() {
    let world = World::new();
    for url in [
        "http://orders.example.com",
        "ftp://x",
        "orders.example.com",
        "https://user:secret@x",
        "http://127.0.0.1.example.com",
    ] {
        let outcome = world.run("validate", &["demo", "--url", url]);
        assert_eq!(
            (outcome.code, outcome.calls.len()),
            (2, 0),
            "{url} {outcome}"
        );
    }
}

#[test]
fn a_token_of_ones_own_is_sent_instead() {
    let cluster = Cluster::healthy();
    let mut world = cluster.world();
    world.env("UNUSED", "");
    std::fs::write(world.folder().join("token"), format!("{TOKEN}\n")).unwrap();
    let file = world.folder().join("token");
    // It is a secret that stays where it is.
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        validate(&world, &["--once", "--token-file", file.to_str().unwrap()])
    }));
    let message = outcome
        .err()
        .and_then(|it| it.downcast_ref::<String>().cloned());
    assert_eq!(
        message.as_deref(),
        Some("a secret is in the file Some(\"token\")"),
        "and nowhere else"
    );
}

#[test]
fn what_is_no_token_is_not_sent() {
    for garbage in ["", "not a token", "a\"b", "ERROR: no\nsubscription"] {
        let world = Cluster::healthy().world();
        world.answer(
            "az account get-access-token --query accessToken",
            Reply::ok(garbage),
        );
        validate(&world, &[])
            .fails(1, "no-token")
            .never("curl --request GET");
    }
    let world = Cluster::healthy().world();
    world.answer(
        "az account get-access-token --query accessToken",
        Reply::fail(1, "ERROR: AADSTS65001: consent"),
    );
    validate(&world, &[])
        .fails(1, "no-token")
        .says("AADSTS65001");
}

#[test]
fn without_entra_somebody_has_to_bring_a_token() {
    let cluster = Cluster::healthy();
    cluster.things().rendered[1]["data"]["SEALANE_AUTH"] = json!("tokens");

    validate(&cluster.world(), &[])
        .fails(1, "no-token")
        .says("--token-file");
}

#[test]
fn an_api_that_lets_strangers_in_is_not_well() {
    let cluster = Cluster::healthy();
    cluster
        .api
        .instead(|request| (request.bearer.is_none()).then(|| (200, json!({"workflows": []}))));

    validate(&cluster.world(), &[])
        .fails(1, "api-open")
        .never("curl --request POST");
}

#[test]
fn what_the_api_refuses_is_explained() {
    for (status, slug) in [
        (401, "api-unauthorized"),
        (403, "api-forbidden"),
        (503, "api-failed"),
        (302, "api-failed"),
    ] {
        let cluster = Cluster::healthy();
        cluster
            .api
            .instead(move |_| Some((status, json!({"type": "urn:sealane:problem:unavailable"}))));
        validate(&cluster.world(), &[]).fails(1, slug);
    }
}

#[test]
fn an_api_that_nobody_reaches_is_named() {
    let world = Cluster::healthy().world();
    world.answer(
        "kubectl port-forward",
        Reply::fail(
            1,
            "error: unable to forward port because pod is not running",
        ),
    );
    validate(&world, &[])
        .fails(1, "port-forward")
        .says("pod is not running");

    world.answer(
        "kubectl port-forward",
        Reply::hang("Forwarding from 127.0.0.1:1 -> 8080\n"),
    );
    validate(&world, &[]).fails(1, "api-unreachable");

    world.answer(
        "kubectl port-forward",
        Reply::hang("Forwarding to the moon\n"),
    );
    validate(&world, &[]).fails(1, "port-forward");
}

#[test]
fn a_proxy_never_sees_what_goes_without_tls() {
    let cluster = Cluster::healthy();
    let url = format!("http://localhost:{}", cluster.api.port);
    let mut world = cluster.world();
    // Nobody listens there.
    world
        .env("http_proxy", "http://127.0.0.1:1")
        .env("ALL_PROXY", "http://127.0.0.1:1");

    validate(&world, &["--once", "--url", &url]).succeeds();
    validate(&world, &["--once"]).succeeds();
}

#[test]
fn an_api_without_authentication_is_open_whatever_it_answers() {
    for answers in [200, 401] {
        let cluster = Cluster::healthy();
        cluster.things().rendered[1]["data"]
            .as_object_mut()
            .unwrap()
            .remove("SEALANE_AUTH");
        cluster
            .api
            .instead(move |_| Some((answers, json!({"workflows": []}))));

        validate(&cluster.world(), &["--once"])
            .fails(1, "api-open")
            .says("SEALANE_AUTH: off")
            .called("curl --request GET")
            .never("curl --request POST");
    }
}
