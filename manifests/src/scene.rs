//! Everything that is checked together.

use serde_json::Value;

use crate::{
    check::Options,
    environment::Environment,
    object::Object,
    scaler::Scaler,
    selector::selects,
    version::KubernetesVersion,
    workload::{Container, Process, Workload},
    yaml::Yaml,
};

/// Everything that is checked together, and with what.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) objects: &'a [Object],
    pub(crate) options: &'a Options,
}

impl<'a> Scene<'a> {
    /// Returns the objects of `kind`.
    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &'a Object> {
        self.objects.iter().filter(move |it| it.kind() == kind)
    }

    /// Returns the object of `kind` that is called `name` in `namespace`.
    pub(crate) fn find(
        &self,
        kind: &str,
        namespace: Option<&str>,
        name: &str,
    ) -> Option<&'a Object> {
        self.of_kind(kind)
            .find(|it| it.is_beside(namespace) && it.name() == name)
    }

    /// Returns everything that makes pods.
    pub(crate) fn workloads(&self) -> impl Iterator<Item = Workload<'a>> {
        self.objects.iter().filter_map(Workload::of)
    }

    /// Returns the workloads in `namespace` whose pods `selector` means.
    pub(crate) fn selected(&self, namespace: Option<&str>, selector: &Value) -> Vec<Workload<'a>> {
        let workloads = self.workloads().filter(|it| it.namespace() == namespace);
        workloads
            .filter(|it| selects(selector, it.labels()))
            .collect()
    }

    /// Returns every container that runs one of our processes.
    pub(crate) fn processes(&self) -> impl Iterator<Item = (Container<'a>, Process)> {
        let containers = self.workloads().flat_map(Workload::all_containers);
        containers.filter_map(|it| Some((it, it.process()?)))
    }

    /// Returns every container that runs `process`.
    pub(crate) fn running(&self, process: Process) -> impl Iterator<Item = Container<'a>> {
        self.processes()
            .filter(move |(_, it)| *it == process)
            .map(|(it, _)| it)
    }

    /// Returns every autoscaler, those in templates of the worker controller included.
    pub(crate) fn scalers(&self) -> Vec<Scaler<'a>> {
        self.objects.iter().filter_map(Scaler::of).collect()
    }

    /// Returns the autoscalers of `workload`.
    pub(crate) fn scalers_of(&self, workload: Workload<'a>) -> Vec<Scaler<'a>> {
        let mut scalers = self.scalers();
        scalers.retain(|it| it.targets(workload.object));
        scalers
    }

    /// Returns the fewest pods that `workload` may have while it works.
    pub(crate) fn fewest(&self, workload: Workload<'a>) -> i64 {
        let scalers = self.scalers_of(workload);
        scalers
            .iter()
            .map(Scaler::fewest)
            .min()
            .unwrap_or_else(|| workload.replicas())
    }

    /// Returns the service account of the pods of `workload`.
    pub(crate) fn account(&self, workload: Workload<'a>) -> Option<&'a Object> {
        self.find(
            "ServiceAccount",
            workload.namespace(),
            workload.service_account(),
        )
    }

    /// Returns the environment of `container`.
    pub(crate) fn environment(&self, container: Container<'a>) -> Environment<'a> {
        Environment::of(container, self)
    }

    /// Returns the version to check against: the one asked for, or that of the cluster there is, or that of a new one.
    pub(crate) fn version(&self) -> KubernetesVersion {
        let cluster = || self.options.infrastructure.as_ref()?.kubernetes_version();
        self.options
            .kubernetes_version
            .or_else(cluster)
            .unwrap_or_default()
    }

    /// Returns the workloads behind a Service.
    pub(crate) fn behind(&self, service: &Object) -> Vec<Workload<'a>> {
        let selector = service.value().at("/spec/selector");
        if !selector.is_object() {
            return Vec::new();
        }
        let labels = serde_json::json!({ "matchLabels": selector });
        self.selected(service.namespace(), &labels)
    }
}
