//! The loop against a server that answers as told, with time that passes only when nothing else can.

use std::{
    collections::VecDeque,
    num::NonZeroU64,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use temporalio_common::protos::temporal::api::common::v1::Payload;
use tokio::time::Instant;

use super::{
    super::{InputTemplate, Jitter},
    Event, Failure, FailureKind, Round, Starter, Target, TriggerError, TriggerOptions,
};

const EVERY: Duration = Duration::from_secs(10);

/// Answers the first starts as told and all later ones with success; remembers every attempt.
#[derive(Clone, Default)]
struct FakeServer {
    answers: Arc<Mutex<VecDeque<FailureKind>>>,
    attempts: Arc<Mutex<Vec<Attempt>>>,
    hangs: bool,
}

#[derive(Clone)]
struct Attempt {
    at: Instant,
    workflow_id: String,
    input: Vec<Value>,
}

impl FakeServer {
    fn failing(kinds: &[FailureKind]) -> Self {
        let server = Self::default();
        server.answers.lock().unwrap().extend(kinds);
        server
    }

    fn attempts(&self) -> Vec<Attempt> {
        self.attempts.lock().unwrap().clone()
    }

    fn ids(&self) -> Vec<String> {
        self.attempts()
            .into_iter()
            .map(|it| it.workflow_id)
            .collect()
    }

    /// Seconds between the attempts.
    fn pauses(&self) -> Vec<u64> {
        let attempts = self.attempts();
        attempts
            .windows(2)
            .map(|it| (it[1].at - it[0].at).as_secs())
            .collect()
    }
}

impl Starter for FakeServer {
    async fn start(
        &self,
        _workflow_type: &str,
        workflow_id: &str,
        input: &[Value],
    ) -> Result<Option<String>, Failure> {
        self.attempts.lock().unwrap().push(Attempt {
            at: Instant::now(),
            workflow_id: workflow_id.to_owned(),
            input: input.to_vec(),
        });
        match self.answers.lock().unwrap().pop_front() {
            Some(kind) => Err(Failure {
                kind,
                reason: kind.to_string(),
                run_id: None,
            }),
            None => Ok(Some("run".to_owned())),
        }
    }

    async fn outcome(self, workflow_id: String) -> Result<Vec<Payload>, String> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Err(format!("{workflow_id} ended"))
    }
}

fn target(workflow_type: &str) -> Target {
    Target {
        workflow_type: workflow_type.to_owned(),
        input: InputTemplate::new(vec![json!("{{counter}}")]).unwrap(),
    }
}

fn options(count: u64) -> TriggerOptions {
    TriggerOptions {
        targets: vec![target("T")],
        task_queue: "queue".to_owned(),
        every: EVERY,
        jitter: Jitter::default(),
        count: NonZeroU64::new(count),
        wait: false,
    }
}

/// Runs to the end, without back-off jitter, and returns what was told.
async fn run(
    server: &FakeServer,
    options: TriggerOptions,
) -> (Vec<Event>, Result<(), TriggerError>) {
    let mut events = Vec::new();
    let mut round = Round::new(server.clone(), options, || 0.0, |event| events.push(event));
    let ended = round.all().await;
    drop(round);
    (events, ended)
}

#[tokio::test(start_paused = true)]
async fn the_first_start_is_due_at_once_and_the_others_in_a_steady_beat() {
    let server = FakeServer::default();

    let (events, ended) = run(&server, options(3)).await;

    ended.unwrap();
    assert_eq!(events.len(), 3);
    assert_eq!(server.pauses(), [10, 10]);
    let inputs: Vec<_> = server.attempts().into_iter().map(|it| it.input).collect();
    assert_eq!(inputs, [[json!(1)], [json!(2)], [json!(3)]]);
}

