//! A process as the manifests start it: its program, and the settings it reads from what it is given.

use std::{collections::BTreeMap, ffi::OsString, fs, path::Path};

use anyhow::Context;
use sealane_service::settings::Settings;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    pod::{Container, Pod},
    renderings::Rendering,
};

/// What the webhook of workload identity sets in pods with its label.
const WEBHOOK: [(&str, &str); 3] = [
    ("AZURE_CLIENT_ID", "5f0d6d1c-1a3e-4b1f-9a52-000000000001"),
    ("AZURE_TENANT_ID", "0c2a3a55-6f2b-4a0e-8f43-1b2c3d4e5f60"),
    ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/"),
];

/// What temporal-worker-controller sets in every container of a `WorkerDeployment`.
const CONTROLLER: [(&str, &str); 2] = [
    ("TEMPORAL_DEPLOYMENT_NAME", "sealane/sealane-worker"),
    ("TEMPORAL_WORKER_BUILD_ID", "9f86d081-5c4d"),
];

/// The container of a pod that runs a program of ours.
#[derive(Debug)]
pub(crate) struct Process<'a> {
    pub(crate) pod: Pod<'a>,
    pub(crate) container: Container<'a>,
    /// What the manifests give it.
    pub(crate) environment: BTreeMap<String, String>,
    /// Whether temporal-worker-controller knows an API key, and so hands it on.
    controller_has_key: bool,
}

impl<'a> Process<'a> {
    pub(crate) fn new(rendering: &'a Rendering, pod: Pod<'a>) -> Self {
        let container = pod.main();
        Self {
            pod,
            container,
            environment: container.environment(rendering),
            controller_has_key: rendering
                .of_kind("Connection")
                .any(|it| it.at("/spec/apiKeySecretRef").is_object()),
        }
    }

    /// Returns a variable that is set to something.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let value = self.environment.get(name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    /// Returns the settings it starts with: what the manifests give it, and what webhooks and controllers add.
    ///
    /// # Errors
    ///
    /// Everything that the process itself would say of its settings; also if a setting names a file that is not mounted.
    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        let files = TempDir::new()?;
        let mut seen = self.environment.clone();
        seen.retain(|_, value| !value.is_empty());
        for (name, value) in &mut seen {
            // Workers share the settings of those who answer requests, and not their files.
            let of_others = name.starts_with("SEALANE_AUTH_") && !self.serves();
            if value.starts_with('/') && !of_others {
                *value = self.file(value, files.path())?;
            }
        }
        if self.pod.label("azure.workload.identity/use") == Some("true") {
            let token = files.path().join("token");
            fs::write(&token, "not a token")?;
            add(&mut seen, &WEBHOOK);
            add(
                &mut seen,
                &[("AZURE_FEDERATED_TOKEN_FILE", &token.display().to_string())],
            );
        }
        if self.pod.owner.kind() == "WorkerDeployment" {
            add(&mut seen, &CONTROLLER);
            if self.controller_has_key {
                add(&mut seen, &[("TEMPORAL_API_KEY", "a-key")]);
            }
        }
        let settings = Settings::load(None, |name| seen.get(name).map(OsString::from));
        settings.with_context(|| self.to_string())
    }

    /// Whether it answers requests, and so has to know who is calling.
    pub(crate) fn serves(&self) -> bool {
        ["api", "codec-server"].contains(&self.container.name())
    }

    /// Makes a file in `place` that stands for `path` in the container, and returns where it is.
    fn file(&self, path: &str, place: &Path) -> anyhow::Result<String> {
        let mounts = self.container.at("/volumeMounts").as_array();
        let mut points = mounts.into_iter().flatten().filter_map(|it| {
            let point = it.get("mountPath").and_then(Value::as_str)?;
            path.starts_with(&format!("{point}/"))
                .then_some(it["name"].as_str()?)
        });
        let volume = points
            .next()
            .with_context(|| format!("{path} is in no mounted volume"))?;
        let volumes = self.pod.spec("/volumes").as_array();
        let is_there = volumes.into_iter().flatten().any(|it| it["name"] == volume);
        anyhow::ensure!(
            is_there,
            "{self} mounts {volume}, which is no volume of the pod"
        );
        let file = place.join(path.replace('/', "_"));
        fs::write(&file, "stands-for-a-file")?;
        Ok(file.display().to_string())
    }
}

impl std::fmt::Display for Process<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in {}", self.container.name(), self.pod)
    }
}

/// Both leave alone what is set already.
fn add(variables: &mut BTreeMap<String, String>, more: &[(&str, &str)]) {
    for (name, value) in more {
        variables
            .entry((*name).to_owned())
            .or_insert_with(|| (*value).to_owned());
    }
}

/// Returns all processes of a rendering.
pub(crate) fn all(rendering: &Rendering) -> impl Iterator<Item = Process<'_>> {
    rendering.pods().map(|pod| Process::new(rendering, pod))
}
