//! The identities that Terraform makes are those that the pods ask for.

use std::{collections::BTreeMap, fs};

use anyhow::Context;
use serde_json::Value;

use crate::{
    instance, process,
    programs::root,
    renderings::{self, Rendering},
};

const CLIENT_ID: &str = "azure.workload.identity/client-id";

/// The one list of workloads, which Terraform reads too.
fn workloads() -> anyhow::Result<BTreeMap<String, Value>> {
    let text = fs::read_to_string(root().join("infra/terraform/workloads.json"))?;
    Ok(serde_json::from_str(&text)?)
}

fn on_azure() -> impl Iterator<Item = &'static Rendering> {
    renderings::of_overlays().filter(|it| it.overlay != "local")
}

/// `system:serviceaccount:NAMESPACE:ACCOUNT` has to be the same to the letter.
#[test]
fn every_workload_has_the_service_account_that_is_federated() -> anyhow::Result<()> {
    let module = fs::read_to_string(root().join("infra/terraform/modules/identities/main.tf"))?;
    let subject =
        r#""system:serviceaccount:${each.value.namespace}:${each.value.service_account}""#;
    assert!(
        module.contains(subject),
        "the subject is made of something else"
    );
    let workloads = workloads()?;

    for rendering in on_azure() {
        let mut federated = BTreeMap::new();
        for (component, workload) in &workloads {
            let account = workload["service_account"].as_str().context("a name")?;
            federated.insert(component.as_str(), account);
        }
        let run_as: BTreeMap<_, _> = rendering
            .pods()
            .map(|pod| (pod.component(), pod.service_account()))
            .collect();
        assert_eq!(run_as, federated, "{}", rendering.name());
        for account in federated.values() {
            let namespace = instance::namespace(&rendering.overlay);
            let account = rendering.find("ServiceAccount", account);
            assert_eq!(
                account.namespace(),
                Some(namespace.as_str()),
                "{}",
                rendering.name()
            );
        }
    }
    Ok(())
}

#[test]
fn terraform_makes_identities_for_the_namespace_of_the_overlays() -> anyhow::Result<()> {
    assert_eq!(default_of("namespace")?, instance::namespace("aks"));
    assert_eq!(default_of("namespace")?, instance::namespace("aks-cloud"));
    Ok(())
}

/// The webhook looks at the pod's label and the account's annotation, and at nothing else.
#[test]
fn every_pod_is_one_that_the_webhook_sees() {
    for rendering in on_azure() {
        for pod in rendering.pods() {
            let at = format!("{}: {pod}", rendering.name());
            assert_eq!(
                pod.label("azure.workload.identity/use"),
                Some("true"),
                "{at}"
            );
            let account = rendering.find("ServiceAccount", pod.service_account());
            let client = account.annotation(CLIENT_ID).unwrap_or_default();
            assert_eq!(client.len(), 36, "{at}: {client}");
            assert_eq!(account.at("/automountServiceAccountToken"), false, "{at}");
        }
    }
    let local = renderings::of_overlays().filter(|it| it.overlay == "local");
    for pod in local.flat_map(Rendering::pods) {
        assert_eq!(
            pod.label("azure.workload.identity/use"),
            None,
            "{pod} waits for a webhook that is not there"
        );
    }
}

/// An identity for two would let either read what the other may.
#[test]
fn no_two_workloads_share_an_identity() {
    for rendering in on_azure() {
        let mut clients: Vec<_> = rendering
            .of_kind("ServiceAccount")
            .filter_map(|it| it.annotation(CLIENT_ID))
            .collect();
        let all = clients.len();
        clients.sort_unstable();
        clients.dedup();
        assert_eq!(
            (all, clients.len()),
            (4, 4),
            "{}: {clients:?}",
            rendering.name()
        );
    }
}

/// Whoever asks for a secret may read it, and whoever may read it asks for it.
#[test]
fn every_process_asks_for_the_secrets_that_its_identity_may_read() -> anyhow::Result<()> {
    let workloads = workloads()?;
    for rendering in on_azure() {
        // Mounted keys are read by the driver, as the same identity; versions get the API key from their controller.
        let others_read = rendering
            .components
            .iter()
            .any(|it| it.starts_with("csi-keys") || it == "versioned-cloud");
        for process in process::all(rendering).filter(|_| !others_read) {
            let may = &workloads[process.pod.component()];
            let asks = |name: &str| Value::from(process.variable(name).is_some());
            let at = format!("{}: {process}", rendering.name());
            assert_eq!(asks("KEYVAULT_SECRET_NAME"), may["payload_key"], "{at}");
            if rendering.overlay == "aks-cloud" {
                assert_eq!(asks("KEYVAULT_API_KEY_SECRET_NAME"), may["api_key"], "{at}");
            }
        }
    }
    Ok(())
}

#[test]
fn the_secrets_have_the_names_that_terraform_gives_roles_for() -> anyhow::Result<()> {
    for (variable, setting) in [
        ("payload_key_secret_name", "KEYVAULT_SECRET_NAME"),
        ("api_key_secret_name", "KEYVAULT_API_KEY_SECRET_NAME"),
    ] {
        let cloud = renderings::with("aks-cloud", &[]);
        let worker = process::all(cloud).find(|it| it.container.name() == "worker");
        let worker = worker.context("there is a worker")?;
        assert_eq!(
            worker.variable(setting),
            Some(default_of(variable)?.as_str())
        );
    }
    Ok(())
}

/// KEDA's operator signs in as itself, in AKS's namespace, not as a pod of ours.
#[test]
fn keda_has_an_identity_of_its_own() -> anyhow::Result<()> {
    let module = fs::read_to_string(root().join("infra/terraform/modules/identities/main.tf"))?;
    assert!(module.contains(r#"service_account = "keda-operator", namespace = "kube-system", payload_key = false, api_key = true"#));
    for component in ["keda-cloud", "keda-scaledjob-cloud"] {
        let rendering = renderings::with("aks-cloud", &[component]);
        let authentication = rendering.find("TriggerAuthentication", "sealane-keda");
        let identity = authentication.text("/spec/azureKeyVault/podIdentity/identityId");
        let ours: Vec<_> = rendering
            .of_kind("ServiceAccount")
            .filter_map(|it| it.annotation(CLIENT_ID))
            .collect();
        assert!(
            identity.len() == 36 && !ours.contains(&identity),
            "{component}"
        );
        let worker = process::all(rendering).find(|it| it.container.name() == "worker");
        let worker = worker.context("there is a worker")?;
        assert_eq!(
            Some(authentication.text("/spec/azureKeyVault/vaultUri")),
            worker.variable("KEYVAULT_URL")
        );
        assert_eq!(
            Some(authentication.text("/spec/azureKeyVault/secrets/0/name")),
            worker.variable("KEYVAULT_API_KEY_SECRET_NAME")
        );
    }
    Ok(())
}

/// Returns the default of a variable of the root module.
fn default_of(variable: &str) -> anyhow::Result<String> {
    let folder = root().join("infra/terraform");
    for file in fs::read_dir(folder)? {
        let text = fs::read_to_string(file?.path()).unwrap_or_default();
        if let Some((_, rest)) = text.split_once(&format!("variable \"{variable}\" {{")) {
            let (block, _) = rest.split_once("\n}").context("the block ends")?;
            let default = block
                .lines()
                .find_map(|line| line.trim().strip_prefix("default"));
            let default = default.with_context(|| format!("{variable} has no default"))?;
            return Ok(default.trim_matches([' ', '=', '"']).to_owned());
        }
    }
    anyhow::bail!("no variable {variable}")
}
