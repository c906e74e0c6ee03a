//! What network policies let through.

use serde_json::Value;

use crate::{object::Object, scene::Scene, selector::selects, workload::Workload, yaml::Yaml};

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

    /// Returns whether connections to `port`, which the pod may call `name`, are allowed with anybody at all.
    pub(crate) fn allow(&self, port: i64, name: Option<&str>) -> bool {
        let is_covered =
            |entry: &&Value| covers(entry, port) || name.is_some() && entry.text("/port") == name;
        self.is_open()
            || self
                .rules()
                .any(|rule| ports(rule).is_none_or(|ports| ports.iter().any(is_covered)))
    }

    /// Returns the object with a rule that meets `wanted`, if there is one.
    pub(crate) fn with_rule(&self, wanted: impl Fn(&Value) -> bool) -> Option<&'a Object> {
        let path = self.direction.rules();
        self.objects
            .iter()
            .copied()
            .find(|it| it.value().list(path).iter().any(&wanted))
    }

    fn rules(&self) -> impl Iterator<Item = &'a Value> {
        let path = self.direction.rules();
        self.objects
            .iter()
            .flat_map(move |it| it.value().list(path))
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
pub(crate) fn ports(rule: &Value) -> Option<Vec<&Value>> {
    if rule.has("/toPorts") {
        let ports = rule
            .list("/toPorts")
            .iter()
            .flat_map(|it| it.list("/ports"));
        return Some(ports.collect());
    }
    rule.has("/ports")
        .then(|| rule.list("/ports").iter().collect())
}

pub(crate) fn covers(entry: &Value, port: i64) -> bool {
    let value = entry.at("/port");
    let first = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    match (first, entry.number("/endPort")) {
        (Some(first), Some(last)) => (first..=last).contains(&port),
        (Some(first), None) => first == port,
        // A name means a port of the other pod; what number that has is not known here.
        (None, _) => value.is_null(),
    }
}
