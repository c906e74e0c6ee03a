//! How much containers get.

use crate::{
    quantity::quantity,
    rule::{Check, Rule},
    workload::Container,
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "no-requests",
        "a container asks for no CPU or memory, so nodes are overfilled and autoscalers are blind",
        "set resources.requests.cpu and resources.requests.memory",
        Check::Containers(|it, _| {
            let missing = KINDS
                .into_iter()
                .find(|kind| amount(it, "requests", kind).is_none())?;
            Some(format!("resources.requests.{missing} is not set"))
        }),
    ),
    Rule::new(
        "memory-limit-missing",
        "a container may take all the memory of its node",
        "set resources.limits.memory",
        Check::Containers(|it, _| {
            let is_set = amount(it, "limits", "memory").is_some();
            (!is_set).then(|| "resources.limits.memory is not set".to_owned())
        }),
    ),
    Rule::new(
        "limit-below-request",
        "a limit is lower than the request, which the cluster refuses",
        "raise the limit, or lower the request",
        Check::Containers(|it, _| {
            let is_below = |kind: &&str| {
                amount(it, "limits", kind) < amount(it, "requests", kind)
                    && amount(it, "limits", kind).is_some()
            };
            let kind = KINDS.into_iter().find(is_below)?;
            Some(format!("the limit of {kind} is below its request"))
        }),
    ),
    Rule::new(
        "quantity-invalid",
        "an amount is none that Kubernetes understands",
        "write CPU as 250m or 0.25, memory as 64Mi",
        Check::Containers(|it, _| {
            let amounts = it
                .value
                .entries("/resources/requests")
                .chain(it.value.entries("/resources/limits"));
            let (kind, value) = amounts
                .into_iter()
                .find(|(_, value)| quantity(value).is_none())?;
            Some(format!("the amount of {kind} is {value}"))
        }),
    ),
    Rule::new(
        "empty-dir-unbounded",
        "an emptyDir may fill the disk of its node",
        "set emptyDir.sizeLimit",
        Check::Workloads(|workload, _| {
            let mut volumes = workload.pod().list("/volumes").iter();
            let volume =
                volumes.find(|it| it.has("/emptyDir") && !it.has("/emptyDir/sizeLimit"))?;
            Some(format!(
                "the volume {} has no sizeLimit",
                volume.text("/name").unwrap_or_default()
            ))
        }),
    ),
];

const KINDS: [&str; 2] = ["cpu", "memory"];

/// Returns an amount; one that cannot be read counts as there, and has a rule of its own.
fn amount(container: Container<'_>, list: &str, kind: &str) -> Option<f64> {
    let value = container.value.at(&format!("/resources/{list}/{kind}"));
    (!value.is_null()).then(|| quantity(value).unwrap_or(f64::NAN))
}
