//! Settings, read as the processes read them.

use std::ffi::OsString;

use sealane_service::settings::{DEFINITIONS, Definition, Problem, Settings, SettingsError};

use crate::{
    environment::Environment,
    object::Object,
    rule::{Check, Found, Rule, in_container},
    scene::Scene,
    workload::{Container, Process},
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "unknown-setting",
        "a variable that no process reads is set, so what it was meant to do does not happen",
        "correct the name; docs/configuration.md lists all settings",
        Check::Whole(unknown),
    ),
    Rule::new(
        "setting-invalid",
        "a process would refuse the value of a setting and exit with 78",
        "correct it; docs/configuration.md says what is expected",
        Check::Whole(|scene| {
            problems(scene, |problem| !matches!(problem, Problem::Missing { .. }))
        }),
    ),
    Rule::new(
        "setting-missing",
        "a process would miss a setting and exit with 78",
        "add it to k8s/base/config.env, or to the configMapGenerator of the overlay",
        Check::Whole(|scene| problems(scene, |problem| matches!(problem, Problem::Missing { .. }))),
    ),
    Rule::new(
        "settings-differ",
        "processes that share keys disagree about when a key is used",
        "set it once, in k8s/base/config.env",
        Check::Whole(differences),
    ),
    Rule::new(
        "settings-not-rendered",
        "settings come from a file that is not among the manifests, so nothing here can say whether they are right",
        "mount the file from a ConfigMap of the overlay, or take its settings with envFrom",
        Check::Processes(|it, _, scene| {
            let environment = scene.environment(it);
            let file = environment.file_path(it);
            let file = file.filter(|_| environment.file(it, scene).is_none());
            let path = file.or_else(|| environment.text("TEMPORAL_CONFIG_FILE"))?;
            Some(format!("{path} cannot be checked"))
        }),
    ),
    Rule::new(
        "file-not-mounted",
        "a setting names a file where nothing is mounted",
        "mount the volume that holds it there, or correct the path",
        Check::Processes(|it, process, scene| {
            let environment = scene.environment(it);
            let files = DEFINITIONS
                .iter()
                .filter(|definition| is_file(definition) && reads(process, definition.name));
            let mut files = files.filter_map(|definition| {
                Some((definition.name, environment.text(definition.name)?))
            });
            let (name, path) = files.find(|(_, path)| !is_mounted(it, path))?;
            Some(format!("{name} is {path}, and no volumeMount leads there"))
        }),
    ),
];

/// What processes of ours read beside their settings: the Rust runtime, the HTTP client, the TLS library.
const OTHERS: &[&str] = &[
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "RUST_MIN_STACK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TOKIO_WORKER_THREADS",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Variables of this prefix become gRPC headers.
const HEADERS: &str = "TEMPORAL_GRPC_META_";

fn unknown<'a>(scene: &Scene<'a>) -> Vec<Found<'a>> {
    let mut found: Vec<Found<'a>> = Vec::new();
    for (container, _) in scene.processes() {
        let environment = scene.environment(container);
        let refused = refused(&environment);
        for (name, variable) in environment
            .iter()
            .filter(|(name, _)| !is_known(name) && !refused.contains(name))
        {
            // One line for a ConfigMap, however many containers read it.
            let is_said = found.iter().any(|(object, message)| {
                std::ptr::eq(*object, variable.set_by) && message.starts_with(&format!("{name} "))
            });
            if !is_said {
                found.push((
                    variable.set_by,
                    format!("{name} is no setting of any process"),
                ));
            }
        }
    }
    found
}

fn is_known(name: &str) -> bool {
    DEFINITIONS.iter().any(|it| it.name == name)
        || OTHERS.contains(&name)
        || name.starts_with(HEADERS)
}

/// Returns the names that settings refuse by name, which is said as an invalid setting.
fn refused(environment: &Environment<'_>) -> Vec<&'static str> {
    let error = load(environment);
    let problems = error.iter().flat_map(SettingsError::problems);
    let refused = problems.filter_map(|it| match it {
        Problem::Refused { name, .. } => Some(*name),
        _ => None,
    });
    refused.collect()
}

fn problems<'a>(scene: &Scene<'a>, wanted: impl Fn(&Problem) -> bool) -> Vec<Found<'a>> {
    let mut found: Vec<Found<'a>> = Vec::new();
    for (container, _) in scene.processes() {
        let environment = scene.environment(container);
        let hidden = unreadable(&environment);
        let error = load(&environment);
        let problems = error.iter().flat_map(SettingsError::problems);
        for problem in problems.filter(|it| wanted(it) && !is_about(it, &hidden)) {
            let object = source(problem, &environment).unwrap_or(container.workload.object);
            let message = problem.to_string().replace(" (env)", "");
            let is_map = !std::ptr::eq(object, container.workload.object);
            let message = if is_map {
                message
            } else {
                in_container(container, &message)
            };
            if !found
                .iter()
                .any(|(other, said)| std::ptr::eq(*other, object) && *said == message)
            {
                found.push((object, message));
            }
        }
    }
    found
}

