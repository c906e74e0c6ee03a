//! What happens to what is in the cluster, and what is told when pods do not run.

use serde_json::json;

use super::stage::{Stage, objects};
use crate::harness::Reply;

/// What a replicas-only apply sends, by the name of the manager.
fn managers(outcome: &crate::harness::Outcome) -> Vec<String> {
    let applied = outcome
        .calls
        .iter()
        .filter(|call| call.is("kubectl apply --server-side"));
    applied
        .filter_map(|call| call.value("--field-manager").map(str::to_owned))
        .collect()
}

#[test]
fn replicas_get_another_owner_before_an_autoscaler_takes_over() {
    let stage = Stage::deployed();
    let mut things = stage.things();
    things.live = vec![objects::live(
        objects::deployment("worker", Some(5)),
        "sealane-deploy",
    )];
    things.objects = objects::scaled(objects::autoscaler());
    things.differs = true;
    drop(things);
    let world = stage.world();
    let sent = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let text = sent.clone();
    world.on(move |call| {
        let file = call
            .value("--filename")
            .filter(|file| file.ends_with("replicas.json"))?;
        *text.lock().unwrap() = std::fs::read_to_string(file).unwrap();
        None
    });

    let outcome = world.run("deploy", &["demo", "--yes"]);

    outcome.succeeds();
    assert_eq!(managers(&outcome), ["sealane-replicas", "sealane-deploy"]);
    let sent: serde_json::Value = serde_json::from_str(&sent.lock().unwrap()).unwrap();
    assert_eq!(
        (&sent["metadata"]["name"], &sent["spec"]),
        (&json!("sealane-worker"), &json!({"replicas": 5}))
    );
    outcome.never("kubectl apply --force-conflicts");
}

#[test]
fn replicas_come_back_and_then_belong_to_the_manifests_alone() {
    let stage = Stage::deployed();
    let mut things = stage.things();
    things.live = vec![
        objects::live(
            objects::deployment("worker", Some(7)),
            "kube-controller-manager",
        ),
        objects::live(objects::autoscaler(), "sealane-deploy"),
    ];
    things.differs = true;
    drop(things);

    let outcome = stage.deploys(&[]);

    outcome.succeeds().in_order(&[
        "kubectl delete HorizontalPodAutoscaler.autoscaling/sealane-worker",
        "kubectl apply --field-manager=sealane-replicas --force-conflicts",
        "kubectl apply --field-manager=sealane-deploy",
        "kubectl apply --field-manager=sealane-replicas",
        "kubectl rollout status",
    ]);
}

#[test]
fn what_is_no_longer_rendered_goes_after_the_new_pods_run() {
    let stage = Stage::deployed();
    let config = |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "sealane"}});
    let revision = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "sealane-worker-1"},
        "spec": {"template": {"spec": {"containers": [{"envFrom": [{"configMapRef": {"name": "sealane-config-used"}}]}]}}}});
    stage.things().live = vec![
        objects::live(config("sealane-config-old"), "sealane-deploy"),
        objects::live(config("sealane-config-used"), "sealane-deploy"),
        objects::live(config("somebody-elses"), "kubectl"),
        objects::live(objects::deployment("worker", Some(2)), "sealane-deploy"),
        objects::live(objects::keda(&json!({})), "sealane-deploy"),
        revision,
    ];

    let outcome = stage.deploys(&[]);

    outcome.succeeds().in_order(&[
        "kubectl delete ScaledObject.keda.sh/sealane-worker",
        "kubectl apply --filename",
        "kubectl rollout status",
        "kubectl delete ConfigMap/sealane-config-old",
    ]);
    assert_eq!(outcome.count("kubectl delete"), 2);

    let mut world = stage.world();
    world.stdin("no\n");
    world
        .run("deploy", &["demo"])
        .fails(4, "not-confirmed")
        .never("kubectl delete");

    let mut world = stage.world();
    world.stdin("yes\nno\n");
    world
        .run("deploy", &["demo"])
        .fails(4, "not-confirmed")
        .called("kubectl rollout status")
        .never("kubectl delete ConfigMap*");
}

#[test]
fn fields_that_somebody_else_has_written_are_not_taken_unasked() {
    let stage = Stage::deployed();
    stage.things().differs = true;
    let world = stage.world();
    let conflict = "error: Apply failed with 1 conflict: conflict with \"kubectl-edit\": .spec.template.spec.containers";
    world.on(move |call| {
        let refused = call.is("kubectl apply") && !call.is("kubectl apply --force-conflicts");
        refused.then(|| Reply::fail(1, conflict))
    });

    world
        .run("deploy", &["demo", "--yes"])
        .fails(1, "apply-conflict")
        .says("kubectl-edit")
        .says("--force-conflicts");
    world
        .run("deploy", &["demo", "--yes", "--force-conflicts"])
        .succeeds();
}

