//! How it goes when all is well.

use super::cluster::{Cluster, IMAGE, TOKEN, validate};
use crate::environment::{CLUSTER, SUBSCRIPTION, TENANT};

#[test]
fn everything_is_proven_in_order() {
    let cluster = Cluster::healthy();
    let world = cluster.world();

    let outcome = validate(&world, &["--once"]);

    outcome.succeeds().in_order(&[
        "az account show",
        "kubectl patch --local",
        "az aks get-credentials",
        "kubectl config view",
        "kubectl get namespace sealane",
        "kubectl get deployments.apps,*",
        "kubectl exec worker-0 --container worker -- sealane doctor",
        "kubectl exec codec-server-0 --container codec-server -- sealane doctor",
        "kubectl port-forward service/sealane-api",
        "az account get-access-token --tenant --scope --query accessToken",
        "curl --request GET",
        "curl --request POST",
        "curl --request GET",
        "kubectl exec deployment/sealane-api -- sealane keys list",
        "kubectl exec deployment/sealane-api -- sealane workflow history --encrypted",
    ]);
    assert_eq!(
        outcome.count("kubectl exec -- sealane doctor"),
        6,
        "one for each pod"
    );
    outcome.never("kubectl delete").never("kubectl apply");
}

#[test]
fn there_are_nineteen_steps_and_the_summary_has_them() {
    let outcome = validate(&Cluster::healthy().world(), &["--runs", "3", "--cold", "2"]);

    outcome.succeeds();
    let summary = outcome.summary();
    let names: Vec<_> = summary["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "arguments",
            "prerequisites",
            "variables",
            "login",
            "deployed",
            "context",
            "kinds",
            "namespace",
            "rollout",
            "digest",
            "baseline",
            "doctor",
            "api",
            "start",
            "completion",
            "result",
            "history",
            "latency",
            "cold-start",
            "scale-down",
        ]
    );
    assert_eq!(
        (&summary["outcome"], &summary["image"]),
        (&"completed".into(), &IMAGE.into())
    );
    assert_eq!(
        (
            &summary["pods"],
            &summary["idle_workers"],
            &summary["encrypted_payloads"]
        ),
        (&6.into(), &2.into(), &8.into())
    );
    assert_eq!(summary["latency"]["count"], 3);
    assert_eq!(
        summary["cold_start"],
        serde_json::json!({"count": 2, "p50_s": 4, "p95_s": 4, "max_s": 4})
    );
}

#[test]
fn the_token_is_that_of_the_application_and_reaches_curl_in_no_argument() {
    let outcome = validate(&Cluster::healthy().world(), &["--once"]);

    let asked = outcome.call("az account get-access-token --query accessToken");
    assert_eq!(
        asked.value("--scope"),
        Some("api://77777777-7777-4777-8777-777777777777/.default")
    );
    assert_eq!(asked.value("--tenant"), Some(TENANT));
    assert!(
        outcome
            .calls
            .iter()
            .all(|call| !call.line().contains(TOKEN))
    );
}

#[test]
fn debugging_shows_commands_and_no_token() {
    validate(&Cluster::healthy().world(), &["--once", "--debug"])
        .succeeds()
        .says("+ history:");
}

#[test]
fn every_call_names_its_subscription_and_its_context() {
    let outcome = validate(&Cluster::healthy().world(), &[]);

    for call in &outcome.calls {
        if call.program == "az" && !call.is("az version") && !call.is("az account") {
            assert_eq!(
                call.value("--subscription"),
                Some(SUBSCRIPTION),
                "{}",
                call.line()
            );
        }
        if call.program == "kubectl"
            && !["version", "config", "patch"].contains(&call.args[0].as_str())
        {
            assert_eq!(call.value("--context"), Some(CLUSTER), "{}", call.line());
        }
    }
}

#[test]
fn a_dry_run_looks_and_starts_nothing() {
    let cluster = Cluster::healthy();
    let outcome = validate(&cluster.world(), &["--dry-run"]);

    outcome
        .succeeds()
        .called("kubectl exec -- sealane doctor")
        .never("curl --request POST")
        .never("kubectl delete");
    assert!(cluster.api.started.lock().unwrap().is_empty());
}

#[test]
fn it_may_be_run_again_and_starts_other_workflows() {
    let cluster = Cluster::healthy();
    let world = cluster.world();

    validate(&world, &["--once"]).succeeds();
    validate(&world, &["--once"]).succeeds();

    let mut started: Vec<_> = cluster
        .api
        .started
        .lock()
        .unwrap()
        .iter()
        .flat_map(|it| [it.0.clone(), it.1.clone()])
        .collect();
    assert_eq!(started.len(), 8, "one to look at and one to time, twice");
    started.sort();
    started.dedup();
    assert_eq!(started.len(), 8, "ids and words are never the same");
}
