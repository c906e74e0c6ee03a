//! What network policies let through.

use std::net::IpAddr;

use serde_json::Value;

use crate::{
    object::Object,
    peers::{Namespace, Peers},
    scene::Scene,
    selector::selects,
    workload::Workload,
    yaml::Yaml,
};

/// Which way a connection goes, seen from the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Ingress,
    Egress,
}

impl Direction {
    fn policy_type(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress",
            Self::Egress => "Egress",
        }
    }

    fn rules(self) -> &'static str {
        match self {
            Self::Ingress => "/spec/ingress",
            Self::Egress => "/spec/egress",
        }
    }

    /// Returns whom a rule of this direction is about.
    pub(crate) fn peers(self, rule: &Value) -> Peers<'_> {
        match self {
            Self::Ingress => Peers::of(rule, "from"),
            Self::Egress => Peers::of(rule, "to"),
        }
    }
}

/// A connection that somebody needs.
#[derive(Clone, Debug)]
pub(crate) struct Connection<'a> {
    pub(crate) protocol: &'static str,
    pub(crate) port: i64,
    /// What the pod may call the port.
    pub(crate) name: Option<&'a str>,
    pub(crate) with: With<'a>,
}

/// With whom.
#[derive(Clone, Debug)]
pub(crate) enum With<'a> {
    Anybody,
    /// Those who are let in from outside, and not to fetch metrics.
    Callers,
    Address(IpAddr),
    Internet,
    Pods(Namespace<'a>),
}

impl<'a> Connection<'a> {
    pub(crate) fn tcp(port: i64, with: With<'a>) -> Self {
        Self {
            protocol: "TCP",
            port,
            name: None,
            with,
        }
    }

    fn is_with(&self, peers: &Peers<'_>) -> bool {
        match &self.with {
            With::Anybody => true,
            With::Callers => peers.include_callers(),
            With::Address(address) => peers.include(*address),
            With::Internet => peers.include_internet(),
            With::Pods(namespace) => peers.include_pods(namespace),
        }
    }

    fn is_through(&self, rule: &Value) -> bool {
        let is_named = |entry: &Value| self.name.is_some() && entry.text("/port") == self.name;
        ports(rule).is_none_or(|ports| {
            let mut ports = ports
                .into_iter()
                .filter(|it| speaks(it, self.protocol, rule));
            ports.any(|it| covers(it, self.port) || is_named(it))
        })
    }
}

/// The network policies that apply to one workload in one direction.
#[derive(Debug)]
pub(crate) struct Policies<'a> {
    objects: Vec<&'a Object>,
    direction: Direction,
}

impl<'a> Policies<'a> {
    pub(crate) fn of(workload: Workload<'a>, direction: Direction, scene: &Scene<'a>) -> Self {
        let beside = scene
            .objects
            .iter()
            .filter(|it| it.is_beside(workload.namespace()));
        let objects = beside
            .filter(|it| applies(it, workload, direction))
            .collect();
        Self { objects, direction }
    }

    /// Returns whether nothing is forbidden.
    pub(crate) fn is_open(&self) -> bool {
        self.objects.is_empty()
    }

    /// Returns whether a connection is allowed.
    pub(crate) fn allow(&self, wanted: &Connection<'_>) -> bool {
        self.is_open() || self.allowing(wanted).is_some()
    }

    /// Returns the object that allows a connection, if one does.
    pub(crate) fn allowing(&self, wanted: &Connection<'_>) -> Option<&'a Object> {
        self.with_rule(|rule| {
            wanted.is_through(rule) && wanted.is_with(&self.direction.peers(rule))
        })
    }

    /// Returns the object with a rule that meets `wanted`, if there is one.
    pub(crate) fn with_rule(&self, wanted: impl Fn(&Value) -> bool) -> Option<&'a Object> {
        let path = self.direction.rules();
        self.objects
            .iter()
            .copied()
            .find(|it| it.value().list(path).iter().any(&wanted))
    }
}

fn applies(object: &Object, workload: Workload<'_>, direction: Direction) -> bool {
    let spec = object.value().at("/spec");
    match object.kind() {
        "NetworkPolicy" => {
            let types = spec.list("/policyTypes");
            let listed = types.iter().any(|it| it == direction.policy_type());
            let implied =
                types.is_empty() && (direction == Direction::Ingress || spec.has("/egress"));
            (listed || implied) && selects(spec.at("/podSelector"), workload.labels())
        }
        "CiliumNetworkPolicy" => {
            object.value().has(direction.rules())
                && selects(spec.at("/endpointSelector"), workload.labels())
        }
        _ => false,
    }
}

/// Returns the ports of a rule, whichever of the two kinds it is; none if it names none and so means all.
fn ports(rule: &Value) -> Option<Vec<&Value>> {
    if rule.has("/toPorts") {
        let ports = rule
            .list("/toPorts")
            .iter()
            .flat_map(|it| it.list("/ports"));
        return Some(ports.collect());
    }
    let ports = rule.list("/ports");
    (!ports.is_empty()).then(|| ports.iter().collect())
}

/// Returns whether a rule is about every port, of one protocol at least.
pub(crate) fn has_all_ports(rule: &Value) -> bool {
    let is_all = |it: &&Value| covers(it, 1) && covers(it, 65535);
    ports(rule).is_none_or(|ports| ports.iter().any(is_all))
}

/// A port without a protocol is one of TCP for Kubernetes, and of any for Cilium.
fn speaks(entry: &Value, protocol: &str, rule: &Value) -> bool {
    let default = if rule.has("/toPorts") { "ANY" } else { "TCP" };
    let said = entry.text("/protocol").unwrap_or(default);
    said == protocol || said == "ANY"
}

fn covers(entry: &Value, port: i64) -> bool {
    let value = entry.at("/port");
    let first = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    match (first, entry.number("/endPort")) {
        (Some(first), Some(last)) => (first..=last).contains(&port),
        (Some(first), None) => first == port,
        // A name means a port of the other pod; what number that has is not known here.
        (None, _) => value.is_null(),
    }
}
