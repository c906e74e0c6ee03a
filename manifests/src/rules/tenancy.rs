//! What tenants must not share.

use crate::{
    environment::Environment,
    rule::{Check, Found, Rule, in_container},
    scene::Scene,
    workload::{Container, Process},
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "key-shared-by-tenants",
        "processes in two namespaces use the same key, so each can read the payloads of the other",
        "give each tenant a secret of its own, and an identity that may read no other",
        Check::Whole(|scene| shared(scene, "key", key)),
    ),
    Rule::new(
        "task-queue-shared",
        "workers in two namespaces poll the same task queue, so each gets the work of the other",
        "give each tenant a TEMPORAL_TASK_QUEUE, or a TEMPORAL_NAMESPACE, of its own",
        Check::Whole(|scene| shared(scene, "task queue", queue)),
    ),
];

fn key(_: Process, environment: &Environment<'_>) -> Option<String> {
    if let Some(uris) = environment.text("KEYVAULT_KEY_URI") {
        return Some(uris.to_owned());
    }
    let vault = environment.text("KEYVAULT_URL")?.trim_end_matches('/');
    Some(format!(
        "{vault}/secrets/{}",
        environment.text("KEYVAULT_SECRET_NAME")?
    ))
}

/// Returns a task queue as it is shown: with the namespace that it is in.
pub(super) fn queue(process: Process, environment: &Environment<'_>) -> Option<String> {
    let text = |name, default| environment.text(name).unwrap_or(default);
    let namespace = text("TEMPORAL_NAMESPACE", "default");
    let queue = text("TEMPORAL_TASK_QUEUE", "sealane");
    (process == Process::Worker).then(|| {
        format!(
            "{namespace}/{queue} at {}",
            text("TEMPORAL_ADDRESS", "localhost:7233")
        )
    })
}

fn shared<'a>(
    scene: &Scene<'a>,
    what: &str,
    of: fn(Process, &Environment<'_>) -> Option<String>,
) -> Vec<Found<'a>> {
    let users = scene
        .processes()
        .filter_map(|(it, process)| Some((it, of(process, &scene.environment(it))?)));
    let users: Vec<(Container<'a>, String)> = users.collect();
    let found = users
        .iter()
        .enumerate()
        .filter_map(|(index, (user, used))| {
            let is_other =
                |other: &Container<'a>| other.workload.namespace() != user.workload.namespace();
            let (other, _) = users[..index]
                .iter()
                .find(|(other, theirs)| theirs == used && is_other(other))?;
            let namespace = other.workload.namespace().unwrap_or_default();
            let message = format!(
                "{} in {namespace} has the same {what}, {used}",
                other.workload.object
            );
            Some((user.workload.object, in_container(*user, &message)))
        });
    found.collect()
}
