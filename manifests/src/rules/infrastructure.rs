//! Whether manifests and Terraform speak of the same things.

use crate::{
    infrastructure::{Identity, Infrastructure},
    object::Object,
    rule::{Check, Rule},
    scene::Scene,
    workload::{Container, Workload},
};

use super::{identity, keda};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "subject-mismatch",
        "no federated credential is for the service account of a workload, so Entra refuses its token (AADSTS700213)",
        "make serviceAccountName and namespace those of infra/terraform/workloads.json, then apply Terraform",
        Check::Workloads(|workload, scene| {
            let infrastructure = infrastructure(scene)?;
            let subject = subject(workload)?;
            let is_known = infrastructure
                .identities()
                .any(|it| it.text("subject") == Some(subject.as_str()));
            (is_identified(workload, scene) && !is_known).then(|| {
                format!(
                    "no credential has the subject {subject}; {}",
                    subjects(infrastructure)
                )
            })
        }),
    ),
    Rule::new(
        "issuer-mismatch",
        "a federated credential is for tokens of another cluster, so Entra refuses those of this one (AADSTS700211)",
        "apply Terraform again, so that the credentials get the issuer of the cluster",
        Check::Workloads(|workload, scene| {
            let infrastructure = infrastructure(scene)?;
            let own =
                identity_of(workload, infrastructure).filter(|_| is_identified(workload, scene))?;
            let Some(issuer) = infrastructure
                .text("oidc_issuer_url")
                .filter(|it| it.starts_with("https://"))
            else {
                return Some("the cluster has no OIDC issuer".to_owned());
            };
            let theirs = own
                .text("issuer")
                .filter(|it| it.trim_end_matches('/') != issuer.trim_end_matches('/'))?;
            Some(format!(
                "the credential of {} is for {theirs}, and the cluster is {issuer}",
                own.workload
            ))
        }),
    ),
    Rule::new(
        "client-id-mismatch",
        "a service account or KEDA names another identity than the one that was made for it",
        "set it to the client id that Terraform's output identities has, as `deploy` does",
        Check::Objects(|object, scene| {
            let infrastructure = infrastructure(scene)?;
            let (said, subject) = claim(object)?;
            let mut made = infrastructure.identities();
            let made = made.find(|it| it.text("subject") == Some(subject.as_str()));
            match made.and_then(|it| it.text("client_id")) {
                Some(meant) => (!said.eq_ignore_ascii_case(meant))
                    .then(|| format!("the client id is {said:?}, expected {meant:?}")),
                // What is missing for a workload is said of the workload.
                None => (subject == KEDA)
                    .then(|| format!("no credential has the subject {subject}; is keda_enabled?")),
            }
        }),
    ),
    Rule::new(
        "tenant-mismatch",
        "a service account names another tenant than that of the identities",
        "remove azure.workload.identity/tenant-id, or set it to Terraform's output tenant_id",
        Check::Objects(|object, scene| {
            let said = object.annotation("azure.workload.identity/tenant-id")?;
            let meant = infrastructure(scene)?.text("tenant_id")?;
            (!said.eq_ignore_ascii_case(meant)).then(|| {
                format!("azure.workload.identity/tenant-id is {said:?}, expected {meant:?}")
            })
        }),
    ),
    Rule::new(
        "namespace-mismatch",
        "workloads with an identity are in another namespace than the one Terraform knows",
        "make `namespace:` of the overlay the variable namespace of Terraform",
        Check::Workloads(|workload, scene| {
            let meant = infrastructure(scene)?.text("namespace")?;
            let said = workload.namespace()?;
            (is_identified(workload, scene) && said != meant)
                .then(|| format!("it is in {said}, expected {meant}"))
        }),
    ),
    Rule::new(
        "vault-mismatch",
        "a process asks another vault, or for another secret, than the one that was made",
        "set KEYVAULT_URL, KEYVAULT_SECRET_NAME and KEYVAULT_API_KEY_SECRET_NAME to Terraform's outputs, as `deploy` does",
        Check::Processes(|it, _, scene| {
            differs(
                it,
                scene,
                &[
                    ("KEYVAULT_URL", "key_vault_url"),
                    ("KEYVAULT_SECRET_NAME", "payload_key_secret_name"),
                    ("KEYVAULT_API_KEY_SECRET_NAME", "api_key_secret_name"),
                ],
            )
        }),
    ),
    Rule::new(
        "temporal-mismatch",
        "a process asks another Temporal server or namespace than the one that was set up",
        "set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE to Terraform's outputs, as `deploy` does",
        Check::Processes(|it, _, scene| {
            differs(
                it,
                scene,
                &[
                    ("TEMPORAL_ADDRESS", "temporal_address"),
                    ("TEMPORAL_NAMESPACE", "temporal_namespace"),
                ],
            )
        }),
    ),
    Rule::new(
        "registry-mismatch",
        "an image of ours is pulled from another registry than the one the nodes may pull from",
        "set newName in `images:` to Terraform's output registry_login_server and /sealane, as `deploy` does",
        Check::Processes(|it, _, scene| {
            let registry = infrastructure(scene)?.text("registry_login_server")?;
            let is_ours = it
                .image()
                .strip_prefix(registry)
                .is_some_and(|rest| rest.starts_with('/'));
            (!is_ours).then(|| format!("the image {:?} is not in {registry}", it.image()))
        }),
    ),
    Rule::new(
        "keda-disabled",
        "the manifests need KEDA, and the cluster has none",
        "set keda_enabled in terraform.tfvars, or use the component hpa",
        Check::Objects(|object, scene| {
            let is_disabled = infrastructure(scene)?.is_false("keda_enabled");
            (is_disabled && object.group() == "keda.sh").then(|| "keda_enabled is false".to_owned())
        }),
    ),
];

