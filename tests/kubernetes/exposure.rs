//! What can be asked from outside: the paths that ask for a token, and nothing else.

use std::collections::BTreeSet;

use sealane_client::api;
use serde_json::Value;

use crate::{
    object::Object,
    renderings::{self, Rendering},
};

/// What is for the cluster alone.
const INSIDE: [&str; 6] = [
    "/metrics",
    "/livez",
    "/readyz",
    "/health",
    "/ready",
    "/metrics/",
];

/// One path that comes in, and who answers it.
#[derive(Debug, PartialEq)]
struct Way {
    host: String,
    is_prefix: bool,
    path: String,
    service: String,
}

impl Way {
    fn leads_to(&self, path: &str) -> bool {
        let below = path.strip_prefix(self.path.trim_end_matches('/'));
        match self.is_prefix {
            true => below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            false => path == self.path,
        }
    }
}

#[test]
fn no_service_is_public() {
    for rendering in renderings::all() {
        for service in rendering.of_kind("Service") {
            let at = format!("{}: {service}", rendering.name());
            assert_eq!(service.text("/spec/type"), "ClusterIP", "{at}");
            assert!(service.at("/spec/externalIPs").is_null(), "{at}");
        }
    }
}

/// Whoever adds a route to the API has to say here whether it is for outside; without a component nothing is.
#[test]
fn every_guarded_path_of_the_api_comes_in_and_no_other() {
    let paths: Vec<String> = api::openapi().paths.paths.keys().cloned().collect();
    assert!(paths.len() > 8, "{paths:?}");
    let guarded: Vec<_> = paths
        .iter()
        .filter(|it| !["/", "/ping"].contains(&it.as_str()))
        .collect();
    for rendering in renderings::of_overlays() {
        let ways = ways(rendering);
        assert_eq!(!ways.is_empty(), exposes(rendering), "{}", rendering.name());
        let to = |service: &str, path: &str| {
            ways.iter()
                .any(|it| it.service == service && it.leads_to(path))
        };
        for path in guarded.iter().filter(|_| exposes(rendering)) {
            assert!(to("sealane-api", path), "{}: {path}", rendering.name());
        }
        for path in ["/decode", "/encode"].iter().filter(|_| exposes(rendering)) {
            assert!(
                to("sealane-codec-server", path),
                "{}: {path}",
                rendering.name()
            );
        }
        for inside in INSIDE.iter().chain(&["/", "/docs"]) {
            let open: Vec<_> = ways.iter().filter(|it| it.leads_to(inside)).collect();
            assert!(
                open.is_empty(),
                "{}: {inside} by {open:?}",
                rendering.name()
            );
        }
    }
}

/// A way that leads to nothing is one that somebody else's route may take.
#[test]
fn every_way_leads_to_a_path_that_is_served() {
    let paths: Vec<String> = api::openapi().paths.paths.keys().cloned().collect();
    for rendering in renderings::of_overlays() {
        for way in ways(rendering) {
            let is_used = match way.service.as_str() {
                "sealane-api" => paths.iter().any(|path| way.leads_to(path)),
                _ => ["/decode", "/encode"].iter().any(|path| way.leads_to(path)),
            };
            assert!(is_used, "{}: {way:?}", rendering.name());
        }
    }
}

