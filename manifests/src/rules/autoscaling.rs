//! Who sets the number of pods.

use crate::{
    rule::{Check, Found, Rule},
    scaler::Scaler,
    scene::Scene,
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "hpa-and-scaledobject",
        "a HorizontalPodAutoscaler and KEDA both set the replicas of one workload, and undo each other's work",
        "choose one of the components hpa and keda; a cpu trigger gives KEDA what the other knew",
        Check::Whole(|scene| scaled_twice(scene, |a, b| a.is_keda() != b.is_keda())),
    ),
    Rule::new(
        "two-scalers",
        "two autoscalers of one kind set the replicas of one workload",
        "keep one of the two",
        Check::Whole(|scene| scaled_twice(scene, |a, b| a.is_keda() == b.is_keda())),
    ),
    Rule::new(
        "replicas-beside-scaler",
        "a workload with an autoscaler says itself how many pods it wants, and every apply takes it back to that",
        "remove spec.replicas, as the components hpa and keda do",
        Check::Workloads(|workload, scene| {
            let is_both = workload.object.value().has("/spec/replicas")
                && !scene.scalers_of(workload).is_empty();
            is_both.then(|| {
                format!(
                    "spec.replicas is {} beside an autoscaler",
                    workload.replicas()
                )
            })
        }),
    ),
    Rule::new(
        "scaler-bounds",
        "the least of an autoscaler is more than its most",
        "correct minReplicas or maxReplicas",
        Check::Whole(|scene| {
            let found = scene.scalers().into_iter().filter_map(|it| {
                let most = it.most()?;
                (it.fewest() > most).then(|| {
                    (
                        it.object,
                        format!("at least {} and at most {most}", it.fewest()),
                    )
                })
            });
            found.collect()
        }),
    ),
    Rule::new(
        "hpa-metric-missing",
        "a HorizontalPodAutoscaler looks at nothing",
        "name a metric, such as the utilisation of cpu",
        Check::Whole(|scene| {
            let blind = scene
                .scalers()
                .into_iter()
                .filter(|it| !it.is_keda() && it.value.list("/spec/metrics").is_empty());
            blind
                .map(|it| (it.object, "spec.metrics is empty".to_owned()))
                .collect()
        }),
    ),
];

fn scaled_twice<'a>(
    scene: &Scene<'a>,
    conflict: fn(&Scaler<'a>, &Scaler<'a>) -> bool,
) -> Vec<Found<'a>> {
    let scalers = scene.scalers();
    let found = scalers.iter().enumerate().filter_map(|(index, scaler)| {
        let is_same = |other: &&Scaler<'a>| {
            other.object.namespace() == scaler.object.namespace()
                && other.target() == scaler.target()
                && conflict(other, scaler)
        };
        let other = scalers[..index].iter().find(is_same)?;
        let (kind, name) = scaler.target();
        Some((
            scaler.object,
            format!("{} scales {kind}/{name} too", other.object),
        ))
    });
    found.collect()
}
