//! KEDA: what its triggers look at, and as whom.

use crate::{
    object::Object,
    rule::{Check, Found, Rule},
    scaler::{Scaler, Trigger},
    scene::Scene,
    workload::{Container, Workload},
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "azure-queue-trigger",
        "KEDA watches a storage queue, where no work of Temporal or Durable Task ever is",
        "use a trigger of type temporal, as the component keda does",
        Check::Whole(|scene| {
            triggers(scene, |it, _| {
                (it.kind() == "azure-queue").then(|| "a trigger is of type azure-queue".to_owned())
            })
        }),
    ),
    Rule::new(
        "keda-cpu-only-scale-to-zero",
        "a workload may be scaled to zero by CPU or memory alone, which cannot bring it back",
        "set minReplicaCount to 1 or more, or add a trigger of type temporal",
        Check::Objects(|object, _| {
            let scaler = Scaler::of(object).filter(Scaler::is_keda)?;
            let mut triggers = Trigger::of(object).peekable();
            let is_blind = triggers.peek().is_some()
                && triggers.all(|it| matches!(it.kind(), "cpu" | "memory"));
            (is_blind && scaler.fewest() == 0).then(|| {
                "minReplicaCount is 0, and there are only triggers of type cpu or memory".to_owned()
            })
        }),
    ),
    Rule::new(
        "keda-scale-to-zero",
        "a queue that nobody polls is forgotten by the server, so a Deployment at zero may stay there",
        "set minReplicaCount to 1 or more, or use the component keda-scaledjob",
        Check::Objects(|object, _| {
            let scaler = Scaler::of(object).filter(Scaler::is_keda)?;
            let by_backlog = Trigger::of(object).any(|it| it.kind() == "temporal");
            (by_backlog && scaler.fewest() == 0)
                .then(|| "minReplicaCount is 0, or not set".to_owned())
        }),
    ),
    Rule::new(
        "keda-queue-types-missing",
        "KEDA does not say which tasks it counts, and its documentation and its code disagree on the default",
        "set queueTypes: workflow,activity",
        Check::Whole(|scene| {
            triggers(scene, |it, _| {
                (it.kind() == "temporal" && it.metadata("queueTypes").is_none())
                    .then(|| "queueTypes is not set".to_owned())
            })
        }),
    ),
    Rule::new(
        "keda-version",
        "the KEDA of this version of AKS does not know what a trigger asks for",
        "upgrade the cluster, or use the component hpa; with a KEDA of your own, accept this finding",
        Check::Whole(|scene| triggers(scene, too_new)),
    ),
    Rule::new(
        "keda-authentication-missing",
        "a trigger asks Temporal Cloud, or any server with an API key, as nobody",
        "use the component keda-cloud, which brings a TriggerAuthentication, or correct authenticationRef",
        Check::Whole(|scene| triggers(scene, unauthenticated)),
    ),
    Rule::new(
        "keda-setting-mismatch",
        "a trigger looks at another server, namespace or task queue than the workers",
        "use endpointFromEnv, namespaceFromEnv and taskQueueFromEnv with the workers' settings",
        Check::Whole(|scene| triggers(scene, mismatch)),
    ),
    Rule::new(
        "keda-fallback-missing",
        "if KEDA cannot see the queue, nothing says how many workers there should be",
        "set fallback.failureThreshold and fallback.replicas",
        Check::Objects(|object, _| {
            let scaler = Scaler::of(object).filter(Scaler::is_keda)?;
            let by_backlog = Trigger::of(object).any(|it| it.kind() == "temporal");
            (by_backlog && !scaler.value.has("/spec/fallback"))
                .then(|| "fallback is not set".to_owned())
        }),
    ),
    Rule::new(
        "keda-identity-missing",
        "KEDA reads a secret of Key Vault, and nothing says as which identity",
        "set podIdentity.provider azure-workload and identityId to the client id of the identity keda",
        Check::Objects(|object, _| {
            let is_vault = object.kind().ends_with("TriggerAuthentication")
                && object.value().has("/spec/azureKeyVault");
            let identity = [
                object.value().at("/spec/azureKeyVault/podIdentity"),
                object.value().at("/spec/podIdentity"),
            ];
            let is_named = identity
                .iter()
                .any(|it| it.text("/provider") == Some("azure-workload") && it.has("/identityId"));
            (is_vault && !is_named)
                .then(|| "podIdentity has no provider azure-workload with an identityId".to_owned())
        }),
    ),
    Rule::new(
        "job-restarts-in-place",
        "a Job of KEDA is started again in its pod, where no limit of the Job counts it",
        "set restartPolicy: Never",
        Check::Workloads(|workload, _| {
            let policy = workload.pod().text("/restartPolicy");
            (workload.object.kind() == "ScaledJob" && policy != Some("Never"))
                .then(|| format!("restartPolicy is {}", policy.unwrap_or("not set")))
        }),
    ),
];

fn triggers<'a>(
    scene: &Scene<'a>,
    check: fn(Trigger<'a>, &Scene<'a>) -> Option<String>,
) -> Vec<Found<'a>> {
    let triggers = scene.objects.iter().flat_map(Trigger::of);
    triggers
        .filter_map(|it| Some((it.object, check(it, scene)?)))
        .collect()
}

