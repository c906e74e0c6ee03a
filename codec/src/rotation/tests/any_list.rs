//! What holds for every list of versions, sensible or not.

use std::time::{Duration, SystemTime};

use proptest::{collection::vec, option, prelude::*};

use crate::{
    KeyId,
    rotation::{Policy, Stage, Version, plan},
};

/// Any time that the system can tell, mostly around the start of its calendar.
fn time() -> impl Strategy<Value = SystemTime> {
    let seconds = prop_oneof![4 => 0..=100_u64, 1 => any::<u64>()];
    seconds.prop_map(|seconds| {
        let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        time.unwrap_or(SystemTime::UNIX_EPOCH)
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    let delay = prop_oneof![
        (0..=50_u64).prop_map(Duration::from_secs),
        Just(Duration::MAX),
    ];
    delay.prop_map(|activation_delay| Policy { activation_delay })
}

fn version() -> impl Strategy<Value = Version> {
    let times = (time(), time(), option::of(time()), option::of(time()));
    (any::<u32>(), times, any::<bool>()).prop_map(|(name, times, enabled)| {
        let (created, updated, not_before, expires) = times;
        Version {
            version: format!("{name:032x}"),
            id: KeyId::try_from(format!("key/{name}").as_str()).unwrap(),
            created,
            updated,
            not_before,
            expires,
            enabled,
        }
    })
}

proptest! {
    #[test]
    fn the_plan_depends_on_the_versions_and_not_on_their_order(
        (versions, shuffled) in vec(version(), 0..8)
            .prop_flat_map(|versions| (Just(versions.clone()), Just(versions).prop_shuffle())),
        now in time(),
        policy in policy(),
    ) {
        prop_assert_eq!(plan(&versions, now, policy), plan(&shuffled, now, policy));
    }

    #[test]
    fn exactly_one_enabled_version_is_active_if_there_is_any(
        versions in vec(version(), 0..8),
        now in time(),
        policy in policy(),
    ) {
        let plan = plan(&versions, now, policy);

        let is_active = |stage: &Stage| matches!(stage, Stage::Active { .. });
        let active = plan.stages.iter().filter(|(_, stage)| is_active(stage)).count();
        prop_assert_eq!(active, usize::from(versions.iter().any(|version| version.enabled)));
        prop_assert!(plan.active().is_none_or(|version| version.enabled));
    }

    #[test]
    fn every_version_is_told_once_and_every_enabled_one_is_held(
        versions in vec(version(), 0..8),
        now in time(),
        policy in policy(),
    ) {
        let plan = plan(&versions, now, policy);

        prop_assert_eq!(plan.stages.len(), versions.len());
        for version in &versions {
            prop_assert!(plan.stages.iter().any(|(told, _)| told == version));
            prop_assert!(!version.enabled || plan.held().any(|held| held == version));
        }
    }
}
