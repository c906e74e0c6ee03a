//! A changed setting is a rollout: processes read their settings once, at start.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    pod::Pod,
    renderings::{self, Rendering},
};

const CHANGE: &str = "TEMPORAL_TASK_QUEUE=another";

#[test]
fn a_changed_setting_changes_every_pod() -> anyhow::Result<()> {
    // Deployments, and the kinds that kustomize has to be told where the name of the ConfigMap is.
    let combinations: [(&str, &[&str]); 3] = [
        ("aks", &[]),
        ("aks", &["keda-scaledjob"]),
        ("aks-cloud", &["versioned-cloud"]),
    ];
    for (overlay, components) in combinations {
        let before = renderings::with(overlay, components);
        let after = Rendering::with_settings(overlay, components, &[CHANGE])?;

        assert_eq!(before.pods().count(), after.pods().count());
        for (one, other) in before.pods().zip(after.pods()) {
            assert_eq!(one.owner.name(), other.owner.name());
            let settings = |pod: Pod<'_>| pod.main().at("/envFrom").clone();
            assert_ne!(
                settings(one),
                settings(other),
                "{one} would not be rolled out"
            );
        }
    }
    Ok(())
}

/// An unchanged setting is none.
#[test]
fn the_same_settings_have_the_same_name() -> anyhow::Result<()> {
    let again = Rendering::of("aks", &[])?;

    assert_eq!(again.text, renderings::with("aks", &[]).text);
    Ok(())
}

/// What a pod names has to be there, hash and all; kinds that kustomize does not know need to be told where the name is.
#[test]
fn every_config_map_that_a_pod_names_is_rendered() {
    for rendering in renderings::of_overlays() {
        let there = config_maps(rendering);
        for pod in rendering.pods() {
            let volumes = pod.spec("/volumes").as_array().into_iter().flatten();
            let mut named: Vec<&str> = volumes
                .filter_map(|it| it.pointer("/configMap/name").and_then(Value::as_str))
                .collect();
            for container in pod.containers() {
                let from = container.at("/envFrom").as_array().into_iter().flatten();
                named.extend(from.filter_map(|it| it.pointer("/configMapRef/name")?.as_str()));
            }
            assert!(
                !named.is_empty(),
                "{}: {pod} has no settings",
                rendering.name()
            );
            for name in named {
                assert!(there.contains(name), "{}: {pod}: {name}", rendering.name());
            }
        }
    }
}

fn config_maps(rendering: &Rendering) -> BTreeSet<String> {
    rendering
        .of_kind("ConfigMap")
        .map(|it| it.name().to_owned())
        .collect()
}
