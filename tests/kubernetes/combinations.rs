//! Which components go with which overlay, and with each other.

/// A component that one adds to an overlay, as opposed to the building blocks that overlays are made of.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) name: &'static str,
    /// Components of one purpose exclude each other.
    pub(crate) purpose: Purpose,
    /// Overlays that it fits.
    pub(crate) overlays: &'static [&'static str],
}

/// What a component is for, in the order in which they are listed: what replaces a Deployment comes last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// Where keys come from.
    Keys,
    /// How requests come in.
    Edge,
    /// Who scrapes.
    Metrics,
    /// Where requests may go.
    Egress,
    /// How many workers there are, and what makes them.
    Workers,
}

pub(crate) const OVERLAYS: [&str; 5] = ["local", "aks", "aks-cloud", "tenant-a", "tenant-b"];

/// Roots that are applied to namespaces of their own.
pub(crate) const ROOTS: [&str; 2] = ["gateway", "temporal"];

const ANY: &[&str] = &OVERLAYS;
const AZURE: &[&str] = &["aks", "aks-cloud", "tenant-a", "tenant-b"];
const SELF_HOSTED: &[&str] = &["aks", "tenant-a", "tenant-b"];
const CLOUD: &[&str] = &["aks-cloud"];

pub(crate) const COMPONENTS: [Component; 15] = [
    // Not for tenants: they share nothing, and a mounted secret is named in one place for all.
    component("csi-keys", Purpose::Keys, &["aks"]),
    component("csi-keys-cloud", Purpose::Keys, CLOUD),
    component("gateway", Purpose::Edge, AZURE),
    component("ingress", Purpose::Edge, AZURE),
    component("monitoring", Purpose::Metrics, ANY),
    component("monitoring-azure", Purpose::Metrics, AZURE),
    component("cilium-fqdn", Purpose::Egress, SELF_HOSTED),
    component("cilium-fqdn-cloud", Purpose::Egress, CLOUD),
    component("hpa", Purpose::Workers, ANY),
    component("keda", Purpose::Workers, SELF_HOSTED),
    component("keda-cloud", Purpose::Workers, CLOUD),
    component("keda-scaledjob", Purpose::Workers, SELF_HOSTED),
    component("keda-scaledjob-cloud", Purpose::Workers, CLOUD),
    component("versioned", Purpose::Workers, SELF_HOSTED),
    component("versioned-cloud", Purpose::Workers, CLOUD),
];

/// What overlays and components are made of; nobody adds them.
pub(crate) const BUILDING_BLOCKS: [&str; 4] = [
    "azure",
    "keda-authentication",
    "self-hosted-temporal",
    "temporal-cloud",
];

const fn component(
    name: &'static str,
    purpose: Purpose,
    overlays: &'static [&'static str],
) -> Component {
    Component {
        name,
        purpose,
        overlays,
    }
}

/// Returns the components that fit `overlay`.
pub(crate) fn fitting(overlay: &str) -> impl Iterator<Item = &'static Component> + Clone {
    COMPONENTS
        .iter()
        .filter(move |it| it.overlays.contains(&overlay))
}

/// Returns as many combinations of one component for each purpose as it takes to have each component in one.
pub(crate) fn one_of_each(overlay: &str) -> Vec<Vec<&'static str>> {
    let purposes = [
        Purpose::Keys,
        Purpose::Edge,
        Purpose::Metrics,
        Purpose::Egress,
        Purpose::Workers,
    ];
    let choices: Vec<Vec<_>> = purposes
        .iter()
        .map(|purpose| {
            let of_purpose = fitting(overlay).filter(|it| it.purpose == *purpose);
            of_purpose.map(|it| it.name).collect::<Vec<_>>()
        })
        .filter(|choices| !choices.is_empty())
        .collect();
    let rounds = choices.iter().map(Vec::len).max().unwrap_or_default();
    (0..rounds)
        .map(|round| choices.iter().map(|it| it[round % it.len()]).collect())
        .collect()
}

/// Returns all pairs for `overlay` that do not exclude each other.
pub(crate) fn pairs(overlay: &str) -> Vec<[&'static Component; 2]> {
    let fitting: Vec<_> = fitting(overlay).collect();
    let mut pairs = Vec::new();
    for (at, one) in fitting.iter().enumerate() {
        for other in &fitting[at + 1..] {
            if one.purpose != other.purpose {
                pairs.push([*one, *other]);
            }
        }
    }
    pairs
}
