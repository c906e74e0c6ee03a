//! What Pod Security "restricted" and the deployment safeguards of AKS ask of one pod.

use serde_json::{Value, json};

use crate::{
    pod::{Container, Pod},
    quantity::{bytes, millicores},
};

/// Volumes that "restricted" allows.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// The user of the image, which has no other.
const USER: i64 = 65532;

/// Pod Security Standards, level restricted.
pub(crate) fn restricted(pod: Pod<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        if pod.spec(&format!("/{field}")) == true {
            wrong.push(field.to_owned());
        }
    }
    for volume in pod.spec("/volumes").as_array().into_iter().flatten() {
        let kinds = volume.as_object().expect("volumes are objects").keys();
        let kinds = kinds.filter(|it| *it != "name" && !VOLUMES.contains(&it.as_str()));
        wrong.extend(kinds.map(|it| format!("volume of kind {it}")));
    }
    if pod.spec("/securityContext/sysctls").is_array() {
        wrong.push("sysctls".to_owned());
    }
    for container in pod.containers() {
        let own = container_restricted(pod, container);
        wrong.extend(
            own.into_iter()
                .map(|it| format!("{}: {it}", container.name())),
        );
    }
    wrong
}

fn container_restricted(pod: Pod<'_>, container: Container<'_>) -> Vec<&'static str> {
    let own = |field: &str| container.at(&format!("/securityContext/{field}"));
    let either = |field: &str| match own(field) {
        Value::Null => pod.spec(&format!("/securityContext/{field}")),
        value => value,
    };
    let dropped = own("capabilities/drop").as_array();
    let added = own("capabilities/add").as_array();
    let ports = container.at("/ports").as_array();
    let rules = [
        (own("privileged") != true, "privileged"),
        (
            own("allowPrivilegeEscalation") == false,
            "privilege escalation",
        ),
        (
            dropped.is_some_and(|it| it.contains(&json!("ALL"))),
            "capabilities are not dropped",
        ),
        (
            added.is_none_or(|it| it.iter().all(|it| it == "NET_BIND_SERVICE")),
            "capabilities are added",
        ),
        (either("runAsNonRoot") == true, "runAsNonRoot"),
        (either("runAsUser") != 0, "runAsUser is root"),
        (
            ["RuntimeDefault", "Localhost"]
                .contains(&either("seccompProfile/type").as_str().unwrap_or_default()),
            "seccomp",
        ),
        (own("procMount").is_null(), "procMount"),
        (
            ports
                .into_iter()
                .flatten()
                .all(|it| it.get("hostPort").is_none()),
            "hostPort",
        ),
    ];
    rules
        .into_iter()
        .filter(|(met, _)| !met)
        .map(|(_, rule)| rule)
        .collect()
}

/// What AKS's deployment safeguards ask, and what we ask of ourselves besides.
pub(crate) fn unsafe_in(pod: Pod<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    if pod.spec("/automountServiceAccountToken") != false {
        wrong.push("the token of the Kubernetes API is mounted".to_owned());
    }
    if ["", "default"].contains(&pod.service_account()) {
        wrong.push("it runs as the default account".to_owned());
    }
    let labels = pod.labels().as_object().into_iter().flatten();
    let reserved = labels.filter(|(name, _)| name.starts_with("kubernetes.azure.com"));
    wrong.extend(reserved.map(|(name, _)| format!("the label {name} is AKS's own")));
    if may_be_many(pod) && !is_spread(pod) {
        wrong.push("nothing spreads them over nodes".to_owned());
    }
    for container in pod.containers() {
        let own = container_unsafe(pod, container);
        wrong.extend(
            own.into_iter()
                .map(|it| format!("{}: {it}", container.name())),
        );
    }
    wrong
}

/// Jobs come in bursts, and a trigger is alone on purpose.
fn may_be_many(pod: Pod<'_>) -> bool {
    ["Deployment", "WorkerDeployment"].contains(&pod.owner.kind()) && pod.component() != "trigger"
}

fn is_spread(pod: Pod<'_>) -> bool {
    let constraints = pod.spec("/topologySpreadConstraints").as_array();
    constraints.is_some_and(|it| !it.is_empty())
        || pod.spec("/affinity/podAntiAffinity").is_object()
}

fn container_unsafe(pod: Pod<'_>, container: Container<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        // Nothing waits for a Job's pod to be ready.
        let is_job = ["ScaledJob", "Job"].contains(&pod.owner.kind());
        let needed = !(is_job && probe == "readinessProbe");
        if needed && !container.at(&format!("/{probe}")).is_object() {
            wrong.push(format!("no {probe}"));
        }
    }
    let image = container.text("/image");
    let name = image.rsplit('/').next().unwrap_or_default();
    let is_pinned =
        image.contains("@sha256:") || (name.contains(':') && !name.ends_with(":latest"));
    if !is_pinned {
        wrong.push(format!("the image {image} is not pinned"));
    }
    if container.at("/securityContext/readOnlyRootFilesystem") != true {
        wrong.push("the root file system is writable".to_owned());
    }
    let user = pod.spec("/securityContext/runAsUser").as_i64();
    if !matches!(user, Some(USER | 0)) {
        wrong.push(format!("runAsUser is {user:?}, the image has {USER}"));
    }
    wrong.extend(resources(container));
    wrong
}

/// 100m and 100Mi are the least that the safeguards accept.
fn resources(container: Container<'_>) -> Vec<String> {
    let cpu = millicores(container.text("/resources/requests/cpu"));
    let memory = bytes(container.text("/resources/requests/memory"));
    let limit = bytes(container.text("/resources/limits/memory"));
    let mut wrong = Vec::new();
    if cpu.is_none_or(|it| it < 100) {
        wrong.push(format!("the request for cpu is {cpu:?}"));
    }
    if memory.is_none_or(|it| it < 100 << 20) {
        wrong.push(format!("the request for memory is {memory:?}"));
    }
    if limit < memory {
        wrong.push(format!("the memory limit is {limit:?}"));
    }
    wrong
}
