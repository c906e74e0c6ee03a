//! Workers that the Temporal worker controller rolls out.

use crate::{
    rule::{Check, Rule, in_container},
    scene::Scene,
    workload::{Container, Process, Workload},
    yaml::Yaml,
};

use super::tenancy::queue;

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "worker-twice",
        "a Deployment polls the task queue of a WorkerDeployment, and takes its workflows past all versions",
        "remove the Deployment; the component versioned replaces it",
        Check::Processes(|it, process, scene| {
            let own =
                queue(process, &scene.environment(it)).filter(|_| !it.workload.is_versioned())?;
            let mut versioned = scene
                .running(Process::Worker)
                .filter(|other| other.workload.is_versioned());
            let other = versioned.find(|other| {
                queue(Process::Worker, &scene.environment(*other)).as_ref() == Some(&own)
            })?;
            Some(format!("{} polls {own} too", other.workload.object))
        }),
    ),
    Rule::new(
        "connection-not-rendered",
        "a WorkerDeployment names a Connection that is not among the manifests",
        "add the Connection, or correct connectionRef",
        Check::Workloads(|workload, scene| {
            let name = connection(workload)?;
            let is_there = ["Connection", "ClusterConnection", "TemporalConnection"]
                .into_iter()
                .any(|kind| scene.of_kind(kind).any(|it| it.name() == name));
            (!is_there).then(|| format!("the Connection {name} is not rendered"))
        }),
    ),
    Rule::new(
        "connection-mismatch",
        "the worker controller looks at another server or namespace than the workers",
        "make hostPort of the Connection TEMPORAL_ADDRESS, and temporalNamespace TEMPORAL_NAMESPACE",
        Check::Workloads(|workload, scene| {
            let worker = workload
                .containers()
                .find(|it| it.process() == Some(Process::Worker))?;
            let said = differs(workload, worker, scene)?;
            Some(in_container(worker, &said))
        }),
    ),
];

fn connection(workload: Workload<'_>) -> Option<&str> {
    let paths = [
        "/spec/workerOptions/connectionRef/name",
        "/spec/workerOptions/connection",
    ];
    paths
        .into_iter()
        .find_map(|path| workload.object.value().text(path))
}

fn differs<'a>(workload: Workload<'a>, worker: Container<'a>, scene: &Scene<'a>) -> Option<String> {
    let environment = scene.environment(worker);
    let connection =
        connection(workload).and_then(|name| scene.find("Connection", workload.namespace(), name));
    let said = [
        (
            "TEMPORAL_ADDRESS",
            "hostPort",
            connection.and_then(|it| it.value().text("/spec/hostPort")),
        ),
        (
            "TEMPORAL_NAMESPACE",
            "temporalNamespace",
            workload
                .object
                .value()
                .text("/spec/workerOptions/temporalNamespace"),
        ),
    ];
    said.into_iter().find_map(|(setting, field, said)| {
        let (said, meant) = (said?, environment.text(setting)?);
        (said != meant).then(|| format!("{field} is {said:?}, and {setting} is {meant:?}"))
    })
}
