//! The table of all settings: the one source of names, defaults and domains.
//!
//! Error messages quote it, `sealane config check` lists it, and a test holds `docs/configuration.md` to it.

/// What is known about one setting.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Definition {
    /// Name of the environment variable, and of the key in `config.env`.
    pub name: &'static str,
    /// Value that applies when nothing sets it.
    pub default: Option<&'static str>,
    /// Values it may have, as completes "expected …".
    pub domain: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// Whether its value is never shown.
    pub secret: bool,
}

impl Definition {
    const fn new(name: &'static str, domain: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            default: None,
            domain,
            meaning,
            secret: false,
        }
    }

    const fn default(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }
}

pub(super) const CONFIG: &str = "SEALANE_CONFIG";
pub(super) const PROFILE_FILE: &str = "TEMPORAL_CONFIG_FILE";
pub(super) const PROFILE: &str = "TEMPORAL_PROFILE";

/// Prefix of the variables that become gRPC headers: one name for each header, so no row of its own.
pub(super) const GRPC_META: &str = "TEMPORAL_GRPC_META_";

const BYTES: &str = "a whole number of bytes from 1024 to 1073741824";
const PEM_FILE: &str = "the path of a readable PEM file";
const PEM_TEXT: &str = "PEM text";
const SEALS: &str = "a whole number from 1 to 4294967296";
const SLOTS: &str = "a whole number from 1 to 100000";

