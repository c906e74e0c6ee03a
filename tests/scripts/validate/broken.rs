//! Programs that are missing, fail, hang or print nonsense; and deployments that are none.

use serde_json::json;

use super::cluster::{Cluster, validate};
use crate::harness::Reply;

const OTHER: &str = "99999999-9999-4999-8999-999999999999";

#[test]
fn without_a_deployment_there_is_nothing_to_validate() {
    let world = Cluster::healthy().world();
    for (outcome, dry, image) in [
        ("failed", false, super::cluster::IMAGE),
        ("completed", true, super::cluster::IMAGE),
        ("completed", false, "x"),
    ] {
        world.write(
            ".sealane/demo/deploy.last-good.json",
            &json!({"outcome": outcome, "dry_run": dry, "image": image}).to_string(),
        );
        validate(&world, &[]).fails(1, "not-deployed").says(outcome);
    }
    for garbage in ["", "{", "<html>"] {
        world.write(".sealane/demo/deploy.last-good.json", garbage);
        validate(&world, &[])
            .fails(1, "not-deployed")
            .never("az aks get-credentials");
    }
}

#[test]
fn missing_programs_are_told_all_at_once() {
    let world = Cluster::healthy().world();
    world.without("kubelogin").without("curl");

    validate(&world, &[])
        .fails(3, "prerequisites")
        .says("curl is missing")
        .says("kubelogin is missing");
}

#[test]
fn another_account_or_cluster_is_refused() {
    let world = Cluster::healthy().world();
    world.answer(
        "kubectl config view",
        "prod https://sealane-demo-abc123.hcp.westeurope.azmk8s.io:443",
    );
    validate(&world, &[])
        .fails(4, "wrong-context")
        .never("kubectl get");
    world.answer(
        "az account show",
        format!("{OTHER}\n{OTHER}\nEnabled\nada").as_str(),
    );
    validate(&world, &[]).fails(4, "wrong-subscription");
}

#[test]
fn outputs_of_another_subscription_or_environment_are_refused() {
    for (output, value) in [("subscription_id", OTHER), ("environment", "prod")] {
        let world = Cluster::healthy().world();
        let mut outputs = crate::environment::outputs();
        outputs[output]["value"] = json!(value);
        world.write(".sealane/demo/outputs.json", &outputs.to_string());

        validate(&world, &[])
            .fails(4, "outputs-mismatch")
            .never("az aks get-credentials");
    }
}

#[test]
fn what_fails_or_prints_nonsense_is_named() {
    let cases = [
        ("kubectl patch --local", Reply::ok("<html>"), "render"),
        (
            "kubectl get deployments.apps,*",
            Reply::fail(1, "Error: Forbidden"),
            "cluster-unreadable",
        ),
        (
            "kubectl get deployments.apps,*",
            Reply::ok(""),
            "deployment-missing",
        ),
        (
            "kubectl get deployments.apps,*",
            Reply::ok("{}"),
            "cluster-unreadable",
        ),
        (
            "kubectl get namespace sealane",
            Reply::fail(1, "Error from server (NotFound)"),
            "namespace",
        ),
        ("curl", Reply::ok("\n000"), "api-unreachable"),
        (
            "curl",
            Reply::fail(60, "curl: (60) SSL certificate problem"),
            "api-unreachable",
        ),
    ];
    for (pattern, reply, slug) in cases {
        let world = Cluster::healthy().world();
        world.answer("curl --version", "curl 8.0.0");
        world.on(move |call| {
            (call.is(pattern) && !call.is("curl --version")).then(|| reply.clone())
        });
        let outcome = validate(&world, &["--once"]);
        outcome.fails(1, slug);
        assert_eq!(outcome.summary()["error"]["slug"], slug);
    }
}

#[test]
fn what_hangs_is_ended_and_named() {
    for (pattern, program) in [
        ("kubectl exec -- sealane doctor", "kubectl"),
        ("kubectl exec -- sealane workflow history", "kubectl"),
        ("az aks show", "az"),
    ] {
        let mut world = Cluster::healthy().world();
        world.hurried().answer(pattern, Reply::hang("[]"));
        validate(&world, &["--once"])
            .fails(1, "timed-out")
            .says(program);
    }
}

#[test]
fn an_api_that_never_answers_is_given_up() {
    let cluster = Cluster::healthy();
    let mut world = cluster.world();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    world.hurried();

    validate(&world, &["--once", "--url", &url])
        .fails(1, "timed-out")
        .says("curl");
}
