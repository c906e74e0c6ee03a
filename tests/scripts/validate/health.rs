//! What it finds in a cluster that is not well.

use serde_json::{Value, json};

use super::cluster::{Cluster, content_doctor, find, pod, validate};
use crate::harness::{Outcome, Reply};

/// Validates a cluster in which `harm` was done to what runs.
fn harmed(harm: impl FnOnce(&mut Vec<Value>)) -> Outcome {
    let cluster = Cluster::healthy();
    harm(&mut cluster.things().live);
    let world = cluster.world();
    world.answer(
        "kubectl get pods --selector --output json",
        json!({"items": []}),
    );
    world.answer("kubectl get events", Reply::ok(""));
    validate(&world, &["--once"])
}

#[test]
fn a_deployment_that_is_missing_or_not_rolled_out_is_named() {
    harmed(|live| live.retain(|it| it["metadata"]["name"] != "sealane-trigger"))
        .fails(1, "deployment-missing")
        .says("sealane-trigger");
    for (field, value) in [
        ("readyReplicas", json!(1)),
        ("updatedReplicas", json!(0)),
        ("replicas", json!(3)),
        ("observedGeneration", json!(2)),
        ("readyReplicas", Value::Null),
    ] {
        let outcome =
            harmed(|live| find(live, "Deployment", "sealane-api")["status"][field] = value);
        outcome
            .fails(1, "rollout-failed")
            .says("sealane-api")
            .never("curl --request POST");
    }
}

#[test]
fn another_image_than_the_deployed_one_is_found_in_deployments_and_pods() {
    let other = "sealanedemoa1b2c3.azurecr.io/sealane@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    harmed(|live| find(live, "Deployment", "sealane-trigger")["spec"]["template"]["spec"]["containers"][0]["image"] = json!(other)).fails(1, "wrong-image").says("sealane-trigger");
    harmed(|live| {
        find(live, "Pod", "codec-server-0")["spec"]["containers"][0]["image"] =
            json!("sealane:latest")
    })
    .fails(1, "wrong-image")
    .says("sealane:latest");
}

#[test]
fn a_cluster_without_pods_is_not_well() {
    harmed(|live| live.retain(|it| it["kind"] != "Pod")).fails(1, "no-pods");
}

#[test]
fn more_or_fewer_workers_than_the_minimum_are_no_idle_baseline() {
    harmed(|live| find(live, "HorizontalPodAutoscaler", "")["spec"]["minReplicas"] = json!(1))
        .fails(1, "not-idle")
        .says("expected 1");
    harmed(|live| find(live, "HorizontalPodAutoscaler", "")["spec"]["minReplicas"] = json!(3))
        .fails(1, "not-idle");
}

#[test]
fn workers_that_are_jobs_are_idle_when_there_are_none() {
    let cluster = Cluster::healthy();
    {
        let mut things = cluster.things();
        things
            .rendered
            .retain(|it| it["kind"] != "Deployment" || it["metadata"]["name"] != "sealane-worker");
        things.rendered.push(json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "metadata": {"name": "sealane-worker"}}));
        things
            .live
            .retain(|it| !it["metadata"]["name"].as_str().unwrap().contains("worker"));
    }
    let outcome = validate(&cluster.world(), &["--runs", "1"]);
    outcome
        .succeeds()
        .says("workers are Jobs")
        .never("kubectl delete");

    cluster.things().live.push(pod("worker", 7));
    validate(&cluster.world(), &["--once"])
        .fails(1, "not-idle")
        .says("Job");
}

#[test]
fn a_kind_that_the_cluster_does_not_know_is_named_with_what_brings_it() {
    let cluster = Cluster::healthy();
    cluster.things().rendered.push(json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "x"}, "spec": {"scaleTargetRef": {"name": "sealane-worker"}}}));
    let world = cluster.world();
    validate(&world, &["--dry-run"]).succeeds();

    world.answer(
        "kubectl get --raw /apis/keda.sh/v1alpha1",
        Reply::fail(1, "Error from server (NotFound)"),
    );
    validate(&world, &["--dry-run"])
        .fails(1, "kind-missing")
        .says("ScaledObject")
        .says("keda_enabled");
}

#[test]
fn a_namespace_that_is_not_restricted_is_refused() {
    let world = Cluster::healthy().world();
    world.answer("kubectl get namespace sealane", "baseline");

    validate(&world, &[])
        .fails(1, "namespace-unrestricted")
        .says("kubectl label namespace");
}

#[test]
fn what_a_doctor_finds_is_told_with_its_remedy() {
    let cluster = Cluster::healthy();
    cluster.things().findings = json!([
        {"check": "keys", "status": "pass", "detail": "", "remedy": null},
        {"check": "vault-list", "status": "fail", "detail": "403 ForbiddenByRbac", "remedy": "give it the role"},
    ]);

    validate(&cluster.world(), &[])
        .fails(1, "doctor-failed")
        .says("ForbiddenByRbac")
        .says("give it the role");
}

