//! Connection settings from a profile of Temporal's own configuration file.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
};

use temporalio_common::envconfig::{
    ClientConfigProfile, ClientConfigTLS, ConfigError, DEFAULT_PROFILE, DataSource,
    LoadClientConfigProfileOptions, load_client_config_profile,
};

use super::{
    definitions::{PROFILE, PROFILE_FILE, definition},
    problem::{Problem, Source},
    secret::Secret,
};

/// The values of one profile, under the names of the variables that would override them.
#[derive(Debug, Default)]
pub(super) struct Profile {
    name: String,
    values: BTreeMap<&'static str, String>,
    headers: BTreeMap<String, String>,
}

impl Profile {
    /// Loads the profile called `name` of `file`.
    ///
    /// Without either there is no profile: the user's own file is only read when asked for, so
    /// that a process never connects somewhere because of who started it.
    pub(super) fn load(
        file: Option<(String, Source)>,
        name: Option<(String, Source)>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let chosen_by = if name.is_some() {
            PROFILE
        } else {
            PROFILE_FILE
        };
        if file.is_none() && name.is_none() {
            return Self::default();
        }
        let name = name.map_or_else(|| DEFAULT_PROFILE.to_owned(), |(name, _)| name);
        let bytes = match file.map(read).transpose() {
            Ok(bytes) => bytes,
            Err(problem) => {
                problems.push(problem);
                return Self::default();
            }
        };
        match load(bytes, &name) {
            Ok(profile) => Self::from_sdk(name, profile),
            Err(error) => {
                problems.push(Problem::Profile {
                    name: chosen_by,
                    reason: reason(&error),
                });
                Self::default()
            }
        }
    }

    fn from_sdk(name: String, profile: ClientConfigProfile) -> Self {
        let mut values = Vec::new();
        values.push(("TEMPORAL_ADDRESS", profile.address));
        values.push(("TEMPORAL_NAMESPACE", profile.namespace));
        values.push(("TEMPORAL_API_KEY", profile.api_key));
        if let Some(codec) = profile.codec {
            values.push(("TEMPORAL_CODEC_ENDPOINT", codec.endpoint));
            values.push(("TEMPORAL_CODEC_AUTH", codec.auth));
        }
        values.extend(profile.tls.into_iter().flat_map(tls_values));
        let values = values
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        Self {
            name,
            values: values.collect(),
            headers: profile.grpc_meta.into_iter().collect(),
        }
    }

    /// Returns the value that the profile has for the variable `name`.
    pub(super) fn find(&self, name: &str) -> Option<(String, Source)> {
        let value = self.values.get(name)?;
        Some((value.clone(), self.source()))
    }

    /// Returns the gRPC headers of the profile.
    pub(super) fn headers(&self) -> BTreeMap<String, (Secret, Source)> {
        let sourced = |value: &String| (Secret::new(value), self.source());
        self.headers
            .iter()
            .map(|(name, value)| (name.clone(), sourced(value)))
            .collect()
    }

    fn source(&self) -> Source {
        Source::Profile {
            name: self.name.clone(),
        }
    }
}

fn read((path, at): (String, Source)) -> Result<Vec<u8>, Problem> {
    fs::read(&path).map_err(|error| {
        let row = definition(PROFILE_FILE);
        Problem::invalid(row, &path, at, format!("{}: {error}", row.domain))
    })
}

/// Lets the SDK parse the file, so that both understand the same format.
fn load(file: Option<Vec<u8>>, name: &str) -> Result<ClientConfigProfile, ConfigError> {
    let options = LoadClientConfigProfileOptions::builder()
        .maybe_config_source(file.map(DataSource::Data))
        .config_file_profile(name.to_owned())
        .disable_env(true)
        .build();
    load_client_config_profile(options, Some(&HashMap::new()))
}

/// Says what is wrong in one line. The parser's further lines quote the file, which may hold an API key.
fn reason(error: &ConfigError) -> String {
    match error {
        ConfigError::ProfileNotFound(name) => {
            format!("expected the Temporal configuration file to have a profile {name:?}")
        }
        ConfigError::InvalidConfig(text) => text.clone(),
        ConfigError::LoadError(error) => error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}

fn tls_values(tls: ClientConfigTLS) -> Vec<(&'static str, Option<String>)> {
    // A TLS section turns TLS on unless it says otherwise, as in the SDK.
    let on = !tls.disabled.unwrap_or(false);
    let (cert_path, cert_data) = split(tls.client_cert);
    let (key_path, key_data) = split(tls.client_key);
    let (ca_path, ca_data) = split(tls.server_ca_cert);
    let unverified = tls.disable_host_verification.then(|| true.to_string());
    vec![
        ("TEMPORAL_TLS", Some(on.to_string())),
        ("TEMPORAL_TLS_CLIENT_CERT_PATH", cert_path),
        ("TEMPORAL_TLS_CLIENT_CERT_DATA", cert_data),
        ("TEMPORAL_TLS_CLIENT_KEY_PATH", key_path),
        ("TEMPORAL_TLS_CLIENT_KEY_DATA", key_data),
        ("TEMPORAL_TLS_SERVER_CA_CERT_PATH", ca_path),
        ("TEMPORAL_TLS_SERVER_CA_CERT_DATA", ca_data),
        ("TEMPORAL_TLS_SERVER_NAME", tls.server_name),
        ("TEMPORAL_TLS_DISABLE_HOST_VERIFICATION", unverified),
    ]
}

/// Returns the path or the text of a certificate or key. TOML strings are UTF-8, so nothing is lost.
fn split(source: Option<DataSource>) -> (Option<String>, Option<String>) {
    match source {
        Some(DataSource::Path(path)) => (Some(path), None),
        Some(DataSource::Data(bytes)) => (None, Some(String::from_utf8_lossy(&bytes).into_owned())),
        _ => (None, None),
    }
}
