//! One Kubernetes object, and where it was read.

use std::fmt;

use serde_json::Value;

use crate::yaml::Yaml;

/// One Kubernetes object, and where it was read.
#[derive(Clone, Debug)]
pub struct Object {
    file: String,
    line: usize,
    value: Value,
}

/// Kinds that have no namespace, as far as manifests of a workload hold any.
const CLUSTER_WIDE: &[&str] = &[
    "APIService",
    "CiliumClusterwideNetworkPolicy",
    "ClusterConnection",
    "ClusterIssuer",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterTriggerAuthentication",
    "CustomResourceDefinition",
    "GatewayClass",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

impl Object {
    pub(crate) fn new(file: &str, line: usize, value: Value) -> Self {
        Self {
            file: file.to_owned(),
            line,
            value,
        }
    }

    /// Returns the name of the text it was read from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the line on which its document starts, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Returns what it says.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns its kind.
    pub fn kind(&self) -> &str {
        self.value.text("/kind").unwrap_or_default()
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        self.value.text("/metadata/name").unwrap_or_default()
    }

    /// Returns its namespace, if it says any.
    pub fn namespace(&self) -> Option<&str> {
        self.value.text("/metadata/namespace")
    }

    /// Returns its API group and version.
    pub(crate) fn api_version(&self) -> &str {
        self.value.text("/apiVersion").unwrap_or_default()
    }

    /// Returns its API group; empty for the core one.
    pub(crate) fn group(&self) -> &str {
        self.api_version()
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// Returns whether objects of its kind live in namespaces.
    pub(crate) fn is_namespaced(&self) -> bool {
        !CLUSTER_WIDE.contains(&self.kind())
    }

    /// Returns whether `other` lives where this object does.
    pub(crate) fn is_beside(&self, namespace: Option<&str>) -> bool {
        self.namespace() == namespace
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.value.entry("/metadata/annotations", key)
    }

    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.value.entry("/metadata/labels", key)
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind(), self.name())
    }
}
