//! What a container's environment will be, as far as the manifests tell.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{mount::Mount, object::Object, scene::Scene, workload::Container, yaml::Yaml};

/// What is known about one variable.
#[derive(Clone, Debug)]
pub(crate) struct Variable<'a> {
    /// Its value; none if only the cluster knows it: a Secret's entry, or a field of the pod.
    pub(crate) value: Option<String>,
    /// The object that says so: the workload itself, or a `ConfigMap`.
    pub(crate) set_by: &'a Object,
}

/// The variables of one container, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment<'a>(BTreeMap<String, Variable<'a>>);

impl<'a> Environment<'a> {
    /// Resolves the environment of `container`, in the order in which Kubernetes does: `env` wins over `envFrom`. Both win
    /// over a file of settings, which a process of ours reads as if it were environment.
    pub(crate) fn of(container: Container<'a>, scene: &Scene<'a>) -> Self {
        let mut variables = BTreeMap::new();
        for source in container.value.list("/envFrom") {
            from_map(source, container, scene, &mut variables);
        }
        for entry in container.value.list("/env") {
            if let Some(name) = entry.text("/name") {
                variables.insert(name.to_owned(), one(entry, container, scene));
            }
        }
        let mut environment = Self(variables);
        if let Some((map, text)) = environment.file(container, scene) {
            for (name, value) in assignments(text) {
                let value = Some(value.to_owned());
                let variable = Variable { value, set_by: map };
                environment.0.entry(name.to_owned()).or_insert(variable);
            }
        }
        environment
    }

    /// Returns the path of the file with more settings, if a process of ours has one.
    pub(crate) fn file_path(&self, container: Container<'a>) -> Option<&str> {
        container.process()?;
        container
            .option("--config")
            .or_else(|| self.text("SEALANE_CONFIG"))
    }

    /// Returns the `ConfigMap` with that file, and the file, if they are among the manifests.
    pub(crate) fn file(
        &self,
        container: Container<'a>,
        scene: &Scene<'a>,
    ) -> Option<(&'a Object, &'a str)> {
        Mount::at(container, self.file_path(container)?)?.file(scene)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Variable<'a>)> {
        self.0
            .iter()
            .map(|(name, variable)| (name.as_str(), variable))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Variable<'a>> {
        self.0.get(name)
    }

    /// Returns the value of `name`, if it is known and not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.value.as_deref().filter(|it| !it.is_empty())
    }
}

/// Returns the `KEY=VALUE` lines of a file of settings (docs/configuration.md).
fn assignments(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|it| !it.starts_with('#'));
    lines.filter_map(|it| {
        let (name, value) = it.split_once('=')?;
        let value = value.trim();
        let quoted = ['"', '\'']
            .into_iter()
            .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
        Some((name.trim(), quoted.unwrap_or(value)))
    })
}

fn from_map<'a>(
    source: &Value,
    container: Container<'a>,
    scene: &Scene<'a>,
    into: &mut BTreeMap<String, Variable<'a>>,
) {
    let prefix = source.text("/prefix").unwrap_or_default();
    let name = source.text("/configMapRef/name");
    let Some(map) =
        name.and_then(|name| scene.find("ConfigMap", container.workload.namespace(), name))
    else {
        return;
    };
    for (key, value) in map.value().entries("/data") {
        let value = value.as_str().map(ToOwned::to_owned);
        into.insert(format!("{prefix}{key}"), Variable { value, set_by: map });
    }
}

fn one<'a>(entry: &Value, container: Container<'a>, scene: &Scene<'a>) -> Variable<'a> {
    let workload = container.workload.object;
    if let Some(value) = entry.text("/value") {
        return Variable {
            value: Some(value.to_owned()),
            set_by: workload,
        };
    }
    let from = entry.at("/valueFrom/configMapKeyRef");
    let map = from
        .text("/name")
        .and_then(|name| scene.find("ConfigMap", container.workload.namespace(), name));
    let value = map.and_then(|map| map.value().entry("/data", from.text("/key")?));
    Variable {
        // Neither a value nor a source is an empty value.
        value: value
            .map(ToOwned::to_owned)
            .or_else(|| (!entry.has("/valueFrom")).then(String::new)),
        set_by: map.unwrap_or(workload),
    }
}
