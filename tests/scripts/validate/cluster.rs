//! A cluster in which Sealane runs, and what was deployed there.

use std::{
    fs,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use super::{
    api::Api,
    history::{KEY, history},
};
use crate::{
    environment::{self, API_SERVER, CLUSTER, ISSUER, identities},
    harness::{Call, Outcome, Reply, World},
};

pub(super) const IMAGE: &str = "sealanedemoa1b2c3.azurecr.io/sealane@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// What az gives for the API.
pub(super) const TOKEN: &str = "eyJhbGciOi.hush-hush_1.x~y";

/// What the stand-ins keep.
pub(super) struct Things {
    /// What was rendered.
    pub(super) rendered: Vec<Value>,
    /// Deployments, pods and autoscalers as they are.
    pub(super) live: Vec<Value>,
    /// What the doctor says in each pod.
    pub(super) findings: Value,
    /// Stage of the key.
    pub(super) keys: Value,
    /// Makes a history of what it was.
    pub(super) spoil: fn(&mut Value, &str),
    /// How many workers were replaced.
    pub(super) replaced: usize,
}

/// A cluster that stand-ins and test share.
#[derive(Clone)]
pub(super) struct Cluster {
    things: Arc<Mutex<Things>>,
    pub(super) api: Api,
}

impl Cluster {
    /// Everything is as it should be.
    pub(super) fn healthy() -> Self {
        let things = Things {
            rendered: rendered(),
            live: live(),
            findings: content_doctor(),
            keys: json!([{"keyId": KEY, "stage": "active"}, {"keyId": "old", "stage": "decrypts"}]),
            spoil: |_, _| (),
            replaced: 0,
        };
        Self {
            things: Arc::new(Mutex::new(things)),
            api: Api::start(TOKEN),
        }
    }

    pub(super) fn things(&self) -> MutexGuard<'_, Things> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A world in which the environment `demo` was deployed to this cluster.
    pub(super) fn world(&self) -> World {
        let mut world = World::new();
        environment::write(&world);
        environment::answer_versions_and_login(&world);
        let deployed = json!({"outcome": "completed", "dry_run": false, "image": IMAGE});
        world
            .write(
                ".sealane/demo/outputs.json",
                &environment::outputs().to_string(),
            )
            .write(".sealane/demo/manifests.last-good.yaml", "rendered")
            .write(".sealane/demo/deploy.last-good.json", &deployed.to_string())
            .answer("az account get-access-token --query accessToken", TOKEN)
            .answer("kubelogin convert-kubeconfig", Reply::ok(""))
            .on(az);
        let cluster = self.clone();
        world.on(move |call| {
            if call.program == "kubectl" {
                cluster.kubectl(call)
            } else {
                None
            }
        });
        world.answer("kubectl version", "Client Version: v1.36.2");
        world.secret(TOKEN);
        world
    }

    fn kubectl(&self, call: &Call) -> Option<Reply> {
        let mut things = self.things();
        if call.is("kubectl config view") {
            Some(Reply::ok(format!("{CLUSTER} https://{API_SERVER}:443")))
        } else if call.is("kubectl patch --local") {
            Some(Reply::ok(
                things
                    .rendered
                    .iter()
                    .map(|object| format!("{object}\n"))
                    .collect::<String>(),
            ))
        } else if call.is("kubectl get --raw /readyz") {
            Some("ok".into())
        } else if call.is("kubectl get --raw /apis/keda.sh/v1alpha1") {
            Some(json!({"resources": [{"kind": "ScaledObject"}, {"kind": "ScaledJob"}]}).into())
        } else if call.is("kubectl get namespace sealane") {
            Some("restricted".into())
        } else if call.is("kubectl get deployments.apps,*") {
            Some(json!({"kind": "List", "items": things.live}).into())
        } else if call.is("kubectl exec -- sealane doctor") {
            Some(things.findings.clone().into())
        } else if call.is("kubectl exec -- sealane keys list") {
            Some(things.keys.clone().into())
        } else if call.is("kubectl exec -- sealane keys audit") {
            Some(
                json!({"workflows": 3, "keys": [{"kind": "key", "keyId": KEY, "workflows": 3}]})
                    .into(),
            )
        } else if call.is("kubectl exec -- sealane workflow history --encrypted") {
            let id = call.value("--workflow-id")?;
            let mut document = history(id);
            (things.spoil)(
                &mut document,
                &self.api.word(id.trim_start_matches("order-")),
            );
            Some(document.into())
        } else if call.is("kubectl port-forward service/sealane-api :8080") {
            Some(Reply::hang(format!(
                "Forwarding from 127.0.0.1:{} -> 8080\n",
                self.api.port
            )))
        } else if call
            .is("kubectl get pods --field-selector status.phase=Running --output jsonpath={range*")
        {
            Some(Reply::ok(times(things.replaced)))
        } else if call.is("kubectl delete pod") {
            things.replaced += 1;
            Some("deleted".into())
        } else {
            None
        }
    }
}

fn az(call: &mut Call) -> Option<Reply> {
    if call.is("az aks show") {
        Some(
            format!("{API_SERVER}\nnone\nRunning\nSucceeded\n1.36.1\n{ISSUER}\nid")
                .as_str()
                .into(),
        )
    } else if call.is("az aks get-credentials") {
        fs::write(call.value("--file")?, "kubeconfig").unwrap();
        Some(Reply::ok(""))
    } else {
        None
    }
}

/// Workers by number, of which the first have been replaced; each new one is ready 4 s after its creation, 1 s after its start.
fn times(replaced: usize) -> String {
    let line = |number: usize| {
        format!(
            "worker-{number}|2026-11-22T10:{number:02}:00Z|2026-11-22T10:{number:02}:03Z|True|2026-11-22T10:{number:02}:04Z|\n"
        )
    };
    (replaced..replaced + 2).map(line).collect()
}

const COMPONENTS: [(&str, u64); 4] = [
    ("worker", 2),
    ("api", 2),
    ("trigger", 1),
    ("codec-server", 1),
];

fn labels(component: &str) -> Value {
    json!({"app.kubernetes.io/name": "sealane", "app.kubernetes.io/part-of": "sealane", "app.kubernetes.io/component": component})
}

/// What the doctor finds where all is well.
pub(super) fn content_doctor() -> Value {
    [
        "settings",
        "vault-get",
        "temporal-namespace",
        "pollers-workflow",
        "pollers-activity",
    ]
    .iter()
    .map(|check| json!({"check": check, "status": "pass", "detail": "", "remedy": null}))
    .collect()
}

/// What deploy rendered.
fn rendered() -> Vec<Value> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sealane", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "sealane-config-abc123"}, "data": {
        "SEALANE_AUTH": "entra-id", "SEALANE_AUTH_AUDIENCE": "77777777-7777-4777-8777-777777777777", "TEMPORAL_TASK_QUEUE": "sealane",
    }});
    let mut objects = vec![namespace, settings];
    for (component, replicas) in COMPONENTS {
        let name = format!("sealane-{component}");
        let client = &identities()[component]["client_id"];
        let annotations = json!({"azure.workload.identity/client-id": client});
        objects.push(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "sealane", "annotations": annotations}}));
        objects.push(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "sealane"}, "spec": {"replicas": replicas}}));
    }
    objects
}

