//! Processes that refresh at their own times, with clocks of their own.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    ops::Range,
    time::Duration,
};

use proptest::test_runner::TestCaseError;

use super::vault::{Change, Millis, Vault, clock};
use crate::rotation::{Plan, Policy, plan};

/// What all processes have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) refresh: Millis,
    pub(super) delay: Millis,
    /// What the clock of a process and that of the vault may differ by.
    pub(super) skew: Millis,
    /// How long a refresh may take.
    pub(super) call: Millis,
}

impl Settings {
    fn policy(&self) -> Policy {
        let activation_delay = Duration::from_millis(self.delay);
        Policy { activation_delay }
    }

    /// From when a process could know something until it surely does.
    pub(super) fn notice(&self) -> Millis {
        self.refresh + 2 * self.call
    }
}

/// One refresh: how long it takes, when in between the list is read, and the pause after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) takes: Millis,
    pub(super) lists_after: Millis,
    pub(super) pause: Millis,
}

/// When a process starts, how far its clock is ahead, and its refreshes, over and over.
#[derive(Clone, Debug)]
pub(super) struct Habits {
    pub(super) starts: Millis,
    pub(super) skew: i64,
    pub(super) paces: Vec<Pace>,
}

/// What a process has after a refresh.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    pub(super) active: String,
    pub(super) held: BTreeSet<String>,
    /// Steps of the simulation at which it read a list that it then used; the last made this ring.
    pub(super) lists: Vec<usize>,
}

impl Ring {
    pub(super) fn listed(&self) -> usize {
        self.lists.last().copied().unwrap_or(0)
    }
}

#[derive(Debug)]
pub(super) struct Process {
    habits: Habits,
    refreshes: usize,
    began: Millis,
    answer: Option<(Plan, usize)>,
    /// `None` until a first refresh has succeeded.
    pub(super) ring: Option<Ring>,
}

/// Everything, at one moment.
#[derive(Debug)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) vault: Vault,
    pub(super) fleet: Vec<Process>,
    pub(super) now: Millis,
    step: usize,
    planned: usize,
    outage: Range<Millis>,
    queue: BinaryHeap<Reverse<(Millis, usize, Event)>>,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Event {
    Change(usize),
    List(usize),
    Swap(usize),
}

impl World {
    pub(super) fn new(settings: Settings, vault: Vault, fleet: &[Habits]) -> Self {
        let mut world = Self {
            settings,
            vault,
            fleet: fleet.iter().cloned().map(Process::new).collect(),
            now: 0,
            step: 0,
            planned: 0,
            outage: 0..0,
            queue: BinaryHeap::new(),
        };
        for (n, habits) in fleet.iter().enumerate() {
            world.begin(n, habits.starts);
        }
        world
    }

    /// Nobody reaches the vault for reading in `outage`.
    pub(super) fn with_outage(self, outage: Range<Millis>) -> Self {
        Self { outage, ..self }
    }

    /// Lets the `changes` happen and three delays pass, with a look at every moment in which
    /// anything differs from the moment before.
    pub(super) fn run(
        mut self,
        changes: &[(Millis, Change)],
        mut look: impl FnMut(&Self) -> Result<(), TestCaseError>,
    ) -> Result<(), TestCaseError> {
        for (n, (at, _)) in changes.iter().enumerate() {
            self.push(*at, Event::Change(n));
        }
        let last = changes.iter().map(|(at, _)| *at).max().unwrap_or(0);
        let end = last.max(self.outage.end) + 3 * self.settings.delay;
        while let Some(Reverse((at, _, event))) = self.queue.pop()
            && at <= end
        {
            self.now = at;
            self.step += 1;
            match event {
                Event::Change(n) => {
                    let settings = self.settings;
                    self.vault.apply(changes[n].1, at, self.step, &settings);
                }
                Event::List(n) => self.list(n),
                Event::Swap(n) => self.swap(n),
            }
            look(&self)?;
        }
        Ok(())
    }

    /// The rings of all processes that run.
    pub(super) fn rings(&self) -> impl Iterator<Item = &Ring> + Clone {
        self.fleet
            .iter()
            .filter_map(|process| process.ring.as_ref())
    }

    fn push(&mut self, at: Millis, event: Event) {
        // Events of one moment happen in the order in which they were planned.
        self.planned += 1;
        self.queue.push(Reverse((at, self.planned, event)));
    }

    fn begin(&mut self, n: usize, at: Millis) {
        self.fleet[n].began = at;
        let pace = self.fleet[n].pace();
        self.push(at + pace.lists_after, Event::List(n));
        self.push(at + pace.takes, Event::Swap(n));
    }

    fn list(&mut self, n: usize) {
        if self.outage.contains(&self.now) {
            return;
        }
        let process = &mut self.fleet[n];
        let now = clock(process.began, process.habits.skew);
        let plan = plan(&self.vault.list(), now, self.settings.policy());
        process.answer = Some((plan, self.step));
    }

    fn swap(&mut self, n: usize) {
        let process = &mut self.fleet[n];
        if let Some((plan, step)) = process.answer.take() {
            process.use_plan(&plan, step);
        }
        let pause = process.pace().pause;
        process.refreshes += 1;
        self.begin(n, self.now + pause);
    }
}

impl Process {
    fn new(habits: Habits) -> Self {
        Self {
            habits,
            refreshes: 0,
            began: 0,
            answer: None,
            ring: None,
        }
    }

    fn pace(&self) -> Pace {
        self.habits.paces[self.refreshes % self.habits.paces.len()]
    }

    /// Keeps what the plan says and it has, fetches what the plan says and the vault hands out.
    fn use_plan(&mut self, plan: &Plan, step: usize) {
        let Some(active) = plan.active() else {
            return;
        };
        let (had, mut lists) = match self.ring.take() {
            Some(ring) => (ring.held, ring.lists),
            None => (BTreeSet::new(), Vec::new()),
        };
        lists.push(step);
        let held = plan.held();
        self.ring = Some(Ring {
            active: active.version.clone(),
            held: held
                .filter(|version| version.enabled || had.contains(&version.version))
                .map(|version| version.version.clone())
                .collect(),
            lists,
        });
    }
}
