//! Envelopes over a vault in memory.

mod finding;
mod layout;
mod memory;
mod rotation;
mod versions;

use temporalio_common::protos::temporal::api::common::v1::Payload;

use self::memory::{KEK, MemoryVault};
use super::{Envelope, EnvelopeOptions, OpenError, StartError};
use crate::metadata::{KEY_ID, WRAPPED_KEY};

fn encoding() -> EnvelopeOptions {
    EnvelopeOptions {
        encode: true,
        ..EnvelopeOptions::default()
    }
}

async fn start(
    vault: &MemoryVault,
    uris: &str,
    options: EnvelopeOptions,
) -> Result<Envelope, StartError> {
    let uris = uris.replace("KEK", KEK).parse().unwrap();
    Envelope::with_vault(Box::new(vault.clone()), uris, options).await
}

/// An envelope that encodes.
async fn writer(vault: &MemoryVault) -> Envelope {
    start(vault, "KEK", encoding()).await.unwrap()
}

/// An envelope that only decodes, so it starts without any data key.
async fn reader(vault: &MemoryVault, uris: &str) -> Envelope {
    let options = EnvelopeOptions::default();
    start(vault, uris, options).await.unwrap()
}

fn payload(data: &str) -> Payload {
    Payload::from(data.as_bytes())
}

fn sealed(envelope: &Envelope) -> Payload {
    envelope.seal(&payload("greetings")).unwrap().unwrap()
}

/// A payload that names `id`, with a data key that nothing wrapped.
fn made_up(id: &str, wrapped: &str) -> Payload {
    let mut payload = payload("");
    for (name, value) in [
        ("encoding", "binary/encrypted"),
        (KEY_ID, id),
        (WRAPPED_KEY, wrapped),
    ] {
        payload.metadata.insert(name.to_owned(), value.into());
    }
    payload
}

async fn found(envelope: &Envelope, payload: &Payload) -> Result<Payload, OpenError> {
    envelope.find(payload).await;
    envelope.open(payload)
}
