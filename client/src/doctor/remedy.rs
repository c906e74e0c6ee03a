//! What helps, as commands where there are some.
//!
//! What is known is put in; what is not stands in angle brackets.

use sealane_codec::azure::{AzureError, Cause, is_no_match};
use sealane_service::settings::{ApiKey, ApiKeySecret, KeyVault, Temporal};
use url::Url;

use super::{claims::Claims, network::Layer, subject::Subject};

pub(super) const NOT_INJECTED: &str = "let the workload identity webhook set it: give the pod the label azure.workload.identity/use: \"true\" and its service account the annotation azure.workload.identity/client-id, and start the pod anew";

pub(super) const NO_EXPIRY: &str =
    "AZURE_FEDERATED_TOKEN_FILE must name a service account token, which has an expiry";

pub(super) const EXPIRED: &str = "the kubelet should have replaced it: check the node with `kubectl describe node <node>`, its clock, and that AZURE_FEDERATED_TOKEN_FILE names the mounted file and not a copy";

pub(super) const AUDIENCE: &str = "unless the federated credential names the same audience, let the webhook mount the token, whose audience is api://AzureADTokenExchange: `az identity federated-credential list --identity-name <identity> --resource-group <group> --query \"[].audiences\"`";

pub(super) const NO_VAULT: &str =
    "check KEYVAULT_URL, and for a proxy or portal that answers in the vault's place";

pub(super) const OTHER_TENANT: &str = "use an identity of the vault's tenant: `az keyvault show --name <vault> --query properties.tenantId`";

pub(super) const NO_ENCRYPTION: &str =
    "unless that is intended, set KEYVAULT_URL or SEALANE_KEY_FILE and remove SEALANE_ENCRYPTION";

pub(super) const ALL_DISABLED: &str =
    "enable the one that was active last: running processes still encrypt under it";

pub(super) const HAS_EXPIRED: &str = "make a new version with `sealane keys rotate`";

pub(super) const BAD_VALUE: &str =
    "make a new version with `sealane keys rotate`, then disable the bad one";

pub(super) const TEMPORAL_SILENT: &str = "check that TEMPORAL_ADDRESS is the gRPC port of a frontend, and TEMPORAL_TLS: a server that wants TLS does not answer without (TEMPORAL_TLS=true)";

pub(super) const TEMPORAL_HUNG_UP: &str = "check that TEMPORAL_ADDRESS is the gRPC port of a frontend, and TEMPORAL_TLS_CLIENT_CERT_PATH with TEMPORAL_TLS_CLIENT_KEY_PATH: a server that wants a client certificate, or another one, hangs up";

pub(super) const TEMPORAL_AUTH: &str = "replace TEMPORAL_API_KEY, the key in TEMPORAL_API_KEY_FILE or the client certificate (TEMPORAL_TLS_CLIENT_CERT_PATH) by one that the server accepts (Temporal Cloud: `tcld apikey list`)";

pub(super) const NO_POLLERS: &str = "start a worker, or look why it does not poll: `kubectl get pods -l app.kubernetes.io/name=sealane-worker`; TEMPORAL_TASK_QUEUE and TEMPORAL_NAMESPACE must be the worker's";

pub(super) const OLD_POLLERS: &str = "the worker may have gone or hang: `kubectl get pods -l app.kubernetes.io/name=sealane-worker`, then its /readyz";

pub(super) const SIGN_IN: &str = "sign in with `az login` or `azd auth login`; `az account get-access-token --resource https://vault.azure.net` says why it gives no token";

pub(super) const NO_DNS: &str = "DNS or the way to it is broken here, as no name of Azure resolves: `kubectl get pods -n kube-system -l k8s-app=kube-dns`, and network policies must allow port 53";

const TEMPORAL_TLS: &str = "check TEMPORAL_TLS_SERVER_CA_CERT_PATH (who issued the server's certificate) and TEMPORAL_TLS_SERVER_NAME (the name in it)";

const WAIT: &str = "which takes some minutes to work";

/// What to look at where the webhook has not done its work.
pub(super) fn injection(subject: &Subject) -> String {
    let pod = subject.pod.as_deref().unwrap_or("<pod>");
    format!(
        "{NOT_INJECTED}: `kubectl get pod {pod} -o jsonpath='{{.metadata.labels.azure\\.workload\\.identity/use}}'` must say true, \
         `kubectl get serviceaccount <name> -o jsonpath='{{.metadata.annotations.azure\\.workload\\.identity/client-id}}'` the client id, \
         and `kubectl get deployment azure-wi-webhook-controller-manager -n kube-system` must show the webhook"
    )
}

