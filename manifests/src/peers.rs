//! Whom a rule of a network policy is about.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Value, json};

use crate::{scene::Scene, selector::selects, yaml::Yaml};

/// Whom a rule of a network policy is about: each entry with the list it is in, of either kind of policy.
#[derive(Debug)]
pub(crate) struct Peers<'a>(Vec<(&'a str, &'a Value)>);

/// A namespace, and what is known about it.
#[derive(Clone, Debug)]
pub(crate) struct Namespace<'a> {
    pub(crate) name: String,
    /// Whether it is that of the policy.
    pub(crate) is_own: bool,
    /// Its labels, if it is rendered.
    labels: Option<&'a Value>,
}

/// The label that every namespace has from the API server.
const NAME: &str = "kubernetes.io/metadata.name";

/// The same as Cilium has it among the labels of pods.
const CILIUM_NAMES: [&str; 2] = [
    "k8s:io.kubernetes.pod.namespace",
    "io.kubernetes.pod.namespace",
];

/// What is not the internet: within a network, one machine, or one connection.
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];

impl<'a> Namespace<'a> {
    pub(crate) fn called(name: &str, own: Option<&str>, scene: &Scene<'a>) -> Self {
        let rendered = scene.of_kind("Namespace").find(|it| it.name() == name);
        Self {
            name: name.to_owned(),
            is_own: own == Some(name),
            labels: rendered.map(|it| it.value().at("/metadata/labels")),
        }
    }

    /// Returns whether a selector means it, which labels that nobody knows here do not decide.
    fn is_meant(&self, selector: &Value) -> bool {
        let name = json!({ NAME: self.name });
        let Some(labels) = self.labels else {
            let about_name = selector.at("/matchLabels").get(NAME);
            let expressions = selector.list("/matchExpressions").iter();
            let expressions = expressions.filter(|it| it.text("/key") == Some(NAME));
            let known = json!({ "matchExpressions": expressions.collect::<Vec<_>>() });
            return about_name.is_none_or(|it| *it == self.name) && selects(&known, &name);
        };
        let all = labels.entries("").chain(name.entries(""));
        selects(
            selector,
            &all.map(|(key, it)| (key.to_owned(), it.clone())).collect(),
        )
    }
}

impl<'a> Peers<'a> {
    /// Returns the peers of a rule, where `way` is `to` or `from`.
    pub(crate) fn of(rule: &'a Value, way: &str) -> Self {
        let lists = rule
            .entries("")
            .filter(|(key, _)| key.starts_with(way) && *key != "toPorts");
        let peers = lists.flat_map(|(key, list)| list.list("").iter().map(move |it| (key, it)));
        Self(peers.collect())
    }

    /// Returns whether it is about everybody: every address, or every namespace.
    pub(crate) fn are_all(&self) -> bool {
        let addresses: Vec<IpNet> = self.blocks().map(|(block, _)| block).collect();
        let all_addresses = IpNet::aggregate(&addresses)
            .iter()
            .any(|it| it.prefix_len() == 0);
        // No namespace is called this, so whoever means it means all others too.
        let any = Namespace {
            name: "-".to_owned(),
            is_own: false,
            labels: Some(&Value::Null),
        };
        let is_any = |(_, it): &(&str, &Value)| {
            let selector = it.at("/namespaceSelector");
            selector.is_object()
                && any.is_meant(selector)
                && selects(it.at("/podSelector"), &json!({}))
        };
        all_addresses || self.0.iter().any(is_any) || self.has_entity("cluster")
    }

    /// Returns whether it is about `address`.
    pub(crate) fn include(&self, address: IpAddr) -> bool {
        self.blocks().any(|(block, except)| {
            block.contains(&address) && !except.iter().any(|it| it.contains(&address))
        })
    }

    /// Returns whether it is about addresses of the internet, or names that may have such.
    pub(crate) fn include_internet(&self) -> bool {
        let is_private = |block: IpNet| {
            let mut private = PRIVATE.iter().filter_map(|it| it.parse::<IpNet>().ok());
            private.any(|it| it.contains(&block))
        };
        let has_name = self.0.iter().any(|(list, _)| *list == "toFQDNs");
        has_name || self.blocks().any(|(block, _)| !is_private(block))
    }

    /// Returns whether it is about pods of a namespace. Blocks of addresses are for what is outside of the cluster.
    pub(crate) fn include_pods(&self, namespace: &Namespace<'_>) -> bool {
        self.0.is_empty()
            || self.has_entity("all")
            || self.has_entity("cluster")
            || self.0.iter().any(|(list, it)| match *list {
                "to" | "from" if it.has("/ipBlock") => false,
                "to" | "from" if !it.has("/namespaceSelector") => namespace.is_own,
                "to" | "from" => namespace.is_meant(it.at("/namespaceSelector")),
                "toEndpoints" | "fromEndpoints" => includes_endpoints(it, namespace),
                "toServices" => it.text("/k8sService/namespace") == Some(&namespace.name),
                _ => false,
            })
    }

