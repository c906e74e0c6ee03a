//! KEDA is looked at where the manifests use it, and every kind where it is rendered.

use serde_json::json;

use super::stage::{Stage, objects};
use crate::harness::Reply;

/// An environment that is there already, whose worker KEDA scales, by a trigger with these settings.
fn scaled_by_keda(trigger: &serde_json::Value) -> Stage {
    let stage = Stage::deployed();
    stage.things().objects = objects::scaled(objects::keda(trigger));
    stage
}

#[test]
fn nobody_looks_for_keda_that_is_not_used() {
    let stage = Stage::deployed();
    stage.things().keda.clear();

    stage
        .deploys(&[])
        .succeeds()
        .never("kubectl get deployments --all-namespaces");
}

#[test]
fn keda_has_to_know_the_triggers_that_are_rendered() {
    let image = |version: &str| format!("mcr.microsoft.com/oss/v2/kedacore/keda:{version}");
    let plain = json!({});
    let cloud = json!({"authenticationRef": {"name": "sealane-keda"}});
    let versioned = json!({"metadata": {"workerDeploymentName": "sealane"}});
    let cases = [
        (&plain, "2.16.1", Some("2.17.0")),
        (&plain, "2.17.2-3", None),
        (&cloud, "2.17.3-7", Some("2.19.0")),
        (&cloud, "2.19.0-6", None),
        (&versioned, "2.19.0-6", Some("2.20.0")),
    ];
    for (trigger, version, needs) in cases {
        let stage = scaled_by_keda(trigger);
        stage.things().keda = vec![("kube-system", image(version).leak())];
        let outcome = stage.deploys(&[]);
        match needs {
            None => outcome.succeeds(),
            Some(least) => outcome
                .fails(1, "keda-too-old")
                .says(&format!("the manifests need {least}"))
                .never("az acr run"),
        };
    }
}

#[test]
fn one_keda_is_needed_and_one_only() {
    let stage = scaled_by_keda(&json!({}));
    stage.things().keda.clear();
    stage
        .deploys(&[])
        .fails(1, "keda-missing")
        .says("keda_enabled = true");

    stage.things().keda = vec![
        ("kube-system", "x/keda:2.19.0"),
        ("keda", "ghcr.io/kedacore/keda:2.14.0"),
    ];
    stage
        .deploys(&[])
        .fails(1, "keda-duplicate")
        .says("kube-system 2.19.0 and keda 2.14.0");

    stage.things().keda = vec![("kube-system", "x/other@sha256:00")];
    stage
        .deploys(&[])
        .fails(1, "keda-unreadable")
        .says("does not tell its version");
}

#[test]
fn external_metrics_have_to_be_kedas() {
    for (answer, words) in [
        (
            Reply::ok("kube-system/azure-metrics True"),
            "served by kube-system/azure-metrics",
        ),
        (
            Reply::ok("kube-system/keda-operator-metrics-apiserver False"),
            "is not available",
        ),
        (
            Reply::fail(1, "Error from server (NotFound)"),
            "nobody serves external metrics",
        ),
    ] {
        let world = scaled_by_keda(&json!({})).world();
        world.answer("kubectl get apiservice", answer);
        world
            .run("deploy", &["demo", "--yes"])
            .fails(1, "keda-metrics")
            .says(words);
    }
}

#[test]
fn kinds_that_the_cluster_does_not_know_are_told_at_once() {
    let stage = scaled_by_keda(&json!({}));
    stage.things().objects.push(json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "sealane", "namespace": "sealane"}}));
    let world = stage.world();
    world.answer(
        "kubectl get --raw /apis/*",
        Reply::fail(1, "the server could not find the requested resource"),
    );

    let outcome = world.run("deploy", &["demo", "--yes"]);

    outcome
        .fails(1, "kind-missing")
        .says("ScaledObject (keda.sh/v1alpha1)")
        .says("HTTPRoute (gateway.networking.k8s.io/v1)");
    outcome
        .never("kubectl get --raw /apis/apps*")
        .never("az acr run");
}
