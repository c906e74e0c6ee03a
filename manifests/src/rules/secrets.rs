//! Keys, and what else nobody should read.

use sealane_service::settings::DEFINITIONS;

use crate::{
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
        "take it from Key Vault (KEYVAULT_API_KEY_SECRET_NAME) or from a file (TEMPORAL_API_KEY_FILE), and replace it: it has been read",
        Check::Whole(|scene| [in_environments(scene), in_config_maps(scene)].concat()),
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
            let name = secret_settings()
                .find(|name| environment.get(name).is_some_and(|it| it.value.is_none()))?;
            Some(format!("{name} comes from a Secret"))
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
    let entries = scene
        .of_kind("ConfigMap")
        .flat_map(|it| it.value().entries("/data").map(move |entry| (it, entry)));
    let private = entries.filter(|(_, (_, value))| value.as_str().is_some_and(is_private));
    private
        .map(|(object, (key, _))| (object, format!("{key} holds a key")))
        .collect()
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
