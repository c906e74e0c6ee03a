//! Workload identity: who a pod is towards Azure.

use crate::{
    object::Object,
    rule::{Check, Rule},
    scene::Scene,
    workload::{IDENTITY_LABEL, Workload},
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "workload-identity-label-missing",
        "pods that need Key Vault are not looked at by the webhook of workload identity, and get no token",
        "label the pod template azure.workload.identity/use: \"true\"",
        Check::Workloads(|workload, scene| {
            (needs_azure(workload, scene) && !workload.has_identity())
                .then(|| format!("the pods have no label {IDENTITY_LABEL}: \"true\""))
        }),
    ),
    Rule::new(
        "workload-identity-label-useless",
        "the label of workload identity is where nothing looks for it",
        "move azure.workload.identity/use to the labels of the pod template",
        Check::Objects(|object, _| {
            let is_pod = object.kind() == "Pod";
            (!is_pod && object.label(IDENTITY_LABEL).is_some()).then(|| {
                format!(
                    "{IDENTITY_LABEL} is a label of the {} itself",
                    object.kind()
                )
            })
        }),
    ),
    Rule::new(
        "service-account-annotation-missing",
        "pods with workload identity run as a service account that names no identity",
        "annotate the ServiceAccount with azure.workload.identity/client-id",
        Check::Workloads(|workload, scene| {
            let account = scene.account(workload);
            let named = account.and_then(|it| it.annotation(CLIENT_ID));
            let is_lost =
                (workload.has_identity() || needs_azure(workload, scene)) && named.is_none();
            is_lost.then(|| {
                format!(
                    "the ServiceAccount {} has no {CLIENT_ID}",
                    workload.service_account()
                )
            })
        }),
    ),
    Rule::new(
        "client-id-invalid",
        "a client id is none: the exchange of tokens would fail",
        "use the client id of the managed identity, not its name, principal id or resource id",
        Check::Objects(|object, _| {
            let id = client_id(object).filter(|it| !is_guid(it))?;
            Some(format!("{CLIENT_ID} is {id:?}, expected a GUID"))
        }),
    ),
    Rule::new(
        "service-account-default",
        "pods run as the service account default, which belongs to nobody",
        "give the workload a ServiceAccount of its own and name it in serviceAccountName",
        Check::Workloads(|workload, _| {
            (workload.service_account() == "default")
                .then(|| "serviceAccountName is not set, or default".to_owned())
        }),
    ),
    Rule::new(
        "service-account-shared",
        "two workloads share a service account, so each may do what the other needs",
        "give each a ServiceAccount and an identity of its own",
        Check::Workloads(|workload, scene| {
            let name = workload.service_account();
            let mut others = scene.workloads().filter(|it| {
                it.namespace() == workload.namespace() && it.service_account() == name
            });
            let other = others.find(|it| component(*it) != component(workload))?;
            (name != "default").then(|| format!("{} runs as {name} too", other.object))
        }),
    ),
    Rule::new(
        "client-id-shared",
        "two service accounts are one identity, so each may do what the other needs",
        "make an identity for each, as infra/terraform does",
        Check::Objects(|object, scene| {
            let id = client_id(object)?;
            let is_placeholder = id.chars().all(|c| matches!(c, '0' | '-'));
            let mut others = scene
                .of_kind("ServiceAccount")
                .filter(|it| !std::ptr::eq(*it, object));
            let other =
                others.find(|it| client_id(it).is_some_and(|it| it.eq_ignore_ascii_case(id)))?;
            (!is_placeholder).then(|| format!("{} has the same {CLIENT_ID}", other.name()))
        }),
    ),
    Rule::new(
        "azure-variable",
        "a variable is set by hand that the webhook sets only where it is not set, so a slip of the pen wins",
        "remove it; the ServiceAccount's annotations say who the pod is",
        Check::Containers(|it, scene| {
            let environment = scene.environment(it);
            let name = INJECTED
                .iter()
                .find(|name| environment.get(name).is_some())?;
            Some(format!("{name} is set by hand"))
        }),
    ),
    Rule::new(
        "token-expiration-invalid",
        "the life of the service account token is outside of what the webhook accepts",
        "set azure.workload.identity/service-account-token-expiration to 3600 to 86400 seconds, or remove it",
        Check::Objects(|object, _| {
            let of_pods = Workload::of(object).and_then(|it| it.annotation(EXPIRATION));
            let text = of_pods.or_else(|| object.annotation(EXPIRATION))?;
            let fits = text
                .parse()
                .is_ok_and(|seconds: u32| (3600..=86400).contains(&seconds));
            (!fits).then(|| format!("{EXPIRATION} is {text:?}"))
        }),
    ),
    Rule::new(
        "identity-container-skipped",
        "the webhook is told to leave a container of ours alone, so it gets no token",
        "remove its name from azure.workload.identity/skip-containers",
        Check::Processes(|it, _, _| {
            let skipped = it
                .workload
                .annotation("azure.workload.identity/skip-containers")?;
            skipped
                .split(';')
                .any(|name| name.trim() == it.name())
                .then(|| "it is skipped".to_owned())
        }),
    ),
];

pub(super) const CLIENT_ID: &str = "azure.workload.identity/client-id";
const EXPIRATION: &str = "azure.workload.identity/service-account-token-expiration";

/// What the webhook sets (its addEnvironmentVariables).
const INJECTED: &[&str] = &[
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_TENANT_ID",
];

pub(super) fn client_id(object: &Object) -> Option<&str> {
    object
        .annotation(CLIENT_ID)
        .filter(|_| object.kind() == "ServiceAccount")
}

/// Returns whether the pods ask Azure for anything, themselves or through the CSI driver.
pub(super) fn needs_azure<'a>(workload: Workload<'a>, scene: &Scene<'a>) -> bool {
    let mut volumes = workload.pod().list("/volumes").iter();
    let by_driver = volumes.any(|it| it.text("/csi/driver") == Some("secrets-store.csi.k8s.io"));
    let mut processes = workload
        .all_containers()
        .filter(|it| it.process().is_some());
    by_driver
        || processes.any(|it| {
            let environment = scene.environment(it);
            let vault = [
                "KEYVAULT_URL",
                "KEYVAULT_KEY_URI",
                "SEALANE_BLOB_CONTAINER_URL",
            ]
            .into_iter()
            .any(|name| environment.text(name).is_some());
            vault || environment.text("SEALANE_AZURE_CREDENTIAL") == Some("workload")
        })
}

fn component(workload: Workload<'_>) -> Option<&str> {
    let label = workload.labels().entry("", "app.kubernetes.io/component");
    label.or_else(|| Some(workload.object.name()))
}

fn is_guid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}
