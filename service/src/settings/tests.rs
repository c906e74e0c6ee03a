//! The settings as a whole: what is accepted, what is refused, and how that is said.

use std::{collections::HashMap, ffi::OsString, fs, path::PathBuf, time::Duration};

use tempfile::TempDir;

use super::{
    ApiKey, Compression, DEFINITIONS, Decode, Deployment, EncryptionMode, GrpcCompression,
    KeySource, LogFormat, Pollers, Settings, SettingsError, Source, TokenHeader, report,
};

mod api_key_secret;
mod auth;
mod connection;
mod domains;
mod key_vault;

/// An environment of a test's own, where encryption is off unless the test says otherwise.
struct Env(HashMap<String, OsString>);

impl Env {
    fn new(variables: &[(&str, &str)]) -> Self {
        let off = ("SEALANE_ENCRYPTION".to_owned(), "off".into());
        let given = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.into()));
        Self([off].into_iter().chain(given).collect())
    }

    fn get(&self, name: &str) -> Option<OsString> {
        self.0.get(name).cloned()
    }

    fn load(&self) -> Result<Settings, SettingsError> {
        Settings::load(None, |name| self.get(name))
    }
}

fn load(variables: &[(&str, &str)]) -> Settings {
    Env::new(variables).load().unwrap()
}

/// Returns what is said about settings that cannot be used.
fn problems(variables: &[(&str, &str)]) -> Vec<String> {
    let error = Env::new(variables).load().unwrap_err();
    error.to_string().lines().map(ToOwned::to_owned).collect()
}

/// A directory with files to point settings at.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

#[test]
fn every_default_is_inside_its_domain() {
    let settings = load(&[]);

    assert_eq!(settings.temporal.address, "localhost:7233");
    assert_eq!(settings.temporal.namespace, "default");
    assert_eq!(settings.temporal.task_queue, "sealane");
    assert_eq!(settings.temporal.api_key, ApiKey::None);
    assert_eq!(settings.temporal.tls, None);
    assert_eq!(settings.temporal.deployment, None);
    assert_eq!(settings.encryption.decode, Decode::Permissive);
    assert_eq!(settings.encryption.compression, Compression::Off);
    assert_eq!(settings.worker.max_activities.get(), 100);
    assert_eq!(settings.worker.max_cached_workflows, 1000);
    assert!(matches!(settings.worker.pollers, Pollers::Autoscaling { max } if max.get() == 100));
    assert_eq!(settings.worker.drain_timeout, Duration::from_secs(25));
    assert_eq!(settings.worker.watchdog, Duration::from_secs(10));
    assert_eq!(settings.http_addr.to_string(), "0.0.0.0:8080");
    assert_eq!(settings.http.max_concurrent, 256);
    assert!(settings.auth.is_off());
    assert_eq!(settings.codec_server.namespaces, ["default"]);
    assert_eq!(settings.codec_server.cors_origins.len(), 3);
    assert_eq!(settings.traces.endpoint, None);
    assert_eq!(
        (settings.log.filter.as_str(), settings.log.format),
        ("info", LogFormat::Auto)
    );
    assert_eq!(
        settings.orders_gateway_url.as_str(),
        "http://127.0.0.1:8070/"
    );
}

#[test]
fn encryption_is_required_unless_switched_off_by_name() {
    let error = Settings::load(None, |_| None).unwrap_err().to_string();

    assert_eq!(
        error,
        "SEALANE_KEY_FILE is not set, expected a key ring made by `sealane keys generate`, KEYVAULT_URL instead to take keys from Azure Key Vault, \
         or SEALANE_ENCRYPTION=off to send payloads in plaintext"
    );
    assert_eq!(load(&[]).encryption.mode, EncryptionMode::Off);
}

