//! Network policies.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::Value;

use crate::{
    network::{Connection, Direction, Policies, With, has_all_ports},
    object::Object,
    peers::Namespace,
    rule::{Check, Rule},
    scene::Scene,
    workload::{Container, Process, Workload},
    yaml::Yaml,
};

use super::{exposure, monitoring, services};

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
        "a network policy allows everything in one direction, or lets everybody in",
        "say with whom and on which ports",
        Check::Workloads(|workload, scene| {
            let mut directions = [Direction::Ingress, Direction::Egress].into_iter();
            directions.find_map(|it| {
                let policies = Policies::of(workload, it, scene);
                let policy = policies.with_rule(|rule| is_open(rule, it))?;
                Some(format!("{policy} allows all {it:?}"))
            })
        }),
    ),
    Rule::new(
        "node-metadata-reachable",
        "pods may ask the node's metadata service, where a pod can become the node",
        "except 169.254.169.254/32 and 168.63.129.16/32 from the ipBlock",
        Check::Workloads(|workload, scene| {
            let policies = Policies::of(workload, Direction::Egress, scene);
            METADATA.iter().find_map(|(address, port)| {
                let with = With::Address(IpAddr::V4(*address));
                let policy = policies.allowing(&Connection::tcp(*port, with))?;
                Some(format!("{policy} allows port {port} of {address}"))
            })
        }),
    ),
    Rule::new(
        "egress-blocked",
        "network policies keep a process from what it needs: DNS, Temporal or Azure",
        "allow protocol, port and peer (the namespace of a Service, addresses for what is outside) in a NetworkPolicy for these pods",
        Check::Processes(|it, process, scene| {
            let policies = Policies::of(it.workload, Direction::Egress, scene);
            let mut needs = needs(it, process, scene).into_iter();
            let (what, lost) = needs.find(|(_, it)| !policies.allow(it))?;
            Some(format!(
                "{} port {}{} is not allowed, which it needs for {what}",
                lost.protocol,
                lost.port,
                whose(&lost.with),
            ))
        }),
    ),
    Rule::new(
        "ingress-blocked",
        "a route leads to pods, or a monitor scrapes pods, that no network policy lets anybody reach",
        "allow the port from the namespace of the gateway, of the ingress controller, or of Prometheus",
        Check::Objects(|object, scene| {
            let (workload, port, whom) = unreachable(object, scene)?;
            let workload = workload.object;
            Some(format!(
                "no NetworkPolicy allows port {port} of {workload} to {whom}"
            ))
        }),
    ),
];

/// The node's metadata, and its agent: addresses of every machine of Azure.
const METADATA: [(Ipv4Addr, i64); 3] = [
    (Ipv4Addr::new(169, 254, 169, 254), 80),
    (Ipv4Addr::new(168, 63, 129, 16), 80),
    (Ipv4Addr::new(168, 63, 129, 16), 32526),
];

/// Out, a port narrows everybody down, to the likes of Entra ID. In, everybody is too many on any port.
fn is_open(rule: &Value, direction: Direction) -> bool {
    let is_narrow = direction == Direction::Egress && !has_all_ports(rule);
    !is_narrow && direction.peers(rule).are_all()
}

/// Returns the connections that a process makes, and what for.
fn needs<'a>(
    container: Container<'a>,
    process: Process,
    scene: &Scene<'a>,
) -> Vec<(&'static str, Connection<'a>)> {
    let environment = scene.environment(container);
    let dns = Connection {
        protocol: "UDP",
        ..Connection::tcp(53, With::Anybody)
    };
    let mut needs = vec![("DNS", dns)];
    let address = environment.text("TEMPORAL_ADDRESS");
    let temporal = temporal(address.unwrap_or("localhost:7233"), container, scene);
    let temporal = temporal.filter(|_| process != Process::CodecServer);
    needs.extend(temporal.map(|it| ("Temporal", it)));
    let azure = [
        "KEYVAULT_URL",
        "KEYVAULT_KEY_URI",
        "SEALANE_BLOB_CONTAINER_URL",
    ]
    .into_iter()
    .any(|name| environment.text(name).is_some());
    let internet = || Connection::tcp(443, With::Internet);
    needs.extend(azure.then(|| ("Key Vault and Entra ID", internet())));
    needs
}

/// Returns the connection to Temporal, if its address has a port.
fn temporal<'a>(
    address: &str,
    container: Container<'a>,
    scene: &Scene<'a>,
) -> Option<Connection<'a>> {
    let address = address.trim_end_matches('/');
    let (host, port) = address.rsplit_once(':')?;
    let host = host.rsplit('/').next().unwrap_or(host);
    let labels: Vec<&str> = host.split('.').collect();
    let with = match labels[..] {
        [_, namespace, "svc", ..] => With::Pods(Namespace::called(
            namespace,
            container.workload.namespace(),
            scene,
        )),
        _ => With::Anybody,
    };
    Some(Connection::tcp(port.parse().ok()?, with))
}

/// Says with whom a connection is.
fn whose(with: &With<'_>) -> String {
    match with {
        With::Anybody | With::Callers => String::new(),
        With::Address(address) => format!(" of {address}"),
        With::Internet => " of public addresses".to_owned(),
        With::Pods(namespace) => format!(" of pods in {}", namespace.name),
    }
}

/// Returns pods and a port that a route leads to or a monitor scrapes without being let in, and whom to let in.
fn unreachable<'a>(
    object: &Object,
    scene: &Scene<'a>,
) -> Option<(Workload<'a>, i64, &'static str)> {
    let backends = exposure::backends(object).into_iter();
    let mut routed = backends
        .filter_map(|it| services::container_port(it.object(scene, object)?, &it.port, scene));
    let mut scraped = monitoring::scraped(object, scene).into_iter();
    let lost = |(workload, port): &(Workload<'a>, i64), with| {
        let wanted = Connection {
            name: port_name(*workload, *port),
            ..Connection::tcp(*port, with)
        };
        !Policies::of(*workload, Direction::Ingress, scene).allow(&wanted)
    };
    let route = routed.find(|it| lost(it, With::Callers));
    let route = route.map(|(workload, port)| (workload, port, "what leads there"));
    route.or_else(|| {
        let (workload, port) = scraped.find(|it| lost(it, With::Anybody))?;
        Some((workload, port, "what fetches metrics"))
    })
}

fn port_name(workload: Workload<'_>, port: i64) -> Option<&str> {
    let ports = workload.containers().flat_map(|it| it.value.list("/ports"));
    let mut meant = ports.filter(|it| it.number("/containerPort") == Some(port));
    meant.next()?.text("/name")
}
