//! One value outside the domain of each setting, or more.

#[cfg(unix)]
use std::os::unix::ffi::OsStringExt;
use std::{collections::BTreeSet, ffi::OsString};

use super::{DEFINITIONS, Env, Pollers, load, problems};

const OUTSIDE: &[(&str, &[&str])] = &[
    (
        "TEMPORAL_ADDRESS",
        &["localhost", "localhost:x", "ftp://a:1", "a:1/b"],
    ),
    ("TEMPORAL_NAMESPACE", &["two words", "a\tb"]),
    ("TEMPORAL_TASK_QUEUE", &["a\nb"]),
    ("TEMPORAL_API_KEY", &["two words", "line\nbreak", "clé"]),
    ("TEMPORAL_API_KEY_FILE", &["/nowhere", "/"]),
    ("TEMPORAL_TLS", &["yes", "on", "2"]),
    ("TEMPORAL_TLS_CLIENT_CERT_PATH", &["/nowhere", "/dev/null"]),
    ("TEMPORAL_TLS_CLIENT_CERT_DATA", &["not PEM"]),
    ("TEMPORAL_TLS_CLIENT_KEY_PATH", &["/nowhere", "/dev/null"]),
    ("TEMPORAL_TLS_CLIENT_KEY_DATA", &["not PEM"]),
    (
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
        &["/nowhere", "/dev/null"],
    ),
    ("TEMPORAL_TLS_SERVER_CA_CERT_DATA", &["not PEM"]),
    ("TEMPORAL_TLS_SERVER_NAME", &["two words", "a/b"]),
    ("TEMPORAL_CONFIG_FILE", &["/nowhere"]),
    ("TEMPORAL_PROFILE", &["no such profile"]),
    ("SEALANE_GRPC_COMPRESSION", &["zlib", "on", "GZIP"]),
    ("TEMPORAL_DEPLOYMENT_NAME", &["a\nb"]),
    ("TEMPORAL_WORKER_BUILD_ID", &["a\nb"]),
    ("SEALANE_CONFIG", &["/nowhere"]),
    ("SEALANE_ENCRYPTION", &["on", "OFF", "false"]),
    ("SEALANE_KEY_FILE", &["/nowhere"]),
    (
        "KEYVAULT_URL",
        &[
            "my-vault",
            "http://a.vault.azure.net",
            "https://a.vault.azure.net/secrets/x",
            "https://u:p@a",
        ],
    ),
    ("KEYVAULT_SECRET_NAME", &["a/b", "a_b", "two words"]),
    ("KEYVAULT_API_KEY_SECRET_NAME", &["a/b", "eyJ.not.a_name"]),
    (
        "KEYVAULT_KEY_URI",
        &[
            "my-key",
            "https://a.vault.azure.net/secrets/x",
            "https://a.vault.azure.net/keys/",
            "http://a.vault.azure.net/keys/x",
            "https://a.vault.azure.net/keys/x/1/2",
            "https://a.vault.azure.net/keys/x,",
        ],
    ),
    ("KEYVAULT_CA_FILE", &["/nowhere", "/dev/null"]),
    ("SEALANE_AZURE_CREDENTIAL", &["default", "cli"]),
    ("AZURE_TENANT_ID", &["a/b", "a b"]),
    ("AZURE_CLIENT_ID", &["a/b", "a&b"]),
    ("AZURE_FEDERATED_TOKEN_FILE", &["/nowhere", "/dev/null"]),
    (
        "AZURE_AUTHORITY_HOST",
        &["login", "http://login.microsoftonline.com"],
    ),
    ("SEALANE_KEY_REFRESH", &["5", "0s", "2h"]),
    ("SEALANE_KEY_ACTIVATION_DELAY", &["15", "1s", "8d"]),
    ("SEALANE_KEY_STALE_AFTER", &["0s", "31d"]),
    ("SEALANE_KEY_START_LIMIT", &["0s", "11m"]),
    ("SEALANE_KEY_MODE", &["Secret", "dek"]),
    ("SEALANE_DATA_KEY_MAX_AGE", &["0s", "31d"]),
    ("SEALANE_DATA_KEY_MAX_SEALS", &["0", "4294967297", "many"]),
    ("SEALANE_KEY_SEAL_LIMIT", &["0", "4294967297", "-1"]),
    ("SEALANE_KEY_EXHAUSTED", &["stop"]),
    ("SEALANE_LEGACY_KEY_ID", &["a\nb"]),
    ("SEALANE_DECODE", &["lenient"]),
    ("SEALANE_COMPRESSION", &["gzip", "true"]),
    ("SEALANE_LARGE_PAYLOADS", &["on", "Blob", "s3"]),
    (
        "SEALANE_BLOB_CONTAINER_URL",
        &[
            "payloads",
            "http://a.blob.core.windows.net/payloads",
            "https://a.blob.core.windows.net",
            "https://a.blob.core.windows.net/",
            "https://a.blob.core.windows.net//payloads",
            "https://a.blob.core.windows.net/payloads?sig=1",
            "https://u:p@a.blob.core.windows.net/payloads",
        ],
    ),
    (
        "SEALANE_LARGE_PAYLOADS_THRESHOLD",
        &["1023", "2000001", "128KiB"],
    ),
    (
        "SEALANE_LARGE_PAYLOADS_MAX",
        &["1023", "1073741825", "64MiB"],
    ),
    (
        "SEALANE_MAX_WORKFLOW_TASKS",
        &["0", "1", "-1", "1.5", "100001", "many"],
    ),
    ("SEALANE_MAX_ACTIVITIES", &["0", "100001", "1e3"]),
    ("SEALANE_MAX_LOCAL_ACTIVITIES", &["0", "100001", " 1"]),
    ("SEALANE_MAX_CACHED_WORKFLOWS", &["-1", "1000001"]),
    ("SEALANE_POLLERS", &["0", "1", "1001", "Auto"]),
    ("SEALANE_DRAIN_TIMEOUT", &["25", "0s", "11m", "999ms"]),
    ("SEALANE_WATCHDOG", &["10", "0s", "11m"]),
    (
        "SEALANE_MEMORY_LIMIT",
        &["0", "1048575", "1125899906842625", "512Mi", "unlimited"],
    ),
    (
        "SEALANE_HTTP_ADDR",
        &[":8080", "localhost:8080", "0.0.0.0", "0.0.0.0:99999"],
    ),
    (
        "SEALANE_HTTP_MAX_BODY",
        &["0", "1023", "1073741825", "4MiB"],
    ),
    ("SEALANE_HTTP_MAX_CONCURRENT", &["0", "100001", "many"]),
    ("SEALANE_HTTP_TIMEOUT", &["30", "0s", "11m"]),
    (
        "SEALANE_TRUSTED_PROXIES",
        &[
            "10.0.0.0",
            "10.0.0.0/33",
            "proxy",
            "10.0.0.0/8,",
            "0.0.0.0/0",
            "10.0.0.0/8,::/0",
        ],
    ),
    (
        "SEALANE_AUTH",
        &[
            "on",
            "Tokens",
            "off,tokens",
            "oidc,entra-id",
            "tokens,tokens",
        ],
    ),
    ("SEALANE_AUTH_TOKENS_FILE", &["a\nb"]),
    (
        "SEALANE_AUTH_ISSUER",
        &[
            "login",
            "http://login.example.com",
            "https://u:p@a",
            "https://a?b",
            "ftp://localhost",
        ],
    ),
    ("SEALANE_AUTH_AUDIENCE", &["a b", "a,,b"]),
    (
        "SEALANE_AUTH_ALGORITHMS",
        &["none", "HS256", "RS256,HS256", "rs256"],
    ),
    ("SEALANE_AUTH_TOKEN_HEADER", &["cookie", "Authorization"]),
    ("SEALANE_AUTH_GRANTS_FILE", &["a\nb"]),
    ("SEALANE_AUTH_PERMISSIONS_CLAIM", &["two words"]),
    ("SEALANE_AUTH_CA_FILE", &["a\nb"]),
    (
        "SEALANE_CODEC_ADDR",
        &[":8081", "localhost:8081", "0.0.0.0"],
    ),
    ("SEALANE_CODEC_NAMESPACES", &["a,", "two words", "*", "a,*"]),
    (
        "SEALANE_CORS_ORIGINS",
        &[
            "*",
            "cloud.temporal.io",
            "https://cloud.temporal.io/",
            "https://a:443",
            "null",
            "https://A.example",
        ],
    ),
    ("SEALANE_CODEC_MAX_BODY", &["0", "1073741825"]),
    ("SEALANE_CODEC_MAX_PAYLOAD", &["0", "1073741825"]),
    ("SEALANE_LOG", &["loud", "a=loud", "sealane"]),
    ("SEALANE_LOG_FORMAT", &["JSON", "pretty"]),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        &["collector:4318", "grpc://a", "http://u:p@a", "http://a?b"],
    ),
    ("OTEL_EXPORTER_OTLP_HEADERS", &["api-key", "a b=c", "a=b,"]),
    ("OTEL_SERVICE_NAME", &["a\nb"]),
    ("OTEL_TRACES_SAMPLER_ARG", &["-0.1", "1.1", "half", "NaN"]),
    (
        "ORDERS_GATEWAY_URL",
        &[
            "gateway",
            "ftp://a",
            "http://",
            "http://u@a",
            "http://a?b",
            "http://a#b",
        ],
    ),
];

