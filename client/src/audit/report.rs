//! What a walk says about each key.

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
    /// What it takes to read what this process writes; `None` if it writes plaintext.
    pub active: Option<Need>,
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
    /// `key`, `envelope`, `legacy`, `unnamed`, `plaintext` or `hidden`.
    pub kind: &'static str,
    /// Whether this process encrypts under it.
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
    /// Whether nothing that was looked at needs it; `None` if only a part was looked at, or if it is
    /// no key.
    pub can_disable: Option<bool>,
    /// Ids of the first few workflows and schedules that need it.
    pub examples: Vec<String>,
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
        Ok(Self {
            active: Some(Need::of(&probe)),
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
            Need::Legacy => self.legacy.clone(),
            Need::Unnamed | Need::Nothing | Need::Hidden => None,
        }
    }

    /// A row that nobody needs yet.
    fn row(&self, need: &Need) -> KeyUse {
        let key_id = self.id(need);
        let known = |id: &String| self.ring.contains(id);
        KeyUse {
            active: self.active.as_ref() == Some(need),
            in_rotation: key_id
                .as_ref()
                .is_some_and(|id| self.in_rotation.contains(id)),
            kind: match need {
                Need::Key(_) => "key",
                Need::Envelope(_) => "envelope",
                Need::Legacy => "legacy",
                Need::Unnamed => "unnamed",
                Need::Nothing => "plaintext",
                Need::Hidden => "hidden",
            },
            in_ring: match need {
                Need::Key(_) | Need::Legacy => Some(key_id.as_ref().is_some_and(known)),
                _ => None,
            },
            key_id,
            ..KeyUse::default()
        }
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
            enter(&mut rows, known, counted, |row| &mut row.workflows);
        }
        for counted in &findings.schedules {
            enter(&mut rows, known, counted, |row| &mut row.schedules);
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
    users: impl Fn(&mut KeyUse) -> &mut u64,
) {
    for (need, payloads) in counted.needs.iter() {
        let row = rows.entry(need.clone()).or_insert_with(|| known.row(need));
        row.payloads += payloads;
        *users(row) += 1;
        if row.examples.len() < EXAMPLES {
            row.examples.push(counted.id.clone());
        }
    }
}

/// A key can go once nobody encrypts under it and no payload of any kind needs it.
fn decide(rows: &mut [KeyUse]) {
    let needed: BTreeSet<String> = rows
        .iter()
        .filter(|row| row.active || row.in_rotation || row.payloads > 0)
        .filter_map(|row| row.key_id.clone())
        .collect();
    for row in rows {
        row.can_disable = row.key_id.as_ref().map(|id| !needed.contains(id));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Counted, Findings, KeyUse, KnownKeys, Need, Report};
    use crate::audit::{Needs, Scope};

    fn counted(id: &str, needs: &[(Need, u64)]) -> Counted {
        let needs = needs.iter().cloned();
        let needs: std::collections::BTreeMap<Need, u64> = needs.collect();
        let text = serde_json::to_string(&needs).unwrap();
        Counted {
            id: id.to_owned(),
            needs: serde_json::from_str::<Needs>(&text).unwrap(),
        }
    }

    fn key(id: &str) -> Need {
        Need::Key(id.to_owned())
    }

    fn known() -> KnownKeys {
        KnownKeys {
            active: Some(key("new")),
            ring: ["new", "old", "older", "python"].map(str::to_owned).into(),
            legacy: Some("python".to_owned()),
            in_rotation: BTreeSet::new(),
        }
    }

    fn findings() -> Findings {
        Findings {
            workflows: vec![
                counted(
                    "w-1",
                    &[(key("new"), 4), (key("old"), 2), (Need::Nothing, 1)],
                ),
                counted(
                    "w-2",
                    &[(key("old"), 3), (key("lost"), 1), (Need::Legacy, 1)],
                ),
            ],
            schedules: vec![counted("s-1", &[(key("old"), 1)])],
            ..Findings::default()
        }
    }

    fn row<'a>(report: &'a Report, id: &str) -> &'a KeyUse {
        report.key(id).next().unwrap()
    }

    #[test]
    fn payloads_workflows_and_schedules_are_summed_by_key() {
        let report = Report::new(&findings(), &known());

        let old = row(&report, "old");
        assert_eq!((old.payloads, old.workflows, old.schedules), (6, 2, 1));
        assert_eq!(old.examples, ["w-1", "w-2", "s-1"]);
        let plain = report.keys.iter().find(|row| row.kind == "plaintext");
        assert_eq!(plain.map(|row| row.payloads), Some(1));
    }

    #[test]
    fn a_key_can_be_disabled_if_it_is_not_active_and_nothing_needs_it() {
        let report = Report::new(&findings(), &known());

        for (id, expected) in [("new", false), ("old", false), ("older", true)] {
            assert_eq!(row(&report, id).can_disable, Some(expected), "{id}");
        }
        assert!(row(&report, "new").active);
    }

    #[test]
    fn a_key_that_others_may_encrypt_under_stays() {
        let mut known = known();
        known.in_rotation.insert("older".to_owned());

        let report = Report::new(&findings(), &known);

        assert_eq!(row(&report, "older").can_disable, Some(false));
    }

    #[test]
    fn the_key_of_the_python_starter_is_needed_by_payloads_that_do_not_name_it() {
        let report = Report::new(&findings(), &known());

        let rows: Vec<_> = report.key("python").collect();
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row.can_disable == Some(false)));
    }

    #[test]
    fn a_key_that_the_ring_lacks_is_marked() {
        let report = Report::new(&findings(), &known());

        assert_eq!(row(&report, "lost").in_ring, Some(false));
        assert_eq!(row(&report, "old").in_ring, Some(true));
    }

    #[test]
    fn a_part_of_the_workflows_proves_nothing_about_a_key() {
        let mut findings = findings();
        findings.scope = Scope {
            query: "WorkflowType = 'Order'".to_owned(),
            closed: false,
        };

        let report = Report::new(&findings, &known());

        assert!(report.keys.iter().all(|row| row.can_disable.is_none()));
    }
}
