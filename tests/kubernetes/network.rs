//! Where packets may go, worked out from the policies: nothing but what each process needs.

use serde_json::{Value, json};

use crate::{
    pod::Pod,
    process::{self, Process},
    renderings::{self, Rendering},
    selector::takes,
};

/// The other end of a connection.
#[derive(Clone, Debug)]
enum Peer {
    /// A pod, by the labels of its namespace and its own.
    Pod { namespace: Value, labels: Value },
    /// A host outside of the cluster: policies of Cilium know its name, those of Kubernetes its address.
    Host(String, [u8; 4]),
}

/// An address for documentation, which stands for all that nobody has listed.
const ANY: [u8; 4] = [203, 0, 113, 7];
/// The metadata of the node and its agent, where a pod could become the node.
const NODE: [[u8; 4]; 2] = [[169, 254, 169, 254], [168, 63, 129, 16]];

#[test]
fn nothing_goes_anywhere_unless_a_policy_says_so() {
    for rendering in renderings::of_overlays() {
        let mut policies = rendering.of_kind("NetworkPolicy");
        let denies = policies.any(|it| {
            it.at("/spec/podSelector") == &json!({})
                && it.at("/spec/policyTypes") == &json!(["Ingress", "Egress"])
                && it.at("/spec/ingress").is_null()
                && it.at("/spec/egress").is_null()
        });
        assert!(denies, "{}", rendering.name());
    }
}

#[test]
fn every_process_reaches_what_it_needs_and_no_more() {
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering) {
            let pod = process.pod;
            let may =
                |to: &Peer, protocol: &str, port: u64| egress(rendering, pod, to, (protocol, port));
            let at = format!("{}: {pod}", rendering.name());
            let on_azure = rendering.overlay != "local";
            let speaks_to_temporal = pod.component() != "codec-server";

            for protocol in ["UDP", "TCP"] {
                assert!(may(&dns(), protocol, 53), "{at}: names by {protocol}");
            }
            let temporal = temporal(&process);
            assert_eq!(
                may(&temporal, "TCP", 7233),
                speaks_to_temporal,
                "{at}: {temporal:?}"
            );
            for azure in [vault(rendering), host("login.microsoftonline.com")] {
                assert_eq!(may(&azure, "TCP", 443), on_azure, "{at}: {azure:?}");
            }
            assert!(!may(&host("example.com"), "TCP", 80), "{at}: plain HTTP");
            assert!(
                !may(&host("example.com"), "UDP", 53),
                "{at}: other name servers"
            );
            assert!(
                !may(&neighbour(), "TCP", 443),
                "{at}: pods of other namespaces"
            );
            for (address, port) in NODE
                .iter()
                .flat_map(|it| [(it, 80), (it, 443), (it, 32526)])
            {
                let node = Peer::Host("node".to_owned(), *address);
                assert!(!may(&node, "TCP", port), "{at}: {node:?}, port {port}");
            }
            let by_name = rendering
                .components
                .iter()
                .any(|it| it.starts_with("cilium-fqdn"));
            assert!(
                !(by_name && may(&host("example.com"), "TCP", 443)),
                "{at}: any name"
            );
            let is_cloud = rendering.has("cilium-fqdn-cloud");
            assert!(
                !(is_cloud && may(&host("example.com"), "TCP", 7233)),
                "{at}: any Temporal"
            );
        }
    }
}

