//! Whether anything is scraped.

use serde_json::{Value, json};

use crate::{
    object::Object,
    rule::{Check, Rule},
    scene::Scene,
    workload::Workload,
    yaml::Yaml,
};

use super::services;

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "monitor-selects-nothing",
        "a monitor finds nothing to scrape, silently",
        "give its selector the labels of the pods, or of the Service for a ServiceMonitor",
        Check::Objects(|object, scene| {
            let found = match object.kind() {
                "PodMonitor" => !monitored_pods(object, scene).is_empty(),
                "ServiceMonitor" => !monitored_services(object, scene).is_empty(),
                _ => return None,
            };
            (!found).then(|| "its selector means nothing that is rendered".to_owned())
        }),
    ),
    Rule::new(
        "monitor-port-missing",
        "a monitor scrapes a port that its pods or Services do not have",
        "name a port that they all have, such as http",
        Check::Objects(|object, scene| {
            let (target, port) = unscraped(object, scene)?;
            Some(format!("{target} has no port {port}"))
        }),
    ),
    Rule::new(
        "monitor-path-unknown",
        "a monitor scrapes a path where our processes have no metrics",
        "set path: /metrics, or leave it out",
        Check::Objects(|object, _| {
            let mut endpoints = endpoints(object).iter();
            let path =
                endpoints.find_map(|it| it.text("/path").filter(|path| *path != "/metrics"))?;
            Some(format!("it scrapes {path}"))
        }),
    ),
    Rule::new(
        "monitor-api-group",
        "monitors of both API groups are there, so pods are scraped twice, or by nobody",
        "use the component monitoring-azure for Azure's managed Prometheus, and monitoring for the Prometheus operator",
        Check::Objects(|object, scene| {
            let other = match object.group() {
                AZURE => "monitoring.coreos.com",
                _ => return None,
            };
            let twin = scene
                .objects
                .iter()
                .find(|it| it.kind() == object.kind() && it.group() == other)?;
            Some(format!("{twin} is of the group {other}"))
        }),
    ),
    Rule::new(
        "monitor-limits-missing",
        "a monitor for Azure's managed Prometheus lacks the limits of labels that it wants",
        "set labelLimit: 63, labelNameLengthLimit: 511 and labelValueLengthLimit: 1023",
        Check::Objects(|object, _| {
            let is_azure =
                object.group() == AZURE && matches!(object.kind(), "PodMonitor" | "ServiceMonitor");
            let (name, limit) = LIMITS.iter().find(|(name, limit)| {
                object.value().number(&format!("/spec/{name}")) != Some(*limit)
            })?;
            is_azure.then(|| format!("{name} is not {limit}"))
        }),
    ),
];

const AZURE: &str = "azmonitoring.coreos.com";

/// learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-crd
const LIMITS: [(&str, i64); 3] = [
    ("labelLimit", 63),
    ("labelNameLengthLimit", 511),
    ("labelValueLengthLimit", 1023),
];

fn endpoints(monitor: &Object) -> &[Value] {
    match monitor.kind() {
        "PodMonitor" => monitor.value().list("/spec/podMetricsEndpoints"),
        "ServiceMonitor" => monitor.value().list("/spec/endpoints"),
        _ => &[],
    }
}

/// Returns whether a monitor looks into the namespace of `object`.
fn sees(monitor: &Object, namespace: Option<&str>) -> bool {
    let chosen = monitor.value().at("/spec/namespaceSelector");
    let is_named = chosen
        .list("/matchNames")
        .iter()
        .any(|it| it.as_str() == namespace);
    chosen.is_true("/any") || is_named || !chosen.has("/matchNames") && monitor.is_beside(namespace)
}

fn monitored_pods<'a>(monitor: &Object, scene: &Scene<'a>) -> Vec<Workload<'a>> {
    let selector = monitor.value().at("/spec/selector");
    let seen = scene.workloads().filter(|it| sees(monitor, it.namespace()));
    seen.filter(|it| crate::selector::selects(selector, it.labels()))
        .collect()
}

fn monitored_services<'a>(monitor: &Object, scene: &Scene<'a>) -> Vec<&'a Object> {
    let selector = monitor.value().at("/spec/selector");
    let seen = scene
        .of_kind("Service")
        .filter(|it| sees(monitor, it.namespace()));
    seen.filter(|it| crate::selector::selects(selector, it.value().at("/metadata/labels")))
        .collect()
}

/// Returns the pods that a monitor scrapes, and their ports.
pub(super) fn scraped<'a>(monitor: &Object, scene: &Scene<'a>) -> Vec<(Workload<'a>, i64)> {
    let ports = endpoints(monitor).iter().map(|it| it.at("/port"));
    let found = ports.flat_map(|port| {
        let pods = monitored_pods(monitor, scene).into_iter();
        let pods = pods.filter_map(|it| Some((it, it.containers().find_map(|it| it.port(port))?)));
        let services = monitored_services(monitor, scene).into_iter();
        let services = services.filter_map(|it| services::container_port(it, port, scene));
        match monitor.kind() {
            "PodMonitor" => pods.collect::<Vec<_>>(),
            _ => services.collect(),
        }
    });
    found.collect()
}

/// Returns something that is selected and has no port to scrape, and that port.
fn unscraped<'a>(monitor: &Object, scene: &Scene<'a>) -> Option<(&'a Object, String)> {
    endpoints(monitor).iter().find_map(|endpoint| {
        let port = endpoint.text("/port")?;
        let lost = match monitor.kind() {
            "PodMonitor" => {
                let mut pods = monitored_pods(monitor, scene).into_iter();
                pods.find(|it| !it.containers().any(|it| it.port(&json!(port)).is_some()))
                    .map(|it| it.object)
            }
            _ => {
                let has_port = |service: &Object| {
                    service
                        .value()
                        .list("/spec/ports")
                        .iter()
                        .any(|it| it.text("/name") == Some(port))
                };
                monitored_services(monitor, scene)
                    .into_iter()
                    .find(|it| !has_port(it))
            }
        };
        Some((lost?, port.to_owned()))
    })
}
