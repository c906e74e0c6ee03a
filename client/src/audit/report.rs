//! What a walk says about each key.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use sealane_codec::{EncodeError, EncryptionCodec, SharedKeyRing};
use serde::Serialize;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::{Counted, Findings, Need};

/// How many of those that need a key are named.
const EXAMPLES: usize = 10;

/// What this process knows of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownKeys {
    /// What it takes to read what this process writes, and what processes write that encrypt with the
    /// same keys in the other mode. Empty if this one writes plaintext.
    pub active: BTreeSet<Need>,
    /// Ids of the keys in the key ring.
    pub ring: BTreeSet<String>,
    /// Id of the key that reads payloads of the Python starter.
    pub legacy: Option<String>,
    /// Ids of the keys that some process encrypts under, or will: a rotation is under way.
    pub in_rotation: BTreeSet<String>,
}

/// What a walk says about each key.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The namespace that was walked.
    pub namespace: String,
    /// The filter of workflows, empty for all of them.
    pub query: String,
    /// Whether closed workflows were looked at as well.
    pub closed_included: bool,
    /// Workflow runs that were looked at.
    pub workflows: usize,
    /// Workflows that were listed as open and had ended when they were fetched.
    pub ended: u64,
    /// Schedules that were looked at.
    pub schedules: usize,
    /// A row for every key of the ring, and for everything else that payloads need.
    pub keys: Vec<KeyUse>,
}

/// Who needs one key.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyUse {
    /// Id of the key. `None` for payloads that are plain, hidden, or name no key where they ought to.
    pub key_id: Option<String>,
    /// `key`, `envelope`, `stored`, `stored-envelope`, `legacy`, `unnamed`, `plaintext` or `hidden`.
    pub kind: &'static str,
    /// Whether this process encrypts under it, or others of the same keys in the other mode.
    pub active: bool,
    /// Whether a rotation from or to it is under way, so that others may encrypt under it.
    pub in_rotation: bool,
    /// Whether this process can read what is under it; `None` where the key ring cannot tell.
    pub in_ring: Option<bool>,
    /// Payloads that need it.
    pub payloads: u64,
    /// Workflows that have such payloads.
    pub workflows: u64,
    /// Schedules that have such payloads.
    pub schedules: u64,
    /// Whether nothing in the namespace needs it; `None` if that cannot be told, since only a part was
    /// looked at or some payloads do not show their key, or if it is no key.
    pub can_disable: Option<bool>,
    /// Ids of the first few workflows and schedules that need it, workflows first.
    pub examples: Vec<String>,
    /// Ids of the first few schedules that need it, however many workflows do.
    pub schedule_examples: Vec<String>,
}

impl KnownKeys {
    /// Asks `codec`, by having it encrypt an empty payload.
    ///
    /// # Errors
    ///
    /// Whatever keeps the codec from encrypting.
    pub fn of(codec: Option<&EncryptionCodec>) -> Result<Self, EncodeError> {
        let Some(codec) = codec else {
            return Ok(Self::default());
        };
        let probe = codec.encode_payload(Payload::default())?;
        let under = codec.ring().map(|ring| ring.current().active().to_string());
        Ok(Self {
            active: [Need::of(&probe)]
                .into_iter()
                .chain(under.map(Need::Key))
                .collect(),
            ring: codec.ring().map(ids).unwrap_or_default(),
            legacy: codec
                .options()
                .legacy_key_id
                .as_ref()
                .map(ToString::to_string),
            in_rotation: BTreeSet::new(),
        })
    }

    /// The id of the key that `need` comes to.
    fn id(&self, need: &Need) -> Option<String> {
        match need {
            Need::Key(id) | Need::Envelope(id) => Some(id.clone()),
            Need::Stored(need) => self.id(need),
            Need::Legacy => self.legacy.clone(),
            Need::Unnamed | Need::Nothing | Need::Hidden => None,
        }
    }

