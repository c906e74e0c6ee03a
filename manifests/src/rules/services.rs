//! Services.

use serde_json::Value;

use crate::{
    object::Object,
    rule::{Check, Rule},
    scene::Scene,
    workload::Workload,
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "load-balancer-service",
        "a Service has a public address of its own, without TLS and past every policy",
        "make it ClusterIP, and lead to it through the component gateway or ingress",
        Check::Objects(|object, _| {
            let is_public = of_type(object) == Some("LoadBalancer");
            is_public.then(|| "its type is LoadBalancer".to_owned())
        }),
    ),
    Rule::new(
        "node-port-service",
        "a Service is open on every node",
        "make it ClusterIP, and lead to it through the component gateway or ingress",
        Check::Objects(|object, _| {
            let is_open = of_type(object) == Some("NodePort")
                || is_service(object) && object.value().has("/spec/externalIPs");
            is_open.then(|| "it has a node port or an external address".to_owned())
        }),
    ),
    Rule::new(
        "service-selects-nothing",
        "a Service leads to no pod",
        "give its selector the labels of the pods",
        Check::Objects(|object, scene| {
            let selects = is_service(object) && object.value().has("/spec/selector");
            (selects && scene.behind(object).is_empty())
                .then(|| "its selector means no pod that is rendered".to_owned())
        }),
    ),
    Rule::new(
        "service-port-unknown",
        "a Service leads to a port that its pods do not have",
        "make targetPort the name of a container port, such as http",
        Check::Objects(|object, scene| {
            let ports = object
                .value()
                .list("/spec/ports")
                .iter()
                .filter(|_| is_service(object));
            let mut lost = ports.filter(|port| {
                scene
                    .behind(object)
                    .iter()
                    .any(|it| !has_port(*it, target(port)))
            });
            Some(format!("the pods have no port {}", target(lost.next()?)))
        }),
    ),
    Rule::new(
        "service-selector-shared",
        "two Services have the same selector, which AKS's deployment safeguards refuse",
        "keep one Service, or select by app.kubernetes.io/component",
        Check::Objects(|object, scene| {
            let selector = object.value().at("/spec/selector");
            let mut others = scene
                .of_kind("Service")
                .filter(|it| !std::ptr::eq(*it, object) && it.is_beside(object.namespace()));
            let other = others.find(|it| it.value().at("/spec/selector") == selector)?;
            (is_service(object) && !selector.is_null())
                .then(|| format!("{} has the same selector", other.name()))
        }),
    ),
];

fn is_service(object: &Object) -> bool {
    object.kind() == "Service" && object.group().is_empty()
}

fn of_type(object: &Object) -> Option<&str> {
    object
        .value()
        .text("/spec/type")
        .filter(|_| is_service(object))
}

/// Returns where a port of a Service leads.
pub(super) fn target(port: &Value) -> &Value {
    port.get("targetPort").unwrap_or_else(|| port.at("/port"))
}

/// A number need not be named; a name must be.
fn has_port(workload: Workload<'_>, port: &Value) -> bool {
    workload.containers().any(|it| it.port(port).is_some())
}

/// Returns number and name of the container port that `port` of `service` leads to.
pub(super) fn container_port<'a>(
    service: &Object,
    port: &Value,
    scene: &Scene<'a>,
) -> Option<(Workload<'a>, i64)> {
    let meant = |it: &&Value| it.get("port") == Some(port) || it.get("name") == Some(port);
    let found = service.value().list("/spec/ports").iter().find(meant)?;
    let behind = scene.behind(service).into_iter();
    behind
        .filter_map(|it| {
            Some((
                it,
                it.containers()
                    .find_map(|container| container.port(target(found)))?,
            ))
        })
        .next()
}
