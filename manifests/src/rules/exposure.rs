//! What is led into the cluster: Gateway API and Ingress.

use serde_json::Value;

use crate::{
    object::Object,
    rule::{Check, Rule},
    scene::Scene,
    workload::{Process, Workload},
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "metrics-exposed",
        "a route leads /metrics or the probes to the outside",
        "name the paths of the API instead of /, as the components gateway and ingress do",
        Check::Objects(|object, scene| {
            let backends = backends(object).into_iter();
            let mut ours = backends.filter(|it| it.leads_to(scene, object, |_| true));
            ours.find_map(|it| {
                let inside = INSIDE.iter().find(|path| it.admits(path))?;
                Some(format!("{} includes {inside}", it.shown()))
            })
        }),
    ),
    Rule::new(
        "codec-server-exposed",
        "the codec server, which decrypts, can be reached past the gateway, or by more than the two paths it has",
        "make its Service ClusterIP, and lead exactly /decode and /encode to it, as the components gateway and ingress do",
        Check::Objects(|object, scene| {
            let is_codec_server = |process| process == Process::CodecServer;
            let routed = backends(object)
                .iter()
                .any(|it| !it.is_codec_path() && it.leads_to(scene, object, is_codec_server));
            let is_public = matches!(
                object.value().text("/spec/type"),
                Some("LoadBalancer" | "NodePort")
            );
            let own = object.kind() == "Service"
                && is_public
                && runs(&scene.behind(object), is_codec_server);
            (routed || own).then(|| "it leads all and sundry to sealane-codec-server".to_owned())
        }),
    ),
    Rule::new(
        "ingress-class-annotation",
        "the class of an Ingress is an annotation, which controllers no longer look at",
        "set spec.ingressClassName",
        Check::Objects(|object, _| {
            let class = object.annotation("kubernetes.io/ingress.class")?;
            Some(format!("kubernetes.io/ingress.class is {class}"))
        }),
    ),
    Rule::new(
        "ingress-class-missing",
        "an Ingress has no class, so any controller or none may take it",
        "set spec.ingressClassName",
        Check::Objects(|object, _| {
            let has_class = object.value().has("/spec/ingressClassName")
                || object.annotation("kubernetes.io/ingress.class").is_some();
            (object.kind() == "Ingress" && !has_class)
                .then(|| "spec.ingressClassName is not set".to_owned())
        }),
    ),
    Rule::new(
        "ingress-nginx",
        "an Ingress is for ingress-nginx, which ended in March 2026 and gets no patches on AKS after November 2026",
        "use the component gateway (GatewayClass approuting-istio), or the class of another controller",
        Check::Objects(|object, _| {
            let class = object
                .value()
                .text("/spec/ingressClassName")
                .filter(|_| object.kind() == "Ingress");
            let is_nginx = class.is_some_and(|it| {
                it.contains("nginx") || it == "webapprouting.kubernetes.azure.com"
            });
            let annotation = object
                .value()
                .entries("/metadata/annotations")
                .find(|(key, _)| key.starts_with("nginx.ingress.kubernetes.io/"));
            (is_nginx || annotation.is_some()).then(|| {
                annotation.map_or(
                    format!("its class is {}", class.unwrap_or_default()),
                    |(key, _)| format!("{key} is set"),
                )
            })
        }),
    ),
    Rule::new(
        "tls-missing",
        "what is led into the cluster is not encrypted on its way there",
        "set spec.tls of the Ingress, or an HTTPS listener of the Gateway",
        Check::Objects(|object, _| {
            let is_plain = match object.kind() {
                "Ingress" => object.value().list("/spec/tls").is_empty(),
                "Gateway" => !object
                    .value()
                    .list("/spec/listeners")
                    .iter()
                    .any(|it| matches!(it.text("/protocol"), Some("HTTPS" | "TLS"))),
                _ => false,
            };
            is_plain.then(|| "it has no TLS".to_owned())
        }),
    ),
    Rule::new(
        "route-without-host",
        "a route answers for every host name, also for those of others",
        "set hostnames of the HTTPRoute, or host of the Ingress rule",
        Check::Objects(|object, _| {
            let is_open = match object.kind() {
                "HTTPRoute" => object.value().list("/spec/hostnames").is_empty(),
                "Ingress" => object
                    .value()
                    .list("/spec/rules")
                    .iter()
                    .any(|it| !it.has("/host")),
                _ => false,
            };
            is_open.then(|| "it names no host".to_owned())
        }),
    ),
];

/// Paths that are for the cluster itself.
const INSIDE: [&str; 3] = ["/metrics", "/readyz", "/livez"];

/// Where a route leads, and which path goes there.
pub(super) struct Backend {
    pub(super) service: String,
    namespace: Option<String>,
    pub(super) port: Value,
    path: String,
    matching: Matching,
}

/// Which requests a path stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matching {
    Exact,
    Prefix,
    /// Requests that nothing here can tell from those for any other path.
    Any(&'static str),
}

