//! How our processes are started.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::{
    mount::Mount,
    rule::{Check, Rule},
    scene::Scene,
    workload::{Container, Process},
    yaml::Yaml,
};

use super::identity::needs_azure;

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "command-unknown",
        "a container of the image sealane starts nothing that is in it",
        "set command to sealane-worker, sealane or sealane-codec-server",
        Check::Containers(|it, _| {
            let name = it.image().split(['@', ':']).next()?.rsplit('/').next()?;
            let programs = ["sealane", "sealane-codec-server", "sealane-worker"];
            let words = it.words();
            let program = words.first();
            let is_known = program.and_then(|it| it.rsplit('/').next());
            let is_known = is_known.is_some_and(|it| programs.contains(&it));
            (name == "sealane" && !is_known).then(|| match program {
                Some(program) => format!("it starts {program}"),
                None => "it has no command, and the image has no default".to_owned(),
            })
        }),
    ),
    Rule::new(
        "arguments-refused",
        "`sealane` would not understand its arguments and exit at once",
        "correct args; `sealane COMMAND --help` lists them",
        Check::Processes(|it, _, scene| {
            let words = it.words();
            let parse = scene.options.arguments?;
            let refusal = parse(&words)
                .err()
                .filter(|_| words[0].rsplit('/').next() == Some("sealane"))?;
            refusal.lines().next().map(ToOwned::to_owned)
        }),
    ),
    Rule::new(
        "listener-port-unknown",
        "a process listens on a port that its container does not name, so probes, Services and monitors miss it",
        "make containerPort the port of SEALANE_HTTP_ADDR, or of SEALANE_CODEC_ADDR for the codec server",
        Check::Processes(|it, process, scene| {
            let (name, address) = listener(it, process, scene)?;
            let is_named = it.port(&json!(address.port())).is_some();
            (!is_named).then(|| {
                format!(
                    "{name} is {address}, and there is no containerPort {}",
                    address.port()
                )
            })
        }),
    ),
    Rule::new(
        "listener-on-loopback",
        "a process listens where nobody outside of its pod can reach it, not even the probes",
        "set the address to 0.0.0.0 and the port",
        Check::Processes(|it, process, scene| {
            let (name, address) = listener(it, process, scene)?;
            address
                .ip()
                .is_loopback()
                .then(|| format!("{name} is {address}"))
        }),
    ),
    Rule::new(
        "auth-off",
        "a process that others can reach asks nobody who they are, and would not start",
        "set SEALANE_AUTH, as docs/auth.md describes",
        Check::Processes(|it, process, scene| {
            let is_server = matches!(process, Process::Api | Process::CodecServer);
            let environment = scene.environment(it);
            let auth = environment.text("SEALANE_AUTH").unwrap_or("off");
            (is_server && auth == "off").then(|| "SEALANE_AUTH is off".to_owned())
        }),
    ),
    Rule::new(
        "grants-missing",
        "nobody who calls has a role in the namespace of the process, so all are answered with 403",
        "set SEALANE_AUTH_GRANTS_FILE, and grant a role in TEMPORAL_NAMESPACE there, as docs/auth.md describes",
        Check::Processes(|it, process, scene| {
            let is_server = matches!(process, Process::Api | Process::CodecServer);
            ungranted(it, process, scene).filter(|_| is_server)
        }),
    ),
    Rule::new(
        "job-never-ends",
        "a Job runs a process that goes on for ever, so the Job never completes",
        "add --exit-when-idle 30s to the worker's args",
        Check::Processes(|it, process, _| {
            let idles = it
                .words()
                .iter()
                .any(|word| word.starts_with("--exit-when-idle"));
            let ends = match process {
                Process::Worker => idles,
                Process::Command => true,
                Process::Api | Process::Trigger | Process::CodecServer => false,
            };
            (it.workload.ends() && !ends).then(|| "it has no end of its own".to_owned())
        }),
    ),
    Rule::new(
        "service-never-idle",
        "a worker that exits when it is idle is started again and again by its Deployment",
        "remove --exit-when-idle, or make it a Job with the component keda-scaledjob",
        Check::Processes(|it, process, _| {
            let idles = it
                .words()
                .iter()
                .any(|word| word.starts_with("--exit-when-idle"));
            (process == Process::Worker && idles && !it.workload.ends())
                .then(|| "it exits when it is idle".to_owned())
        }),
    ),
    Rule::new(
        "loopback-address",
        "a process looks for another one in its own pod",
        "name the Service or host that is meant",
        Check::Processes(|it, process, scene| {
            // On one machine, as in the overlay local, pods may share the network of the host.
            if !needs_azure(it.workload, scene) {
                return None;
            }
            let environment = scene.environment(it);
            let default = |name| (name == "TEMPORAL_ADDRESS").then_some("localhost:7233");
            let addresses = ADDRESSES
                .iter()
                .filter(|name| process != Process::CodecServer || **name != "TEMPORAL_ADDRESS");
            let mut addresses = addresses
                .filter_map(|name| Some((name, environment.text(name).or(default(*name))?)));
            let (name, address) = addresses.find(|(_, address)| is_loopback(address))?;
            Some(format!("{name} is {address}"))
        }),
    ),
];