fn infrastructure<'a>(scene: &Scene<'a>) -> Option<&'a Infrastructure> {
    scene.options.infrastructure.as_ref()
}

/// Returns whether pods exchange their token for one of Entra.
fn is_identified<'a>(workload: Workload<'a>, scene: &Scene<'a>) -> bool {
    workload.has_identity() || identity::needs_azure(workload, scene)
}

fn subject(workload: Workload<'_>) -> Option<String> {
    Some(format!(
        "system:serviceaccount:{}:{}",
        workload.namespace()?,
        workload.service_account()
    ))
}

fn subjects(infrastructure: &Infrastructure) -> String {
    let subjects: Vec<&str> = infrastructure
        .identities()
        .filter_map(|it| it.text("subject"))
        .collect();
    format!(
        "there are {}",
        if subjects.is_empty() {
            "none".to_owned()
        } else {
            subjects.join(", ")
        }
    )
}

fn identity_of<'a>(
    workload: Workload<'_>,
    infrastructure: &'a Infrastructure,
) -> Option<Identity<'a>> {
    let subject = subject(workload)?;
    infrastructure
        .identities()
        .find(|it| it.text("subject") == Some(subject.as_str()))
}

/// The account of KEDA's operator in the add-on of AKS.
const KEDA: &str = "system:serviceaccount:kube-system:keda-operator";

/// Returns the client id that an object names, and the subject that is to be it.
fn claim(object: &Object) -> Option<(&str, String)> {
    if let Some(said) = keda::identity(object) {
        return Some((said, KEDA.to_owned()));
    }
    let said = identity::client_id(object)?;
    let namespace = object.namespace()?;
    Some((
        said,
        format!("system:serviceaccount:{namespace}:{}", object.name()),
    ))
}

/// Compares settings with outputs, as far as both are there.
fn differs<'a>(
    container: Container<'a>,
    scene: &Scene<'a>,
    pairs: &[(&str, &str)],
) -> Option<String> {
    let infrastructure = infrastructure(scene)?;
    let environment = scene.environment(container);
    pairs.iter().find_map(|(setting, output)| {
        let (said, meant) = (environment.text(setting)?, infrastructure.text(output)?);
        (said.trim_end_matches('/') != meant.trim_end_matches('/'))
            .then(|| format!("{setting} is {said:?}, expected {meant:?}"))
    })
}
