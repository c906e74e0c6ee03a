//! Autoscalers, seen alike.

use serde_json::Value;

use crate::{object::Object, yaml::Yaml};

/// Something that sets how many pods a workload has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scaler<'a> {
    /// The object it is written in.
    pub(crate) object: &'a Object,
    /// The autoscaler itself, which may be a template within the object.
    pub(crate) value: &'a Value,
}

impl<'a> Scaler<'a> {
    /// Returns `object` as an autoscaler, if it is one or has one as a template.
    pub(crate) fn of(object: &'a Object) -> Option<Self> {
        let value = match object.kind() {
            "WorkerResourceTemplate" => object.value().at("/spec/template"),
            _ => object.value(),
        };
        let is_scaler = matches!(
            value.text("/kind"),
            Some("HorizontalPodAutoscaler" | "ScaledObject")
        );
        is_scaler.then_some(Self { object, value })
    }

    /// Returns whether KEDA runs it.
    pub(crate) fn is_keda(&self) -> bool {
        self.value.text("/kind") == Some("ScaledObject")
    }

    /// Returns kind and name of what it scales.
    pub(crate) fn target(&self) -> (&'a str, &'a str) {
        let spec = self.object.value().at("/spec");
        let versioned = [
            "/workerDeploymentRef/name",
            "/temporalWorkerDeploymentRef/name",
        ];
        if let Some(name) = versioned.into_iter().find_map(|path| spec.text(path)) {
            return ("WorkerDeployment", name);
        }
        let target = spec.at("/scaleTargetRef");
        let kind = target.text("/kind").unwrap_or("Deployment");
        (kind, target.text("/name").unwrap_or_default())
    }

    /// Returns whether it scales `object`.
    pub(crate) fn targets(&self, object: &Object) -> bool {
        let (kind, name) = self.target();
        object.is_beside(self.object.namespace())
            && object.kind().ends_with(kind)
            && object.name() == name
    }

    /// Returns the fewest pods it leaves.
    pub(crate) fn fewest(&self) -> i64 {
        let (path, default) = if self.is_keda() {
            ("/spec/minReplicaCount", 0)
        } else {
            ("/spec/minReplicas", 1)
        };
        self.value.number(path).unwrap_or(default)
    }

    /// Returns the most pods it makes.
    pub(crate) fn most(&self) -> Option<i64> {
        let path = if self.is_keda() {
            "/spec/maxReplicaCount"
        } else {
            "/spec/maxReplicas"
        };
        self.value.number(path).or(self.is_keda().then_some(100))
    }
}

/// A trigger of a `ScaledObject` or a `ScaledJob`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trigger<'a> {
    /// The object it is written in.
    pub(crate) object: &'a Object,
    /// The trigger itself.
    pub(crate) value: &'a Value,
}

impl<'a> Trigger<'a> {
    /// Returns the triggers of `object`, or of the template within it.
    pub(crate) fn of(object: &'a Object) -> impl Iterator<Item = Self> {
        let within = match object.kind() {
            "WorkerResourceTemplate" => "/spec/template/spec/triggers",
            "ScaledJob" | "ScaledObject" => "/spec/triggers",
            _ => "/none",
        };
        object
            .value()
            .list(within)
            .iter()
            .map(move |value| Self { object, value })
    }

    pub(crate) fn kind(self) -> &'a str {
        self.value.text("/type").unwrap_or_default()
    }

    /// Returns what its metadata say about `key`.
    pub(crate) fn metadata(self, key: &str) -> Option<&'a str> {
        self.value.entry("/metadata", key)
    }
}