/// Only those who are asked something over the network can be reached, at their one port, and by nobody else's pods.
#[test]
fn nobody_reaches_a_process_but_who_has_to() {
    for rendering in renderings::of_overlays() {
        for pod in rendering.pods() {
            let port = pod
                .main()
                .at("/ports/0/containerPort")
                .as_u64()
                .expect("it has one");
            let at = format!("{}: {pod}", rendering.name());
            assert!(
                !ingress(rendering, pod, &neighbour(), port),
                "{at}: other namespaces"
            );
            assert!(
                !ingress(rendering, pod, &host("example.com"), port),
                "{at}: anywhere"
            );
            let serves = ["api", "codec-server"].contains(&pod.component());
            let asks = rendering.has("gateway") || rendering.has("ingress");
            if serves && asks {
                assert!(
                    ingress(rendering, pod, &edge(rendering), port),
                    "{at}: requests"
                );
            }
            if rendering.has("monitoring") || rendering.has("monitoring-azure") {
                assert!(
                    ingress(rendering, pod, &scraper(rendering), port),
                    "{at}: scraping"
                );
            }
            assert!(
                !ingress(rendering, pod, &edge(rendering), port + 1),
                "{at}: another port"
            );
        }
    }
}

/// A policy that selects nothing looks like protection, or like permission.
#[test]
fn every_policy_selects_a_pod() {
    for rendering in renderings::of_overlays() {
        for policy in rendering.of_kind("NetworkPolicy") {
            let selected = rendering
                .pods()
                .any(|it| it.is_selected(policy.at("/spec/podSelector")));
            // The pods of a solver come and go with certificates.
            let of_others = policy.at("/spec/podSelector").to_string().contains("acme");
            assert!(selected || of_others, "{}: {policy}", rendering.name());
        }
    }
}

fn egress(rendering: &Rendering, pod: Pod<'_>, to: &Peer, port: (&str, u64)) -> bool {
    allowed(rendering, pod, ("/spec/egress", "to"), to, port)
        || rendering.of_kind("CiliumNetworkPolicy").any(|policy| {
            let rules = policy.list("/spec/egress").iter();
            let selects = pod.is_selected(policy.at("/spec/endpointSelector"));
            selects && rules.into_iter().any(|rule| cilium(rule, to, port))
        })
}

fn ingress(rendering: &Rendering, pod: Pod<'_>, from: &Peer, port: u64) -> bool {
    let policies = rendering.of_kind("CiliumNetworkPolicy");
    assert_eq!(
        policies
            .filter(|it| !it.at("/spec/ingress").is_null())
            .count(),
        0,
        "not understood here"
    );
    allowed(
        rendering,
        pod,
        ("/spec/ingress", "from"),
        from,
        ("TCP", port),
    )
}

