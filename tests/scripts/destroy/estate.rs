//! What is there to destroy.

use std::{
    fs,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use crate::{
    environment::{self, API_SERVER, CLUSTER, GROUP, ISSUER, NODE_GROUP, SUBSCRIPTION, VAULT},
    harness::{Call, Outcome, Reply, World},
};

/// What exists, as the stand-ins keep it.
pub(super) struct Things {
    pub(super) group: bool,
    pub(super) cluster: bool,
    pub(super) in_state: usize,
    pub(super) running: usize,
    pub(super) namespaces: Vec<&'static str>,
    /// Namespace of the claim, name, policy.
    pub(super) volumes: Vec<(&'static str, &'static str, &'static str)>,
    pub(super) part_of: &'static str,
    pub(super) auto_destroy: &'static str,
    pub(super) outputs: Value,
}

/// Things that stand-ins and test share.
#[derive(Clone)]
pub(super) struct Estate(Arc<Mutex<Things>>);

impl Estate {
    /// An environment that is whole, and where nothing runs.
    pub(super) fn whole() -> Self {
        Self(Arc::new(Mutex::new(Things {
            group: true,
            cluster: true,
            in_state: 42,
            running: 0,
            namespaces: vec!["sealane", "temporal"],
            volumes: vec![
                ("temporal", "pvc-1", "Delete"),
                ("kube-system", "pvc-2", "Delete"),
            ],
            part_of: "sealane",
            auto_destroy: "true",
            outputs: environment::outputs(),
        })))
    }

    pub(super) fn things(&self) -> MutexGuard<'_, Things> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A world that holds the environment `demo` and these things.
    pub(super) fn world(&self) -> World {
        let world = World::new();
        environment::write(&world);
        environment::answer_versions_and_login(&world);
        let things = self.clone();
        world.on(move |call| {
            let mut things = things.things();
            match call.program.as_str() {
                "az" => az(call, &things),
                "terraform" => terraform(call, &mut things),
                "kubectl" => kubectl(call, &mut things),
                "kubelogin" => call
                    .is("kubelogin convert-kubeconfig")
                    .then(|| Reply::ok("")),
                _ => None,
            }
        });
        world.answer("az lock list", Reply::ok(""));
        world
    }
}

fn az(call: &Call, things: &Things) -> Option<Reply> {
    let not_found = || Reply::fail(3, "ERROR: (ResourceNotFound) The Resource was not found.");
    if call.is("az group exists") {
        let exists = if call.value("--name") == Some(NODE_GROUP) {
            things.cluster
        } else {
            things.group
        };
        Some(Reply::ok(format!("{exists}\n")))
    } else if call.is("az group show") {
        let id = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}");
        let answer = format!(
            "{id}\n{}\ndemo\n{}\n2099-11-22T18:00:00Z",
            things.part_of, things.auto_destroy
        );
        Some(answer.as_str().into())
    } else if call.is("az aks show --query nodeResourceGroup") {
        Some(if things.cluster {
            NODE_GROUP.into()
        } else {
            not_found()
        })
    } else if call.is("az aks show") {
        Some(
            format!("{API_SERVER}\nnone\nRunning\nSucceeded\n1.36.1\n{ISSUER}\nid")
                .as_str()
                .into(),
        )
    } else if call.is("az aks get-credentials") {
        fs::write(call.value("--file")?, "kubeconfig").unwrap();
        Some(Reply::ok(""))
    } else if call.is("az keyvault list-deleted") {
        let deleted = if things.group {
            ""
        } else {
            "2026-11-29T12:00:00+00:00\n"
        };
        Some(Reply::ok(deleted))
    } else {
        None
    }
}

fn terraform(call: &Call, things: &mut Things) -> Option<Reply> {
    if call.is("terraform init") {
        Some("Initialised".into())
    } else if call.is("terraform output") {
        let outputs = if things.in_state > 0 {
            things.outputs.clone()
        } else {
            json!({})
        };
        Some(outputs.into())
    } else if call.is("terraform plan -destroy") {
        fs::write(call.value("-out")?, "plan").unwrap();
        Some(Reply::ok(format!("Plan: {} to destroy\n", things.in_state)))
    } else if call.is("terraform show") {
        let change =
            json!({"mode": "managed", "address": "a.b", "change": {"actions": ["delete"]}});
        let data = json!({"mode": "data", "address": "data.c.d", "change": {"actions": ["read"]}});
        let mut changes = vec![change; things.in_state];
        changes.push(data);
        Some(json!({"resource_changes": changes}).into())
    } else if call.is("terraform apply") {
        (things.group, things.cluster, things.in_state) = (false, false, 0);
        Some("Destroyed".into())
    } else {
        None
    }
}

fn kubectl(call: &Call, things: &mut Things) -> Option<Reply> {
    if call.is("kubectl config view") {
        Some(Reply::ok(format!("{CLUSTER} https://{API_SERVER}:443")))
    } else if call.is("kubectl get --raw /readyz") {
        Some("ok".into())
    } else if call.is("kubectl get deployment sealane-api") {
        let there = call.value("--namespace") == Some("sealane");
        let name = "deployment.apps/sealane-api\n";
        Some(Reply::ok(if there { name } else { "" }))
    } else if call.is("kubectl exec deployment/sealane-api -- sealane workflow list") {
        let workflow = json!({"workflowId": "order-1", "status": "RUNNING"});
        Some(json!(vec![workflow; things.running]).into())
    } else if call.is("kubectl delete namespace") {
        things
            .volumes
            .retain(|it| !things.namespaces.contains(&it.0) || it.2 != "Delete");
        things.namespaces.clear();
        Some("deleted".into())
    } else {
        listed(call, things).map(Reply::ok)
    }
}

/// Namespaces and volumes, all of them or those that are named.
fn listed(call: &Call, things: &Things) -> Option<String> {
    let (namespaces, volumes) = (things.namespaces.iter(), things.volumes.iter());
    if call.is("kubectl get namespaces") {
        let ours = namespaces.map(|name| format!("{name} sealane\n"));
        Some(format!(
            "default \nkube-system \n{}",
            ours.collect::<String>()
        ))
    } else if call.is("kubectl get namespace") {
        Some(
            namespaces
                .map(|name| format!("namespace/{name}\n"))
                .collect(),
        )
    } else if call.is("kubectl get persistentvolumes") {
        Some(
            volumes
                .map(|it| format!("{} {} {}\n", it.0, it.1, it.2))
                .collect(),
        )
    } else if call.is("kubectl get persistentvolume") {
        let asked = volumes.filter(|it| call.args.iter().any(|word| word == it.1));
        Some(
            asked
                .map(|it| format!("persistentvolume/{}\n", it.1))
                .collect(),
        )
    } else {
        None
    }
}

/// Runs `destroy demo --yes ARGS`.
pub(super) fn destroy(world: &World, args: &[&str]) -> Outcome {
    world.run("destroy", &[&["demo", "--yes"], args].concat())
}

/// Whether nothing was changed.
pub(super) fn untouched(outcome: &Outcome) {
    outcome
        .never("kubectl delete")
        .never("terraform apply")
        .never("az group delete");
    assert!(
        outcome.calls.iter().all(|call| call.program != "kubectl"
            || call.value("--context") == Some(CLUSTER)
            || call.is("kubectl config")
            || call.is("kubectl version")),
        "{outcome}"
    );
}

/// The vault that stays for a while.
pub(super) const KEPT: &str = VAULT;