#[test]
fn only_a_worker_needs_pollers_and_only_the_codec_server_no_temporal() {
    let cluster = Cluster::healthy();
    let finding = all_but;
    let world = cluster.world();
    world.on(move |call| {
        call.is("kubectl exec --container codec-server -- sealane doctor")
            .then(|| finding("temporal-tcp", "fail").into())
    });
    world.on(move |call| {
        call.is("kubectl exec --container api -- sealane doctor")
            .then(|| finding("pollers-workflow", "warn").into())
    });
    validate(&world, &["--dry-run"]).succeeds();

    world.on(move |call| {
        call.is("kubectl exec --container codec-server -- sealane doctor")
            .then(|| finding("vault-get", "fail").into())
    });
    validate(&world, &["--dry-run"])
        .fails(1, "doctor-failed")
        .says("vault-get");

    cluster.things().findings = finding("pollers-workflow", "warn");
    validate(&cluster.world(), &["--dry-run"]).fails(1, "no-pollers");
}

#[test]
fn a_doctor_that_says_nothing_is_no_healthy_one() {
    for reply in [
        Reply::fail(1, "error: container not found"),
        Reply::ok(""),
        Reply::ok("[{]"),
        Reply::ok("all well"),
    ] {
        let world = Cluster::healthy().world();
        world.answer("kubectl exec -- sealane doctor", reply);
        validate(&world, &[]).fails(1, "doctor-failed");
    }
}

/// What a content doctor finds, but for this one check.
fn all_but(check: &str, status: &str) -> Value {
    let mut all = content_doctor();
    let list = all.as_array_mut().unwrap();
    list.retain(|it| it["check"] != check);
    list.push(json!({"check": check, "status": status, "detail": "d", "remedy": null}));
    all
}

#[test]
fn a_doctor_proves_only_what_it_checked() {
    for (findings, slug) in [
        (json!([]), "doctor-failed"),
        (all_but("vault-get", "skipped"), "doctor-failed"),
        (all_but("temporal-namespace", "skipped"), "doctor-failed"),
        (all_but("pollers-activity", "skipped"), "no-pollers"),
        (
            content_doctor().as_array().unwrap()[..3]
                .iter()
                .cloned()
                .collect(),
            "no-pollers",
        ),
    ] {
        let cluster = Cluster::healthy();
        cluster.things().findings = findings;
        validate(&cluster.world(), &["--dry-run"]).fails(1, slug);
    }
    // Keys of a file, and data keys, come without a secret of the vault.
    for check in ["keys", "data-keys"] {
        let cluster = Cluster::healthy();
        let mut findings = all_but("vault-get", "skipped");
        let list = findings.as_array_mut().unwrap();
        list.push(json!({"check": check, "status": "pass", "detail": "", "remedy": null}));
        cluster.things().findings = findings;
        validate(&cluster.world(), &["--dry-run"]).succeeds();
    }
}

#[test]
fn without_a_worker_to_ask_nobody_polls() {
    let cluster = Cluster::healthy();
    cluster.things().live.retain(|it| {
        it["kind"] != "Pod" || it["metadata"]["labels"]["app.kubernetes.io/component"] != "worker"
    });
    validate(&cluster.world(), &["--dry-run"])
        .fails(1, "no-pods")
        .says("no worker runs");
}

#[test]
fn older_versions_of_a_worker_may_run_their_own_image_beside_the_new_one() {
    let old = "sealanedemoa1b2c3.azurecr.io/sealane@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    let cluster = Cluster::healthy();
    {
        let mut things = cluster.things();
        things.rendered.push(json!({"apiVersion": "temporal.io/v1alpha1", "kind": "WorkerDeployment", "metadata": {"name": "sealane-worker"}}));
        find(&mut things.live, "Pod", "worker-0")["spec"]["containers"][0]["image"] = json!(old);
        find(&mut things.live, "Deployment", "sealane-worker")["spec"]["template"]["spec"]["containers"]
            [0]["image"] = json!(old);
    }
    let world = cluster.world();
    world.answer(
        "kubectl get --raw /apis/temporal.io/v1alpha1",
        json!({"resources": [{"kind": "WorkerDeployment"}]}),
    );
    validate(&world, &["--dry-run"]).succeeds();

    find(&mut cluster.things().live, "Pod", "worker-1")["status"]["conditions"][0]["status"] =
        json!("False");
    validate(&world, &["--dry-run"])
        .fails(1, "wrong-image")
        .says("no worker that is ready");

    find(&mut cluster.things().live, "Pod", "api-0")["spec"]["containers"][0]["image"] = json!(old);
    validate(&world, &["--dry-run"])
        .fails(1, "wrong-image")
        .says("api-0");
}