/// What to do about a refusal of Entra, with the claims that have to match; `otherwise` for codes
/// that are about something else.
pub(super) fn exchange(
    subject: &Subject,
    claims: Option<&Claims>,
    aadsts: Option<u32>,
    otherwise: &str,
) -> String {
    let client = subject.value("AZURE_CLIENT_ID").unwrap_or("<client id>");
    let list = format!(
        "`az identity list --query \"[?clientId=='{client}'].[name,resourceGroup]\" -o tsv`, then \
         `az identity federated-credential list --identity-name <identity> --resource-group <group>`"
    );
    match (aadsts, claims) {
        (Some(code), Some(claims)) if is_no_match(code) => {
            let Claims {
                issuer,
                subject,
                audience,
                ..
            } = claims;
            format!(
                "{otherwise}: one federated credential of the identity must have exactly issuer \
                 {issuer}, subject {subject} and audience {audience}: {list}"
            )
        }
        (Some(700_016), _) => format!(
            "{otherwise}: `az identity show --name <identity> --resource-group <group> --query clientId` \
             must say {client}, and the annotation azure.workload.identity/client-id of the service account too{}",
            annotation(claims)
        ),
        (Some(90_002), _) => format!("{otherwise}: `az account show --query tenantId`"),
        (Some(700_024), _) => format!("{otherwise}; {EXPIRED}"),
        _ => format!("{otherwise}: {list}"),
    }
}

fn annotation(claims: Option<&Claims>) -> String {
    match claims.and_then(Claims::service_account) {
        Some((namespace, name)) => {
            format!(": `kubectl get serviceaccount {name} -n {namespace} -o yaml`")
        }
        None => String::new(),
    }
}

/// What to do where Entra's name is not known. Only a name that was set may be misspelt.
pub(super) fn entra_dns(subject: &Subject) -> String {
    let authority = subject.value("AZURE_AUTHORITY_HOST").unwrap_or_default();
    let url = Url::parse(authority).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or("<host>");
    let resolve = format!("the cluster's DNS must resolve {host}: {}", nslookup(host));
    match host {
        "login.microsoftonline.com" => resolve,
        _ => format!("check the name in AZURE_AUTHORITY_HOST; {resolve}"),
    }
}

fn nslookup(host: &str) -> String {
    format!("`kubectl run dns --rm -it --image=busybox --restart=Never -- nslookup {host}`")
}

/// What to do about a vault that cannot be reached.
pub(super) fn vault_network(layer: Layer, vault: &Url) -> String {
    let host = vault.host_str().unwrap_or_default();
    let port = vault.port_or_known_default().unwrap_or_default();
    match layer {
        Layer::Certificates => "KEYVAULT_CA_FILE must hold certificates in PEM".to_owned(),
        Layer::Dns => format!(
            "check the name in KEYVAULT_URL: `az keyvault list --query \"[].properties.vaultUri\" -o tsv`; \
             with a private endpoint, the zone privatelink.vaultcore.azure.net must be linked to the \
             cluster's network: {}",
            nslookup(host)
        ),
        Layer::Proxy => format!(
            "check the name in KEYVAULT_URL and HTTPS_PROXY; the proxy must let {host}:{port} through, or \
             NO_PROXY must name it"
        ),
        Layer::Tls => {
            "with a proxy that inspects TLS, KEYVAULT_CA_FILE must name its root".to_owned()
        }
        Layer::Handshake => format!(
            "check host and port in KEYVAULT_URL, as a vault speaks TLS; if they are right, look for \
             a firewall or proxy that lets connections to {host}:{port} begin and breaks them off"
        ),
        Layer::Tcp | Layer::Http => format!(
            "check the port in KEYVAULT_URL and allow egress to {host}:{port}: `kubectl get \
             networkpolicy -A`, the subnet's security group, the firewall before the cluster"
        ),
    }
}

/// What to do about a refusal of the vault.
pub(super) fn vault(
    subject: &Subject,
    vault: &KeyVault,
    version: Option<&str>,
    error: &AzureError,
) -> String {
    let (name, secret) = (name_of(&vault.url), vault.secret.as_str());
    match error.cause() {
        Cause::ForbiddenByRbac | Cause::Forbidden => assign(
            subject,
            "Key Vault Secrets User",
            name,
            &format!("secrets/{secret}"),
        ),
        Cause::ForbiddenByFirewall => firewall(name),
        Cause::SecretDisabled => {
            let version = version.unwrap_or("<version>");
            format!(
                "enable it with `az keyvault secret set-attributes --vault-name {name} --name {secret} \
                 --version {version} --enabled true`, if it was active last: running processes still \
                 encrypt under it"
            )
        }
        Cause::NotFound => no_secret(&vault.url),
        _ => error.remedy().to_owned(),
    }
}

/// What to do about a secret that does not give the API key.
pub(super) fn api_key(subject: &Subject, secret: &ApiKeySecret, error: &AzureError) -> String {
    let (name, secret) = (name_of(&secret.url), secret.secret.as_str());
    match error.cause() {
        Cause::ForbiddenByRbac | Cause::Forbidden => assign(
            subject,
            "Key Vault Secrets User",
            name,
            &format!("secrets/{secret}"),
        ),
        Cause::ForbiddenByFirewall => firewall(name),
        Cause::NotFound => format!(
            "check KEYVAULT_API_KEY_SECRET_NAME: `az keyvault secret list --vault-name {name} --query \"[].name\"`"
        ),
        _ => error.remedy().to_owned(),
    }
}

