//! What happens when pods have to go.

use std::time::Duration;

use serde_json::Value;

use crate::{
    object::Object,
    rule::{Check, Rule},
    scene::Scene,
    selector::selects,
    workload::{Container, Process, Workload},
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "grace-too-short",
        "pods are killed before their process has stopped by itself",
        "raise terminationGracePeriodSeconds, or lower SEALANE_DRAIN_TIMEOUT",
        Check::Processes(|it, process, scene| {
            let (needed, why) = needed_grace(it, process, scene)?;
            let grace = it
                .workload
                .pod()
                .number("/terminationGracePeriodSeconds")
                .unwrap_or(30);
            (grace <= needed).then(|| {
                format!(
                    "terminationGracePeriodSeconds is {grace}, expected more than {needed}: {why}"
                )
            })
        }),
    ),
    Rule::new(
        "pdb-missing",
        "an upgrade of the nodes may take all pods of a workload at once",
        "add a PodDisruptionBudget with maxUnavailable: 1",
        Check::Workloads(|workload, scene| {
            let is_covered = budgets(scene).any(|it| covers(it, workload));
            (is_lasting(workload) && !is_covered)
                .then(|| "no PodDisruptionBudget selects its pods".to_owned())
        }),
    ),
    Rule::new(
        "pdb-blocks-drain",
        "a disruption budget lets no pod go, and upgrades of the nodes wait for ever",
        "use maxUnavailable: 1 instead of minAvailable",
        Check::Objects(|object, scene| {
            let mut workloads = budgeted(object, scene)?.into_iter();
            let blocked = workloads.find(|it| allowed(object, scene.fewest(*it)) < 1)?;
            Some(format!(
                "with {} of {}, none may be away",
                pods(scene.fewest(blocked)),
                blocked.object
            ))
        }),
    ),
    Rule::new(
        "pdb-selects-nothing",
        "a disruption budget protects no pod",
        "give its selector the labels of the pods",
        Check::Objects(|object, scene| {
            budgeted(object, scene)?
                .is_empty()
                .then(|| "its selector means no pod that is rendered".to_owned())
        }),
    ),
    Rule::new(
        "pdb-shared",
        "pods have two disruption budgets, and Kubernetes then refuses every eviction",
        "keep one of the two",
        Check::Workloads(|workload, scene| {
            let budgets: Vec<_> = budgets(scene)
                .filter(|it| covers(it, workload))
                .map(Object::name)
                .collect();
            (budgets.len() > 1)
                .then(|| format!("the budgets {} select its pods", budgets.join(" and ")))
        }),
    ),
    Rule::new(
        "pdb-keeps-unhealthy",
        "pods that never get ready hold up upgrades of the nodes",
        "set unhealthyPodEvictionPolicy: AlwaysAllow",
        Check::Objects(|object, _| {
            let policy = object.value().text("/spec/unhealthyPodEvictionPolicy");
            (object.kind() == BUDGET && policy != Some("AlwaysAllow")).then(|| {
                format!(
                    "unhealthyPodEvictionPolicy is {}",
                    policy.unwrap_or("not set")
                )
            })
        }),
    ),
    Rule::new(
        "no-topology-spread",
        "all pods of a workload may be on one node, or in one zone",
        "add topologySpreadConstraints over topology.kubernetes.io/zone and kubernetes.io/hostname, or podAntiAffinity",
        Check::Workloads(|workload, scene| {
            let is_spread = workload.pod().has("/affinity/podAntiAffinity")
                || !constraints(workload).is_empty();
            (is_lasting(workload) && !is_spread && !is_alone(workload, scene))
                .then(|| "has neither topologySpreadConstraints nor podAntiAffinity".to_owned())
        }),
    ),
    Rule::new(
        "spread-selects-nothing",
        "a topology spread counts other pods than those it is for",
        "give its labelSelector the labels of the pods",
        Check::Workloads(|workload, _| {
            let mut constraints = constraints(workload).iter();
            let lost = constraints.find(|it| {
                !selects(it.at("/labelSelector"), workload.labels()) || !it.has("/labelSelector")
            })?;
            Some(format!(
                "the constraint over {} does not select these pods",
                lost.text("/topologyKey").unwrap_or_default()
            ))
        }),
    ),
    Rule::new(
        "rollout-stuck",
        "a rollout may neither add a pod nor take one away",
        "set maxSurge or maxUnavailable to 1",
        Check::Workloads(|workload, _| {
            let rolling = workload.object.value().at("/spec/strategy/rollingUpdate");
            let is_none = |key| matches!(rolling.get(key), Some(value) if value == 0 || value == "0%" || value == "0");
            (is_none("maxSurge") && is_none("maxUnavailable"))
                .then(|| "maxSurge and maxUnavailable are both 0".to_owned())
        }),
    ),
];