/// Cilium's own form: endpoints by labels with the namespace among them, hosts by name.
fn cilium(rule: &Value, peer: &Peer, (protocol, port): (&str, u64)) -> bool {
    let list = |field: &str| {
        rule.get(field)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let is_peer = match peer {
        Peer::Host(name, _) => list("toFQDNs").any(|it| it["matchName"] == name.as_str()),
        Peer::Pod { namespace, labels } => list("toEndpoints").any(|it| {
            let wanted = it["matchLabels"]
                .as_object()
                .expect("endpoints have labels");
            wanted
                .iter()
                .all(|(name, value)| match name.trim_start_matches("k8s:") {
                    "io.kubernetes.pod.namespace" => {
                        namespace["kubernetes.io/metadata.name"] == *value
                    }
                    name => labels.get(name) == Some(value),
                })
        }),
    };
    let ports = list("toPorts").flat_map(|it| it["ports"].as_array().into_iter().flatten());
    let mut ports = ports.filter(|it| it["protocol"] == protocol);
    is_peer && ports.any(|it| it["port"].as_str() == Some(port.to_string().as_str()))
}

fn allowed(
    rendering: &Rendering,
    pod: Pod<'_>,
    (rules, side): (&str, &str),
    peer: &Peer,
    (protocol, port): (&str, u64),
) -> bool {
    let policies = rendering.of_kind("NetworkPolicy");
    let selecting = policies.filter(|it| pod.is_selected(it.at("/spec/podSelector")));
    let mut rules = selecting.flat_map(|it| it.list(rules));
    rules.any(|rule| {
        let peers = rule.get(side).and_then(Value::as_array);
        let is_peer = peers.is_none_or(|it| it.iter().any(|it| matches(it, peer)));
        let ports = rule.get("ports").and_then(Value::as_array);
        let is_port = ports.is_none_or(|it| {
            let mut ports = it.iter();
            ports.any(|it| it["protocol"] == protocol && is_port(pod, &it["port"], port))
        });
        is_peer && is_port
    })
}

fn is_port(pod: Pod<'_>, wanted: &Value, port: u64) -> bool {
    match wanted.as_str() {
        None => wanted == port,
        Some(name) => {
            let ports = pod.main().at("/ports").as_array();
            let mut ports = ports.into_iter().flatten();
            ports.any(|it| it["name"] == name && it["containerPort"] == port)
        }
    }
}

fn matches(entry: &Value, peer: &Peer) -> bool {
    let field = |name: &str| entry.get(name).unwrap_or(&Value::Null);
    match peer {
        Peer::Host(_, address) => {
            let block = field("ipBlock");
            let except = block.get("except").and_then(Value::as_array);
            let excepted = except
                .into_iter()
                .flatten()
                .any(|it| contains(it, *address));
            block.is_object() && contains(&block["cidr"], *address) && !excepted
        }
        // Without a selector for namespaces it is the policy's own, in which no peer of these tests is.
        Peer::Pod { namespace, labels } => {
            let pods = field("podSelector");
            takes(field("namespaceSelector"), namespace) && (pods.is_null() || takes(pods, labels))
        }
    }
}

fn contains(range: &Value, address: [u8; 4]) -> bool {
    let range = range.as_str().expect("ranges are texts");
    let (start, bits) = range.split_once('/').expect("ranges have a length");
    let start: std::net::Ipv4Addr = start.parse().expect("ranges are IPv4 here");
    let bits: u32 = bits.parse().expect("a length is a number");
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    u32::from(start) & mask == u32::from_be_bytes(address) & mask
}

fn named(namespace: &str, labels: Value) -> Peer {
    let namespace = json!({"kubernetes.io/metadata.name": namespace});
    Peer::Pod { namespace, labels }
}

fn dns() -> Peer {
    named("kube-system", json!({"k8s-app": "kube-dns"}))
}

fn neighbour() -> Peer {
    named("default", json!({"app": "somebody"}))
}

fn temporal(process: &Process<'_>) -> Peer {
    let address = process.variable("TEMPORAL_ADDRESS").expect("it is set");
    let (name, _) = address.split_once(':').expect("it has a port");
    match name.strip_suffix(".temporal.svc.cluster.local") {
        Some(_) => named(
            "temporal",
            json!({"app.kubernetes.io/name": "temporal", "app.kubernetes.io/component": "frontend"}),
        ),
        None => host(name),
    }
}

fn vault(rendering: &Rendering) -> Peer {
    let maps = rendering.of_kind("ConfigMap");
    let url = maps
        .map(|it| it.text("/data/KEYVAULT_URL"))
        .find(|it| !it.is_empty());
    host(url.unwrap_or_default().trim_start_matches("https://"))
}

fn host(name: &str) -> Peer {
    Peer::Host(name.to_owned(), ANY)
}

fn edge(rendering: &Rendering) -> Peer {
    match rendering.has("gateway") {
        true => named(
            "sealane-gateway",
            json!({"gateway.networking.k8s.io/gateway-name": "sealane"}),
        ),
        false => named("traefik", json!({"app.kubernetes.io/name": "traefik"})),
    }
}

fn scraper(rendering: &Rendering) -> Peer {
    match rendering.has("monitoring-azure") {
        true => named(
            "kube-system",
            json!({"rsName": "ama-metrics", "dsName": "ama-metrics-node"}),
        ),
        false => named(
            "monitoring",
            json!({"app.kubernetes.io/name": "prometheus"}),
        ),
    }
}