/// What needs which KEDA: the scaler itself 2.17, TLS with nothing but an API key 2.19, versions of a Worker Deployment 2.20,
/// running workflows 2.21 (keda.sh/docs, scalers/temporal).
fn too_new(trigger: Trigger<'_>, scene: &Scene<'_>) -> Option<String> {
    if trigger.kind() != "temporal" {
        return None;
    }
    let asked = [
        (
            "includeRunningWorkflowCount",
            21,
            trigger.metadata("includeRunningWorkflowCount").is_some(),
        ),
        (
            "workerDeploymentName",
            20,
            trigger.metadata("workerDeploymentName").is_some(),
        ),
        ("an API key", 19, trigger.value.has("/authenticationRef")),
        ("the trigger temporal", 17, true),
    ];
    let (what, needed, _) = asked.into_iter().find(|(_, _, is_used)| *is_used)?;
    let version = scene.version();
    let there = version.keda_minor();
    (there < needed)
        .then(|| format!("{what} needs KEDA 2.{needed}, and AKS {version} has KEDA 2.{there}"))
}

fn unauthenticated<'a>(trigger: Trigger<'a>, scene: &Scene<'a>) -> Option<String> {
    if trigger.kind() != "temporal" {
        return None;
    }
    let Some(name) = trigger.value.text("/authenticationRef/name") else {
        return needs_key(trigger, scene).then(|| "authenticationRef is not set".to_owned());
    };
    let kind = trigger
        .value
        .text("/authenticationRef/kind")
        .unwrap_or("TriggerAuthentication");
    let is_there = scene.of_kind(kind).any(|it| {
        it.name() == name && (!it.is_namespaced() || it.is_beside(trigger.object.namespace()))
    });
    (!is_there).then(|| format!("the {kind} {name} is not rendered"))
}

/// Returns whether the workers themselves need a key for the server that the trigger asks.
fn needs_key<'a>(trigger: Trigger<'a>, scene: &Scene<'a>) -> bool {
    let is_cloud = trigger
        .metadata("endpoint")
        .is_some_and(|it| it.contains(".tmprl.cloud") || it.contains(".api.temporal.io"));
    let settings = [
        "TEMPORAL_API_KEY",
        "TEMPORAL_API_KEY_FILE",
        "KEYVAULT_API_KEY_SECRET_NAME",
        "TEMPORAL_TLS_CLIENT_CERT_PATH",
    ];
    let has_key = |it: Container<'a>| {
        settings
            .iter()
            .any(|name| scene.environment(it).get(name).is_some())
    };
    is_cloud || source(trigger, scene).is_some_and(has_key)
}

/// Returns the container whose environment a trigger reads.
fn source<'a>(trigger: Trigger<'a>, scene: &Scene<'a>) -> Option<Container<'a>> {
    let own = Workload::of(trigger.object);
    let scaled = || {
        let scaler = Scaler::of(trigger.object)?;
        scene.workloads().find(|it| scaler.targets(it.object))
    };
    let workload = own.or_else(scaled)?;
    let spec = trigger.object.value().at("/spec");
    let name = [
        "/envSourceContainerName",
        "/scaleTargetRef/envSourceContainerName",
    ]
    .into_iter()
    .find_map(|path| spec.text(path));
    let mut containers = workload.containers();
    match name {
        Some(name) => containers.find(|it| it.name() == name),
        None => containers.next(),
    }
}

const SETTINGS: &[(&str, &str)] = &[
    ("endpoint", "TEMPORAL_ADDRESS"),
    ("namespace", "TEMPORAL_NAMESPACE"),
    ("taskQueue", "TEMPORAL_TASK_QUEUE"),
];

fn mismatch<'a>(trigger: Trigger<'a>, scene: &Scene<'a>) -> Option<String> {
    // The controller fills in what each version of a workload looks at.
    if trigger.kind() != "temporal" || trigger.object.kind() == "WorkerResourceTemplate" {
        return None;
    }
    let environment = source(trigger, scene).map(|it| scene.environment(it))?;
    SETTINGS.iter().find_map(|(key, setting)| {
        if let Some(name) = trigger.metadata(&format!("{key}FromEnv")) {
            let is_set = environment.get(name).is_some();
            return (!is_set)
                .then(|| format!("{key}FromEnv is {name}, which the container does not have"));
        }
        let (said, meant) = (trigger.metadata(key), environment.text(setting));
        (said != meant).then(|| {
            format!(
                "{key} is {}, and {setting} is {}",
                shown(said),
                shown(meant)
            )
        })
    })
}

fn shown(value: Option<&str>) -> String {
    value.map_or("not set".to_owned(), |it| format!("{it:?}"))
}

/// Returns the client id that KEDA is to be, if the object says any.
pub(super) fn identity(object: &Object) -> Option<&str> {
    let paths = [
        "/spec/azureKeyVault/podIdentity/identityId",
        "/spec/podIdentity/identityId",
    ];
    paths
        .into_iter()
        .find_map(|path| object.value().text(path))
        .filter(|_| object.kind().ends_with("TriggerAuthentication"))
}
