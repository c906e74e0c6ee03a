//! What tenants must not share.

use crate::{
    environment::Environment,
    mount::Mount,
    rule::{Check, Found, Rule, in_container},
    scene::Scene,
    workload::{Container, Process},
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "key-shared-by-tenants",
        "processes in two namespaces use the same key, so each can read the payloads of the other",
        "give each tenant a secret of its own, and an identity that may read no other",
        Check::Whole(|scene| shared(scene, "key", keys)),
    ),
    Rule::new(
        "task-queue-shared",
        "workers in two namespaces poll the same task queue, so each gets the work of the other",
        "give each tenant a TEMPORAL_TASK_QUEUE, or a TEMPORAL_NAMESPACE, of its own",
        Check::Whole(|scene| shared(scene, "task queue", queues)),
    ),
];

/// Returns the keys of a process as URLs without versions. Key Vault's names do not differ by case alone.
fn keys<'a>(container: Container<'a>, _: Process, scene: &Scene<'a>) -> Vec<String> {
    let environment = scene.environment(container);
    let text = |name| environment.text(name);
    let keys = match (text("KEYVAULT_URL"), text("KEYVAULT_SECRET_NAME")) {
        (Some(vault), Some(name)) => {
            vec![format!("{}/secrets/{name}", vault.trim_end_matches('/'))]
        }
        _ => {
            let mount = text("SEALANE_KEY_FILE").and_then(|path| Mount::at(container, path));
            mount.map_or(Vec::new(), |it| it.vault_objects(scene))
        }
    };
    let wrapping = text("KEYVAULT_KEY_URI").unwrap_or_default().split(',');
    let wrapping = wrapping.map(|it| it.trim().split('/').take(5).collect::<Vec<_>>().join("/"));
    let all = wrapping.filter(|it| !it.is_empty()).chain(keys);
    all.map(|it| it.to_ascii_lowercase()).collect()
}

fn queues<'a>(container: Container<'a>, process: Process, scene: &Scene<'a>) -> Vec<String> {
    let queue = queue(process, &scene.environment(container));
    queue.into_iter().collect()
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
    of: fn(Container<'a>, Process, &Scene<'a>) -> Vec<String>,
) -> Vec<Found<'a>> {
    let users = scene.processes().flat_map(|(it, process)| {
        let used = of(it, process, scene).into_iter();
        used.map(move |used| (it, used))
    });
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
