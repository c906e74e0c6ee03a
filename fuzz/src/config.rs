//! A configuration file, as an operator or a template could write it.

use std::{collections::BTreeMap, ffi::OsString, fs, path::Path, sync::LazyLock};

use sealane_service::settings::{DEFINITIONS, Settings, SettingsError, Source, report};
use tempfile::TempDir;

use crate::{
    CANARY, Outcome, Target,
    bytes::{assert_one_line, assert_silent, choice},
};

pub(crate) const TARGET: Target = Target {
    name: "config_env",
    run,
    words: &[
        "\nSEALANE_ENCRYPTION=off\n",
        "\nTEMPORAL_API_KEY=S3cretCanary0815\n",
        "\nOTEL_EXPORTER_OTLP_HEADERS=a=S3cretCanary0815\n",
        "\nTEMPORAL_GRPC_META_X=S3cretCanary0815\n",
        "\nORDERS_GATEWAY_URL=http://u:S3cretCanary0815@h\n",
        "\nTEMPORAL_ADDRESS=https://a:1\n",
        "\nTEMPORAL_TLS=true\n",
        "\nKEYVAULT_URL=https://v.vault.azure.net\n",
        "\nKEYVAULT_SECRET_NAME=k\n",
        "\nSEALANE_KEY_REFRESH=1h\n",
        "\nSEALANE_AUTH=oidc\n",
        "\u{feff}",
        "\r\n",
        "\"",
        "://",
        "@",
        "18446744073709551616",
    ],
};

/// Longest message: the longest domain there is, and a value.
const MESSAGE: usize = 1000;

/// Variables that set a header: the process's own are looked at as well, and it has none.
const GRPC_META: &str = "TEMPORAL_GRPC_META_";

/// Settings that name files. What is in a file of this machine is no part of the input.
const FILES: [&str; 2] = ["TEMPORAL_CONFIG_FILE", "TEMPORAL_PROFILE"];

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

/// The first byte chooses whether the process is in a pod; the rest is the file.
fn run(input: &[u8]) -> Outcome {
    let (choices, text) = choice(input);
    let in_pod = choices & 1 == 1;
    let loaded = load(text, in_pod);
    let Ok(text) = str::from_utf8(text) else {
        assert!(loaded.is_err());
        return Outcome::Refused;
    };
    let hides = hides_the_canary(text, Password::Meant);
    reported(in_pod, text, hides);
    match loaded {
        Ok(settings) => {
            accepted(&settings, text, in_pod);
            Outcome::Accepted
        }
        Err(error) => {
            refused(&error, text, hides);
            Outcome::Refused
        }
    }
}

fn load(text: &[u8], in_pod: bool) -> Result<Settings, SettingsError> {
    let path = write(text);
    Settings::load(Some(&path), |name| environment(name, in_pod))
}

fn write(text: &[u8]) -> std::path::PathBuf {
    // Targets run beside each other.
    let thread = format!("{:?}", std::thread::current().id());
    let path = FOLDER.path().join(thread);
    fs::write(&path, text).expect("a file");
    path
}

fn environment(name: &str, in_pod: bool) -> Option<OsString> {
    (in_pod && name == "KUBERNETES_SERVICE_HOST").then(|| "10.0.0.1".into())
}

/// The rules of the file, written a second time: what each line that sets something sets.
fn entries(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        let value = value.trim_start();
        let inner = ['"', '\''].into_iter().find_map(|quote| {
            let inner = value.strip_prefix(quote)?;
            inner.strip_suffix(quote)
        });
        Some((name.trim_end(), inner.unwrap_or(value)))
    })
}

/// Whether the [`CANARY`] is nowhere but where it is a secret: as the value of a secret setting, in a header, or as
/// the `password` of an address.
fn hides_the_canary(text: &str, password: Password) -> bool {
    let secret = |name: &str| {
        let mut known = DEFINITIONS.iter();
        name.starts_with(GRPC_META) || known.any(|it| it.name == name && it.secret)
    };
    let shown = entries(text).any(|(name, value)| {
        let value = without(password, value);
        name.contains(CANARY) || !secret(name) && value.contains(CANARY)
    });
    text.contains(CANARY) && !shown
}

/// What counts as a password.
#[derive(Clone, Copy)]
enum Password {
    /// What URLs have as one.
    Real,
    /// Whatever is before an @, since a password may have been written without escapes; and the query, which may be a signature.
    Meant,
}

fn without(password: Password, value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else {
        return value.to_owned();
    };
    let until = |rest: &str, ends: &[char]| rest.find(ends).unwrap_or(rest.len());
    let searched = match password {
        Password::Real => until(rest, &['/', '\\', '?', '#']),
        Password::Meant => rest.len(),
    };
    let rest = rest[..searched].rfind('@').map_or(rest, |at| &rest[at..]);
    let end = match password {
        Password::Real => rest.len(),
        Password::Meant => until(rest, &['?', '#']),
    };
    format!("{scheme}://{}", &rest[..end])
}

/// Every setting is reported once, and no secret is.
fn reported(in_pod: bool, text: &str, hides: bool) {
    let path = write(text.as_bytes());
    let rows = report(Some(&path), |name| environment(name, in_pod));
    let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
    let known: Vec<_> = DEFINITIONS.iter().map(|it| it.name).collect();
    assert_eq!(names[..known.len()], known);
    for row in &rows {
        let by_file = matches!(&row.source, Source::File { path: file, .. } if *file == path);
        let by_all = by_file || row.source == Source::Default || names_a_profile(text);
        assert!(by_all, "{row:?}");
        if hides {
            assert_silent(&format!("{row:?}"));
        }
    }
}

fn names_a_profile(text: &str) -> bool {
    entries(text).any(|(name, _)| FILES.contains(&name))
}

/// Every problem is one line that does not show a secret.
fn refused(error: &SettingsError, text: &str, hides: bool) {
    assert!(!error.problems().is_empty());
    for problem in error.problems() {
        let message = problem.to_string();
        assert_one_line(&message, MESSAGE + 6 * text.len());
        if hides {
            assert_silent(&message);
            assert_silent(&format!("{problem:?}"));
        }
    }
}

/// Settings mean the same in any order, with any line ends, and in the environment; and show no secret.
fn accepted(settings: &Settings, text: &str, in_pod: bool) {
    let shown = format!("{settings:?}");
    if hides_the_canary(text, Password::Real) {
        assert_silent(&shown);
    }
    let same = |other: Result<Settings, SettingsError>, what: &str| match other {
        Ok(other) => assert_eq!(format!("{other:?}"), shown, "{what}"),
        Err(error) => panic!("{what}: {error}"),
    };
    let plain = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<_> = plain.lines().collect();
    same(
        load(lines.join("\r\n").as_bytes(), in_pod),
        "Windows line ends",
    );
    same(
        load(format!("\u{feff}{plain}").as_bytes(), in_pod),
        "a byte order mark",
    );
    lines.reverse();
    same(load(lines.join("\n").as_bytes(), in_pod), "another order");

    let set: BTreeMap<_, _> = entries(text).collect();
    if set.keys().any(|name| name.starts_with(GRPC_META)) {
        return;
    }
    let elsewhere = Settings::load(None::<&Path>, |name| {
        let value = set.get(name).map(OsString::from);
        value.or_else(|| environment(name, in_pod))
    });
    same(elsewhere, "the environment");
}
