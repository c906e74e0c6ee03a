//! Arbitrary settings, fleets and changes.

use proptest::{collection::vec, option, prelude::*};

use super::{
    fleet::{Habits, Pace, Settings},
    vault::{Change, Millis},
};

/// A simulation to run.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) settings: Settings,
    pub(super) fleet: Vec<Habits>,
    pub(super) changes: Vec<(Millis, Change)>,
}

/// Which changes people make.
#[derive(Clone, Copy, Debug)]
pub(super) enum Changes {
    /// They make versions that do not expire, and edit tags.
    Additions,
    /// They also make versions that expire, and disable and enable.
    Rotations,
    /// They also change the times of versions.
    All,
}

/// Settings whose delay is `stretch` per cent of the refresh interval, with as much skew and
/// latency as that leaves room for: half of the delay, less the second that the vault truncates.
pub(super) fn settings(stretch: impl Strategy<Value = u64>) -> impl Strategy<Value = Settings> {
    let refresh = prop_oneof![1_000..=5_000_u64, 1_000..=600_000_u64];
    let part = || prop_oneof![Just(0_u64), Just(100), 0..=100_u64];
    (refresh, stretch, part(), part()).prop_map(|(refresh, stretch, skew, call)| {
        let delay = refresh * stretch / 100;
        let room = (delay / 2).saturating_sub(1_000);
        let skew = room * skew / 100;
        let call = (room - skew) / 2 * call / 100;
        Settings {
            refresh,
            delay,
            skew,
            call,
        }
    })
}

/// A fleet of two to four, and up to ten changes after the secret was made.
pub(super) fn scenarios(
    stretch: impl Strategy<Value = u64>,
    kind: Changes,
) -> impl Strategy<Value = Scenario> {
    settings(stretch).prop_flat_map(move |settings| {
        let fleet = vec(habits(settings), 2..=4);
        let gap = moments(settings.delay);
        let changes = vec((gap, change(settings.delay, kind)), 1..=10);
        (Just(settings), fleet, create(settings.delay, kind), changes).prop_map(
            |(settings, fleet, first, gaps)| Scenario {
                settings,
                fleet,
                changes: in_turn(first, gaps),
            },
        )
    })
}

fn in_turn(first: Change, gaps: Vec<(Millis, Change)>) -> Vec<(Millis, Change)> {
    let mut now = 0;
    let mut changes = vec![(now, first)];
    for (gap, change) in gaps {
        now += gap;
        changes.push((now, change));
    }
    changes
}

/// Spans of time around those that matter.
fn moments(delay: Millis) -> impl Strategy<Value = Millis> {
    prop_oneof![
        0..=5_000_u64,
        0..=delay / 4,
        delay / 4..=delay,
        delay..=delay * 4,
    ]
}

fn habits(settings: Settings) -> impl Strategy<Value = Habits> {
    let skew = i64::try_from(settings.skew).unwrap();
    let skew = prop_oneof![Just(-skew), Just(skew), -skew..=skew];
    let starts = prop_oneof![0..=settings.refresh, 0..=settings.delay * 5];
    (starts, skew, vec(pace(settings), 1..=6)).prop_map(|(starts, skew, paces)| Habits {
        starts,
        skew,
        paces,
    })
}

fn pace(settings: Settings) -> impl Strategy<Value = Pace> {
    let takes = prop_oneof![Just(settings.call), 0..=settings.call];
    let slowest = settings.refresh;
    let pause = prop_oneof![Just(slowest), slowest * 3 / 4..=slowest];
    (takes, 0..=100_u64, pause).prop_map(|(takes, part, pause)| Pace {
        takes,
        lists_after: takes * part / 100,
        pause,
    })
}

fn change(delay: Millis, kind: Changes) -> BoxedStrategy<Change> {
    let pick = || 0..6_usize;
    let additions = prop_oneof![4 => create(delay, kind), 1 => pick().prop_map(Change::Touch)];
    let toggles = || {
        prop_oneof![
            3 => pick().prop_map(Change::Disable),
            2 => pick().prop_map(Change::Enable),
        ]
    };
    let times = prop_oneof![
        (pick(), time(delay)).prop_map(|(pick, time)| Change::NotBefore(pick, time)),
        (pick(), time(delay)).prop_map(|(pick, time)| Change::Expires(pick, time)),
    ];
    match kind {
        Changes::Additions => additions.boxed(),
        Changes::Rotations => prop_oneof![additions, toggles()].boxed(),
        Changes::All => prop_oneof![2 => additions, 3 => toggles(), 1 => times].boxed(),
    }
}

fn create(delay: Millis, kind: Changes) -> BoxedStrategy<Change> {
    let expires = match kind {
        Changes::Additions => Just(None).boxed(),
        Changes::Rotations | Changes::All => prop_oneof![Just(None), time(delay)].boxed(),
    };
    (any::<u32>(), time(delay), expires)
        .prop_map(|(salt, not_before, expires)| Change::Create {
            salt,
            not_before,
            expires,
        })
        .boxed()
}

/// A time that a version may carry, relative to the moment at which it is set.
fn time(delay: Millis) -> impl Strategy<Value = Option<i64>> {
    let delay = i64::try_from(delay).unwrap();
    option::of(prop_oneof![-delay..=delay, 0..=delay * 6])
}