/// Settings whose values cannot be judged here: files that are only in the pod, and what only the cluster knows.
fn unreadable(environment: &Environment<'_>) -> Vec<&'static str> {
    let is_hidden = |name| environment.get(name).is_some_and(|it| it.value.is_none());
    let hidden = DEFINITIONS
        .iter()
        .filter(|it| is_file(it) || is_hidden(it.name));
    hidden.map(|it| it.name).collect()
}

/// Asks the settings themselves what is wrong with them.
fn load(environment: &Environment<'_>) -> Option<SettingsError> {
    let in_pod = |name: &str| injected(name).filter(|_| environment.get(name).is_none());
    let lookup = |name: &str| {
        // What these two name is a file with more settings, which nobody but the process can read.
        if ["SEALANE_CONFIG", "TEMPORAL_CONFIG_FILE", "TEMPORAL_PROFILE"].contains(&name) {
            return None;
        }
        let variable = environment.get(name).map(|it| it.value.clone());
        let variable = variable.map(|value| value.unwrap_or_else(|| "1".to_owned()));
        variable
            .or_else(|| in_pod(name).map(ToOwned::to_owned))
            .map(OsString::from)
    };
    Settings::load(None, lookup).err()
}

/// What the cluster adds to a pod, the webhook of workload identity included; whether it does has rules of its own.
fn injected(name: &str) -> Option<&'static str> {
    Some(match name {
        "KUBERNETES_SERVICE_HOST" => "10.0.0.1",
        "AZURE_CLIENT_ID" | "AZURE_TENANT_ID" => "11111111-1111-1111-1111-111111111111",
        "AZURE_FEDERATED_TOKEN_FILE" => "/var/run/secrets/azure/tokens/azure-identity-token",
        _ => return None,
    })
}

fn is_about(problem: &Problem, names: &[&str]) -> bool {
    name(problem).is_some_and(|name| names.contains(&name))
}

fn name(problem: &Problem) -> Option<&str> {
    match problem {
        Problem::Invalid { name, .. } | Problem::Refused { name, .. } => Some(name),
        Problem::Both { first, .. } => Some(first),
        _ => None,
    }
}

/// Returns the object to correct: where the value is written, which may be a `ConfigMap`.
fn source<'a>(problem: &Problem, environment: &Environment<'a>) -> Option<&'a Object> {
    Some(environment.get(name(problem)?)?.set_by)
}

pub(super) fn is_file(definition: &Definition) -> bool {
    definition.domain.starts_with("the path of ")
}

/// Files for callers are read by those who have callers.
fn reads(process: Process, name: &str) -> bool {
    let has_callers = matches!(process, Process::Api | Process::CodecServer);
    has_callers || !name.starts_with("SEALANE_AUTH_")
}

fn is_mounted(container: Container<'_>, path: &str) -> bool {
    let mounts = container.value.list("/volumeMounts").iter();
    let mut paths = mounts.filter_map(|it| it.text("/mountPath"));
    // The certificate authorities of the image itself.
    path.starts_with("/etc/ssl/")
        || paths.any(|mount| std::path::Path::new(path).starts_with(mount))
}

/// Settings that all processes of a namespace have to agree on (docs/key-rotation.md).
const SHARED: &[&str] = &[
    "SEALANE_ENCRYPTION",
    "SEALANE_KEY_ACTIVATION_DELAY",
    "SEALANE_KEY_REFRESH",
    "TEMPORAL_NAMESPACE",
];

fn differences<'a>(scene: &Scene<'a>) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    let processes: Vec<_> = scene
        .processes()
        .map(|(it, _)| (it, scene.environment(it)))
        .collect();
    for name in SHARED {
        let value =
            |environment: &Environment<'a>| environment.get(name).map(|it| it.value.clone());
        for (index, (container, environment)) in processes.iter().enumerate() {
            let earlier = processes[..index]
                .iter()
                .find(|(it, _)| it.workload.namespace() == container.workload.namespace());
            let Some((first, of_first)) =
                earlier.filter(|(_, other)| value(other) != value(environment))
            else {
                continue;
            };
            let message = format!(
                "{name} is {}, but {} in {}",
                shown(environment, name),
                shown(of_first, name),
                first.workload.object
            );
            found.push((
                container.workload.object,
                in_container(*container, &message),
            ));
        }
    }
    found
}

fn shown(environment: &Environment<'_>, name: &str) -> String {
    environment
        .text(name)
        .map_or("not set".to_owned(), |value| format!("{value:?}"))
}
