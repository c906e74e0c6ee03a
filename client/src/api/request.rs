//! What it takes to start a workflow over HTTP, and what makes two requests the same.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

use aws_lc_rs::digest::{Context, SHA256};
use sealane_service::http::{Kind, Problem};
use serde::Deserialize;
use serde_json::value::RawValue;
use temporalio_common::protos::temporal::api::{
    common::v1::Payload,
    enums::v1::{WorkflowIdConflictPolicy, WorkflowIdReusePolicy},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::extract::{Name, Period};
use crate::{payload, workflow::Start};

/// Names of notes that Sealane keeps for itself begin with this.
const RESERVED: &str = "sealane-";

/// A workflow to start. Arguments and notes are encrypted before they leave this process; names,
/// ids and the task queue are not.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"type": "GreetingWorkflow", "input": ["Ada"]}))]
pub(super) struct StartRequest {
    /// Name of the workflow type, as a worker registers it.
    #[serde(rename = "type")]
    workflow_type: Name,
    /// Id of the new workflow. Default: made of the idempotency key, or else random.
    pub(super) workflow_id: Option<Name>,
    /// Task queue that the worker polls. Default: `TEMPORAL_TASK_QUEUE`.
    task_queue: Option<Name>,
    /// Arguments, in order: any JSON.
    #[serde(default)]
    #[schema(value_type = Vec<serde_json::Value>)]
    input: Vec<Box<RawValue>>,
    /// Notes for people and tools.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    memo: BTreeMap<String, Box<RawValue>>,
    /// Limit for the workflow with all its retries and continuations.
    execution_timeout: Option<Period>,
    /// Limit for one run.
    run_timeout: Option<Period>,
    /// Limit for one workflow task. Default: 10s.
    task_timeout: Option<Period>,
    /// Wait before the first workflow task.
    start_delay: Option<Period>,
    /// What to do if a workflow of the id has ended. Default: `AllowDuplicate`. Not together with an
    /// idempotency key.
    pub(super) id_reuse_policy: Option<IdReusePolicy>,
    /// What to do if a workflow of the id is running. Default: `Fail`. Not together with an
    /// idempotency key.
    pub(super) id_conflict_policy: Option<IdConflictPolicy>,
}

/// What to do if a workflow of the id has ended.
#[derive(Clone, Copy, Deserialize, ToSchema)]
pub(super) enum IdReusePolicy {
    /// Start a new one.
    AllowDuplicate,
    /// Start a new one unless the old one completed.
    AllowDuplicateFailedOnly,
    /// Start nothing and say so.
    RejectDuplicate,
}

impl From<IdReusePolicy> for WorkflowIdReusePolicy {
    fn from(policy: IdReusePolicy) -> Self {
        match policy {
            IdReusePolicy::AllowDuplicate => Self::AllowDuplicate,
            IdReusePolicy::AllowDuplicateFailedOnly => Self::AllowDuplicateFailedOnly,
            IdReusePolicy::RejectDuplicate => Self::RejectDuplicate,
        }
    }
}

/// What to do if a workflow of the id is running.
#[derive(Clone, Copy, Deserialize, ToSchema)]
pub(super) enum IdConflictPolicy {
    /// Start nothing and say so.
    Fail,
    /// Take the running one for the new one.
    UseExisting,
    /// Terminate the running one first.
    TerminateExisting,
}

impl From<IdConflictPolicy> for WorkflowIdConflictPolicy {
    fn from(policy: IdConflictPolicy) -> Self {
        match policy {
            IdConflictPolicy::Fail => Self::Fail,
            IdConflictPolicy::UseExisting => Self::UseExisting,
            IdConflictPolicy::TerminateExisting => Self::TerminateExisting,
        }
    }
}

impl StartRequest {
    /// Returns what to start, under a random id if the request has none.
    ///
    /// # Errors
    ///
    /// 422 if an argument or a note cannot be sent.
    pub(super) fn read(self, default_queue: &str) -> Result<Start, Problem> {
        let workflow_type = String::from(self.workflow_type);
        let random_id = || format!("{workflow_type}-{}", Uuid::new_v4());
        let period = |period: Option<Period>| period.map(Period::duration);
        let policy = |known: Option<IdReusePolicy>| known.unwrap_or(IdReusePolicy::AllowDuplicate);
        Ok(Start {
            workflow_id: self.workflow_id.map_or_else(random_id, String::from),
            task_queue: self
                .task_queue
                .map_or_else(|| default_queue.to_owned(), String::from),
            input: payloads(&self.input)?,
            memo: notes(&self.memo)?,
            execution_timeout: period(self.execution_timeout),
            run_timeout: period(self.run_timeout),
            task_timeout: period(self.task_timeout),
            start_delay: period(self.start_delay),
            id_reuse_policy: policy(self.id_reuse_policy).into(),
            id_conflict_policy: self
                .id_conflict_policy
                .unwrap_or(IdConflictPolicy::Fail)
                .into(),
            workflow_type,
            ..Start::default()
        })
    }
}

/// Returns `values` as payloads.
///
/// # Errors
///
/// 422 that counts to the one that cannot be sent, without quoting it.
pub(super) fn payloads(values: &[Box<RawValue>]) -> Result<Vec<Payload>, Problem> {
    let mut payloads = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let payload = payload::from_raw(value);
        payloads.push(payload.map_err(|_| unsendable(&format!("input[{index}]")))?);
    }
    Ok(payloads)
}

