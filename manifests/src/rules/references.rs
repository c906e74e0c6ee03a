//! Objects that name others.

use serde_json::Value;

use crate::{
    rule::{Check, Found, Rule},
    scene::Scene,
    workload::Workload,
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "config-map-not-rendered",
        "pods need a ConfigMap that is not among the manifests",
        "generate it with configMapGenerator, so that its name is filled in and pods roll when it changes",
        Check::Workloads(|workload, scene| {
            missing(workload, scene, "ConfigMap", &config_maps(workload))
        }),
    ),
    Rule::new(
        "service-account-not-rendered",
        "pods run as a service account that is not among the manifests",
        "add the ServiceAccount, or correct serviceAccountName",
        Check::Workloads(|workload, scene| {
            let name = workload.service_account();
            let is_there = name == "default" || scene.account(workload).is_some();
            (!is_there).then(|| format!("the ServiceAccount {name} is not rendered"))
        }),
    ),
    Rule::new(
        "secret-provider-not-rendered",
        "pods mount secrets of a SecretProviderClass that is not among the manifests",
        "add the component csi-keys, or correct secretProviderClass",
        Check::Workloads(|workload, scene| {
            missing(workload, scene, "SecretProviderClass", &providers(workload))
        }),
    ),
    Rule::new(
        "volume-unknown",
        "a container mounts a volume that the pod does not have",
        "add the volume, or correct the name of the mount",
        Check::Containers(|container, _| {
            let volumes = container.workload.pod().list("/volumes");
            let mounts = container.value.list("/volumeMounts").iter();
            let mut names = mounts.filter_map(|it| it.text("/name"));
            let name =
                names.find(|name| !volumes.iter().any(|it| it.text("/name") == Some(name)))?;
            Some(format!("there is no volume {name}"))
        }),
    ),
    Rule::new(
        "scale-target-missing",
        "an autoscaler scales nothing that is among the manifests",
        "correct scaleTargetRef, or remove the autoscaler",
        Check::Whole(targets),
    ),
    Rule::new(
        "route-backend-missing",
        "a route or an Ingress leads to a Service or port that does not exist",
        "correct the name or the port of the backend",
        Check::Objects(|object, scene| {
            let backends = super::exposure::backends(object);
            let lost = backends.into_iter().find(|it| !it.exists(scene, object))?;
            Some(format!(
                "there is no Service {} with port {}",
                lost.service, lost.port
            ))
        }),
    ),
];

fn missing<'a>(
    workload: Workload<'a>,
    scene: &Scene<'a>,
    kind: &str,
    names: &[&str],
) -> Option<String> {
    let lost = names
        .iter()
        .find(|name| scene.find(kind, workload.namespace(), name).is_none())?;
    Some(format!("the {kind} {lost} is not rendered"))
}

/// Returns the `name` of each reference at `path`, without those that may be missing.
fn names<'a>(holders: impl Iterator<Item = &'a Value>, path: &str, name: &str) -> Vec<&'a str> {
    let references = holders
        .map(|it| it.at(path))
        .filter(|it| !it.is_true("/optional"));
    references.filter_map(|it| it.text(name)).collect()
}

fn volumes(workload: Workload<'_>) -> impl Iterator<Item = &Value> {
    let volumes = workload.pod().list("/volumes").iter();
    let projected = workload
        .pod()
        .list("/volumes")
        .iter()
        .flat_map(|it| it.list("/projected/sources"));
    volumes.chain(projected)
}

fn config_maps(workload: Workload<'_>) -> Vec<&str> {
    let env_from = workload
        .all_containers()
        .flat_map(|it| it.value.list("/envFrom"));
    let env = workload
        .all_containers()
        .flat_map(|it| it.value.list("/env"));
    let mut found = names(env_from, "/configMapRef", "/name");
    found.extend(names(env, "/valueFrom/configMapKeyRef", "/name"));
    found.extend(names(volumes(workload), "/configMap", "/name"));
    found
}

fn providers(workload: Workload<'_>) -> Vec<&str> {
    names(
        volumes(workload),
        "/csi/volumeAttributes",
        "/secretProviderClass",
    )
}

fn targets<'a>(scene: &Scene<'a>) -> Vec<Found<'a>> {
    let lost = scene
        .scalers()
        .into_iter()
        .filter(|scaler| !scene.objects.iter().any(|it| scaler.targets(it)));
    lost.map(|it| {
        (
            it.object,
            format!("there is no {} {}", it.target().0, it.target().1),
        )
    })
    .collect()
}
