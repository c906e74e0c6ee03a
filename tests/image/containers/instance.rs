//! The overlay `local`, adapted to a run, and to podman.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::ensure;
use serde_json::{Value, json};

use crate::repository::root;

/// A workload, the variable that says where it listens, and its port in this run.
pub(crate) type Port = (&'static str, &'static str, u16);

/// Returns what podman can play, as JSON documents, which are YAML.
///
/// `folder` is where the kustomization is written, and where there are folders with the names of the Secrets.
pub(crate) fn rendered(folder: &Path, temporal: &str, ports: &[Port]) -> anyhow::Result<String> {
    let place = folder.join("instance");
    fs::create_dir(&place)?;
    let instance = instance(&place, temporal, ports)?;
    fs::write(place.join("kustomization.yaml"), instance)?;
    let output = Command::new("kubectl")
        .arg("kustomize")
        .arg(place)
        .output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "kubectl: {}", words.trim());
    let objects: Vec<Value> = serde_saphyr::from_multiple(&String::from_utf8(output.stdout)?)?;
    let played = objects
        .into_iter()
        .map(|it| fit_for_podman(it, folder).to_string());
    Ok(played.collect::<Vec<_>>().join("\n---\n"))
}

/// The overlay as somebody would adapt it: another address of Temporal, and ports on loopback that are free.
fn instance(place: &Path, temporal: &str, ports: &[Port]) -> anyhow::Result<String> {
    let patches: Vec<_> = ports.iter().map(port_patch).collect();
    let instance = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "sealane",
        "resources": [above(place)?.join("k8s/overlays/local")],
        "configMapGenerator": [{
            "name": "sealane-config",
            "behavior": "merge",
            "literals": [format!("TEMPORAL_ADDRESS={temporal}")],
        }],
        "patches": patches,
    });
    Ok(instance.to_string())
}

fn port_patch((workload, variable, port): &Port) -> Value {
    let address = json!({"name": variable, "value": format!("127.0.0.1:{port}")});
    let container = json!({"name": workload, "env": [address]});
    let patch = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": format!("sealane-{workload}")},
        "spec": {"template": {"spec": {"containers": [container]}}},
    });
    json!({"patch": patch.to_string()})
}

/// Returns the way from `folder` to the workspace: kustomize wants it relative.
fn above(folder: &Path) -> anyhow::Result<PathBuf> {
    let depth = folder.canonicalize()?.components().count() - 1;
    let up: PathBuf = std::iter::repeat_n("..", depth).collect();
    Ok(up.join(root().canonicalize()?.strip_prefix("/")?))
}

/// Takes away what podman does differently: it starts replicas that would want one port; it asks probes with a curl inside of the
/// container, which has none; it maps ports, also onto the host's own network; it mounts Secrets without decoding them (4.3).
fn fit_for_podman(mut object: Value, folder: &Path) -> Value {
    if object["kind"] != "Deployment" {
        return object;
    }
    object["spec"]["replicas"] = json!(1);
    let pod = &mut object["spec"]["template"]["spec"];
    for container in items(&mut pod["containers"]) {
        for name in ["startupProbe", "livenessProbe", "readinessProbe", "ports"] {
            container.remove(name);
        }
    }
    for volume in items(&mut pod["volumes"]) {
        if let Some(secret) = volume.remove("secret") {
            let path = folder.join(secret["secretName"].as_str().unwrap_or_default());
            let path = json!({"path": path, "type": "Directory"});
            volume.insert("hostPath".to_owned(), path);
        }
    }
    object
}

fn items(list: &mut Value) -> impl Iterator<Item = &mut serde_json::Map<String, Value>> {
    let items = list.as_array_mut().into_iter().flatten();
    items.filter_map(Value::as_object_mut)
}
