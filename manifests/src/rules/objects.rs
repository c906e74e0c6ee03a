//! What every object needs, whatever its kind.

use crate::{
    object::Object,
    rule::{Check, Found, Rule},
    scene::Scene,
    selector::contains,
    workload::Workload,
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "duplicate-object",
        "an object is there twice, and the one applied last wins",
        "remove one of the two; if two overlays were rendered into one file, check them one by one",
        Check::Whole(duplicates),
    ),
    Rule::new(
        "deprecated-api",
        "an API version is deprecated or gone",
        "use the version that the message names",
        Check::Objects(|object, _| {
            let (_, _, now) = OLD_APIS.iter().find(|(api, kind, _)| {
                object.api_version() == *api && (kind.is_empty() || object.kind() == *kind)
            })?;
            Some(format!(
                "apiVersion is {}, expected {now}",
                object.api_version()
            ))
        }),
    ),
    Rule::new(
        "namespace-missing",
        "an object says no namespace, or `default`, and so lands wherever kubectl points",
        "set `namespace:` in the overlay's kustomization",
        Check::Objects(|object, _| {
            let namespace = object.namespace().filter(|it| *it != "default");
            (object.is_namespaced() && namespace.is_none())
                .then(|| "it has no namespace of its own".to_owned())
        }),
    ),
    Rule::new(
        "namespace-not-rendered",
        "pods go to a namespace that is not among the manifests, so nothing says how secure it is",
        "add the Namespace with its Pod Security labels to the overlay",
        Check::Workloads(|workload, scene| {
            let namespace = workload.namespace()?;
            let is_there = scene.of_kind("Namespace").any(|it| it.name() == namespace);
            (!is_there).then(|| format!("the Namespace {namespace} is not rendered"))
        }),
    ),
    Rule::new(
        "label-reserved",
        "a label or annotation begins with kubernetes.azure.com, which AKS keeps for itself",
        "remove it, or choose a prefix of your own",
        Check::Objects(|object, _| {
            let labels = object
                .value()
                .entries("/metadata/labels")
                .chain(object.value().entries("/metadata/annotations"));
            let (key, _) = labels
                .into_iter()
                .find(|(key, _)| key.contains("kubernetes.azure.com"))?;
            Some(format!("{key} is set"))
        }),
    ),
    Rule::new(
        "selector-mismatch",
        "a workload does not select the pods it makes",
        "give template and selector the same labels",
        Check::Workloads(|workload, _| {
            let wanted = workload.object.value().at("/spec/selector/matchLabels");
            let is_own = contains(workload.labels(), wanted);
            (has_selector(workload) && (!is_own || !wanted.is_object())).then(|| {
                format!(
                    "the selector wants {wanted}, the pods have {}",
                    workload.labels()
                )
            })
        }),
    ),
    Rule::new(
        "selector-shared",
        "two workloads select the same pods, and each deletes those of the other",
        "give each a label of its own in selector and template, such as app.kubernetes.io/component",
        Check::Workloads(|workload, scene| {
            let wanted = workload.object.value().at("/spec/selector/matchLabels");
            let others = scene
                .workloads()
                .filter(|it| has_selector(*it) && it.namespace() == workload.namespace());
            let mut others = others.filter(|it| {
                it.object.name() != workload.object.name()
                    || it.object.kind() != workload.object.kind()
            });
            let other = others.find(|it| contains(it.labels(), wanted))?;
            has_selector(workload).then(|| format!("it also selects the pods of {}", other.object))
        }),
    ),
];

/// Old API versions, the kind they are old for (or all), and what came after them.
const OLD_APIS: &[(&str, &str, &str)] = &[
    ("apps/v1beta1", "", "apps/v1"),
    ("apps/v1beta2", "", "apps/v1"),
    (
        "autoscaling/v1",
        "HorizontalPodAutoscaler",
        "autoscaling/v2",
    ),
    ("autoscaling/v2beta1", "", "autoscaling/v2"),
    ("autoscaling/v2beta2", "", "autoscaling/v2"),
    ("batch/v1beta1", "", "batch/v1"),
    ("cert-manager.io/v1alpha2", "", "cert-manager.io/v1"),
    ("extensions/v1beta1", "", "apps/v1 or networking.k8s.io/v1"),
    (
        "gateway.networking.k8s.io/v1alpha2",
        "Gateway",
        "gateway.networking.k8s.io/v1",
    ),
    (
        "gateway.networking.k8s.io/v1alpha2",
        "HTTPRoute",
        "gateway.networking.k8s.io/v1",
    ),
    (
        "gateway.networking.k8s.io/v1beta1",
        "Gateway",
        "gateway.networking.k8s.io/v1",
    ),
    (
        "gateway.networking.k8s.io/v1beta1",
        "HTTPRoute",
        "gateway.networking.k8s.io/v1",
    ),
    ("networking.k8s.io/v1beta1", "", "networking.k8s.io/v1"),
    ("policy/v1beta1", "", "policy/v1"),
    (
        "rbac.authorization.k8s.io/v1beta1",
        "",
        "rbac.authorization.k8s.io/v1",
    ),
    (
        "secrets-store.csi.x-k8s.io/v1alpha1",
        "",
        "secrets-store.csi.x-k8s.io/v1",
    ),
    ("v1", "Endpoints", "discovery.k8s.io/v1, kind EndpointSlice"),
    (
        "v1",
        "PodSecurityPolicy",
        "the Pod Security labels of the Namespace",
    ),
    (
        "v1",
        "ServiceMonitor",
        "monitoring.coreos.com/v1 or azmonitoring.coreos.com/v1",
    ),
];

fn duplicates<'a>(scene: &Scene<'a>) -> Vec<Found<'a>> {
    let is_same = |a: &Object, b: &Object| {
        a.kind() == b.kind()
            && a.name() == b.name()
            && a.namespace() == b.namespace()
            && a.group() == b.group()
    };
    let again = scene
        .objects
        .iter()
        .enumerate()
        .filter_map(|(index, object)| {
            let first = scene.objects[..index]
                .iter()
                .find(|it| is_same(it, object))?;
            Some((
                object,
                format!("it is also in {}:{}", first.file(), first.line()),
            ))
        });
    again.collect()
}

/// Jobs get theirs from the cluster, `ScaledJob` and the worker controller make their own.
fn has_selector(workload: Workload<'_>) -> bool {
    matches!(
        workload.object.kind(),
        "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet"
    )
}
