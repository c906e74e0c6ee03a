//! An object as kustomize renders it.

use std::fmt;

use serde_json::Value;

use crate::pod::Pod;

/// One document of a rendering.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object(Value);

impl Object {
    pub(crate) fn new(value: Value) -> Self {
        Self(value)
    }

    pub(crate) fn value(&self) -> &Value {
        &self.0
    }

    pub(crate) fn kind(&self) -> &str {
        self.text("/kind")
    }

    pub(crate) fn api_version(&self) -> &str {
        self.text("/apiVersion")
    }

    pub(crate) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    pub(crate) fn namespace(&self) -> Option<&str> {
        self.0.pointer("/metadata/namespace")?.as_str()
    }

    /// Returns what stands at a JSON pointer, null if nothing does.
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Returns the text at a JSON pointer, empty if there is none.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// Returns the list at a JSON pointer, empty if there is none.
    pub(crate) fn list(&self, pointer: &str) -> &[Value] {
        self.at(pointer).as_array().map_or(&[], Vec::as_slice)
    }

    pub(crate) fn annotation(&self, name: &str) -> Option<&str> {
        self.at("/metadata/annotations").get(name)?.as_str()
    }

    /// Returns the pods it makes, if it makes any.
    pub(crate) fn pod(&self) -> Option<Pod<'_>> {
        let template = match self.kind() {
            "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "WorkerDeployment" => {
                "/spec/template"
            }
            "CronJob" => "/spec/jobTemplate/spec/template",
            "ScaledJob" => "/spec/jobTargetRef/template",
            _ => return None,
        };
        Some(Pod::new(self, self.at(template)))
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.name())
    }
}