/// What to do about a secret that holds no usable API key.
pub(super) fn no_api_key(secret: &ApiKeySecret) -> String {
    let (name, secret) = (name_of(&secret.url), secret.secret.as_str());
    format!(
        "check KEYVAULT_API_KEY_SECRET_NAME: `az keyvault secret list-versions --vault-name {name} --name {secret}`; \
         `az keyvault secret set --vault-name {name} --name {secret} --file <file>` adds a version"
    )
}

/// What to do about a secret that does not exist.
pub(super) fn no_secret(vault: &Url) -> String {
    let name = name_of(vault);
    format!(
        "check KEYVAULT_SECRET_NAME: `az keyvault secret list --vault-name {name} --query \"[].name\"`; \
         `sealane keys rotate` makes it"
    )
}

/// What to do about a key that does not wrap.
pub(super) fn wrapping(subject: &Subject, error: &AzureError) -> String {
    let uri = subject.value("KEYVAULT_KEY_URI").unwrap_or_default();
    let path = uri.split(',').next().unwrap_or_default().trim();
    let path = path.rsplit_once("://").map_or(path, |(_, rest)| rest);
    let mut parts = path.split(['/', '.']);
    let vault = parts.next().unwrap_or_default();
    let key = path.split('/').nth(2).unwrap_or("<key>");
    match error.cause() {
        Cause::ForbiddenByRbac | Cause::Forbidden => {
            let role = "Key Vault Crypto Service Encryption User";
            assign(subject, role, vault, &format!("keys/{key}"))
        }
        Cause::ForbiddenByFirewall => firewall(vault),
        Cause::KeyDisabled => format!(
            "enable it with `az keyvault key set-attributes --vault-name {vault} --name {key} --enabled true`"
        ),
        Cause::NotFound => {
            format!(
                "check KEYVAULT_KEY_URI: `az keyvault key list --vault-name {vault} --query \"[].kid\"`"
            )
        }
        _ => error.remedy().to_owned(),
    }
}

fn assign(subject: &Subject, role: &str, vault: &str, object: &str) -> String {
    let client = subject.value("AZURE_CLIENT_ID").unwrap_or("<client id>");
    format!(
        "`az role assignment create --role \"{role}\" --assignee {client} \
         --scope \"$(az keyvault show --name {vault} --query id -o tsv)/{object}\"`, {WAIT}; \
         `az keyvault show --name {vault} --query properties.enableRbacAuthorization` must say true"
    )
}

fn firewall(vault: &str) -> String {
    format!(
        "let the cluster in: `az keyvault network-rule list --name {vault}`, then `az keyvault \
         network-rule add --name {vault} --subnet <id of the nodes' subnet>` or `--ip-address <outgoing \
         address>`, or use a private endpoint"
    )
}

/// `unit` of `https://unit.vault.azure.net/`.
fn name_of(vault: &Url) -> &str {
    let host = vault.host_str().unwrap_or_default();
    host.split('.').next().unwrap_or_default()
}

pub(super) fn temporal_dns() -> String {
    "check the host in TEMPORAL_ADDRESS: `kubectl get service -A | grep frontend` shows those of \
     the cluster"
        .to_owned()
}

/// What to do about a server that is not trusted. Plaintext is offered only where no API key would
/// be in it.
pub(super) fn temporal_tls(settings: &Temporal) -> String {
    let name = match settings.api_key {
        ApiKey::Value(_) => "TEMPORAL_API_KEY",
        ApiKey::File(_) => "TEMPORAL_API_KEY_FILE",
        ApiKey::KeyVault(_) => "KEYVAULT_API_KEY_SECRET_NAME",
        ApiKey::None => {
            return format!(
                "{TEMPORAL_TLS}, and whether the server speaks TLS (TEMPORAL_TLS=false)"
            );
        }
    };
    format!(
        "{TEMPORAL_TLS}; {name} turns TLS on, so that nobody reads the key on its way: if the server \
         speaks no TLS, remove {name}"
    )
}

pub(super) fn temporal_tcp(address: &str) -> String {
    format!(
        "check that a server runs at {address} (on a laptop `temporal server start-dev`) and that \
         egress to it is allowed: `kubectl get networkpolicy -A`"
    )
}

pub(super) fn namespace(settings: &Temporal) -> String {
    let Temporal {
        address, namespace, ..
    } = settings;
    format!(
        "check TEMPORAL_NAMESPACE: `temporal operator namespace list --address {address}`; \
         `temporal operator namespace create --namespace {namespace} --address {address}` makes it"
    )
}

pub(super) fn forbidden_namespace(settings: &Temporal) -> String {
    let namespace = &settings.namespace;
    format!(
        "check TEMPORAL_NAMESPACE, which Temporal Cloud writes <name>.<account>, and that the \
         credentials may use {namespace}"
    )
}