/// Settings that name another process. The gateway of the orders has a default, for which there is nothing in a cluster;
/// those who run no orders need not care.
const ADDRESSES: &[&str] = &[
    "TEMPORAL_ADDRESS",
    "ORDERS_GATEWAY_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// Returns the setting that says where a process listens, and what it says.
pub(super) fn listener<'a>(
    container: Container<'a>,
    process: Process,
    scene: &Scene<'a>,
) -> Option<(&'static str, SocketAddr)> {
    let (name, default) = match process {
        Process::Worker | Process::Api | Process::Trigger => ("SEALANE_HTTP_ADDR", "0.0.0.0:8080"),
        Process::CodecServer => ("SEALANE_CODEC_ADDR", "0.0.0.0:8081"),
        Process::Command => return None,
    };
    let environment = scene.environment(container);
    let address = environment.text(name).unwrap_or(default).parse().ok()?;
    Some((name, address))
}

/// Says for which namespaces no grant is, if the file of grants is among the manifests and nothing else can give a role.
fn ungranted<'a>(container: Container<'a>, process: Process, scene: &Scene<'a>) -> Option<String> {
    let environment = scene.environment(container);
    let methods = environment.text("SEALANE_AUTH").unwrap_or("off");
    let has_more = methods == "off"
        || methods.contains("tokens")
        || environment.get("SEALANE_AUTH_PERMISSIONS_CLAIM").is_some();
    let own = environment.text("TEMPORAL_NAMESPACE").unwrap_or("default");
    let served = environment.text("SEALANE_CODEC_NAMESPACES");
    let served = served
        .filter(|_| process == Process::CodecServer)
        .unwrap_or(own);
    let Some(path) = environment
        .text("SEALANE_AUTH_GRANTS_FILE")
        .filter(|_| !has_more)
    else {
        return (!has_more).then(|| "SEALANE_AUTH_GRANTS_FILE is not set".to_owned());
    };
    let (map, text) = Mount::at(container, path)?.file(scene)?;
    let grants: Value = serde_json::from_str(text).unwrap_or_default();
    let mut namespaces = grants
        .list("/grants")
        .iter()
        .flat_map(|it| it.list("/namespaces"));
    let is_granted =
        namespaces.any(|it| it == "*" || served.split(',').any(|own| it == own.trim()));
    (!is_granted).then(|| format!("{map} has no grant for {served}"))
}

fn is_loopback(address: &str) -> bool {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    ["localhost", "127.", "[::1]"]
        .iter()
        .any(|it| rest.starts_with(it))
}
