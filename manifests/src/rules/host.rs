//! The Pod Security Standard `restricted`, where it looks at pods and namespaces.

use serde_json::Value;

use crate::{
    object::Object,
    rule::{Check, Rule},
    scene::Scene,
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "host-namespaces",
        "pods share network, processes or memory with the node",
        "remove hostNetwork, hostPID and hostIPC",
        Check::Workloads(|workload, _| {
            let mut fields = ["hostNetwork", "hostPID", "hostIPC"].into_iter();
            let field =
                fields.find(|field| workload.pod().get(field) == Some(&Value::Bool(true)))?;
            Some(format!("host namespaces ({field}=true)"))
        }),
    ),
    Rule::new(
        "host-process",
        "a container runs as a process of a Windows node",
        "remove windowsOptions.hostProcess",
        Check::Containers(|it, _| {
            it.security("windowsOptions")
                .is_true("/hostProcess")
                .then(|| "must not set securityContext.windowsOptions.hostProcess=true".to_owned())
        }),
    ),
    Rule::new(
        "host-path",
        "pods mount a directory of the node",
        "use an emptyDir, a ConfigMap or a Secret",
        Check::Workloads(|workload, _| {
            let mut volumes = workload.pod().list("/volumes").iter();
            let volume = volumes.find(|it| it.has("/hostPath"))?;
            Some(format!(
                "hostPath volumes (volume \"{}\")",
                volume.text("/name").unwrap_or_default()
            ))
        }),
    ),
    Rule::new(
        "volume-type",
        "a volume is of a kind that the level restricted forbids",
        "use configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected or secret",
        Check::Workloads(|workload, _| {
            let (name, kind) = workload
                .pod()
                .list("/volumes")
                .iter()
                .find_map(forbidden_volume)?;
            Some(format!(
                "volume \"{name}\" uses restricted volume type \"{kind}\""
            ))
        }),
    ),
    Rule::new(
        "sysctl-forbidden",
        "pods change a parameter of the kernel that is not theirs to change",
        "remove it from securityContext.sysctls",
        Check::Workloads(|workload, _| {
            let mut sysctls = workload.pod().list("/securityContext/sysctls").iter();
            let name = sysctls
                .find_map(|it| it.text("/name").filter(|name| !SAFE_SYSCTLS.contains(name)))?;
            Some(format!("forbidden sysctls ({name})"))
        }),
    ),
    Rule::new(
        "token-automounted",
        "pods get a token for the Kubernetes API, which no process of ours calls",
        "set automountServiceAccountToken: false on the pod; the token of workload identity is another one and stays",
        Check::Workloads(|workload, scene| {
            let own = workload.pod().at("/automountServiceAccountToken").as_bool();
            let accounts = || {
                scene
                    .account(workload)?
                    .value()
                    .at("/automountServiceAccountToken")
                    .as_bool()
            };
            let is_mounted = own.or_else(accounts).unwrap_or(true);
            is_mounted.then(|| "automountServiceAccountToken is not false".to_owned())
        }),
    ),
    Rule::new(
        "namespace-unrestricted",
        "a namespace with pods in it does not enforce the Pod Security level restricted",
        "label it pod-security.kubernetes.io/enforce: restricted",
        Check::Objects(|object, scene| {
            let level = level(object)?.filter(|it| *it == "restricted" || !has_pods(object, scene));
            level
                .is_none()
                .then(|| "pod-security.kubernetes.io/enforce is not restricted".to_owned())
        }),
    ),
    Rule::new(
        "namespace-level-unpinned",
        "a namespace enforces the newest Pod Security level, which an upgrade of the cluster may change under running pods",
        "label it pod-security.kubernetes.io/enforce-version with a version, such as v1.34",
        Check::Objects(|object, _| {
            level(object)??;
            let version = object.label("pod-security.kubernetes.io/enforce-version");
            let is_pinned = version.is_some_and(|it| it.starts_with("v1."));
            (!is_pinned).then(|| {
                format!(
                    "pod-security.kubernetes.io/enforce-version is {}",
                    version.unwrap_or("not set")
                )
            })
        }),
    ),
];

/// Returns the level that a namespace enforces, if it is one.
fn level(object: &Object) -> Option<Option<&str>> {
    (object.kind() == "Namespace").then(|| object.label("pod-security.kubernetes.io/enforce"))
}

fn has_pods(namespace: &Object, scene: &Scene<'_>) -> bool {
    scene
        .workloads()
        .any(|it| it.namespace() == Some(namespace.name()))
}

/// What the level restricted allows, and hostPath, which has a rule of its own.
const VOLUMES: &[&str] = &[
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "hostPath",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

fn forbidden_volume(volume: &Value) -> Option<(&str, &str)> {
    let mut kinds = volume.entries("").map(|(key, _)| key);
    let kind = kinds.find(|key| *key != "name" && !VOLUMES.contains(key))?;
    Some((volume.text("/name").unwrap_or_default(), kind))
}

/// Parameters of the pod's own namespaces
/// ([baseline](https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline)).
const SAFE_SYSCTLS: &[&str] = &[
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];