#[test]
fn a_rollout_that_fails_says_why_pods_do_not_run() {
    let waiting = |reason: &str| json!({"items": [{"metadata": {"name": "sealane-worker-1"}, "status": {"containerStatuses": [{"state": {"waiting": {"reason": reason, "message": "no"}}, "lastState": {}}]}}]});
    let ended = |code: u8| json!({"items": [{"metadata": {"name": "sealane-worker-1"}, "status": {"containerStatuses": [{"state": {}, "lastState": {"terminated": {"exitCode": code}}}]}}]});
    let homeless = json!({"items": [{"metadata": {"name": "p"}, "status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}]}}]});
    let cases = [
        (
            waiting("ImagePullBackOff"),
            "ImagePullBackOff",
            "the nodes cannot pull",
        ),
        (ended(78), "ended with 78", "a setting is wrong"),
        (ended(77), "ended with 77", "Azure or Temporal refuses it"),
        (ended(137), "ended with 137", "memory limit"),
        (homeless, "Unschedulable", "worker_nodes"),
        (
            json!({"items": []}),
            "exceeded its progress deadline",
            "logs --selector",
        ),
    ];
    for (pods, reason, remedy) in cases {
        let world = Stage::deployed().world();
        world.answer(
            "kubectl rollout status",
            Reply::fail(1, "error: deployment exceeded its progress deadline"),
        );
        world.answer("kubectl get pods --output json", pods);
        world.answer(
            "kubectl get events",
            "2m Warning BackOff pod/sealane-worker-1 Back-off pulling image",
        );

        let outcome = world.run("deploy", &["demo", "--yes"]);

        outcome
            .fails(1, "rollout-failed")
            .says(reason)
            .says(remedy)
            .says("Back-off pulling image");
        assert_eq!(outcome.summary()["error"]["step"], "rollout");
    }
}

#[test]
fn workers_that_run_and_do_not_poll_are_found() {
    let finding = |check: &str, status: &str| {
        let mut all = objects::content_doctor();
        let all_of = all.as_array_mut().unwrap();
        all_of.retain(|it| it["check"] != check);
        all_of.push(json!({"check": check, "status": status, "detail": "nobody polls", "remedy": "start a worker"}));
        all
    };
    let without = |check: &str| {
        let mut all = objects::content_doctor();
        all.as_array_mut()
            .unwrap()
            .retain(|it| it["check"] != check);
        all
    };
    let cases = [
        (json!([]), "doctor-failed", "it was not checked"),
        (
            without("pollers-activity"),
            "no-pollers",
            "it was not checked",
        ),
        (without("vault-get"), "doctor-failed", "vault-get"),
        (
            finding("temporal-namespace", "skipped"),
            "doctor-failed",
            "temporal-namespace",
        ),
        (
            finding("pollers-workflow", "warn"),
            "no-pollers",
            "nobody polls; start a worker",
        ),
        (
            finding("vault-get", "fail"),
            "doctor-failed",
            "vault-get: nobody polls; start a worker",
        ),
        (
            finding("pollers-activity", "skipped"),
            "no-pollers",
            "nobody polls",
        ),
    ];
    for (doctor, slug, words) in cases {
        let stage = Stage::deployed();
        stage.things().doctor = doctor;
        let outcome = stage.deploys(&[]);
        outcome.fails(1, slug).says(words);
        assert_eq!(outcome.count("kubectl exec"), 12);
    }
    let world = Stage::deployed().world();
    world.answer(
        "kubectl exec",
        Reply::fail(1, "error: unable to upgrade connection"),
    );
    world
        .run("deploy", &["demo", "--yes"])
        .fails(1, "doctor-failed")
        .says("unable to upgrade connection");
}

#[test]
fn rights_in_the_namespace_are_enough_for_the_workloads() {
    let stage = Stage::deployed();
    stage.things().differs = true;
    let world = stage.world();
    let outputs = world
        .write("outputs.json", &stage.things().outputs.to_string())
        .root()
        .join("outputs.json");
    let image = format!(
        "sealanedemoa1b2c3.azurecr.io/sealane@{}",
        super::stage::DIGEST
    );
    let forbidden = Reply::fail(
        1,
        "Error from server (Forbidden): namespaces \"sealane\" is forbidden",
    );
    world
        .answer("kubectl get namespace", forbidden.clone())
        .answer("kubectl get deployments --all-namespaces", forbidden);
    world
        .without("terraform")
        .without("helm")
        .without("openssl");

    let outcome = world.run(
        "deploy",
        &[
            "demo",
            "--yes",
            "--workloads-only",
            "--outputs",
            outputs.to_str().unwrap(),
            "--image",
            &image,
        ],
    );

    outcome
        .succeeds()
        .never("az keyvault")
        .never("kubectl apply --kustomize")
        .called("kubectl apply --filename");
    assert_eq!(outcome.count("kubectl apply"), 1);
}