/// Every setting, in the order in which `sealane config check` shows them.
pub static DEFINITIONS: &[Definition] = &[
    Definition::new(
        "TEMPORAL_ADDRESS",
        "host:port, optionally after http:// or https://",
        "Frontend of the Temporal service; https:// turns TLS on",
    )
    .default("localhost:7233"),
    Definition::new(
        "TEMPORAL_NAMESPACE",
        "a name of at most 255 characters without white space",
        "Namespace to work in",
    )
    .default("default"),
    Definition::new(
        "TEMPORAL_TASK_QUEUE",
        "a name of at most 1000 characters without control characters",
        "Task queue that workers poll and that starts go to",
    )
    .default("sealane"),
    Definition::new(
        "TEMPORAL_API_KEY",
        "visible ASCII characters only",
        "API key, for instance of Temporal Cloud; turns TLS on",
    )
    .secret(),
    Definition::new(
        "TEMPORAL_API_KEY_FILE",
        "the path of a readable file that holds an API key",
        "File with the API key, instead of TEMPORAL_API_KEY; turns TLS on",
    ),
    Definition::new(
        "TEMPORAL_TLS",
        "true or false",
        "Whether to use TLS, whatever else is set; without it, the other settings decide",
    ),
    Definition::new(
        "TEMPORAL_TLS_CLIENT_CERT_PATH",
        PEM_FILE,
        "Client certificate for mutual TLS; turns TLS on",
    ),
    Definition::new(
        "TEMPORAL_TLS_CLIENT_CERT_DATA",
        PEM_TEXT,
        "The client certificate itself, instead of its path",
    ),
    Definition::new(
        "TEMPORAL_TLS_CLIENT_KEY_PATH",
        PEM_FILE,
        "Private key of the client certificate",
    ),
    Definition::new(
        "TEMPORAL_TLS_CLIENT_KEY_DATA",
        PEM_TEXT,
        "The private key itself, instead of its path",
    )
    .secret(),
    Definition::new(
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
        PEM_FILE,
        "Certificate authority to trust instead of the system's; turns TLS on",
    ),
    Definition::new(
        "TEMPORAL_TLS_SERVER_CA_CERT_DATA",
        PEM_TEXT,
        "The certificate authority itself, instead of its path",
    ),
    Definition::new(
        "TEMPORAL_TLS_SERVER_NAME",
        "a host name",
        "Name expected in the server's certificate, if it is not the address; turns TLS on",
    ),
    Definition::new(
        PROFILE_FILE,
        "the path of a readable Temporal configuration file (TOML)",
        "Where profiles of connection settings are, as the Temporal CLI writes them",
    ),
    Definition::new(
        PROFILE,
        "the name of a profile in the Temporal configuration file",
        "Profile to use; default if only TEMPORAL_CONFIG_FILE is set",
    ),
    Definition::new(
        "SEALANE_GRPC_COMPRESSION",
        "auto, gzip or off",
        "Whether gRPC messages to and from the Temporal service are compressed; auto is gzip, and off if TEMPORAL_ADDRESS is on this machine",
    )
    .default("auto"),
    Definition::new(
        "TEMPORAL_DEPLOYMENT_NAME",
        "a name without control characters",
        "Worker Deployment this worker belongs to; together with the build id, turns versioning on",
    ),
    Definition::new(
        "TEMPORAL_WORKER_BUILD_ID",
        "a name without control characters",
        "Build of this worker within its Worker Deployment",
    ),
    Definition::new(
        CONFIG,
        "the path of a readable file of KEY=VALUE lines",
        "Configuration file, unless --config names one",
    ),
    Definition::new(
        "SEALANE_ENCRYPTION",
        "required or off",
        "Whether payloads are encrypted; off sends them in plaintext and warns at start",
    )
    .default("required"),
    Definition::new(
        "SEALANE_KEY_FILE",
        "the path of a readable key ring file or directory",
        "Keys to encrypt and decrypt with; reloaded when it changes",
    ),
    Definition::new(
        "KEYVAULT_URL",
        "the https URL of a vault, such as https://my-vault.vault.azure.net",
        "Key Vault that holds the keys, instead of SEALANE_KEY_FILE, or the API key",
    ),
    Definition::new(
        "KEYVAULT_SECRET_NAME",
        "the name of a secret: 1 to 127 letters, digits and dashes",
        "Secret whose versions are the keys",
    ),
    Definition::new(
        "KEYVAULT_API_KEY_SECRET_NAME",
        "the name of a secret: 1 to 127 letters, digits and dashes",
        "Secret in KEYVAULT_URL with the API key, instead of TEMPORAL_API_KEY; turns TLS on",
    ),
    Definition::new(
        "KEYVAULT_KEY_URI",
        "the URIs of one or more keys, separated by commas, such as https://my-vault.vault.azure.net/keys/my-key",
        "RSA keys that wrap data keys; the first one wraps, all unwrap; see envelope.md",
    ),
    Definition::new(
        "KEYVAULT_CA_FILE",
        PEM_FILE,
        "Certificate authority to trust beside the system's, for Entra, Key Vault and Blob Storage",
    ),
    Definition::new(
        "SEALANE_AZURE_CREDENTIAL",
        "workload, managed or developer",
        "Who to be towards Azure; without it workload if AZURE_FEDERATED_TOKEN_FILE is set, else developer",
    ),
    Definition::new(
        "AZURE_TENANT_ID",
        "the id or a domain of an Entra tenant",
        "Tenant of the identity; the workload identity webhook sets it",
    ),
    Definition::new(
        "AZURE_CLIENT_ID",
        "the client id of an identity, a GUID",
        "Identity to be; the workload identity webhook sets it",
    ),
    Definition::new(
        "AZURE_FEDERATED_TOKEN_FILE",
        "the path of a readable file that holds a service account token",
        "Token that proves which pod this is; the workload identity webhook sets it",
    ),
    Definition::new(
        "AZURE_AUTHORITY_HOST",
        "the https URL of an Entra authority",
        "Where tokens are exchanged; the workload identity webhook sets it",
    )
    .default("https://login.microsoftonline.com/"),
    Definition::new(
        "SEALANE_KEY_REFRESH",
        "a duration from 1s to 1h, such as 5m",
        "How often the versions of the secret are listed, at least",
    )
    .default("5m"),
    Definition::new(
        "SEALANE_KEY_ACTIVATION_DELAY",
        "a duration from 2s to 7d, such as 15m, and at least twice SEALANE_KEY_REFRESH",
        "How old a new version must be before it encrypts; the same in all processes",
    )
    .default("15m"),
    Definition::new(
        "SEALANE_KEY_STALE_AFTER",
        "a duration from 1s to 30d, such as 1h, and at least twice SEALANE_KEY_REFRESH",
        "How long refreshes may fail before /readyz says so",
    )
    .default("1h"),
    Definition::new(
        "SEALANE_KEY_START_LIMIT",
        "a duration from 1s to 10m, such as 2m",
        "How long a start waits for a refusal or an outage to pass, such as after a role assignment",
    )
    .default("2m"),
    Definition::new(
        "SEALANE_KEY_MODE",
        "secret or envelope",
        "What encrypts: the key itself, or data keys wrapped by KEYVAULT_KEY_URI",
    )
    .default("secret"),
    Definition::new(
        "SEALANE_DATA_KEY_MAX_AGE",
        "a duration from 1s to 30d, such as 1h",
        "How long one data key encrypts",
    )
    .default("1h"),
    Definition::new(
        "SEALANE_DATA_KEY_MAX_SEALS",
        SEALS,
        "Payloads that one data key encrypts",
    )
    .default("16777216"),
    Definition::new(
        "SEALANE_KEY_SEAL_LIMIT",
        SEALS,
        "Payloads that this process encrypts under one key",
    )
    .default("4294967296"),
    Definition::new(
        "SEALANE_KEY_EXHAUSTED",
        "refuse or warn",
        "What happens once a key has encrypted as many payloads as it may",
    )
    .default("refuse"),
    Definition::new(
        "SEALANE_LEGACY_KEY_ID",
        "the id of a key in the key ring",
        "Key for old payloads (encrypted/aesgcm) that do not say which key sealed them",
    ),
    Definition::new(
        "SEALANE_DECODE",
        "permissive or strict",
        "Whether payloads that arrive unencrypted are accepted",
    )
    .default("permissive"),
    Definition::new(
        "SEALANE_COMPRESSION",
        "off or zlib",
        "Whether payloads are compressed before they are encrypted",
    )
    .default("off"),
    Definition::new(
        "SEALANE_LARGE_PAYLOADS",
        "off, read or blob",
        "Whether payloads too large for Temporal are stored in Azure Blob Storage (blob), or only read from there; see large-payloads.md",
    )
    .default("off"),
    Definition::new(
        "SEALANE_BLOB_CONTAINER_URL",
        "the https URL of a container, such as https://my-account.blob.core.windows.net/payloads",
        "Container that holds large payloads, encrypted",
    ),
    Definition::new(
        "SEALANE_LARGE_PAYLOADS_THRESHOLD",
        "a whole number of bytes from 1024 to 2000000",
        "Encrypted payloads of more bytes are stored",
    )
    .default("131072"),
    Definition::new(
        "SEALANE_LARGE_PAYLOADS_MAX",
        BYTES,
        "Encrypted payloads of more bytes are not stored, and larger blobs not read; the same in all processes",
    )
    .default("67108864"),
    Definition::new(
        "SEALANE_MAX_WORKFLOW_TASKS",
        SLOTS,
        "Workflow tasks handled at once; at least 2 if workflows are cached",
    )
    .default("100"),
    Definition::new("SEALANE_MAX_ACTIVITIES", SLOTS, "Activities run at once").default("100"),
    Definition::new("SEALANE_MAX_LOCAL_ACTIVITIES", SLOTS, "Local activities run at once")
        .default("100"),
    Definition::new(
        "SEALANE_MAX_CACHED_WORKFLOWS",
        "a whole number from 0 to 1000000",
        "Workflows kept in memory between their tasks",
    )
    .default("1000"),
    Definition::new(
        "SEALANE_POLLERS",
        "auto, or a whole number from 1 to 1000",
        "Concurrent polls for each kind of task; auto follows the load, up to 100",
    )
    .default("auto"),
    Definition::new(
        "SEALANE_DRAIN_TIMEOUT",
        "a duration from 1s to 10m, such as 25s",
        "How long running activities may finish after SIGTERM",
    )
    .default("25s"),
    Definition::new(
        "SEALANE_WATCHDOG",
        "a duration from 1s to 10m, such as 10s",
        "How long a workflow may block its thread before /livez fails",
    )
    .default("10s"),
    Definition::new(
        "SEALANE_MEMORY_LIMIT",
        "a whole number of bytes from 1048576 to 1125899906842624",
        "Memory the worker may take; it drains at 85 % of it and ends, to be started anew",
    ),
    Definition::new(
        "SEALANE_HTTP_ADDR",
        "ip:port, such as 0.0.0.0:8080",
        "Where the process listens for HTTP: probes, metrics, and its own API if it has one",
    )
    .default("0.0.0.0:8080"),
    Definition::new(
        "SEALANE_HTTP_MAX_BODY",
        BYTES,
        "Largest body of a request to the HTTP API",
    )
    .default("4194304"),
    Definition::new(
        "SEALANE_HTTP_MAX_CONCURRENT",
        "a whole number from 1 to 100000",
        "Requests answered at once; more are told to come back",
    )
    .default("256"),
    Definition::new(
        "SEALANE_HTTP_TIMEOUT",
        "a duration from 1s to 10m, such as 30s",
        "How long one request may take",
    )
    .default("30s"),
    Definition::new(
        "SEALANE_TRUSTED_PROXIES",
        "address ranges other than /0, separated by commas, such as 10.0.0.0/8",
        "Proxies whose X-Forwarded-For says where a request comes from",
    ),
    Definition::new(
        "SEALANE_AUTH",
        "off, or tokens and at most one of oidc, entra-id and temporal-cloud, separated by commas",
        "How callers of the HTTP API and the codec server prove who they are; off is for loopback only; see auth.md",
    )
    .default("off"),
    Definition::new(
        "SEALANE_AUTH_TOKENS_FILE",
        "the path of a file of token digests",
        "Static bearer tokens; reloaded when it changes",
    ),
    Definition::new(
        "SEALANE_AUTH_ISSUER",
        "an https URL, or an http URL of this machine, exactly as tokens have it in iss",
        "Issuer of JSON Web Tokens",
    ),
    Definition::new(
        "SEALANE_AUTH_AUDIENCE",
        "one or more audiences without white space, separated by commas",
        "What tokens must have in aud",
    ),
    Definition::new(
        "SEALANE_AUTH_ALGORITHMS",
        "one or more of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA, separated by commas",
        "How tokens may be signed",
    )
    .default("RS256,ES256"),
    Definition::new(
        "SEALANE_AUTH_TOKEN_HEADER",
        "authorization or authorization-extras",
        "Header with the token; the Web UI sends the ID token in authorization-extras",
    )
    .default("authorization"),
    Definition::new(
        "SEALANE_AUTH_GRANTS_FILE",
        "the path of a file of grants",
        "Which claims give which role in which namespaces; reloaded when it changes",
    ),
    Definition::new(
        "SEALANE_AUTH_PERMISSIONS_CLAIM",
        "the name of a claim",
        "Claim with permissions as Temporal's own authorizer reads them, such as orders:read",
    ),
    Definition::new(
        "SEALANE_AUTH_CA_FILE",
        PEM_FILE,
        "Certificate authority to trust beside the system's, for the issuer",
    ),
    Definition::new(
        "SEALANE_CODEC_ADDR",
        "ip:port, such as 0.0.0.0:8081",
        "Where the codec server listens",
    )
    .default("0.0.0.0:8081"),
    Definition::new(
        "SEALANE_CODEC_NAMESPACES",
        "one or more namespaces, separated by commas",
        "Namespaces that the codec server serves; without it TEMPORAL_NAMESPACE",
    ),
    Definition::new(
        "SEALANE_CORS_ORIGINS",
        "origins without a path, separated by commas, such as https://cloud.temporal.io",
        "Web UIs whose pages may call the codec server",
    )
    .default("https://cloud.temporal.io,http://localhost:8233,http://127.0.0.1:8233"),
    Definition::new(
        "SEALANE_CODEC_MAX_BODY",
        BYTES,
        "Largest body of a request to the codec server",
    )
    .default("8388608"),
    Definition::new(
        "SEALANE_CODEC_MAX_PAYLOAD",
        BYTES,
        "Largest payload in it",
    )
    .default("4194304"),
    Definition::new(
        "SEALANE_LOG",
        "a level (error, warn, info, debug, trace, off) or a comma-separated list of levels and TARGET=LEVEL",
        "What is logged; see logging.md",
    )
    .default("info"),
    Definition::new(
        "SEALANE_LOG_FORMAT",
        "auto, json or text",
        "How it is logged; auto is text on a terminal and json elsewhere",
    )
    .default("auto"),
    Definition::new(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "an http or https URL without user name, query or fragment, such as http://collector:4318",
        "Receiver of traces (OTLP over HTTP); nothing is traced without it; see tracing.md",
    ),
    Definition::new(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "NAME=VALUE pairs, separated by commas",
        "Headers that the receiver of traces wants",
    )
    .secret(),
    Definition::new(
        "OTEL_SERVICE_NAME",
        "a name without control characters",
        "Name of the service in traces; without it that of the program",
    ),
    Definition::new(
        "OTEL_TRACES_SAMPLER_ARG",
        "a number from 0 to 1",
        "Share of the traces begun here, or asked for over HTTP, that are recorded",
    )
    .default("1"),
    Definition::new(
        "ORDERS_GATEWAY_URL",
        "an http or https URL without user name, query or fragment",
        "Gateway that the activities of the order workflow call",
    )
    .default("http://127.0.0.1:8070"),
];

/// Names that Temporal's tools know, which would be ignored by the SDK and so promise what is not kept.
pub(super) static REFUSED: &[(&str, &str)] = &[
    ("TEMPORAL_CODEC_ENDPOINT", IGNORED_CODEC),
    ("TEMPORAL_CODEC_AUTH", IGNORED_CODEC),
    (
        "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION",
        "but the Temporal SDK ignores it: set TEMPORAL_TLS_SERVER_CA_CERT_PATH or TEMPORAL_TLS_SERVER_NAME instead",
    ),
];

const IGNORED_CODEC: &str = "but the Temporal SDK ignores it and would send payloads in plaintext: \
                             remove it, SEALANE_KEY_FILE says how payloads are encrypted";

/// Returns the names of all settings.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    DEFINITIONS.iter().map(|definition| definition.name)
}

/// Returns the row of `name`.
pub(super) fn definition(name: &str) -> &'static Definition {
    DEFINITIONS
        .iter()
        .find(|definition| definition.name == name)
        .expect("every setting that is read has a row in DEFINITIONS")
}

#[cfg(test)]
mod tests;
