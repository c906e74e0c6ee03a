//! A subscription with resource groups.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::{
    environment::{SUBSCRIPTION, answer_versions_and_login},
    harness::{Outcome, Reply, World},
};

/// Long ago, and far ahead.
pub(super) const PAST: &str = "2026-01-02T03:04:05Z";
pub(super) const FUTURE: &str = "2099-01-02T03:04:05Z";

/// The groups of the subscription, as the stand-in for az keeps them.
#[derive(Clone, Default)]
pub(super) struct Groups(Arc<Mutex<Vec<Value>>>);

impl Groups {
    /// Adds a group with the tags of ours, and `expires-at` if it is not empty.
    pub(super) fn add(&self, name: &str, expires_at: &str) -> &Self {
        let mut tags = json!({"part-of": "sealane", "auto-destroy": "true"});
        if !expires_at.is_empty() {
            tags["expires-at"] = json!(expires_at);
        }
        self.add_with(name, &json!({"tags": tags}))
    }

    /// Adds a group with these fields beside name and id.
    pub(super) fn add_with(&self, name: &str, fields: &Value) -> &Self {
        let mut group = json!({
            "name": name,
            "id": format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"),
            "managedBy": null,
            "properties": {"provisioningState": "Succeeded"},
        });
        let fields = fields.as_object().unwrap().clone();
        group.as_object_mut().unwrap().extend(fields);
        self.0.lock().unwrap().push(group);
        self
    }

    /// What is left.
    pub(super) fn names(&self) -> Vec<String> {
        let groups = self.0.lock().unwrap();
        groups
            .iter()
            .map(|group| group["name"].as_str().unwrap().to_owned())
            .collect()
    }

    fn find(&self, name: &str) -> Option<Value> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .find(|group| group["name"] == name)
            .cloned()
    }

    fn delete(&self, name: &str) {
        self.0.lock().unwrap().retain(|group| group["name"] != name);
    }
}

/// A world in which somebody is logged in, and az knows `groups`.
pub(super) fn world(groups: &Groups) -> World {
    let world = World::new();
    answer_versions_and_login(&world);
    let groups = groups.clone();
    world.on(move |call| {
        let name = call.value("--name").unwrap_or_default().to_owned();
        if call.is("az group list") {
            Some(json!(*groups.0.lock().unwrap()).into())
        } else if call.is("az group show") {
            Some(groups.find(&name).map_or_else(
                || Reply::fail(3, "ERROR: (ResourceGroupNotFound)"),
                Reply::from,
            ))
        } else if call.is("az group exists") {
            Some(Reply::ok(format!("{}\n", groups.find(&name).is_some())))
        } else if call.is("az group delete") {
            groups.delete(&name);
            Some(Reply::ok(""))
        } else {
            None
        }
    });
    world.answer("az lock list", "0");
    world.answer("az resource list", Reply::ok(""));
    world
}

/// Runs `reap --prefix demo- ARGS`.
pub(super) fn reap(world: &World, args: &[&str]) -> Outcome {
    world.run("reap", &[&["--prefix", "demo-"], args].concat())
}

/// Group, decision and reason of every line that was printed.
pub(super) fn decisions(outcome: &Outcome) -> Vec<String> {
    let word = |line: &Value, field: &str| line[field].as_str().unwrap().to_owned();
    outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .map(|line: Value| {
            format!(
                "{} {} {}",
                word(&line, "group"),
                word(&line, "decision"),
                word(&line, "reason")
            )
        })
        .collect()
}
