//! Every object is one that each supported version of Kubernetes takes, without an unknown field.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};

use crate::{
    programs::{folder, validate},
    renderings::{self, Rendering},
};

/// Those that AKS supports, or is about to.
const VERSIONS: [&str; 4] = ["1.34", "1.35", "1.36", "1.37"];

#[test]
fn every_object_is_valid_for_every_version() -> anyhow::Result<()> {
    // Most renderings share most objects, so each is judged once.
    let mut objects = BTreeMap::new();
    for rendering in renderings::all() {
        for object in &rendering.objects {
            let at = format!("{object} of {}", rendering.name());
            objects
                .entry(object.value().to_string())
                .or_insert((at, object.value()));
        }
    }
    assert!(objects.len() > 50, "{} objects are too few", objects.len());
    let objects: Vec<_> = objects.values().map(|(at, it)| entry(at, it)).collect();

    let wrong = validate(&json!({"versions": VERSIONS, "objects": objects}))?;

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn every_vendored_schema_is_of_a_kind_that_is_rendered_or_documented() -> anyhow::Result<()> {
    let sources = fs::read_to_string(folder().join("schemas/SOURCES.md"))?;
    for file in fs::read_dir(folder().join("schemas"))? {
        let name = file?.file_name().into_string().expect("names are ASCII");
        let Some(kind) = name.strip_suffix(".json") else {
            continue;
        };
        let (group, last) = kind.rsplit_once('_').expect("GROUP_VERSION_KIND");
        assert!(
            sources.contains(kind) || sources.contains(&format!("…_{last}")),
            "SOURCES.md lacks {kind}"
        );

        let api_version = group.replacen('_', "/", 1);
        let is_of = |it: &Rendering| {
            let mut objects = it.objects.iter();
            objects.any(|it| it.kind() == last && it.api_version() == api_version)
        };
        let documented = last == "ClusterIssuer";
        assert!(
            documented || renderings::all().iter().any(is_of),
            "nothing is a {kind}"
        );
    }
    Ok(())
}

/// What would be dropped, refused or misread, each of another kind. A judge that passes one of them judges nothing.
#[test]
fn mistakes_are_seen() -> anyhow::Result<()> {
    let aks = renderings::with("aks", &[]);
    let mistaken = |kind: &str, pointer: &str, value: Value| {
        let mut object = aks
            .of_kind(kind)
            .next()
            .expect("there is one")
            .value()
            .clone();
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
        object.pointer_mut(parent).expect("it is there")[field] = value;
        object
    };
    let keda = &renderings::with("aks", &["keda"])
        .of_kind("ScaledObject")
        .next();
    let mut trigger = keda.expect("keda scales").value().clone();
    trigger["spec"]["triggers"][0]["metadata"]["targetQueueSize"] = json!(5);
    let job = renderings::with("aks", &["keda-scaledjob"])
        .of_kind("ScaledJob")
        .next();
    let mut job = job.expect("keda-scaledjob makes jobs").value().clone();
    job["spec"]["jobTargetRef"]["template"]["spec"]["restartPolice"] = json!("Never");
    let mistakes = [
        mistaken("Deployment", "/spec/replicas", json!("2")),
        mistaken(
            "Deployment",
            "/spec/template/spec/terminationGracePeriod",
            json!(45),
        ),
        mistaken("NetworkPolicy", "/spec/egres", json!([])),
        mistaken(
            "PodDisruptionBudget",
            "/apiVersion",
            json!("policy/v1beta1"),
        ),
        mistaken("Service", "/apiVersion", json!("serving.example.com/v1")),
        trigger,
        job,
    ];

    for (at, mistake) in mistakes.iter().enumerate() {
        let objects = [entry(&at.to_string(), mistake)];
        let wrong = validate(&json!({"versions": ["1.36"], "objects": objects}))?;
        assert_eq!(wrong.len(), 1, "{mistake:#}: {wrong:?}");
    }
    Ok(())
}

fn entry(at: &str, object: &Value) -> Value {
    json!({"at": at, "object": object})
}