#[test]
fn a_key_ring_may_be_a_file_or_a_directory() {
    let files = Files::new();
    let file = files.write("keys.json", "{}");
    let directory = files.0.path().to_str().unwrap().to_owned();

    for path in [file, directory] {
        let settings = load(&[
            ("SEALANE_ENCRYPTION", "required"),
            ("SEALANE_KEY_FILE", &path),
        ]);
        assert_eq!(settings.encryption.mode, EncryptionMode::Required);
        assert_eq!(
            settings.encryption.source,
            Some(KeySource::File(path.into()))
        );
    }
}

#[test]
fn the_environment_wins_over_the_file_which_wins_over_the_default() {
    let files = Files::new();
    let config = files.write(
        "config.env",
        "SEALANE_ENCRYPTION=off\nTEMPORAL_NAMESPACE=file\nTEMPORAL_TASK_QUEUE=file\n",
    );
    let env = Env::new(&[("SEALANE_CONFIG", &config), ("TEMPORAL_NAMESPACE", "env")]);

    let temporal = env.load().unwrap().temporal;

    assert_eq!(temporal.namespace, "env");
    assert_eq!(temporal.task_queue, "file");
    assert_eq!(temporal.address, "localhost:7233");
}

#[test]
fn a_file_given_as_argument_replaces_the_one_of_the_environment() {
    let files = Files::new();
    let ours = files.write("ours.env", "TEMPORAL_NAMESPACE=ours");
    let theirs = files.write("theirs.env", "TEMPORAL_NAMESPACE=theirs");
    let env = Env::new(&[("SEALANE_CONFIG", &theirs)]);

    let settings = Settings::load(Some(ours.as_ref()), |name| env.get(name)).unwrap();

    assert_eq!(settings.temporal.namespace, "ours");
}

#[test]
fn an_empty_value_hides_the_file_and_leaves_the_default() {
    let files = Files::new();
    let config = files.write("config.env", "TEMPORAL_NAMESPACE=file");

    let settings = load(&[("SEALANE_CONFIG", &config), ("TEMPORAL_NAMESPACE", "")]);

    assert_eq!(settings.temporal.namespace, "default");
}

#[test]
fn all_problems_are_reported_at_once_each_with_its_place() {
    let files = Files::new();
    let config = files.write(
        "config.env",
        "nonsense\nSEALANE_DECODE=maybe\nSEALANE_LGO=info\n",
    );

    let problems = problems(&[
        ("SEALANE_CONFIG", &config),
        ("SEALANE_ENCRYPTION", "required"),
        ("SEALANE_DRAIN_TIMEOUT", "1h"),
        ("TEMPORAL_DEPLOYMENT_NAME", "orders"),
        ("TEMPORAL_API_KEY", "s3 cret"),
    ]);

    assert_eq!(
        problems,
        [
            format!("{config}:1: expected KEY=VALUE, a comment that starts with #, or nothing"),
            format!("{config}:3: SEALANE_LGO is not a setting, did you mean SEALANE_LOG"),
            "TEMPORAL_API_KEY is <redacted> (env), expected visible ASCII characters only".into(),
            "TEMPORAL_WORKER_BUILD_ID is not set, expected a name without control characters \
             because TEMPORAL_DEPLOYMENT_NAME is set"
                .into(),
            "SEALANE_KEY_FILE is not set, expected a key ring made by `sealane keys generate`, KEYVAULT_URL instead to take keys from Azure Key Vault, \
             or SEALANE_ENCRYPTION=off to send payloads in plaintext"
                .into(),
            format!("SEALANE_DECODE is \"maybe\" ({config}:2), expected permissive or strict"),
            "SEALANE_DRAIN_TIMEOUT is \"1h\" (env), expected a duration from 1s to 10m, such as 25s"
                .into(),
        ]
    );
}

#[test]
fn a_missing_configuration_file_is_an_error() {
    let problems = problems(&[("SEALANE_CONFIG", "/nowhere/config.env")]);

    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("/nowhere/config.env is not a readable configuration file: "));
}

