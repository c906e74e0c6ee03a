//! The pods that an object makes, and what a process in them sees.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use crate::{object::Object, renderings::Rendering, selector};

/// A pod template, and the object it stands in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pod<'a> {
    pub(crate) owner: &'a Object,
    template: &'a Value,
}

impl<'a> Pod<'a> {
    pub(crate) fn new(owner: &'a Object, template: &'a Value) -> Self {
        Self { owner, template }
    }

    /// Returns what stands at a JSON pointer below the pod's `spec`, null if nothing does.
    pub(crate) fn spec(&self, pointer: &str) -> &'a Value {
        let spec = self.template.get("spec").unwrap_or(&Value::Null);
        spec.pointer(pointer).unwrap_or(&Value::Null)
    }

    pub(crate) fn label(&self, name: &str) -> Option<&'a str> {
        self.labels().get(name)?.as_str()
    }

    pub(crate) fn labels(&self) -> &'a Value {
        let labels = self.template.pointer("/metadata/labels");
        labels.unwrap_or(&Value::Null)
    }

    /// Returns worker, api, trigger or codec-server.
    pub(crate) fn component(&self) -> &'a str {
        let component = self.label("app.kubernetes.io/component");
        component.unwrap_or_default()
    }

    pub(crate) fn service_account(&self) -> &'a str {
        self.spec("/serviceAccountName")
            .as_str()
            .unwrap_or_default()
    }

    /// Returns all containers, those for initialisation too.
    pub(crate) fn containers(&self) -> Vec<Container<'a>> {
        let lists = ["/initContainers", "/containers"];
        let all = lists.iter().filter_map(|list| self.spec(list).as_array());
        all.flatten().map(Container).collect()
    }

    /// Returns the one container that runs a program of ours.
    pub(crate) fn main(&self) -> Container<'a> {
        let all = self.containers();
        let mut ours = all.into_iter().filter(|it| it.name() == self.component());
        ours.next()
            .unwrap_or_else(|| panic!("{self} has no container named for its component"))
    }

    /// Whether a label selector takes it.
    pub(crate) fn is_selected(&self, selector: &Value) -> bool {
        selector::takes(selector, self.labels())
    }
}

impl fmt::Display for Pod<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the pods of {}", self.owner)
    }
}

/// A container of a pod.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Container<'a>(&'a Value);

impl<'a> Container<'a> {
    pub(crate) fn name(&self) -> &'a str {
        self.text("/name")
    }

    pub(crate) fn at(&self, pointer: &str) -> &'a Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    pub(crate) fn text(&self, pointer: &str) -> &'a str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// Returns program and arguments.
    pub(crate) fn command(&self) -> Vec<&'a str> {
        let parts = ["/command", "/args"].map(|part| self.at(part).as_array());
        let words = parts.into_iter().flatten().flatten();
        words.filter_map(Value::as_str).collect()
    }

    /// Returns the environment that the manifests give it; what the webhook of workload identity adds is not in it.
    ///
    /// Values that only the cluster knows (fields of the pod) are empty texts.
    ///
    /// # Panics
    ///
    /// If it reads a `ConfigMap` that is not in the rendering, which would keep the pod from starting.
    pub(crate) fn environment(&self, rendering: &Rendering) -> BTreeMap<String, String> {
        let from = self.at("/envFrom").as_array();
        let mut found: BTreeMap<_, _> = from
            .into_iter()
            .flatten()
            .flat_map(|from| config_map(rendering, from))
            .collect();
        let own = self.at("/env").as_array().into_iter().flatten();
        found.extend(own.map(|it| {
            let value = it.get("value").and_then(Value::as_str).unwrap_or_default();
            (
                it["name"].as_str().unwrap_or_default().to_owned(),
                value.to_owned(),
            )
        }));
        found
    }
}

fn config_map(rendering: &Rendering, from: &Value) -> Vec<(String, String)> {
    let name = from.pointer("/configMapRef/name").and_then(Value::as_str);
    let name = name.unwrap_or_else(|| panic!("only ConfigMaps are read whole, not {from}"));
    let map = rendering.find("ConfigMap", name);
    let data = map.at("/data").as_object();
    let pairs = data.into_iter().flatten();
    let texts = pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    texts.collect()
}
