//! What becomes of the payloads of one schedule.

use prost::Message;
use sealane_codec::{EncodeError, EncryptionCodec, is_stored};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::wire::{self, Found, MEMO, Malformed, SCHEDULE, Shape};
use crate::{
    audit::Need,
    decode::{Decoder, Unreadable},
};

/// Brings payloads under the active key.
pub(super) struct Renewal {
    codec: EncryptionCodec,
    decoder: Decoder,
}

/// A schedule and its own memo, each `None` if it can stay as it is.
#[derive(Debug, Default)]
pub(super) struct Renewed {
    pub(super) schedule: Option<Vec<u8>>,
    pub(super) memo: Option<Vec<u8>>,
    /// What keeps the schedule from being renewed: it is left as it is then.
    pub(super) obstacle: Option<Obstacle>,
    of_schedule: Tally,
    of_memo: Tally,
}

/// Payloads of a schedule, by what they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Encrypted, under another key or in another format.
    pub reencrypted: usize,
    /// Not encrypted.
    pub encrypted: usize,
    /// Under the active key already, or a header that peers may need in plaintext.
    pub unchanged: usize,
}

/// Why a schedule is not, or not wholly, under the active key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Obstacle {
    /// A payload cannot be decrypted, so nothing of the schedule was changed.
    #[error("left as it is: {0}")]
    Unreadable(Unreadable),

    /// A payload is a reference to data that is kept elsewhere, so nothing was changed.
    #[error("left as it is: a payload is kept in external storage, where it cannot be renewed")]
    External,

    /// The schedule is not laid out as any known server lays it out, so nothing was changed.
    #[error(
        "left as it is: the server describes it in a form that this version does not understand"
    )]
    Malformed,

    /// All is done but the memo of the schedule itself, which the server does not let be changed.
    #[error(
        "the schedule's own memo stays under its old key, as the server does not let it be changed; \
         delete the schedule and create it anew if that key has to go"
    )]
    ScheduleMemo,

    /// The memo of the schedule itself would have to change, and only trying tells whether the server
    /// lets it.
    #[error(
        "the schedule's own memo needs the active key too; not every server lets it be changed, which \
         shows when it is tried"
    )]
    ScheduleMemoUntried,
}

/// Why one message cannot be renewed.
enum Refusal {
    Obstacle(Obstacle),
    Encode(EncodeError),
}

impl Renewed {
    /// What the payloads were, those of the schedule's own memo included.
    pub(super) fn tally(&self) -> Tally {
        Tally {
            reencrypted: self.of_schedule.reencrypted + self.of_memo.reencrypted,
            encrypted: self.of_schedule.encrypted + self.of_memo.encrypted,
            unchanged: self.of_schedule.unchanged + self.of_memo.unchanged,
        }
    }

    /// What the payloads were, but for those of the schedule's own memo that would have to change.
    pub(super) fn tally_without_memo(&self) -> Tally {
        Tally {
            unchanged: self.of_schedule.unchanged + self.of_memo.unchanged,
            ..self.of_schedule
        }
    }

    pub(super) fn is_to_be_sent(&self) -> bool {
        self.schedule.is_some() || self.memo.is_some()
    }
}

impl Renewal {
    pub(super) fn new(codec: EncryptionCodec) -> Self {
        Self {
            decoder: Decoder::new(Some(codec.clone())),
            codec,
        }
    }

    /// Renews a `Schedule` and the `Memo` beside it.
    ///
    /// # Errors
    ///
    /// If a payload cannot be encrypted.
    pub(super) async fn renew(&self, schedule: &[u8], memo: &[u8]) -> Result<Renewed, EncodeError> {
        match self.renew_both(schedule, memo).await {
            Ok(renewed) => Ok(renewed),
            Err(Refusal::Encode(error)) => Err(error),
            Err(Refusal::Obstacle(obstacle)) => Ok(Renewed {
                obstacle: Some(obstacle),
                ..Renewed::default()
            }),
        }
    }

    async fn renew_both(&self, schedule: &[u8], memo: &[u8]) -> Result<Renewed, Refusal> {
        let (schedule, of_schedule) = self.renew_message(schedule, &SCHEDULE).await?;
        let (memo, of_memo) = self.renew_message(memo, &MEMO).await?;
        Ok(Renewed {
            schedule,
            memo,
            obstacle: None,
            of_schedule,
            of_memo,
        })
    }

    /// Returns the message with its payloads renewed, `None` if there is nothing to renew.
    async fn renew_message(
        &self,
        message: &[u8],
        shape: &Shape,
    ) -> Result<(Option<Vec<u8>>, Tally), Refusal> {
        // Once for all payloads, as it may take an encryption to tell.
        let active = self.active()?;
        let (mut tally, mut replacements) = (Tally::default(), Vec::new());
        for found in wire::payloads(message, shape)? {
            let replacement = self.renew_payload(found, &active, &mut tally).await?;
            replacements.push(replacement);
        }
        if replacements.iter().all(Option::is_none) {
            return Ok((None, tally));
        }
        let renewed = wire::replace(message, shape, replacements)?;
        Ok((Some(renewed), tally))
    }

    async fn renew_payload(
        &self,
        found: Found<'_>,
        active: &Need,
        tally: &mut Tally,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let mut payload = Payload::decode(found.bytes).map_err(|_| Malformed)?;
        let need = Need::of(&payload);
        if need == *active || found.header && need == Need::Nothing {
            tally.unchanged += 1;
            return Ok(None);
        }
        // A blob may be deleted, and a schedule has no end: what it refers to becomes part of it.
        if !payload.external_payloads.is_empty() && !is_stored(&payload) {
            return Err(Refusal::Obstacle(Obstacle::External));
        }
        if need == Need::Nothing {
            tally.encrypted += 1;
        } else {
            self.decoder.open(&mut payload).await?;
            tally.reencrypted += 1;
        }
        Ok(Some(self.codec.encode_payload(payload)?.encode_to_vec()))
    }

