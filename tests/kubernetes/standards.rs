//! What Pod Security "restricted" and the deployment safeguards of AKS ask of pods, written down once more: the manifest
//! check is not the judge of its own rules.

use serde_json::{Value, json};

use crate::{
    object::Object,
    pod_rules::{restricted, unsafe_in},
    renderings,
};

#[test]
fn every_pod_is_restricted() {
    let mut pods = 0;
    for rendering in renderings::all() {
        for pod in rendering.pods() {
            let wrong = restricted(pod);
            assert!(wrong.is_empty(), "{}, {pod}: {wrong:?}", rendering.name());
            pods += 1;
        }
    }
    assert!(pods > 200, "{pods} pods are too few");
}

#[test]
fn every_pod_meets_the_safeguards() {
    for rendering in renderings::all() {
        for pod in rendering.pods() {
            let wrong = unsafe_in(pod);
            assert!(wrong.is_empty(), "{}, {pod}: {wrong:?}", rendering.name());
        }
    }
}

#[test]
fn no_two_services_of_a_namespace_select_the_same_pods() {
    for rendering in renderings::all() {
        let services: Vec<_> = rendering.of_kind("Service").collect();
        for (at, one) in services.iter().enumerate() {
            for other in &services[at + 1..] {
                let same = one.at("/spec/selector") == other.at("/spec/selector");
                let together = one.namespace() == other.namespace();
                assert!(!(same && together), "{}: {one}, {other}", rendering.name());
            }
        }
    }
}

#[test]
fn every_namespace_of_ours_enforces_the_standard() {
    for rendering in renderings::all() {
        for namespace in rendering.of_kind("Namespace") {
            let label = |mode: &str| {
                namespace.text(&format!(
                    "/metadata/labels/pod-security.kubernetes.io~1{mode}"
                ))
            };
            let level = match rendering.is_overlay() {
                true => "restricted",
                // What runs there is not ours: the gateway's proxies, Temporal's own chart.
                false => "baseline",
            };
            assert_eq!(label("enforce"), level, "{}", rendering.name());
            assert!(
                label("enforce-version").starts_with("v1."),
                "{}",
                rendering.name()
            );
            assert_eq!(label("warn"), level, "{}", rendering.name());
        }
    }
}

/// One fault each, at a pod of the worker, with a word of what is said about it.
#[test]
fn a_pod_that_is_broken_is_seen() {
    let container = "/spec/template/spec/containers/0";
    let context = "/spec/template/spec/containers/0/securityContext";
    let faults = [
        (
            "/spec/template/spec",
            "hostNetwork",
            json!(true),
            "hostNetwork",
        ),
        (
            "/spec/template/spec",
            "volumes",
            json!([{"name": "x", "hostPath": {"path": "/"}}]),
            "hostPath",
        ),
        (
            "/spec/template/spec",
            "automountServiceAccountToken",
            json!(true),
            "token",
        ),
        (
            "/spec/template/spec",
            "serviceAccountName",
            json!("default"),
            "account",
        ),
        (
            "/spec/template/spec",
            "topologySpreadConstraints",
            json!([]),
            "spread",
        ),
        (
            "/spec/template/spec/securityContext",
            "runAsNonRoot",
            json!(false),
            "runAsNonRoot",
        ),
        (
            "/spec/template/spec/securityContext",
            "runAsUser",
            json!(0),
            "runAsUser",
        ),
        (
            "/spec/template/spec/securityContext",
            "seccompProfile",
            json!({"type": "Unconfined"}),
            "seccomp",
        ),
        (
            "/spec/template/metadata/labels",
            "kubernetes.azure.com/x",
            json!("y"),
            "kubernetes.azure.com",
        ),
        (context, "privileged", json!(true), "privileged"),
        (context, "runAsUser", json!(0), "runAsUser"),
        (
            context,
            "allowPrivilegeEscalation",
            json!(true),
            "escalation",
        ),
        (context, "readOnlyRootFilesystem", json!(false), "root"),
        (
            context,
            "capabilities",
            json!({"drop": ["ALL"], "add": ["SYS_PTRACE"]}),
            "capabilities",
        ),
        (
            context,
            "capabilities",
            json!({"drop": ["NET_RAW"]}),
            "capabilities",
        ),
        (container, "livenessProbe", Value::Null, "livenessProbe"),
        (container, "readinessProbe", Value::Null, "readinessProbe"),
        (container, "startupProbe", Value::Null, "startupProbe"),
        (container, "image", json!("sealane:latest"), "image"),
        (container, "image", json!("sealane"), "image"),
        (
            container,
            "ports",
            json!([{"containerPort": 8080, "hostPort": 8080}]),
            "hostPort",
        ),
        (
            container,
            "resources",
            json!({"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}),
            "cpu",
        ),
        (
            container,
            "resources",
            json!({"requests": {"cpu": "1", "memory": "64Mi"}, "limits": {"memory": "1Gi"}}),
            "memory",
        ),
        (
            container,
            "resources",
            json!({"requests": {"cpu": "1", "memory": "2Gi"}}),
            "limit",
        ),
    ];
    let worker = renderings::with("aks", &[]).find("Deployment", "sealane-worker");

    for (parent, field, value, word) in faults {
        let mut broken = worker.value().clone();
        broken.pointer_mut(parent).expect("the worker has it")[field] = value;
        let broken = Object::new(broken);
        let pod = broken.pod().expect("it is a Deployment");

        let wrong = [restricted(pod), unsafe_in(pod)].concat();

        assert!(
            !wrong.is_empty() && wrong.iter().all(|it| it.contains(word)),
            "{parent} {field}: {wrong:?}"
        );
    }
}