const BUDGET: &str = "PodDisruptionBudget";

/// What a worker waits after its drain for activities that it cancels (`CANCEL_GRACE` in worker/src/run.rs).
const CANCEL_GRACE: i64 = 5;

/// What an HTTP server waits for its last answers (`LAST_ANSWERS` in service/src/http/server.rs).
const LAST_ANSWERS: i64 = 5;

/// Returns how many seconds a process takes to stop, and what they are made of.
fn needed_grace<'a>(
    container: Container<'a>,
    process: Process,
    scene: &Scene<'a>,
) -> Option<(i64, String)> {
    let sleep = container
        .value
        .number("/lifecycle/preStop/sleep/seconds")
        .unwrap_or(0);
    let slept = if sleep > 0 {
        format!("{sleep} s of preStop and ")
    } else {
        String::new()
    };
    match process {
        Process::Worker => {
            let environment = scene.environment(container);
            let text = environment.text("SEALANE_DRAIN_TIMEOUT").unwrap_or("25s");
            let drain: Duration = humantime::parse_duration(text).ok()?;
            let seconds = i64::try_from(drain.as_secs()).ok()? + CANCEL_GRACE + sleep;
            Some((
                seconds,
                format!(
                    "{slept}{text} of SEALANE_DRAIN_TIMEOUT and {CANCEL_GRACE} s for activities that are cancelled"
                ),
            ))
        }
        Process::Api | Process::CodecServer => Some((
            LAST_ANSWERS + sleep,
            format!("{slept}{LAST_ANSWERS} s for the last answers"),
        )),
        Process::Trigger | Process::Command => None,
    }
}

fn budgets<'a>(scene: &Scene<'a>) -> impl Iterator<Item = &'a Object> {
    scene.of_kind(BUDGET)
}

fn covers(budget: &Object, workload: Workload<'_>) -> bool {
    budget.is_beside(workload.namespace())
        && selects(budget.value().at("/spec/selector"), workload.labels())
}

/// Returns the workloads that a budget is for, if the object is one. Jobs end by themselves, so they do not count.
fn budgeted<'a>(object: &Object, scene: &Scene<'a>) -> Option<Vec<Workload<'a>>> {
    let selected = || scene.selected(object.namespace(), object.value().at("/spec/selector"));
    (object.kind() == BUDGET).then(|| {
        selected()
            .into_iter()
            .filter(|it| is_lasting(*it))
            .collect()
    })
}

/// Returns how many of `pods` may be away. Percentages are rounded up, as Kubernetes does.
fn allowed(budget: &Object, pods: i64) -> i64 {
    if pods == 0 {
        return i64::MAX;
    }
    let spec = budget.value().at("/spec");
    match (
        share(spec.at("/maxUnavailable"), pods),
        share(spec.at("/minAvailable"), pods),
    ) {
        (Some(away), _) => away,
        (None, Some(there)) => pods - there,
        (None, None) => pods - 1,
    }
}

fn share(value: &Value, of: i64) -> Option<i64> {
    let percent = value
        .as_str()
        .and_then(|it| it.strip_suffix('%')?.parse::<i64>().ok());
    value.as_i64().or(percent.map(|it| (it * of + 99) / 100))
}

fn pods(number: i64) -> String {
    if number == 1 {
        "1 pod".to_owned()
    } else {
        format!("{number} pods")
    }
}

fn constraints(workload: Workload<'_>) -> &[Value] {
    workload.pod().list("/topologySpreadConstraints")
}

/// Whether pods of it are meant to be there all the time.
fn is_lasting(workload: Workload<'_>) -> bool {
    matches!(workload.object.kind(), "Deployment" | "StatefulSet") || workload.is_versioned()
}

fn is_alone<'a>(workload: Workload<'a>, scene: &Scene<'a>) -> bool {
    workload.replicas() <= 1 && scene.scalers_of(workload).is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Object, allowed};

    fn budget(spec: &serde_json::Value) -> Object {
        Object::new("-", 1, json!({"spec": spec}))
    }

    #[test]
    fn a_budget_is_counted_as_kubernetes_counts() {
        for (spec, pods, expected) in [
            (json!({"maxUnavailable": 1}), 1, 1),
            (json!({"maxUnavailable": 0}), 3, 0),
            (json!({"maxUnavailable": "25%"}), 2, 1),
            (json!({"minAvailable": 1}), 1, 0),
            (json!({"minAvailable": 2}), 3, 1),
            (json!({"minAvailable": "50%"}), 3, 1),
            (json!({"minAvailable": "100%"}), 3, 0),
            (json!({}), 1, 0),
        ] {
            assert_eq!(allowed(&budget(&spec), pods), expected, "{spec} of {pods}");
        }
    }
}