    /// What it takes to read what is encrypted now.
    fn active(&self) -> Result<Need, EncodeError> {
        Ok(Need::of(&self.codec.encode_payload(Payload::default())?))
    }
}

impl From<Malformed> for Refusal {
    fn from(_: Malformed) -> Self {
        Self::Obstacle(Obstacle::Malformed)
    }
}

impl From<Unreadable> for Refusal {
    fn from(error: Unreadable) -> Self {
        Self::Obstacle(Obstacle::Unreadable(error))
    }
}

impl From<EncodeError> for Refusal {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

#[cfg(test)]
mod tests {
    use sealane_codec::{CodecOptions, Key, KeyId, KeyRing, SharedKeyRing};
    use serde_json::json;
    use temporalio_common::protos::temporal::api::{
        common::v1::{Header, Payloads},
        schedule::v1::{Schedule, ScheduleAction, schedule_action::Action},
        workflow::v1::NewWorkflowExecutionInfo,
    };

    use super::*;
    use crate::payload;

    /// A codec that encrypts under `active` and reads what is under any of `ids`.
    fn codec(active: &str, ids: &[&str]) -> EncryptionCodec {
        let key = |id: &str| (id.parse::<KeyId>().unwrap(), key_called(id));
        let ring = KeyRing::new(active.parse().unwrap(), ids.iter().map(|id| key(id))).unwrap();
        EncryptionCodec::new(SharedKeyRing::new(ring), CodecOptions::default())
    }

    fn key_called(id: &str) -> Key {
        Key::from_bytes(&[id.as_bytes()[0]; 32]).unwrap()
    }

    fn under(id: &str, value: &str) -> Payload {
        let plain = payload::from_json(&json!(value));
        codec(id, &[id]).encode_payload(plain).unwrap()
    }

    fn schedule(input: Vec<Payload>, header: Option<Payload>) -> Vec<u8> {
        let fields = header.map(|it| ("trace".to_owned(), it)).into_iter();
        let workflow = NewWorkflowExecutionInfo {
            input: Some(Payloads { payloads: input }),
            header: Some(Header {
                fields: fields.collect(),
            }),
            ..NewWorkflowExecutionInfo::default()
        };
        let schedule = Schedule {
            action: Some(ScheduleAction {
                action: Some(Action::StartWorkflow(workflow)),
            }),
            ..Schedule::default()
        };
        schedule.encode_to_vec()
    }

    fn found(schedule: &[u8]) -> Vec<Payload> {
        let found = wire::payloads(schedule, &SCHEDULE).unwrap().into_iter();
        found.map(|it| Payload::decode(it.bytes).unwrap()).collect()
    }

    #[tokio::test]
    async fn payloads_move_to_the_active_key_and_those_that_are_there_stay() {
        let plain = payload::from_json(&json!("plain"));
        let input = vec![under("a", "old"), under("b", "new"), plain];
        let before = schedule(input.clone(), None);

        let renewal = Renewal::new(codec("b", &["a", "b"]));
        let renewed = renewal.renew(&before, &[]).await.unwrap();

        let tally = Tally {
            reencrypted: 1,
            encrypted: 1,
            unchanged: 1,
        };
        assert_eq!(renewed.tally(), tally);
        let after = found(&renewed.schedule.unwrap());
        assert_eq!(after[1], input[1]);
        let new = codec("b", &["b"]);
        let read = after.into_iter().map(|it| new.decode_payload(it).unwrap());
        let read: Vec<_> = read.map(|it| payload::to_json(&it)).collect();
        assert_eq!(read, ["old", "new", "plain"]);
    }

    #[tokio::test]
    async fn an_encrypted_header_moves_and_a_plain_one_stays_plain() {
        let renewal = Renewal::new(codec("b", &["a", "b"]));
        let sealed = schedule(vec![], Some(under("a", "trace")));
        let plain = schedule(vec![], Some(payload::from_json(&json!("trace"))));

        let sealed = renewal.renew(&sealed, &[]).await.unwrap();
        let plain = renewal.renew(&plain, &[]).await.unwrap();

        let header = &found(&sealed.schedule.unwrap())[0];
        assert_eq!(Need::of(header), Need::Key("b".to_owned()));
        assert!(plain.schedule.is_none());
    }

    #[tokio::test]
    async fn one_unreadable_payload_leaves_the_whole_schedule_alone() {
        let before = schedule(vec![under("a", "ours"), under("c", "theirs")], None);

        let renewal = Renewal::new(codec("b", &["a", "b"]));
        let renewed = renewal.renew(&before, &[]).await.unwrap();

        assert!(!renewed.is_to_be_sent());
        let obstacle = renewed.obstacle.unwrap().to_string();
        assert!(obstacle.contains("\"c\""), "{obstacle}");
    }

    #[tokio::test]
    async fn bytes_that_are_no_schedule_are_left_alone() {
        let renewal = Renewal::new(codec("b", &["b"]));

        let renewed = renewal.renew(&[0x0b, 0x0c], &[]).await.unwrap();

        assert_eq!(renewed.obstacle, Some(Obstacle::Malformed));
        assert!(!renewed.is_to_be_sent());
    }
}