#[test]
fn gateway_and_ingress_let_in_the_same() {
    for overlay in ["aks", "aks-cloud", "tenant-a", "tenant-b"] {
        let of = |component| {
            let ways = ways(renderings::with(overlay, &[component]));
            ways.iter()
                .map(|it| format!("{it:?}"))
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(of("gateway"), of("ingress"), "{overlay}");
    }
}

/// Names are the only thing that ties a route to what answers it.
#[test]
fn every_way_ends_at_a_service_that_has_pods_behind_its_port() {
    for rendering in renderings::of_overlays() {
        for way in ways(rendering) {
            rendering.find("Service", &way.service);
        }
        for service in rendering.of_kind("Service") {
            let mut pods = rendering
                .pods()
                .filter(|it| it.owner.name() == service.name());
            let pod = pods.next().expect("a Service is named like its Deployment");
            for port in service.list("/spec/ports") {
                let target = port["targetPort"].as_str().expect("ports are named");
                let ports = pod.main().at("/ports").as_array();
                let ports: Vec<_> = ports.into_iter().flatten().collect();
                let found = ports.iter().find(|it| it["name"] == target);
                let found =
                    found.unwrap_or_else(|| panic!("{}: {service}: {target}", rendering.name()));
                assert_eq!(
                    found["containerPort"],
                    port["port"],
                    "{}: {service}",
                    rendering.name()
                );
            }
        }
    }
}

/// Every host has a listener, which takes routes of our namespace alone; and the certificate is made by cert-manager.
#[test]
fn every_host_has_a_listener_for_our_namespace() {
    let gateway = renderings::with("gateway", &[]).find("Gateway", "sealane");
    assert!(
        gateway
            .annotation("cert-manager.io/cluster-issuer")
            .is_some()
    );
    let routes = renderings::with("aks", &["gateway"]);
    for route in routes.of_kind("HTTPRoute") {
        let parent = &route.list("/spec/parentRefs")[0];
        assert_eq!(parent["name"], "sealane");
        assert_eq!(
            Some(parent["namespace"].as_str().unwrap_or_default()),
            gateway.namespace()
        );
        let mut listeners = gateway.list("/spec/listeners").iter();
        let listener = listeners.find(|it| it["name"] == parent["sectionName"]);
        let listener = listener.unwrap_or_else(|| panic!("{route} hangs on nothing"));
        assert_eq!(listener["hostname"], route.list("/spec/hostnames")[0]);
        assert_eq!(listener["protocol"], "HTTPS");
        let namespace = listener
            .pointer("/allowedRoutes/namespaces/selector/matchLabels/kubernetes.io~1metadata.name");
        assert_eq!(
            namespace.and_then(Value::as_str),
            route.namespace(),
            "{route}"
        );
    }
    for ingress in renderings::with("aks", &["ingress"]).of_kind("Ingress") {
        assert!(
            ingress
                .annotation("cert-manager.io/cluster-issuer")
                .is_some(),
            "{ingress}"
        );
        assert!(
            ingress.annotation("kubernetes.io/ingress.class").is_none(),
            "{ingress}"
        );
        assert!(
            !ingress.text("/spec/ingressClassName").is_empty(),
            "{ingress}"
        );
        assert_eq!(
            ingress.at("/spec/tls/0/hosts/0"),
            ingress.at("/spec/rules/0/host"),
            "{ingress}"
        );
    }
}

fn exposes(rendering: &Rendering) -> bool {
    rendering.has("gateway") || rendering.has("ingress")
}

fn ways(rendering: &Rendering) -> Vec<Way> {
    let routes = rendering.of_kind("HTTPRoute").flat_map(of_route);
    routes
        .chain(rendering.of_kind("Ingress").flat_map(of_ingress))
        .collect()
}

fn of_route(route: &Object) -> Vec<Way> {
    let host = text(&route.list("/spec/hostnames")[0]);
    let mut ways = Vec::new();
    for rule in route.list("/spec/rules") {
        let service = text(&rule["backendRefs"][0]["name"]);
        let matches = rule["matches"]
            .as_array()
            .expect("a rule without matches takes every path");
        ways.extend(matches.iter().map(|it| Way {
            host: host.clone(),
            is_prefix: prefix(&it["path"]["type"], "PathPrefix"),
            path: text(&it["path"]["value"]),
            service: service.clone(),
        }));
    }
    ways
}

fn of_ingress(ingress: &Object) -> Vec<Way> {
    let mut ways = Vec::new();
    assert!(
        ingress.at("/spec/defaultBackend").is_null(),
        "{ingress} takes every path"
    );
    for rule in ingress.list("/spec/rules") {
        let paths = rule["http"]["paths"].as_array().expect("a rule has paths");
        ways.extend(paths.iter().map(|it| Way {
            host: text(&rule["host"]),
            is_prefix: prefix(&it["pathType"], "Prefix"),
            path: text(&it["path"]),
            service: text(&it["backend"]["service"]["name"]),
        }));
    }
    ways
}

fn prefix(kind: &Value, name: &str) -> bool {
    assert!(
        kind == name || kind == "Exact",
        "{kind} means something else to every controller"
    );
    kind == name
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
