//! The Pod Security Standard `restricted`, where it looks at containers. Messages have the words of the admission controller.

use serde_json::{Value, json};

use crate::{
    rule::{Check, Rule},
    workload::Container,
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "privileged",
        "a container is privileged, which is root on the node",
        "remove securityContext.privileged",
        Check::Containers(|it, _| {
            it.security("privileged")
                .eq(&true)
                .then(|| "must not set securityContext.privileged=true".to_owned())
        }),
    ),
    Rule::new(
        "privilege-escalation",
        "a container may gain privileges it was not started with",
        "set securityContext.allowPrivilegeEscalation: false",
        Check::Containers(|it, _| {
            let is_off = it.value.at("/securityContext/allowPrivilegeEscalation") == false;
            (!is_off).then(|| "must set securityContext.allowPrivilegeEscalation=false".to_owned())
        }),
    ),
    Rule::new(
        "capabilities-kept",
        "a container keeps capabilities that it has no use for",
        "set securityContext.capabilities.drop: [ALL]",
        Check::Containers(|it, _| {
            let drops = it
                .value
                .list("/securityContext/capabilities/drop")
                .contains(&json!("ALL"));
            (!drops).then(|| "must set securityContext.capabilities.drop=[\"ALL\"]".to_owned())
        }),
    ),
    Rule::new(
        "capabilities-added",
        "a container adds capabilities",
        "remove them from securityContext.capabilities.add; ports from 1024 on need none",
        Check::Containers(|it, _| {
            let mut added = it.value.list("/securityContext/capabilities/add").iter();
            let first = added.find(|it| *it != "NET_BIND_SERVICE")?;
            Some(format!(
                "must not include {first} in securityContext.capabilities.add"
            ))
        }),
    ),
    Rule::new(
        "run-as-root",
        "nothing keeps a container from running as root",
        "set securityContext.runAsNonRoot: true on the pod",
        Check::Containers(|it, _| {
            let is_on = it.security("runAsNonRoot") == true;
            (!is_on)
                .then(|| "pod or container must set securityContext.runAsNonRoot=true".to_owned())
        }),
    ),
    Rule::new(
        "user-root",
        "a container runs as user 0",
        "set securityContext.runAsUser to 65532, the user of the image",
        Check::Containers(|it, _| {
            it.security("runAsUser")
                .eq(&0)
                .then(|| "must not set securityContext.runAsUser=0".to_owned())
        }),
    ),
    Rule::new(
        "seccomp-missing",
        "system calls are not filtered",
        "set securityContext.seccompProfile.type: RuntimeDefault on the pod",
        Check::Containers(|it, _| {
            let is_set = matches!(
                it.security("seccompProfile").text("/type"),
                Some("RuntimeDefault" | "Localhost")
            );
            (!is_set).then(|| "pod or container must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"".to_owned())
        }),
    ),
    Rule::new(
        "apparmor-off",
        "a container is exempt from AppArmor",
        "remove appArmorProfile, or set its type to RuntimeDefault",
        Check::Containers(|it, _| {
            let is_off = it.security("appArmorProfile").text("/type") == Some("Unconfined");
            let key = format!(
                "container.apparmor.security.beta.kubernetes.io/{}",
                it.name()
            );
            let was_off = it.workload.annotation(&key) == Some("unconfined");
            (is_off || was_off)
                .then(|| "must not set AppArmor profile type to \"Unconfined\"".to_owned())
        }),
    ),
    Rule::new(
        "selinux-options",
        "a container chooses an SELinux user, role or type of its own",
        "remove securityContext.seLinuxOptions",
        Check::Containers(|it, _| {
            let options = it.security("seLinuxOptions");
            let is_custom = options.has("/user")
                || options.has("/role")
                || !matches!(
                    options.text("/type"),
                    None | Some(
                        "" | "container_t"
                            | "container_init_t"
                            | "container_kvm_t"
                            | "container_engine_t"
                    )
                );
            is_custom.then(|| format!("must not set securityContext.seLinuxOptions to {options}"))
        }),
    ),
    Rule::new(
        "proc-mount",
        "a container sees all of /proc",
        "remove securityContext.procMount",
        Check::Containers(|it, _| {
            let mount = it
                .security("procMount")
                .as_str()
                .filter(|it| *it != "Default")?;
            Some(format!(
                "must not set securityContext.procMount to \"{mount}\""
            ))
        }),
    ),
    Rule::new(
        "host-port",
        "a container takes a port of the node",
        "remove hostPort; a Service leads to the pod",
        Check::Containers(|it, _| {
            let mut ports = it
                .value
                .list("/ports")
                .iter()
                .filter_map(|it| it.number("/hostPort"));
            Some(format!("uses hostPort {}", ports.find(|it| *it != 0)?))
        }),
    ),
    Rule::new(
        "host-probe",
        "a probe or lifecycle hook asks another host than the pod",
        "remove host from the probe",
        Check::Containers(|it, _| {
            let host = hooks(it)
                .into_iter()
                .find_map(|hook| hook.text("/httpGet/host").or(hook.text("/tcpSocket/host")))?;
            Some(format!(
                "must not set host {host:?} in a probe or lifecycle hook"
            ))
        }),
    ),
    Rule::new(
        "root-file-system-writable",
        "a container may write to its own image",
        "set securityContext.readOnlyRootFilesystem: true, and mount an emptyDir where it has to write",
        Check::Containers(|it, _| {
            let is_read_only = it.value.is_true("/securityContext/readOnlyRootFilesystem");
            (!is_read_only)
                .then(|| "must set securityContext.readOnlyRootFilesystem=true".to_owned())
        }),
    ),
];

/// Returns everything of a container that is called from outside of it.
fn hooks(container: Container<'_>) -> Vec<&Value> {
    let paths = [
        "/livenessProbe",
        "/readinessProbe",
        "/startupProbe",
        "/lifecycle/preStop",
        "/lifecycle/postStart",
    ];
    paths
        .into_iter()
        .map(|path| container.value.at(path))
        .collect()
}
