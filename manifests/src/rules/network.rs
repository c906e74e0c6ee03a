//! Network policies.

use serde_json::Value;

use crate::{
    network::{Direction, Policies, covers, ports},
    rule::{Check, Rule},
    scene::Scene,
    workload::{Container, Process},
    yaml::Yaml,
};

use super::{exposure, services};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "network-policy-missing",
        "pods may be reached by, or may reach, everything",
        "add a NetworkPolicy with an empty podSelector and policyTypes [Ingress, Egress]",
        Check::Workloads(|workload, scene| {
            let mut directions = [Direction::Ingress, Direction::Egress].into_iter();
            let open = directions.find(|it| Policies::of(workload, *it, scene).is_open())?;
            Some(format!("no NetworkPolicy restricts its {open:?}"))
        }),
    ),
    Rule::new(
        "network-policy-open",
        "a network policy allows everything in one direction",
        "say with whom and on which ports",
        Check::Workloads(|workload, scene| {
            let mut directions = [Direction::Ingress, Direction::Egress].into_iter();
            directions.find_map(|it| {
                let policy = Policies::of(workload, it, scene)
                    .with_rule(|rule| rule.entries("").next().is_none())?;
                Some(format!("{policy} allows all {it:?}"))
            })
        }),
    ),
    Rule::new(
        "node-metadata-reachable",
        "pods may ask the node's metadata service, where a pod can become the node",
        "except 169.254.169.254/32 and 168.63.129.16/32 from the ipBlock",
        Check::Workloads(|workload, scene| {
            let policy =
                Policies::of(workload, Direction::Egress, scene).with_rule(reaches_metadata)?;
            Some(format!("{policy} allows port 80 of 169.254.169.254"))
        }),
    ),
    Rule::new(
        "egress-blocked",
        "network policies keep a process from what it needs: DNS, Temporal or Azure",
        "allow the port in a NetworkPolicy for these pods",
        Check::Processes(|it, process, scene| {
            let policies = Policies::of(it.workload, Direction::Egress, scene);
            let mut needs = needs(it, process, scene).into_iter();
            let (what, port) = needs.find(|(_, port)| !policies.allow(*port, None))?;
            Some(format!(
                "port {port} is not allowed, which it needs for {what}"
            ))
        }),
    ),
    Rule::new(
        "ingress-blocked",
        "a route leads to pods that no network policy lets anybody reach",
        "allow the port from the gateway's or ingress controller's namespace",
        Check::Objects(|object, scene| {
            let mut backends = exposure::backends(object).into_iter();
            backends.find_map(|it| {
                let (workload, port) =
                    services::container_port(it.object(scene, object)?, &it.port, scene)?;
                let name = port_name(workload, port);
                let is_allowed =
                    Policies::of(workload, Direction::Ingress, scene).allow(port, name);
                (!is_allowed)
                    .then(|| format!("no NetworkPolicy allows port {port} of {}", workload.object))
            })
        }),
    ),
];

/// Returns the ports that a process connects to, and what for.
fn needs<'a>(
    container: Container<'a>,
    process: Process,
    scene: &Scene<'a>,
) -> Vec<(&'static str, i64)> {
    let environment = scene.environment(container);
    let mut needs = vec![("DNS", 53)];
    let address = environment
        .text("TEMPORAL_ADDRESS")
        .unwrap_or("localhost:7233")
        .trim_end_matches('/');
    let temporal = address
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    needs.extend(
        temporal
            .filter(|_| process != Process::CodecServer)
            .map(|port| ("Temporal", port)),
    );
    let azure = ["KEYVAULT_URL", "KEYVAULT_KEY_URI"]
        .into_iter()
        .any(|name| environment.text(name).is_some());
    needs.extend(azure.then_some(("Key Vault and Entra ID", 443)));
    needs
}

fn reaches_metadata(rule: &Value) -> bool {
    let is_open = |block: &&Value| {
        block.text("/cidr") == Some("0.0.0.0/0")
            && !block
                .list("/except")
                .iter()
                .any(|it| it == "169.254.169.254/32")
    };
    let blocks = rule.list("/to").iter().map(|it| it.at("/ipBlock"));
    let has_port = ports(rule).is_none_or(|ports| ports.iter().any(|it| covers(it, 80)));
    has_port && blocks.into_iter().any(|it| is_open(&it))
}

fn port_name(workload: crate::workload::Workload<'_>, port: i64) -> Option<&str> {
    let ports = workload.containers().flat_map(|it| it.value.list("/ports"));
    let mut meant = ports.filter(|it| it.number("/containerPort") == Some(port));
    meant.next()?.text("/name")
}
