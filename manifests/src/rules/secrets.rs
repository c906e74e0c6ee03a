//! Keys, and what else nobody should read.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sealane_service::settings::DEFINITIONS;
use serde_json::Value;

use crate::{
    mount::Mount,
    object::Object,
    rule::{Check, Found, Rule, in_container},
    scene::Scene,
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "encryption-off",
        "payloads go to Temporal in plaintext",
        "remove SEALANE_ENCRYPTION, or set it to required",
        Check::Processes(|it, _, scene| {
            let environment = scene.environment(it);
            (environment.text("SEALANE_ENCRYPTION") == Some("off"))
                .then(|| "SEALANE_ENCRYPTION is off".to_owned())
        }),
    ),
    Rule::new(
        "secret-in-config",
        "a secret is written in a ConfigMap or in the manifest of a workload",
        "take it from Key Vault, or from a Secret that is mounted as a file, and replace it: it has been read",
        Check::Whole(|scene| {
            [
                in_environments(scene),
                in_files(scene),
                in_config_maps(scene),
            ]
            .concat()
        }),
    ),
    Rule::new(
        "secret-rendered",
        "a Secret with its content is among the manifests, and so in Git or in a file",
        "take it from Key Vault with the pod's identity, or make it with `kubectl create secret`",
        Check::Objects(|object, _| {
            let keys = object
                .value()
                .entries("/data")
                .chain(object.value().entries("/stringData"));
            let keys: Vec<&str> = keys.map(|(key, _)| key).collect();
            (object.kind() == "Secret" && !keys.is_empty())
                .then(|| format!("it holds {}", keys.join(", ")))
        }),
    ),
    Rule::new(
        "client-secret",
        "an application's password for Azure is in the cluster",
        "remove it; workload identity needs none",
        Check::Whole(|scene| [client_secrets(scene), client_secret_objects(scene)].concat()),
    ),
    Rule::new(
        "key-in-environment",
        "a process gets a secret as a variable, which children, dumps and `kubectl exec` can see",
        "mount the Secret as a file and name it, for instance with TEMPORAL_API_KEY_FILE, or take it from Key Vault",
        Check::Processes(|it, _, scene| {
            let environment = scene.environment(it);
            let is_hidden =
                |name: &&str| environment.get(name).is_some_and(|it| it.value.is_none());
            if let Some(name) = secret_settings().find(is_hidden) {
                return Some(format!("{name} comes from a Secret"));
            }
            let mut sources = it.value.list("/envFrom").iter();
            let secret = sources.find_map(|it| it.text("/secretRef/name"))?;
            Some(format!("every entry of the Secret {secret} becomes one"))
        }),
    ),
    Rule::new(
        "secret-by-sub-path",
        "a file of a Secret is mounted by subPath, and a rotated one never arrives",
        "mount the volume as a directory",
        Check::Containers(|it, _| {
            let volumes = it.workload.pod().list("/volumes");
            let is_secret = |name| {
                volumes.iter().any(|it| {
                    it.text("/name") == name
                        && (it.has("/secret") || it.has("/csi") || it.has("/projected"))
                })
            };
            let mut mounts = it.value.list("/volumeMounts").iter();
            let mount = mounts.find(|it| it.has("/subPath") && is_secret(it.text("/name")))?;
            Some(format!(
                "{} is mounted by subPath",
                mount.text("/mountPath").unwrap_or_default()
            ))
        }),
    ),
];

fn secret_settings() -> impl Iterator<Item = &'static str> {
    DEFINITIONS.iter().filter(|it| it.secret).map(|it| it.name)
}

/// The form of keys that are nobody's business, whatever they are called.
fn is_private(value: &str) -> bool {
    value.contains("PRIVATE KEY-----")
        || value.contains("AccountKey=")
        || value.contains("SharedAccessSignature")
        || is_key_ring(value)
}

/// The form of `SEALANE_KEY_FILE`.
fn is_key_ring(text: &str) -> bool {
    let ring: Value = serde_json::from_str(text).unwrap_or_default();
    ring.has("/active") && ring.has("/keys")
}

/// Settings that name a file with a secret in it.
const FILES: &[&str] = &[
    "SEALANE_AUTH_TOKENS_FILE",
    "SEALANE_KEY_FILE",
    "TEMPORAL_API_KEY_FILE",
    "TEMPORAL_TLS_CLIENT_KEY_PATH",
];

/// Returns the processes that read a secret from a `ConfigMap`, rendered or not.
fn in_files<'a>(scene: &Scene<'a>) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    for (container, _) in scene.processes() {
        let environment = scene.environment(container);
        for name in FILES {
            let mount = environment
                .text(name)
                .and_then(|it| Mount::at(container, it));
            if let Some(map) = mount.and_then(|it| it.config_map(scene)) {
                let message = in_container(container, &format!("{name} is in the ConfigMap {map}"));
                found.push((container.workload.object, message));
            }
        }
    }
    found
}

fn in_environments<'a>(scene: &Scene<'a>) -> Vec<Found<'a>> {
    let mut found: Vec<Found<'a>> = Vec::new();
    for (container, _) in scene.processes() {
        let environment = scene.environment(container);
        for name in secret_settings().filter(|name| environment.text(name).is_some()) {
            let object = environment
                .get(name)
                .map_or(container.workload.object, |it| it.set_by);
            let is_own = std::ptr::eq(object, container.workload.object);
            let message = format!("{name} has a value");
            let message = if is_own {
                in_container(container, &message)
            } else {
                message
            };
            if !found
                .iter()
                .any(|(other, said)| std::ptr::eq(*other, object) && *said == message)
            {
                found.push((object, message));
            }
        }
    }
    found
}

fn in_config_maps<'a>(scene: &Scene<'a>) -> Vec<Found<'a>> {
    let holds = |map: &'a Object| {
        let text = map.value().entries("/data");
        let text = text.filter(|(_, value)| value.as_str().is_some_and(is_private));
        let binary = map.value().entries("/binaryData");
        let binary = binary.filter(|(_, value)| is_private(&decoded(value)));
        let keys = text.chain(binary).map(|(key, _)| key);
        keys.map(move |key| (map, format!("{key} holds a key")))
    };
    scene.of_kind("ConfigMap").flat_map(holds).collect()
}

/// Reads base64 as Kubernetes does, line breaks included; what is none reads as nothing.
fn decoded(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    let text: String = text.split_whitespace().collect();
    let bytes = BASE64_STANDARD.decode(text).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

const CLIENT_SECRETS: &[&str] = &[
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_SECRET",
    "AZURE_PASSWORD",
];

fn client_secrets<'a>(scene: &Scene<'a>) -> Vec<Found<'a>> {
    let containers = scene
        .workloads()
        .flat_map(crate::workload::Workload::all_containers);
    let found = containers.filter_map(|it| {
        let environment = scene.environment(it);
        let name = CLIENT_SECRETS
            .iter()
            .find(|name| environment.get(name).is_some())?;
        Some((
            it.workload.object,
            in_container(it, &format!("{name} is set")),
        ))
    });
    found.collect()
}

fn client_secret_objects<'a>(scene: &Scene<'a>) -> Vec<Found<'a>> {
    let holds = |object: &Object| {
        let mut keys = object
            .value()
            .entries("/data")
            .chain(object.value().entries("/stringData"))
            .map(|(key, _)| key);
        keys.find(|key| CLIENT_SECRETS.contains(key) || key.eq_ignore_ascii_case("clientsecret"))
            .map(ToOwned::to_owned)
    };
    scene
        .of_kind("Secret")
        .filter_map(|it| Some((it, format!("it holds {}", holds(it)?))))
        .collect()
}
