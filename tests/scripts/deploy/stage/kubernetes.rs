//! The cluster, and the programs that speak to it.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{Things, objects};
use crate::{
    environment::{API_SERVER, CLUSTER},
    harness::{Call, Reply},
};

pub(super) fn kubectl(call: &mut Call, things: &mut Things) -> Option<Reply> {
    if call.is("kubectl kustomize") {
        return Some("rendered: true".into());
    }
    if call.is("kubectl patch --local") {
        return Some(documents(&things.objects));
    }
    if call.is("kubectl version") {
        return None;
    }
    if call.is("kubectl config view") {
        return Some(
            format!("{CLUSTER} https://{API_SERVER}:443")
                .as_str()
                .into(),
        );
    }
    assert_eq!(
        call.value("--context"),
        Some(CLUSTER),
        "every call names the context: {}",
        call.line()
    );
    assert!(
        call.value("--kubeconfig")
            .is_some_and(|file| file.ends_with(".sealane/demo/kubeconfig")),
        "{}",
        call.line()
    );
    look(call, things).or_else(|| alter(call, things))
}

fn documents(objects: &[Value]) -> Reply {
    Reply::ok(
        objects
            .iter()
            .map(|it| format!("{it}\n"))
            .collect::<String>(),
    )
}

fn look(call: &Call, things: &Things) -> Option<Reply> {
    if call.is("kubectl get --raw /readyz") || call.is("kubectl auth can-i") {
        Some(Reply::ok(""))
    } else if call.is("kubectl get --raw") {
        Some(objects::served(call.value("--raw")?, &things.objects))
    } else if call.is("kubectl get namespace") {
        Some(things.namespace.map_or_else(
            || {
                Reply::fail(
                    1,
                    "Error from server (NotFound): namespaces \"sealane\" not found",
                )
            },
            Reply::ok,
        ))
    } else if call.is("kubectl get deployments --all-namespaces") {
        Some(keda(things))
    } else if call.is("kubectl get apiservice") {
        Some("kube-system/keda-operator-metrics-apiserver True".into())
    } else if call.is("kubectl get secret") {
        Some(Reply::ok(
            things.database_secret.clone().unwrap_or_default(),
        ))
    } else if call.is("kubectl get pods") {
        Some(Reply::json(
            &json!({"items": [objects::pod("sealane-worker-1", &image_of(call)?)]}),
        ))
    } else if call.is("kubectl get horizontalpodautoscalers*") {
        Some(Reply::json(&json!({"kind": "List", "items": things.live})))
    } else if call.is("kubectl api-resources") {
        Some(Reply::ok(objects::RESOURCES))
    } else if call.is("kubectl exec") {
        Some(Reply::json(&things.doctor))
    } else if call.is("kubectl diff") {
        let namespace = call
            .value("--filename")
            .is_some_and(|file| file.ends_with("namespace.json"));
        let differs = if call.is("kubectl diff --kustomize") {
            things.temporal_differs
        } else if namespace {
            things.namespace.is_none()
        } else {
            things.differs
        };
        Some(if differs {
            Reply::ok("+ something: new\n").code(1)
        } else {
            Reply::ok("")
        })
    } else {
        call.is("kubectl rollout status")
            .then(|| Reply::ok("successfully rolled out\n"))
    }
}

/// The image that was rendered last.
fn image_of(call: &Call) -> Option<String> {
    let folder = Path::new(call.value("--kubeconfig")?).parent()?;
    let instance = fs::read_to_string(folder.join("instance/kustomization.yaml")).ok()?;
    let instance: Value = serde_json::from_str(&instance).ok()?;
    let image = &instance["images"][0];
    Some(format!(
        "{}@{}",
        image["newName"].as_str()?,
        image["digest"].as_str()?
    ))
}

fn keda(things: &Things) -> Reply {
    let deployment = |(namespace, image): &(&str, &str)| json!({"metadata": {"name": "keda-operator", "namespace": namespace}, "spec": {"template": {"spec": {"containers": [{"image": image}]}}}});
    Reply::json(&json!({"items": things.keda.iter().map(deployment).collect::<Vec<_>>()}))
}

fn alter(call: &mut Call, things: &mut Things) -> Option<Reply> {
    if call.is("kubectl delete") {
        return Some(Reply::ok("deleted\n"));
    }
    if !call.is("kubectl apply --server-side") {
        return None;
    }
    if call.is("kubectl apply --kustomize") {
        things.temporal_differs = false;
    } else if call.value("--filename") == Some("-") {
        let secret: Value = serde_json::from_str(&call.stdin()).expect("a Secret");
        things.database_secret = secret["data"]["password"].as_str().map(str::to_owned);
    } else if call.value("--filename")?.ends_with("namespace.json") {
        things.namespace = Some("restricted");
    } else if call.value("--filename")?.ends_with("workloads.json") {
        things.differs = false;
    }
    Some(Reply::ok("serverside-applied\n"))
}

pub(super) fn helm(call: &Call, things: &mut Things) -> Option<Reply> {
    if call.is("helm history") {
        let release = |mark: &String| {
            Reply::json(
                &json!([{"status": "deployed", "chart": "temporal-1.6.0", "description": mark}]),
            )
        };
        return Some(
            things
                .release
                .as_ref()
                .map_or_else(|| Reply::fail(1, "Error: release: not found"), release),
        );
    }
    call.is("helm upgrade --install").then(|| {
        things.release = call.value("--description").map(str::to_owned);
        Reply::ok("deployed\n")
    })
}