#[tokio::test(start_paused = true)]
async fn targets_take_turns() {
    let server = FakeServer::default();
    let mut options = options(3);
    options.targets.push(target("U"));

    run(&server, options).await.1.unwrap();

    let types: Vec<_> = server.ids().iter().map(|id| id[..3].to_owned()).collect();
    assert_eq!(types, ["T-1", "U-2", "T-3"]);
}

#[tokio::test(start_paused = true)]
async fn without_targets_nothing_is_started() {
    let server = FakeServer::default();
    let mut options = options(3);
    options.targets.clear();

    run(&server, options).await.1.unwrap();

    assert!(server.ids().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_is_retried_under_its_own_id_with_growing_waits() {
    let server = FakeServer::failing(&[FailureKind::Unreachable; 3]);

    let (events, ended) = run(&server, options(2)).await;

    ended.unwrap();
    let ids = server.ids();
    assert!(ids[..4].iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_ne!(ids[4], ids[0]);
    // 7 seconds of waits do not move the second start from its beat.
    assert_eq!(server.pauses(), [1, 2, 4, 3]);
    assert_eq!(events.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn starts_missed_during_an_outage_are_not_made_up_for_in_a_burst() {
    let server = FakeServer::failing(&[FailureKind::Unreachable; 6]);

    run(&server, options(3)).await.1.unwrap();

    assert_eq!(server.pauses(), [1, 2, 4, 8, 16, 32, 10, 10]);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_taken_after_a_lost_answer_is_our_own_start() {
    let server = FakeServer::failing(&[FailureKind::Unreachable, FailureKind::IdTaken]);

    let (events, ended) = run(&server, options(1)).await;

    ended.unwrap();
    assert_eq!(server.ids().len(), 2);
    assert!(matches!(
        events.last(),
        Some(Event::Started { counter: 1, .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_taken_at_the_first_attempt_belongs_to_somebody_else() {
    let server = FakeServer::failing(&[FailureKind::IdTaken]);

    let (events, ended) = run(&server, options(1)).await;

    ended.unwrap();
    assert_eq!(server.ids().len(), 2, "a second attempt must follow");
    assert!(matches!(
        events[0],
        Event::StartFailed {
            kind: FailureKind::IdTaken,
            ..
        }
    ));
    assert!(matches!(events[1], Event::Started { counter: 1, .. }));
}

#[tokio::test(start_paused = true)]
async fn what_can_never_succeed_ends_the_trigger() {
    let server = FakeServer::failing(&[FailureKind::Invalid]);

    let error = run(&server, options(1)).await.1.unwrap_err();

    assert_eq!(error.kind, FailureKind::Invalid);
    assert_eq!(server.ids(), [error.workflow_id]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_final_only_before_the_first_success() {
    let refused = run(&FakeServer::failing(&[FailureKind::Refused]), options(1))
        .await
        .1;
    assert_eq!(refused.unwrap_err().kind, FailureKind::Refused);

    let server = FakeServer::default();
    let mut round = Round::new(server.clone(), options(1), || 0.0, |_| {});
    round.started = 1;
    server
        .answers
        .lock()
        .unwrap()
        .push_back(FailureKind::Refused);

    round.all().await.unwrap();
    assert_eq!(server.ids().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn results_are_told_while_waiting_for_the_next_start_and_at_the_end() {
    let server = FakeServer::default();
    let waiting = TriggerOptions {
        wait: true,
        ..options(2)
    };

    let (events, ended) = run(&server, waiting).await;

    ended.unwrap();
    let kinds: Vec<_> = events
        .iter()
        .map(|it| matches!(it, Event::Finished { .. }))
        .collect();
    assert_eq!(kinds, [false, true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_never_ends_holds_up_no_later_start() {
    let server = FakeServer {
        hangs: true,
        ..FakeServer::default()
    };
    let waiting = TriggerOptions {
        wait: true,
        ..options(2)
    };

    let ended = tokio::time::timeout(EVERY * 5, run(&server, waiting)).await;

    assert!(ended.is_err(), "the second workflow is still waited for");
    assert_eq!(server.pauses(), [10]);
}