    /// Returns whether it is about others than those who fetch metrics.
    pub(crate) fn include_callers(&self) -> bool {
        let is_scraper = |it: &Value| {
            let text = it.to_string();
            ["prometheus", "ama-metrics"]
                .iter()
                .any(|name| text.contains(name))
        };
        self.0.is_empty() || self.0.iter().any(|(_, it)| !is_scraper(it))
    }

    fn has_entity(&self, name: &str) -> bool {
        let mut entities = self.0.iter().filter(|(list, _)| list.ends_with("Entities"));
        entities.any(|(_, it)| it.as_str() == Some(name))
    }

    /// Returns the addresses it is about, each with what is taken out again.
    fn blocks(&self) -> impl Iterator<Item = (IpNet, Vec<IpNet>)> {
        let everything = self.0.is_empty() || self.has_entity("all") || self.has_entity("world");
        let all = ["0.0.0.0/0", "::/0"]
            .into_iter()
            .filter(move |_| everything);
        let all = all.filter_map(|it| Some((it.parse().ok()?, Vec::new())));
        all.chain(self.0.iter().filter_map(|(_, it)| block(it)))
    }
}

/// Reads a block of addresses as either kind of policy writes it.
fn block(peer: &Value) -> Option<(IpNet, Vec<IpNet>)> {
    let nested = ["/ipBlock", ""]
        .into_iter()
        .find(|it| peer.has(&format!("{it}/cidr")));
    let block = peer.at(nested.unwrap_or("/none"));
    let cidr = block.text("/cidr").or(peer.as_str())?;
    let except = block
        .list("/except")
        .iter()
        .filter_map(|it| it.as_str()?.parse().ok());
    Some((cidr.parse().ok()?, except.collect()))
}

/// Without a namespace Cilium means that of the policy; what expressions mean is left to it.
fn includes_endpoints(selector: &Value, namespace: &Namespace<'_>) -> bool {
    let labels = selector.at("/matchLabels");
    let said = CILIUM_NAMES.iter().find_map(|name| labels.get(name));
    said.map_or(namespace.is_own, |it| *it == namespace.name) || selector.has("/matchExpressions")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Namespace, Peers};

    fn temporal(labels: Option<&Value>) -> Namespace<'_> {
        Namespace {
            name: "temporal".to_owned(),
            is_own: false,
            labels,
        }
    }

    #[test]
    fn everybody_has_many_names() {
        for peers in [
            json!({}),
            json!({"to": []}),
            json!({"to": null}),
            json!({"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}}]}),
            json!({"to": [{"ipBlock": {"cidr": "::/0"}}]}),
            json!({"to": [{"ipBlock": {"cidr": "0.0.0.0/1"}}, {"ipBlock": {"cidr": "128.0.0.0/1"}}]}),
            json!({"to": [{"namespaceSelector": {}}]}),
            json!({"to": [{"namespaceSelector": {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "Exists"}]}}]}),
            json!({"toEntities": ["world"]}),
            json!({"toCIDRSet": [{"cidr": "0.0.0.0/0"}]}),
        ] {
            assert!(Peers::of(&peers, "to").are_all(), "{peers}");
        }
        for peers in [
            json!({"to": [{"podSelector": {}}]}),
            json!({"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "temporal"}}}]}),
            json!({"to": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"a": "b"}}}]}),
            json!({"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}),
            json!({"toFQDNs": [{"matchName": "login.microsoftonline.com"}]}),
        ] {
            assert!(!Peers::of(&peers, "to").are_all(), "{peers}");
        }
    }

    #[test]
    fn a_namespace_is_meant_by_its_name_or_by_labels_that_may_be_its_own() {
        let by = |labels: Value| json!({"to": [{"namespaceSelector": {"matchLabels": labels}}]});
        let name = by(json!({"kubernetes.io/metadata.name": "temporal"}));
        let other = by(json!({"kubernetes.io/metadata.name": "monitoring"}));
        let team = by(json!({"team": "a"}));
        let pods = json!({"to": [{"podSelector": {}}]});
        let includes = |rule: &Value, labels: Option<&Value>| {
            Peers::of(rule, "to").include_pods(&temporal(labels))
        };

        assert!(includes(&name, None) && includes(&team, None));
        assert!(!includes(&other, None) && !includes(&pods, None));
        let [ours, theirs] = ["a", "b"].map(|team| json!({"team": team}));
        assert!(includes(&team, Some(&ours)) && !includes(&team, Some(&theirs)));
    }

    #[test]
    fn the_internet_is_more_than_private_addresses() {
        let to = |cidr: &str| json!({"to": [{"ipBlock": {"cidr": cidr}}]});
        for (cidr, expected) in [
            ("20.190.128.0/18", true),
            ("0.0.0.0/0", true),
            ("10.1.0.0/16", false),
        ] {
            assert_eq!(
                Peers::of(&to(cidr), "to").include_internet(),
                expected,
                "{cidr}"
            );
        }
    }
}
