use base64::{Engine, prelude::BASE64_STANDARD};
use prost::Message;
use serde::Deserialize;

use super::{
    Envelope, MemoryVault, Payload, found, made_up,
    memory::{FIRST, KEK},
    payload, reader, sealed, writer,
};
use crate::{
    envelope::wrapping::KeyEncryption,
    metadata::{ENCODING, KEY_ID, WRAPPED_KEY},
};

#[tokio::test]
async fn what_one_process_seals_another_opens() {
    let vault = MemoryVault::new();

    let sealed = sealed(&writer(&vault).await);

    let opened = found(&reader(&vault, "KEK").await, &sealed).await;
    assert_eq!(opened, Ok(payload("greetings")));
}

#[tokio::test]
async fn the_metadata_is_temporal_proxys_and_nothing_else() {
    let vault = MemoryVault::new();

    let sealed = sealed(&writer(&vault).await);

    assert!(Envelope::is_enveloped(&sealed));
    assert_eq!(sealed.metadata.len(), 3);
    assert_eq!(sealed.metadata[ENCODING], b"binary/encrypted");
    assert_eq!(sealed.metadata[KEY_ID], KEK.as_bytes());
    let key = data_key(&vault, &sealed).await;
    assert_eq!(key.len(), 32, "the bare key is wrapped");
    assert_eq!(sealed.data.len(), payload("greetings").encoded_len() + 28);
}

/// What the first version of the key wrapped.
async fn data_key(vault: &MemoryVault, sealed: &Payload) -> Vec<u8> {
    let wrapped = BASE64_STANDARD.decode(&sealed.metadata[WRAPPED_KEY]);
    let uri = KEK.parse().unwrap();
    let key = vault.unwrap(&uri, FIRST, &wrapped.unwrap()).await;
    key.unwrap().to_vec()
}

#[derive(Deserialize)]
struct KnownAnswers {
    ring: Ring,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Ring {
    keys: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    key_id: String,
    inner: Option<String>,
    sealed: String,
    opened: String,
}

fn decoded(base64: &str) -> Payload {
    Payload::decode(BASE64_STANDARD.decode(base64).unwrap().as_slice()).unwrap()
}

/// temporal-proxy seals with Go's AES-GCM just as Python does, so Python's bytes under a wrapped
/// key are its payloads.
#[tokio::test]
async fn bytes_made_by_python_open_under_a_wrapped_key() {
    let known = include_str!("../../../tests/vectors/known_answers.json");
    let known: KnownAnswers = serde_json::from_str(known).unwrap();
    let vault = MemoryVault::new();
    let envelope = reader(&vault, "KEK").await;
    let mut compared = 0;
    for vector in known.vectors {
        let key = BASE64_STANDARD.decode(&known.ring.keys[&vector.key_id]);
        let key = key.unwrap();
        let (32, Some(inner)) = (key.len(), vector.inner) else {
            continue;
        };
        let wrapped = vault.wrap(&KEK.parse().unwrap(), &key).await.unwrap();
        let sealed = Payload {
            data: decoded(&vector.sealed).data,
            ..made_up(KEK, &BASE64_STANDARD.encode(wrapped))
        };

        let opened = found(&envelope, &sealed).await;

        assert_eq!(opened, Ok(decoded(&inner)), "{}", vector.name);
        compared += usize::from(inner == vector.opened);
    }
    assert!(compared > 2, "{compared} vectors under a key of 32 bytes");
}

#[tokio::test]
async fn an_envelope_that_only_decodes_seals_nothing_and_starts_without_the_vault() {
    let vault = MemoryVault::new();

    let envelope = reader(&vault, "KEK").await;

    assert_eq!(envelope.seal(&payload("greetings")), Ok(None));
    assert_eq!(
        vault.calls("wrap") + vault.calls("unwrap") + vault.calls("list"),
        0
    );
    assert_eq!(envelope.status(), crate::envelope::Status::default());
}

#[tokio::test]
async fn payloads_without_both_entries_are_no_envelopes() {
    for (id, wrapped) in [("", "AAAA"), (KEK, ""), ("", "")] {
        assert!(!Envelope::is_enveloped(&made_up(id, wrapped)));
    }
    let mut plain = made_up(KEK, "AAAA");
    plain
        .metadata
        .insert(ENCODING.to_owned(), "json/plain".into());
    assert!(!Envelope::is_enveloped(&plain));
}

#[tokio::test]
async fn an_altered_payload_is_refused_by_length_alone() {
    let vault = MemoryVault::new();
    let envelope = writer(&vault).await;
    let mut altered = sealed(&envelope);
    altered.data[20] ^= 1;

    let error = envelope.open(&altered).unwrap_err().to_string();

    assert!(
        error.contains("was altered") && error.contains(KEK),
        "{error}"
    );
}

#[tokio::test]
async fn nothing_that_is_printed_holds_a_key() {
    let vault = MemoryVault::new();
    let envelope = writer(&vault).await;
    let sealed = sealed(&envelope);
    let key = data_key(&vault, &sealed).await;

    let printed = format!(
        "{envelope:?} {:?} {:?}",
        envelope.status(),
        envelope.open(&payload(""))
    );

    assert!(printed.contains(KEK), "{printed}");
    let forms = [
        BASE64_STANDARD.encode(&*key),
        format!("{:?}", &*key),
        key.iter().map(|byte| format!("{byte:02x}")).collect(),
    ];
    for form in forms {
        assert!(!printed.contains(&form), "{printed}");
    }
}