#[test]
fn unknown_names_in_the_environment_are_left_alone() {
    load(&[
        ("SEALANE_WORKER_SERVICE_HOST", "10.0.0.1"),
        ("SEALANE_PORT", "tcp://10.0.0.1:80"),
    ]);
}

#[test]
fn versioning_is_on_when_deployment_and_build_are_both_named() {
    let settings = load(&[
        ("TEMPORAL_DEPLOYMENT_NAME", "orders"),
        ("TEMPORAL_WORKER_BUILD_ID", "42"),
    ]);

    let expected = Deployment {
        name: "orders".into(),
        build_id: "42".into(),
    };
    assert_eq!(settings.temporal.deployment, Some(expected));
}

#[test]
fn settings_print_no_secret() {
    let settings = load(&[
        ("TEMPORAL_API_KEY", "s3cret"),
        (
            "TEMPORAL_TLS_CLIENT_CERT_DATA",
            "-----BEGIN CERTIFICATE-----",
        ),
        ("TEMPORAL_TLS_CLIENT_KEY_DATA", "-----BEGIN s3cret-----"),
    ]);

    assert!(!format!("{settings:?}").contains("s3cret"));
}

#[test]
fn credentials_inside_a_refused_url_are_not_repeated() {
    for (name, value, shown) in [
        (
            "ORDERS_GATEWAY_URL",
            "http://user:s3cret@host/",
            "http://<redacted>@host/",
        ),
        (
            "TEMPORAL_ADDRESS",
            "https://user:s3cret?@host:7233",
            "https://<redacted>@host:7233",
        ),
        (
            "TEMPORAL_ADDRESS",
            "user:s3cret@host:7233",
            "<redacted>@host:7233",
        ),
        (
            "SEALANE_BLOB_CONTAINER_URL",
            "https://a.blob.core.windows.net/payloads?sv=2026&sig=s3cret",
            "https://a.blob.core.windows.net/payloads?<redacted>",
        ),
        (
            "KEYVAULT_URL",
            "https://me@a.vault.azure.net/#s3cret",
            "https://<redacted>@a.vault.azure.net/#<redacted>",
        ),
    ] {
        let problems = problems(&[(name, value)]).concat();
        let rows = report(None, |asked| (asked == name).then(|| value.into()));
        let row = rows.into_iter().find(|row| row.name == name).unwrap();

        assert!(!problems.contains("s3cret"), "{problems}");
        assert!(
            problems.contains(&format!("{name} is {shown:?}")),
            "{problems}"
        );
        assert_eq!(row.value.as_deref(), Some(shown));
    }
}

#[test]
fn the_report_shows_every_setting_with_its_source_and_no_secret() {
    let files = Files::new();
    let path = files.write(
        "config.env",
        "# comment\nTEMPORAL_API_KEY=s3cret\nSEALANE_LOG=loud\n",
    );
    let env = Env::new(&[("TEMPORAL_NAMESPACE", "orders"), ("TEMPORAL_TLS", "false")]);

    let rows = report(Some(path.as_ref()), |name| env.get(name));

    assert_eq!(rows.len(), DEFINITIONS.len());
    let row = |name: &str| {
        let row = rows.iter().find(|row| row.name == name).unwrap();
        (row.value.as_deref(), row.source.clone())
    };
    let line = |line| Source::File {
        path: path.clone().into(),
        line,
    };
    assert_eq!(row("TEMPORAL_API_KEY"), (Some("<redacted>"), line(2)));
    assert_eq!(row("SEALANE_LOG"), (Some("loud"), line(3)));
    assert_eq!(
        row("TEMPORAL_NAMESPACE"),
        (Some("orders"), Source::Environment)
    );
    assert_eq!(row("SEALANE_POLLERS"), (Some("auto"), Source::Default));
    assert_eq!(row("SEALANE_LEGACY_KEY_ID"), (None, Source::Default));
}