impl Backend {
    /// Returns the Service it leads to.
    pub(super) fn object<'a>(&self, scene: &Scene<'a>, route: &Object) -> Option<&'a Object> {
        let namespace = self.namespace.as_deref().or(route.namespace());
        scene.find("Service", namespace, &self.service)
    }

    /// Returns whether there is such a port; a Service of another namespace is not for us to judge.
    pub(super) fn exists(&self, scene: &Scene<'_>, route: &Object) -> bool {
        let has_port = |service: &Object| {
            let mut ports = service.value().list("/spec/ports").iter();
            ports.any(|it| it.get("port") == Some(&self.port) || it.get("name") == Some(&self.port))
        };
        self.namespace.is_some() || self.object(scene, route).is_some_and(has_port)
    }

    fn admits(&self, path: &str) -> bool {
        let prefix = self.path.trim_end_matches('/');
        let is_below = path
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        match self.matching {
            Matching::Exact => self.path == path,
            Matching::Prefix => is_below,
            Matching::Any(_) => true,
        }
    }

    fn shown(&self) -> String {
        match self.matching {
            Matching::Exact | Matching::Prefix => format!("the path {}", self.path),
            Matching::Any(why) => format!("the path {}, {why},", self.path),
        }
    }

    /// Returns whether it leads to nothing but what the Web UI asks a codec server.
    fn is_codec_path(&self) -> bool {
        self.matching == Matching::Exact && ["/decode", "/encode"].contains(&self.path.as_str())
    }

    fn leads_to(
        &self,
        scene: &Scene<'_>,
        route: &Object,
        process: impl Fn(Process) -> bool,
    ) -> bool {
        self.object(scene, route)
            .is_some_and(|it| runs(&scene.behind(it), process))
    }
}

fn runs(workloads: &[Workload<'_>], process: impl Fn(Process) -> bool) -> bool {
    let mut containers = workloads.iter().flat_map(|it| it.containers());
    containers.any(|it| it.process().is_some_and(&process))
}

/// Returns where a route or an Ingress leads.
pub(super) fn backends(object: &Object) -> Vec<Backend> {
    match object.kind() {
        "HTTPRoute" | "GRPCRoute" | "TCPRoute" | "TLSRoute" | "UDPRoute" => object
            .value()
            .list("/spec/rules")
            .iter()
            .flat_map(|rule| of_route(rule, object.kind() == "HTTPRoute"))
            .collect(),
        "Ingress" => {
            let paths = object
                .value()
                .list("/spec/rules")
                .iter()
                .flat_map(|it| it.list("/http/paths"));
            let default = object.value().at("/spec/defaultBackend");
            let default = default
                .has("/service")
                .then(|| of_ingress(default, "/", Matching::Prefix));
            let named = paths.map(|it| {
                of_ingress(
                    it.at("/backend"),
                    it.text("/path").unwrap_or("/"),
                    matching(it.text("/pathType")),
                )
            });
            named.chain(default).collect()
        }
        _ => Vec::new(),
    }
}

/// Reads a type of path of either API; what is left to implementations may be anything.
fn matching(kind: Option<&str>) -> Matching {
    match kind {
        Some("Exact") => Matching::Exact,
        None | Some("Prefix" | "PathPrefix") => Matching::Prefix,
        Some("RegularExpression") => Matching::Any("a regular expression"),
        Some(_) => Matching::Any("which each controller reads in its own way"),
    }
}

/// Returns which requests a rule means.
fn paths(rule: &Value, is_http: bool) -> Vec<(&str, Matching)> {
    if !is_http {
        return vec![("/", Matching::Any("of a route that knows no paths"))];
    }
    let matches = rule.list("/matches").iter();
    let mut paths: Vec<_> = matches
        .map(|it| {
            let path = it.text("/path/value").unwrap_or("/");
            (path, matching(it.text("/path/type")))
        })
        .collect();
    if paths.is_empty() {
        paths.push(("/", Matching::Prefix));
    }
    let own = rule.list("/filters").iter();
    let filters = rule
        .list("/backendRefs")
        .iter()
        .flat_map(|it| it.list("/filters"));
    if own.chain(filters).any(|it| it.has("/urlRewrite/path")) {
        for (_, matching) in &mut paths {
            *matching = Matching::Any("which URLRewrite turns into another");
        }
    }
    paths
}

fn of_route(rule: &Value, is_http: bool) -> Vec<Backend> {
    let paths = paths(rule, is_http);
    let references = rule
        .list("/backendRefs")
        .iter()
        .filter(|it| matches!(it.text("/kind"), None | Some("Service")));
    let backends = references.flat_map(|it| {
        paths.iter().map(move |(path, matching)| Backend {
            service: it.text("/name").unwrap_or_default().to_owned(),
            namespace: it.text("/namespace").map(ToOwned::to_owned),
            port: it.at("/port").clone(),
            path: (*path).to_owned(),
            matching: *matching,
        })
    });
    backends.collect()
}

fn of_ingress(backend: &Value, path: &str, matching: Matching) -> Backend {
    let port = backend.at("/service/port");
    Backend {
        service: backend.text("/service/name").unwrap_or_default().to_owned(),
        namespace: None,
        port: port
            .get("number")
            .or(port.get("name"))
            .cloned()
            .unwrap_or_default(),
        path: path.to_owned(),
        matching,
    }
}
