//! The manifest check, as `deploy` runs it, finds nothing in what we ship.

use std::thread;

use anyhow::Context;
use sealane_manifests::{Finding, KubernetesVersion, Options, check, parse};

use crate::{
    instance,
    renderings::{self, Rendering},
};

/// The least and the greatest version, between which rules change; KEDA's temporal scaler needs 1.35, and 1.36 for the cloud.
const VERSIONS: [&str; 4] = ["1.34", "1.35", "1.36", "1.37"];

#[test]
fn nothing_is_found_in_any_rendering() -> anyhow::Result<()> {
    let all: Vec<_> = renderings::of_overlays().collect();
    let found = thread::scope(|scope| {
        let halves: Vec<_> = all
            .chunks(all.len().div_ceil(2))
            .map(|half| scope.spawn(move || half.iter().map(|it| told(it)).collect::<Vec<_>>()))
            .collect();
        let joined = halves
            .into_iter()
            .flat_map(|it| it.join().expect("it does not panic"));
        joined.collect::<anyhow::Result<Vec<_>>>()
    })?;

    let found: Vec<_> = found.into_iter().flatten().collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

/// What is around the workloads is not ours to restrict, and still has to be right.
#[test]
fn nothing_is_found_in_what_prepares_the_cluster() -> anyhow::Result<()> {
    for root in ["gateway", "temporal"] {
        let findings = findings(renderings::with(root, &[]), "1.36")?;
        assert!(findings.is_empty(), "{root}: {findings:#?}");
    }
    Ok(())
}

/// Two autoscalers that kustomize cannot tell from each other, since they do not come from our components.
#[test]
fn an_hpa_beside_keda_is_found() -> anyhow::Result<()> {
    let keda = renderings::with("aks", &["keda"]);
    let hpa = renderings::with("aks", &["hpa"]);
    let [keda_objects, hpa_objects] = [keda, hpa].map(|it| parse("rendering", &it.text));
    let mut both = keda_objects?;
    let autoscalers = hpa_objects?
        .into_iter()
        .filter(|it| it.to_string().starts_with("HorizontalPodAutoscaler/"));
    both.extend(autoscalers);

    let found = check(&both, &options("1.36")?);

    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].message.contains("sealane-worker"), "{found:#?}");
    Ok(())
}

/// Placeholders are found before anything is applied: an overlay alone is nobody's environment.
#[test]
fn what_nobody_has_filled_in_is_found() -> anyhow::Result<()> {
    let bare = Rendering::bare("aks")?;
    let found = findings(&bare, "1.36")?;
    assert!(!found.is_empty());
    let told: Vec<_> = found.iter().map(|it| it.message.as_str()).collect();
    for placeholder in ["00000000-0000-0000-0000-000000000000", "sealane-example"] {
        assert!(
            told.iter().any(|it| it.contains(placeholder)),
            "{placeholder}: {told:#?}"
        );
    }
    Ok(())
}

/// Another namespace's identities, another vault: what `deploy` compares with Terraform's outputs.
#[test]
fn what_does_not_fit_the_infrastructure_is_found() -> anyhow::Result<()> {
    let outputs = instance::outputs();
    let worker = "/identities/value/worker/client_id";
    let faults = [
        ("/key_vault_url/value", "https://another.vault.azure.net"),
        (worker, "9f0d6d1c-1a3e-4b1f-9a52-7c6d5e4f3a01"),
        (
            "/identities/value/api/subject",
            "system:serviceaccount:sealane:default",
        ),
        ("/namespace/value", "another"),
    ];
    let with = |outputs: &serde_json::Value| -> anyhow::Result<Vec<Finding>> {
        let mut options = options("1.36")?;
        options.infrastructure = Some(sealane_manifests::Infrastructure::parse(
            &outputs.to_string(),
        )?);
        Ok(check(
            &parse("rendering", &renderings::with("aks", &[]).text)?,
            &options,
        ))
    };
    let right = with(&outputs)?;
    assert!(right.is_empty(), "{right:#?}");

    for (pointer, value) in faults {
        let mut wrong = outputs.clone();
        *wrong.pointer_mut(pointer).context(pointer)? = value.into();
        assert!(!with(&wrong)?.is_empty(), "{pointer}");
    }
    Ok(())
}

/// What is found, a line each, for the versions that the components are for.
fn told(rendering: &Rendering) -> anyhow::Result<Vec<String>> {
    let keda = rendering.components.iter().any(|it| it.starts_with("keda"));
    let least = match (keda, rendering.overlay.as_str()) {
        (false, _) => "1.34",
        (true, "aks-cloud") => "1.36",
        (true, _) => "1.35",
    };
    let objects = parse(&rendering.name(), &rendering.text)?;
    let mut lines = Vec::new();
    for version in VERSIONS.iter().filter(|it| **it >= least) {
        for it in check(&objects, &options(version)?) {
            lines.push(format!(
                "{}, Kubernetes {version}: {}: {}: {}",
                rendering.name(),
                it.slug,
                it.object,
                it.message
            ));
        }
    }
    Ok(lines)
}

fn findings(rendering: &Rendering, version: &str) -> anyhow::Result<Vec<Finding>> {
    Ok(check(
        &parse(&rendering.name(), &rendering.text)?,
        &options(version)?,
    ))
}

fn options(version: &str) -> anyhow::Result<Options> {
    Ok(Options {
        kubernetes_version: Some(version.parse::<KubernetesVersion>()?),
        arguments: Some(arguments),
        ..Options::default()
    })
}

/// As `sealane` would take them.
fn arguments(words: &[&str]) -> Result<(), String> {
    let parsed = sealane_client::cli::parse(words.iter().map(Into::into));
    parsed.map(drop).map_err(|error| error.to_string())
}
