//! Whatever makes pods, seen alike.

use serde_json::Value;

use crate::{object::Object, yaml::Yaml};

/// An object that makes pods, and what they look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload<'a> {
    /// The object itself.
    pub(crate) object: &'a Object,
    /// Its template: metadata and spec of a pod.
    template: &'a Value,
}

/// Where each kind keeps the template of its pods.
const TEMPLATES: &[(&str, &str)] = &[
    ("CronJob", "/spec/jobTemplate/spec/template"),
    ("DaemonSet", "/spec/template"),
    ("Deployment", "/spec/template"),
    ("Job", "/spec/template"),
    ("Pod", ""),
    ("ReplicaSet", "/spec/template"),
    ("ScaledJob", "/spec/jobTargetRef/template"),
    ("StatefulSet", "/spec/template"),
    ("TemporalWorkerDeployment", "/spec/template"),
    ("WorkerDeployment", "/spec/template"),
];

/// The webhook of workload identity looks at this label of a pod, and nowhere else.
pub(crate) const IDENTITY_LABEL: &str = "azure.workload.identity/use";

impl<'a> Workload<'a> {
    /// Returns `object` as a workload, if it makes pods.
    pub(crate) fn of(object: &'a Object) -> Option<Self> {
        let (_, path) = TEMPLATES.iter().find(|(kind, _)| *kind == object.kind())?;
        let template = object.value().pointer(path)?;
        Some(Self { object, template })
    }

    /// Returns the spec of its pods.
    pub(crate) fn pod(self) -> &'a Value {
        self.template.at("/spec")
    }

    /// Returns the labels of its pods.
    pub(crate) fn labels(self) -> &'a Value {
        self.template.at("/metadata/labels")
    }

    /// Returns an annotation of its pods.
    pub(crate) fn annotation(self, key: &str) -> Option<&'a str> {
        self.template.entry("/metadata/annotations", key)
    }

    pub(crate) fn namespace(self) -> Option<&'a str> {
        self.object.namespace()
    }

    /// Returns the containers that run for as long as the pod does.
    pub(crate) fn containers(self) -> impl Iterator<Item = Container<'a>> {
        self.listed("/containers", false)
    }

    /// Returns the containers that run before those.
    fn init_containers(self) -> impl Iterator<Item = Container<'a>> {
        self.listed("/initContainers", true)
    }

    /// Returns all containers.
    pub(crate) fn all_containers(self) -> impl Iterator<Item = Container<'a>> {
        self.init_containers().chain(self.containers())
    }

    fn listed(self, path: &str, is_init: bool) -> impl Iterator<Item = Container<'a>> {
        let containers = self.pod().list(path).iter();
        containers.map(move |value| Container {
            workload: self,
            value,
            is_init,
        })
    }

    /// Returns whether its pods are meant to end by themselves.
    pub(crate) fn ends(self) -> bool {
        matches!(self.object.kind(), "CronJob" | "Job" | "ScaledJob")
    }

    /// Returns whether the Temporal worker controller turns it into Deployments.
    pub(crate) fn is_versioned(self) -> bool {
        self.object.kind().ends_with("WorkerDeployment")
    }

    /// Returns the service account of its pods.
    pub(crate) fn service_account(self) -> &'a str {
        self.pod().text("/serviceAccountName").unwrap_or("default")
    }

    /// Returns whether its pods get the token of workload identity.
    pub(crate) fn has_identity(self) -> bool {
        self.labels().entry("", IDENTITY_LABEL) == Some("true")
    }

    /// Returns how many pods it asks for itself, whatever an autoscaler does to it.
    pub(crate) fn replicas(self) -> i64 {
        self.object.value().number("/spec/replicas").unwrap_or(1)
    }
}

/// A container of a workload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Container<'a> {
    pub(crate) workload: Workload<'a>,
    pub(crate) value: &'a Value,
    pub(crate) is_init: bool,
}

/// Which of our processes a container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    /// `sealane-worker`
    Worker,
    /// `sealane serve`
    Api,
    /// `sealane trigger`
    Trigger,
    /// `sealane-codec-server`
    CodecServer,
    /// Another command of `sealane`.
    Command,
}

/// The subcommands of `sealane` that make no use of settings.
const WITHOUT_SETTINGS: &[&str] = &["completions", "manifests", "tokens"];

/// Options of `sealane` with a value, which may stand before its subcommand.
const OPTIONS: &[&str] = &["--config", "--output", "-o"];

/// Returns the first word that is no option, nor the value of one.
fn subcommand<'a>(words: &[&'a str]) -> Option<&'a str> {
    let mut rest = words.iter().skip(1);
    loop {
        match rest.next()? {
            word if OPTIONS.contains(word) => rest.next()?,
            word if word.starts_with('-') => word,
            word => return Some(word),
        };
    }
}

impl<'a> Container<'a> {
    pub(crate) fn name(self) -> &'a str {
        self.value.text("/name").unwrap_or_default()
    }

    pub(crate) fn image(self) -> &'a str {
        self.value.text("/image").unwrap_or_default()
    }

    /// Returns command and arguments as one list.
    pub(crate) fn words(self) -> Vec<&'a str> {
        let command = self.value.list("/command").iter();
        let words = command.chain(self.value.list("/args"));
        words.filter_map(Value::as_str).collect()
    }

    /// Returns the value of an option in its arguments.
    pub(crate) fn option(self, name: &str) -> Option<&'a str> {
        let words = self.words();
        words
            .iter()
            .enumerate()
            .find_map(|(index, word)| match word.strip_prefix(name)? {
                "" => words.get(index + 1).copied(),
                rest => rest.strip_prefix('='),
            })
    }

    /// Returns which of our processes it runs, if any. The command says so, not the image.
    pub(crate) fn process(self) -> Option<Process> {
        let words = self.words();
        let program = words.first()?.rsplit('/').next()?;
        match (program, subcommand(&words)) {
            ("sealane-worker", _) => Some(Process::Worker),
            ("sealane-codec-server", _) => Some(Process::CodecServer),
            ("sealane", Some("serve")) => Some(Process::Api),
            ("sealane", Some("trigger")) => Some(Process::Trigger),
            ("sealane", Some(command)) if WITHOUT_SETTINGS.contains(&command) => None,
            ("sealane", _) => Some(Process::Command),
            _ => None,
        }
    }

    /// Returns a field of the security context: its own, or else that of the pod.
    pub(crate) fn security(self, field: &str) -> &'a Value {
        let own = self.value.at("/securityContext").get(field);
        let pods = || self.workload.pod().at("/securityContext").get(field);
        own.or_else(pods).unwrap_or(&Value::Null)
    }

    /// Returns the container port that is called `port`, or has this number.
    pub(crate) fn port(self, port: &Value) -> Option<i64> {
        let mut ports = self.value.list("/ports").iter();
        let meant =
            |it: &&Value| it.get("name") == Some(port) || it.get("containerPort") == Some(port);
        ports.find(meant)?.number("/containerPort")
    }
}