fn notes(memo: &BTreeMap<String, Box<RawValue>>) -> Result<HashMap<String, Payload>, Problem> {
    let mut notes = HashMap::with_capacity(memo.len());
    for (name, value) in memo {
        if name.starts_with(RESERVED) {
            let detail = format!("names in memo that begin with {RESERVED} are reserved");
            return Err(Problem::new(Kind::Unprocessable, detail));
        }
        let payload = payload::from_raw(value).map_err(|_| unsendable("a value of memo"))?;
        notes.insert(name.clone(), payload);
    }
    Ok(notes)
}

fn unsendable(what: &str) -> Problem {
    let detail = format!(
        "{what} nests deeper than 127 levels, holds a number beyond those of a double, or half a surrogate pair"
    );
    Problem::new(Kind::Unprocessable, detail)
}

/// Returns the id that a workflow gets from the idempotency key of `caller`: 128 bits of a digest, so
/// that two callers with one key do not meet. Ids are plaintext: whoever guesses caller and key can check it.
pub(super) fn id_of(caller: &str, key: &str) -> String {
    let digest = digest(&[caller.as_bytes(), key.as_bytes()]);
    format!("request-{}", &digest[..32])
}

/// Returns what two requests to start a workflow have in common exactly if they ask for the same:
/// type, task queue, arguments. White space in JSON does not count, the order of members does.
pub(super) fn fingerprint(start: &Start) -> String {
    let mut parts = vec![
        start.workflow_type.as_bytes().to_vec(),
        start.task_queue.as_bytes().to_vec(),
    ];
    parts.extend(start.input.iter().map(|it| without_space(&it.data)));
    let parts: Vec<_> = parts.iter().map(Vec::as_slice).collect();
    digest(&parts)
}

/// SHA-256 in hex of `parts`, each after its length, so that they cannot run into each other.
fn digest(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    }
    let mut hex = String::with_capacity(64);
    for byte in context.finish().as_ref() {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Drops what stands between the tokens of valid JSON.
fn without_space(json: &[u8]) -> Vec<u8> {
    let (mut quoted, mut escaped) = (false, false);
    let keep = |byte: &u8| {
        let keep = quoted || !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        match byte {
            b'"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && *byte == b'\\' && !escaped;
        keep
    };
    json.iter().copied().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(body: &str) -> Start {
        let request: StartRequest = serde_json::from_str(body).unwrap();
        request
            .read("queue")
            .unwrap_or_else(|problem| panic!("{}", problem.detail()))
    }

    #[test]
    fn arguments_are_sent_digit_for_digit() {
        let start = start(r#"{"type": "T", "input": [12345678901234567890.10, {"b": 1, "a": 2}]}"#);

        let sent: Vec<_> = start.input.iter().map(|it| it.data.as_slice()).collect();
        assert_eq!(
            sent,
            [&b"12345678901234567890.10"[..], br#"{"b": 1, "a": 2}"#]
        );
        assert_eq!(start.task_queue, "queue");
        assert!(start.workflow_id.starts_with("T-"), "{}", start.workflow_id);
    }

    #[test]
    fn deep_json_is_refused_and_told_by_its_place_alone() {
        let deep = format!("{}7{}", "[".repeat(200), "]".repeat(200));
        let body = format!(r#"{{"type": "T", "input": [1, {deep}]}}"#);
        let request: StartRequest = serde_json::from_str(&body).unwrap();

        let problem = request.read("queue").err().unwrap();

        let detail = problem.detail();
        assert!(detail.starts_with("input[1] nests deeper"), "{detail}");
        assert!(!detail.contains("[["), "{detail}");
    }

    #[test]
    fn a_fingerprint_tells_requests_apart_and_ignores_white_space() {
        let of = |body: &str| fingerprint(&start(body));
        let first = of(r#"{"type": "T", "input": [{"a b": "\"c d\\"}, 2]}"#);

        assert_eq!(
            of("{\"type\":\"T\",\"input\":[ {\"a b\" :\n\"\\\"c d\\\\\"} ,\t2]}"),
            first
        );
        for other in [
            r#"{"type": "U", "input": [{"a b": "\"c d\\"}, 2]}"#,
            r#"{"type": "T", "input": [{"a b": "\"cd\\"}, 2]}"#,
            r#"{"type": "T", "input": [{"ab": "\"c d\\"}, 2]}"#,
            r#"{"type": "T", "input": [{"a b": "\"c d\\"}]}"#,
            r#"{"type": "T", "taskQueue": "q", "input": [{"a b": "\"c d\\"}, 2]}"#,
        ] {
            assert_ne!(of(other), first, "{other}");
        }
        assert_ne!(
            of(r#"{"type": "T", "input": [1, 2]}"#),
            of(r#"{"type": "T", "input": [12]}"#)
        );
    }

    #[test]
    fn callers_with_the_same_key_do_not_meet() {
        assert_eq!(id_of("ci", "k"), id_of("ci", "k"));
        assert_ne!(id_of("ci", "k"), id_of("shop", "k"));
        assert_ne!(id_of("ci", "k"), id_of("c", "ik"));
        assert_eq!(id_of("ci", "k").len(), "request-".len() + 32);
    }
}
