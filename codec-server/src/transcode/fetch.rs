//! What the payloads of a request refer to, fetched before they are decrypted.

use std::{collections::HashMap, sync::Arc};

use futures_util::future::join_all;
use sealane_codec::large_payloads::FetchError;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::{
    Refusal, Transcoder,
    task::{Fetched, Task},
};

/// References that are followed in one request: each is a request to the container.
const MAX_FETCHED: usize = 256;

/// Whether there are more references than are followed in one request.
pub(super) fn are_too_many(references: &[(usize, Payload)]) -> bool {
    references.len() > MAX_FETCHED
}

impl Transcoder {
    /// Fetches what `references` of `task` refer to and keeps it there. Returns what names their keys.
    ///
    /// Refused before anything is fetched if the answer could not hold it.
    pub(super) async fn fetch(
        self: &Arc<Self>,
        task: &Task,
        references: Vec<(usize, Payload)>,
    ) -> Result<Vec<Payload>, Refusal> {
        let (Some(large), Some(namespaces)) = (self.codec.large_payloads(), &task.fetched_of)
        else {
            return Ok(Vec::new());
        };
        let bytes = references.iter().map(|(_, payload)| self.size(payload));
        let bytes = bytes.fold(0, usize::saturating_add);
        let limit = self.max_answer();
        if bytes > limit || are_too_many(&references) {
            return Err(Refusal::AnswerTooLarge { limit });
        }
        let room = self.limits.room(bytes)?;
        let fetches = references.into_iter().map(|(index, payload)| async move {
            let max = self.max_payload;
            (index, large.fetch_of(namespaces, max, &payload).await)
        });
        let payloads: HashMap<_, _> = join_all(fetches).await.into_iter().collect();
        warn_of_failures(&payloads);
        let samples = payloads
            .values()
            .filter_map(|it| Some(sample(it.as_ref().ok()?)));
        let samples = samples.collect();
        task.keep(Fetched {
            payloads,
            _room: room,
        });
        Ok(samples)
    }

    /// Bytes that may be fetched for `reference`.
    fn size(&self, reference: &Payload) -> usize {
        let size = reference.external_payloads.first();
        let size = size.and_then(|it| usize::try_from(it.size_bytes).ok());
        size.unwrap_or(self.max_payload)
    }
}

/// One line a request, however many references its caller has made up.
fn warn_of_failures(fetched: &HashMap<usize, Result<Payload, FetchError>>) {
    let mut failures = fetched.values().filter_map(|it| it.as_ref().err());
    if let Some(error) = failures.next() {
        let others = failures.count();
        tracing::warn!(error = %error, others, "what payloads refer to is not fetched");
    }
}

/// `payload` without its data.
fn sample(payload: &Payload) -> Payload {
    Payload {
        metadata: payload.metadata.clone(),
        ..Payload::default()
    }
}
