//! Whether Kubernetes can tell how a process is.

use serde_json::Value;

use crate::{
    rule::{Check, Rule},
    workload::Container,
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "no-liveness-probe",
        "nothing notices a process that hangs",
        "add a livenessProbe on /livez",
        Check::Containers(|it, _| lacks(it, "livenessProbe")),
    ),
    Rule::new(
        "no-readiness-probe",
        "nothing notices a process that cannot work, and rollouts go on over it",
        "add a readinessProbe on /readyz",
        Check::Containers(|it, _| lacks(it, "readinessProbe")),
    ),
    Rule::new(
        "no-startup-probe",
        "a process that starts slowly is taken for one that hangs",
        "add a startupProbe on /livez",
        Check::Containers(|it, _| lacks(it, "startupProbe")),
    ),
    Rule::new(
        "probe-port-unknown",
        "a probe asks a port that the container does not have",
        "name a port of the container, such as http",
        Check::Containers(|it, _| {
            let port = probes(it).find_map(|(_, probe)| {
                probe
                    .at("/httpGet")
                    .get("port")
                    .filter(|port| it.port(port).is_none())
            })?;
            Some(format!("there is no port {port}"))
        }),
    ),
    Rule::new(
        "probe-path-unknown",
        "a probe asks a process of ours for a path that is no probe",
        "ask /livez for startup and liveness, /readyz for readiness",
        Check::Processes(|it, _, _| {
            let (name, path) = probes(it).find_map(|(name, probe)| {
                Some((name, probe.text("/httpGet/path")?))
                    .filter(|(_, path)| !["/livez", "/readyz"].contains(path))
            })?;
            Some(format!("{name} asks {path}"))
        }),
    ),
    Rule::new(
        "readiness-same-as-liveness",
        "one check is both: a Temporal or Key Vault outage restarts every pod, or nobody notices it",
        "ask /livez for liveness and /readyz for readiness",
        Check::Containers(|it, _| {
            let question = |probe: &str| {
                it.value
                    .at(probe)
                    .as_object()
                    .map(|it| ["httpGet", "exec", "tcpSocket", "grpc"].map(|kind| it.get(kind)))
            };
            let liveness = question("/livenessProbe")?;
            (question("/readinessProbe")? == liveness)
                .then(|| "livenessProbe and readinessProbe ask the same".to_owned())
        }),
    ),
    Rule::new(
        "shell-missing",
        "a probe, a hook or a command needs a shell or a tool, and the image has none",
        "ask over HTTP, or call a program of the image; `sealane doctor` looks around in a pod",
        Check::Processes(|it, _, _| {
            let hooks = [
                "/livenessProbe",
                "/readinessProbe",
                "/startupProbe",
                "/lifecycle/preStop",
                "/lifecycle/postStart",
            ];
            let programs = hooks
                .into_iter()
                .filter_map(|hook| it.value.at(hook).list("/exec/command").first()?.as_str());
            let mut foreign = programs.filter(|it| {
                !it.rsplit('/')
                    .next()
                    .is_some_and(|it| it.starts_with("sealane"))
            });
            Some(format!("{} is not in the image", foreign.next()?))
        }),
    ),
];

fn probes(container: Container<'_>) -> impl Iterator<Item = (&'static str, &Value)> {
    let names = ["livenessProbe", "readinessProbe", "startupProbe"].into_iter();
    names.filter_map(move |name| Some((name, container.value.get(name)?)))
}

/// What ends by itself is not asked how it is.
fn lacks(container: Container<'_>, probe: &str) -> Option<String> {
    let is_asked = !container.is_init && !container.workload.ends();
    (is_asked && container.value.get(probe).is_none()).then(|| format!("has no {probe}"))
}
