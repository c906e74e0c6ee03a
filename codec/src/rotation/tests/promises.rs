//! What every fleet may rely on, whatever happens to its secret.

use std::{
    ops::{Range, RangeInclusive},
    time::Duration,
};

use proptest::{
    prelude::*,
    test_runner::{TestCaseError, TestError, TestRunner},
};

use super::{
    fleet::{Ring, World},
    schedule::{Changes, Scenario, scenarios},
    vault::{Change, Millis, Vault, clock},
};

/// Per cent of the refresh interval that a delay may be: at least twice as long.
const ALLOWED: RangeInclusive<u64> = 200..=600;

/// Whether every running process holds the key of every process that seals.
fn all_hold_all_that_seal(world: &World) -> Result<(), TestCaseError> {
    for (sealing, opening) in pairs(world) {
        let held = opening.held.contains(&sealing.active);
        prop_assert!(held, "{} is missing: {world:#?}", sealing.active);
    }
    Ok(())
}

/// Whether every running process holds the key of every process that seals, or gets it from the
/// vault when it asks.
fn all_hold_or_get_all_that_seal(world: &World) -> Result<(), TestCaseError> {
    for (sealing, opening) in pairs(world) {
        let held = opening.held.contains(&sealing.active);
        let enabled = world.vault.entry(&sealing.active).version.enabled;
        prop_assert!(held || enabled, "{} is gone: {world:#?}", sealing.active);
    }
    Ok(())
}

/// The same, but for processes that never could: the vault refused the version at each of their
/// refreshes since the other one was told to seal under it.
fn all_that_could_hold_or_get_all_that_seal(world: &World) -> Result<(), TestCaseError> {
    for (sealing, opening) in pairs(world) {
        let entry = world.vault.entry(&sealing.active);
        let spans = entry
            .spans
            .iter()
            .filter(|span| span.end > sealing.listed());
        let lists = &opening.lists;
        let chances = spans.flat_map(|span| lists.iter().filter(|list| span.contains(list)));
        let held = opening.held.contains(&sealing.active);
        prop_assert!(
            held || entry.version.enabled || chances.count() == 0,
            "{} is gone: {world:#?}",
            sealing.active
        );
    }
    Ok(())
}

fn pairs(world: &World) -> impl Iterator<Item = (&Ring, &Ring)> {
    let rings = world.rings();
    rings
        .clone()
        .flat_map(move |one| rings.clone().map(move |other| (one, other)))
}

fn orderly(scenario: &Scenario) -> World {
    World::new(scenario.settings, Vault::new(true), &scenario.fleet)
}

fn disorderly(scenario: &Scenario) -> World {
    World::new(scenario.settings, Vault::new(false), &scenario.fleet)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn in_orderly_rotations_every_key_in_use_is_resident(
        scenario in scenarios(ALLOWED, Changes::Rotations),
    ) {
        orderly(&scenario).run(&scenario.changes, all_hold_all_that_seal)?;
    }

    #[test]
    fn whatever_people_do_no_process_is_locked_out_of_what_it_could_have(
        scenario in scenarios(ALLOWED, Changes::All),
    ) {
        disorderly(&scenario).run(&scenario.changes, all_that_could_hold_or_get_all_that_seal)?;
    }

    /// Times in per cent of the delay.
    #[test]
    fn an_outage_changes_nothing_and_is_over_one_refresh_after_its_end(
        scenario in scenarios(ALLOWED, Changes::Rotations),
        start in 0..=1_000_u64,
        length in 0..=2_000_u64,
    ) {
        let delay = scenario.settings.delay;
        let outage = start * delay / 100..(start + length) * delay / 100;
        let recovery = outage.end..=outage.end + scenario.settings.notice();
        let spared = outage.start.saturating_sub(delay)..outage.end + delay;
        let changes = without_disables(&scenario.changes, &spared);

        orderly(&scenario).with_outage(outage).run(&changes, |world| {
            match recovery.contains(&world.now) {
                true => all_hold_or_get_all_that_seal(world),
                false => all_hold_all_that_seal(world),
            }
        })?;
    }

    #[test]
    fn no_process_goes_back_to_an_older_version(
        scenario in scenarios(ALLOWED, Changes::Additions),
    ) {
        let mut last = vec![None; scenario.fleet.len()];
        orderly(&scenario).run(&scenario.changes, |world| {
            let active = active(world);
            prop_assert!(last.iter().zip(&active).all(|(before, now)| before <= now));
            last = active;
            Ok(())
        })?;
    }

    #[test]
    fn a_version_that_is_due_seals_everywhere_after_one_refresh(
        scenario in scenarios(ALLOWED, Changes::Additions),
    ) {
        orderly(&scenario).run(&scenario.changes, |world| {
            let expected = surely_active(world);
            prop_assert!(active(world).iter().flatten().all(|active| Some(*active) >= expected));
            Ok(())
        })?;
    }
}

#[test]
fn a_delay_below_twice_the_refresh_interval_breaks_the_promise() {
    let scenarios = scenarios(100..=190_u64, Changes::Rotations);
    let found = TestRunner::new(ProptestConfig {
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::with_cases(20_000)
    })
    .run(&scenarios, |scenario| {
        orderly(&scenario).run(&scenario.changes, all_hold_all_that_seal)
    });

    assert!(matches!(found, Err(TestError::Fail(..))));
}

fn without_disables(changes: &[(Millis, Change)], spared: &Range<Millis>) -> Vec<(Millis, Change)> {
    let disables = |change: &Change| matches!(change, Change::Disable(_));
    let mut changes = changes.to_vec();
    changes.retain(|(at, change)| !(spared.contains(at) && disables(change)));
    changes
}

/// Which version each process seals under, by number in order of creation.
fn active(world: &World) -> Vec<Option<usize>> {
    let number = |ring: &Ring| {
        let mut entries = world.vault.entries.iter();
        entries.position(|entry| entry.version.version == ring.active)
    };
    let rings = world.fleet.iter().map(|process| process.ring.as_ref());
    rings.map(|ring| ring.and_then(number)).collect()
}

/// The newest version that has been due for so long that the slowest process has refreshed since.
fn surely_active(world: &World) -> Option<usize> {
    let settings = &world.settings;
    let wait = settings.delay + settings.skew + settings.notice();
    world.vault.entries.iter().rposition(|entry| {
        let version = &entry.version;
        let start = version
            .not_before
            .unwrap_or(version.created)
            .max(version.created);
        start + Duration::from_millis(wait) <= clock(world.now, 0)
    })
}
