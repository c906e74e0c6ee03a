//! Names that everything else relies on: of objects, images and commands; and nothing unresolved, nothing secret.

use std::{collections::BTreeSet, ffi::OsString, fs, time::Duration};

use anyhow::Context;

use crate::{instance, process, programs::root, renderings};

const COMPONENTS: [&str; 4] = ["api", "codec-server", "trigger", "worker"];

#[test]
fn every_overlay_has_the_four_processes_under_their_names() {
    for rendering in renderings::of_overlays() {
        let mut components = Vec::new();
        for pod in rendering.pods() {
            let component = pod.component();
            assert_eq!(
                pod.owner.name(),
                format!("sealane-{component}"),
                "{}",
                rendering.name()
            );
            assert_eq!(
                pod.service_account(),
                pod.owner.name(),
                "{}",
                rendering.name()
            );
            assert_eq!(pod.label("app.kubernetes.io/name"), Some("sealane"));
            assert_eq!(pod.label("app.kubernetes.io/part-of"), Some("sealane"));
            assert_eq!(pod.containers().len(), 1, "{}: {pod}", rendering.name());
            components.push(component);
        }
        components.sort_unstable();
        assert_eq!(components, COMPONENTS, "{}", rendering.name());
    }
}

/// A selector that finds other pods as well, or none, is noticed by nobody until it matters.
#[test]
fn every_selector_finds_its_own_pods_and_no_others() {
    for rendering in renderings::of_overlays() {
        for object in &rendering.objects {
            let selector = match object.kind() {
                "Deployment" | "PodDisruptionBudget" => object.at("/spec/selector").clone(),
                "Service" => serde_json::json!({"matchLabels": object.at("/spec/selector")}),
                _ => continue,
            };
            let found: Vec<_> = rendering
                .pods()
                .filter(|it| it.is_selected(&selector))
                .map(|it| it.owner.name())
                .collect();
            assert_eq!(found, [object.name()], "{}: {object}", rendering.name());
        }
    }
}

#[test]
fn a_disruption_budget_never_blocks_a_drain() {
    for rendering in renderings::of_overlays() {
        for budget in rendering.of_kind("PodDisruptionBudget") {
            assert_eq!(
                budget.at("/spec/maxUnavailable"),
                1,
                "{}: {budget}",
                rendering.name()
            );
            assert!(
                budget.at("/spec/minAvailable").is_null(),
                "{}: {budget}",
                rendering.name()
            );
            assert_eq!(
                budget.text("/spec/unhealthyPodEvictionPolicy"),
                "AlwaysAllow"
            );
        }
    }
}

#[test]
fn every_object_is_in_the_namespace_of_its_overlay() {
    for rendering in renderings::of_overlays() {
        let expected = instance::namespace(&rendering.overlay);
        let mut seen = BTreeSet::new();
        for object in &rendering.objects {
            let at = format!("{}: {object}", rendering.name());
            match object.kind() {
                "Namespace" => assert_eq!(object.name(), expected, "{at}"),
                _ => assert_eq!(object.namespace(), Some(expected.as_str()), "{at}"),
            }
            assert!(seen.insert(object.to_string()), "{at} is there twice");
        }
        assert!(
            seen.contains(&format!("Namespace {expected}")),
            "{}",
            rendering.name()
        );
    }
}

/// The names of the contract with Terraform and the scripts: one place to pin the image, for all.
#[test]
fn one_image_is_pinned_by_its_digest() {
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering) {
            let image = process.container.text("/image");
            let at = format!("{}: {process}: {image}", rendering.name());
            if rendering.overlay == "local" {
                // Loaded by hand, under the name that the page gives it.
                assert_eq!(image, "localhost/sealane:dev", "{at}");
            } else {
                let (name, digest) = image.split_once("@sha256:").unwrap_or_default();
                assert!(name.ends_with("/sealane") && digest.len() == 64, "{at}");
                assert!(process.container.at("/imagePullPolicy").is_null(), "{at}");
            }
            assert!(
                process.pod.spec("/imagePullSecrets").is_null(),
                "{}: {process}",
                rendering.name()
            );
        }
    }
}

#[test]
fn every_command_is_one_that_a_binary_of_ours_takes() -> anyhow::Result<()> {
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering) {
            let command = process.container.command();
            let (program, arguments) = command
                .split_first()
                .context("the image has no entry point")?;
            let at = format!("{}: {process}: {command:?}", rendering.name());
            let expected = match process.container.name() {
                "worker" => "sealane-worker",
                "codec-server" => "sealane-codec-server",
                _ => "sealane",
            };
            assert_eq!(*program, expected, "{at}");
            assert!(binaries()?.contains(*program), "{at}");
            match *program {
                "sealane" => drop(
                    sealane_client::cli::parse(command.iter().map(OsString::from)).context(at)?,
                ),
                "sealane-worker" => worker_takes(arguments).context(at)?,
                _ => assert!(arguments.is_empty(), "{at}"),
            }
        }
    }
    Ok(())
}

/// Its own parser is private; this is all it knows that a manifest would use.
fn worker_takes(arguments: &[&str]) -> anyhow::Result<()> {
    let source = fs::read_to_string(root().join("worker/src/process.rs"))?;
    match arguments {
        [] => Ok(()),
        ["--exit-when-idle", limit] => {
            anyhow::ensure!(
                source.contains("exit_when_idle: Option<Duration>"),
                "the flag is gone"
            );
            let limit = humantime::parse_duration(limit)?;
            let within = (Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&limit);
            anyhow::ensure!(within, "{limit:?} is refused");
            Ok(())
        }
        _ => anyhow::bail!("unknown arguments"),
    }
}

/// The names of all binaries that Cargo builds from crates that are shipped.
fn binaries() -> anyhow::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for member in ["worker", "client", "codec-server"] {
        let manifest = fs::read_to_string(root().join(member).join("Cargo.toml"))?;
        match manifest.split_once("[[bin]]\nname = \"") {
            Some((_, rest)) => names.extend(rest.split('"').next().map(str::to_owned)),
            None if root().join(member).join("src/main.rs").is_file() => {
                names.insert(format!("sealane-{member}"));
            }
            None => anyhow::bail!("{member} has no binary"),
        }
    }
    Ok(names)
}

/// kustomize fills in nothing, so what looks like a variable stays one.
#[test]
fn nothing_is_unresolved() {
    for rendering in renderings::all() {
        for object in &rendering.objects {
            // Grafana fills in its own.
            let is_dashboard = object.name() == "sealane-dashboard";
            let text = object.value().to_string();
            for mark in [
                "${",
                "$(",
                "<your",
                "CHANGEME",
                "00000000-0000-0000",
                "sealane-example",
            ] {
                let found = text.contains(mark) && !is_dashboard;
                assert!(!found, "{}: {object}: {mark}", rendering.name());
            }
        }
    }
}

#[test]
fn nothing_secret_is_in_a_manifest() {
    for rendering in renderings::all() {
        let secrets: Vec<_> = rendering
            .of_kind("Secret")
            .map(ToString::to_string)
            .collect();
        assert!(secrets.is_empty(), "{}: {secrets:?}", rendering.name());
        for map in rendering.of_kind("ConfigMap") {
            let data = map.at("/data").to_string();
            assert!(!data.contains("PRIVATE KEY"), "{}: {map}", rendering.name());
        }
    }
}