    /// A row that nobody needs yet.
    fn row(&self, need: &Need) -> KeyUse {
        let key_id = self.id(need);
        let known = |id: &String| self.ring.contains(id);
        KeyUse {
            active: self.active.contains(need),
            in_rotation: key_id
                .as_ref()
                .is_some_and(|id| self.in_rotation.contains(id)),
            kind: match need {
                Need::Key(_) => "key",
                Need::Envelope(_) => "envelope",
                Need::Stored(need) => match **need {
                    Need::Envelope(_) => "stored-envelope",
                    _ => "stored",
                },
                Need::Legacy => "legacy",
                Need::Unnamed => "unnamed",
                Need::Nothing => "plaintext",
                Need::Hidden => "hidden",
            },
            in_ring: match need {
                Need::Key(_) | Need::Legacy => Some(key_id.as_ref().is_some_and(known)),
                Need::Stored(need) if matches!(**need, Need::Key(_)) => {
                    Some(key_id.as_ref().is_some_and(known))
                }
                _ => None,
            },
            key_id,
            ..KeyUse::default()
        }
    }
}

impl KeyUse {
    /// Whether these payloads need a key and it cannot be told which: it may be any.
    pub fn may_need_any_key(&self) -> bool {
        self.payloads > 0 && self.key_id.is_none() && matches!(self.kind, "hidden" | "legacy")
    }
}

impl Report {
    /// Sorts what was counted by key.
    pub fn new(findings: &Findings, known: &KnownKeys) -> Self {
        let ring = known.ring.iter().map(|id| Need::Key(id.clone()));
        let needs = ring.chain(known.active.clone());
        let mut rows: BTreeMap<Need, KeyUse> =
            needs.map(|need| (need.clone(), known.row(&need))).collect();
        for counted in &findings.workflows {
            enter(&mut rows, known, counted, |row| row.workflows += 1);
        }
        for counted in &findings.schedules {
            enter(&mut rows, known, counted, |row| {
                row.schedules += 1;
                push(&mut row.schedule_examples, &counted.id);
            });
        }
        let mut keys: Vec<KeyUse> = rows.into_values().collect();
        if findings.scope.query.is_empty() {
            decide(&mut keys);
        }
        Self {
            namespace: findings.namespace.clone(),
            query: findings.scope.query.clone(),
            closed_included: findings.scope.closed,
            workflows: findings.workflows.len(),
            ended: findings.ended,
            schedules: findings.schedules.len(),
            keys,
        }
    }

    /// Returns the rows of the key called `id`: payloads of several kinds can need the same one.
    pub fn key(&self, id: &str) -> impl Iterator<Item = &KeyUse> {
        let rows = self.keys.iter();
        rows.filter(move |row| row.key_id.as_deref() == Some(id))
    }
}

fn ids(ring: &SharedKeyRing) -> BTreeSet<String> {
    ring.current().ids().map(ToString::to_string).collect()
}

fn enter(
    rows: &mut BTreeMap<Need, KeyUse>,
    known: &KnownKeys,
    counted: &Counted,
    add_user: impl Fn(&mut KeyUse),
) {
    for (need, payloads) in counted.needs.iter() {
        let row = rows.entry(need.clone()).or_insert_with(|| known.row(need));
        row.payloads += payloads;
        add_user(row);
        push(&mut row.examples, &counted.id);
    }
}

fn push(examples: &mut Vec<String>, id: &str) {
    if examples.len() < EXAMPLES {
        examples.push(id.to_owned());
    }
}

/// A key can go once nobody encrypts under it and no payload of any kind needs it, nor may need it.
fn decide(rows: &mut [KeyUse]) {
    let needed: BTreeSet<String> = rows
        .iter()
        .filter(|row| row.active || row.in_rotation || row.payloads > 0)
        .filter_map(|row| row.key_id.clone())
        .collect();
    let uncertain = rows.iter().any(KeyUse::may_need_any_key);
    for row in rows {
        row.can_disable = match &row.key_id {
            Some(id) if needed.contains(id) => Some(false),
            Some(_) if !uncertain => Some(true),
            _ => None,
        };
    }
}