#[test]
fn every_setting_refuses_what_is_outside_its_domain_in_one_line_that_names_it() {
    for (name, values) in OUTSIDE {
        for value in *values {
            let problems = problems(&[(name, value)]);
            let named: Vec<_> = problems
                .iter()
                .filter(|line| mentions(line, name, value))
                .collect();
            assert_eq!(named.len(), 1, "{name}={value:?}: {problems:?}");
        }
    }
}

/// Problems of a file are told by its path, all others by the setting.
fn mentions(line: &str, name: &str, value: &str) -> bool {
    line.starts_with(&format!("{name} is "))
        || line.starts_with(value)
        || line.starts_with(&format!("{name}: "))
}

#[test]
fn the_table_above_covers_every_setting() {
    let covered: BTreeSet<_> = OUTSIDE.iter().map(|(name, _)| *name).collect();
    let defined: BTreeSet<_> = DEFINITIONS
        .iter()
        .map(|definition| definition.name)
        .collect();

    assert_eq!(covered, defined);
}

#[test]
fn every_problem_says_what_is_expected_as_the_table_of_settings_does() {
    let problems = problems(&[("SEALANE_HTTP_ADDR", ":8080")]);

    assert_eq!(
        problems,
        ["SEALANE_HTTP_ADDR is \":8080\" (env), expected ip:port, such as 0.0.0.0:8080"]
    );
}

#[test]
#[cfg(unix)]
fn a_value_that_is_not_text_is_refused() {
    let mut env = Env::new(&[]);
    env.0.insert(
        "TEMPORAL_NAMESPACE".to_owned(),
        OsString::from_vec(vec![0xff]),
    );

    let error = env.load().unwrap_err();

    assert_eq!(
        error.to_string(),
        "TEMPORAL_NAMESPACE is not readable (env), expected UTF-8 text"
    );
}

#[test]
fn one_poller_is_enough_only_without_a_cache() {
    let cached = problems(&[("SEALANE_POLLERS", "1")]);
    let uncached = load(&[
        ("SEALANE_POLLERS", "1"),
        ("SEALANE_MAX_CACHED_WORKFLOWS", "0"),
    ]);

    assert_eq!(
        cached,
        ["SEALANE_POLLERS is \"1\" (env), expected at least 2, or SEALANE_MAX_CACHED_WORKFLOWS=0"]
    );
    assert!(matches!(uncached.worker.pollers, Pollers::Fixed(count) if count.get() == 1));
}
