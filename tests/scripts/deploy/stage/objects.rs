//! Manifests, as `kubectl patch --local` prints what kustomize rendered, and what a cluster has of them.

use serde_json::{Value, json};

use crate::{environment, harness::Reply};

/// Kinds of resources that the cluster can list and delete.
pub(super) const RESOURCES: &str = "configmaps\nservices\nserviceaccounts\ndeployments.apps\nreplicasets.apps\njobs.batch\nhorizontalpodautoscalers.autoscaling\nscaledobjects.keda.sh\nscaledjobs.keda.sh\n";

const WORKLOADS: [&str; 4] = ["worker", "api", "trigger", "codec-server"];

/// The overlay `aks` without components.
pub(in crate::deploy) fn plain() -> Vec<Value> {
    let identities = environment::identities();
    let mut objects = vec![namespace("restricted")];
    for workload in WORKLOADS {
        objects.push(account(
            workload,
            identities[workload]["client_id"]
                .as_str()
                .unwrap_or_default(),
        ));
        objects.push(deployment(workload, Some(2)));
    }
    objects
}

/// The same with an autoscaler for the worker.
pub(in crate::deploy) fn scaled(scaler: Value) -> Vec<Value> {
    let mut objects = plain();
    objects.retain(|it| it["metadata"]["name"] != "sealane-worker" || it["kind"] != "Deployment");
    objects.extend([deployment("worker", None), scaler]);
    objects
}

pub(in crate::deploy) fn namespace(level: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sealane", "labels": {"pod-security.kubernetes.io/enforce": level}}})
}

pub(in crate::deploy) fn account(workload: &str, client: &str) -> Value {
    let annotations = json!({"azure.workload.identity/client-id": client});
    let metadata = json!({"name": format!("sealane-{workload}"), "namespace": "sealane", "annotations": annotations});
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
}

pub(in crate::deploy) fn deployment(workload: &str, replicas: Option<u32>) -> Value {
    let mut it = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": format!("sealane-{workload}"), "namespace": "sealane"}, "spec": {}});
    if let Some(replicas) = replicas {
        it["spec"]["replicas"] = json!(replicas);
    }
    it
}

pub(in crate::deploy) fn autoscaler() -> Value {
    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "sealane-worker", "namespace": "sealane"}, "spec": {"scaleTargetRef": {"name": "sealane-worker"}}})
}

/// A KEDA autoscaler whose trigger has these further settings.
pub(in crate::deploy) fn keda(trigger: &Value) -> Value {
    let mut temporal = json!({"type": "temporal", "metadata": {"targetQueueSize": "5"}});
    for (key, value) in trigger.as_object().into_iter().flatten() {
        temporal[key] = value.clone();
    }
    json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "sealane-worker", "namespace": "sealane"}, "spec": {"scaleTargetRef": {"name": "sealane-worker"}, "triggers": [temporal]}})
}

/// As it is in the cluster, where `manager` applied it.
pub(in crate::deploy) fn live(mut object: Value, manager: &str) -> Value {
    let fields = if object["spec"]["replicas"].is_null() {
        json!({"f:spec": {}})
    } else {
        json!({"f:spec": {"f:replicas": {}}})
    };
    object["metadata"]["managedFields"] =
        json!([{"manager": manager, "operation": "Apply", "fieldsV1": fields}]);
    object
}

/// What an API server says about a group: the kinds that are rendered of it, all of them.
pub(super) fn served(path: &str, objects: &[Value]) -> Reply {
    let api = path.trim_start_matches("/apis/");
    let kinds = objects.iter().filter(|it| it["apiVersion"] == api);
    let kinds: Vec<_> = kinds.map(|it| json!({"kind": it["kind"]})).collect();
    Reply::json(&json!({"kind": "APIResourceList", "resources": kinds}))
}

/// A pod that runs this image.
pub(in crate::deploy) fn pod(name: &str, image: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"containers": [{"image": image}]}, "status": {"phase": "Running"}})
}

/// A doctor that has nothing to complain of.
pub(in crate::deploy) fn content_doctor() -> Value {
    json!([
        {"check": "settings", "status": "pass", "detail": "", "remedy": null},
        {"check": "vault-get", "status": "pass", "detail": "", "remedy": null},
        {"check": "temporal-namespace", "status": "pass", "detail": "", "remedy": null},
        {"check": "pollers-workflow", "status": "pass", "detail": "", "remedy": null},
        {"check": "pollers-activity", "status": "pass", "detail": "", "remedy": null},
    ])
}