/// What runs.
fn live() -> Vec<Value> {
    let mut objects = vec![
        json!({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "sealane-worker"}, "spec": {"minReplicas": 2, "scaleTargetRef": {"name": "sealane-worker"}}}),
    ];
    for (component, replicas) in COMPONENTS {
        objects.push(deployment(component, replicas));
        objects.extend((0..replicas).map(|number| pod(component, number)));
    }
    objects
}

fn deployment(component: &str, replicas: u64) -> Value {
    let name = format!("sealane-{component}");
    json!({
        "kind": "Deployment", "metadata": {"name": name, "generation": 3, "labels": labels(component)},
        "spec": {"replicas": replicas, "template": {"metadata": {"labels": labels(component)}, "spec": {
            "serviceAccountName": name, "automountServiceAccountToken": false, "containers": [{"name": component, "image": IMAGE}],
        }}},
        "status": {"observedGeneration": 3, "replicas": replicas, "readyReplicas": replicas, "updatedReplicas": replicas},
    })
}

pub(super) fn pod(component: &str, number: u64) -> Value {
    json!({
        "kind": "Pod", "metadata": {"name": format!("{component}-{number}"), "labels": labels(component)},
        "spec": {"containers": [{"image": IMAGE}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [{"imageID": IMAGE}]},
    })
}

/// The live object of this kind whose name begins so.
pub(super) fn find<'a>(objects: &'a mut [Value], kind: &str, name: &str) -> &'a mut Value {
    let fits = |object: &&mut Value| {
        object["kind"] == kind
            && object["metadata"]["name"]
                .as_str()
                .unwrap()
                .starts_with(name)
    };
    objects.iter_mut().find(fits).unwrap()
}

/// Runs `validate demo ARGS`.
pub(super) fn validate(world: &World, args: &[&str]) -> Outcome {
    world.run("validate", &[&["demo"], args].concat())
}
