//! Answers of Key Vault, as a vault, a proxy or a captive portal could give them.

mod answers;

use std::{
    collections::BTreeSet,
    fmt::{Debug, Display},
    sync::LazyLock,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sealane_codec::{
    Key, KeyRing, WRAPPED_KEY,
    azure::Azure,
    envelope::{Envelope, EnvelopeOptions},
    key_vault::{Source, SourceOptions, TextOptions, TextSource, VaultSecret},
    rotation::Policy,
};
use temporalio_common::protos::temporal::api::common::v1::Payload;
use tokio::runtime::Runtime;
use url::Url;

use self::answers::{Answer, azure, in_turn};
use crate::{
    CANARY, Outcome, Target,
    bytes::{assert_one_line, assert_silent, choice, count},
    ring::DATA_KEY,
};

pub(crate) const TARGET: Target = Target {
    name: "key_vault",
    run,
    words: &[
        "\n---\n",
        "200\n{\"value\":\"AAECAwQFBgcICQoLDA0ODw==\"}",
        "200\n{\"value\":[{\"id\":\"https://unit.vault.azure.net/secrets/k/a\",\"attributes\":{\"created\":1}}]}",
        "\"nextLink\":\"https://unit.vault.azure.net/secrets/k/versions?skiptoken=1\"",
        "\"nextLink\":\"https://elsewhere.example/\"",
        "\"tags\":{\"sealane-key-id\":\"x\"}",
        "\"enabled\":false",
        "\"nbf\":99999999999",
        "\"exp\":-1",
        "\"value\":\"S3cretCanary0815\"",
        "401 Bearer authorization=\"https://login.microsoftonline.com/t\", resource=\"https://vault.azure.net\"\n",
        "403\n{\"error\":{\"code\":\"Forbidden\",\"message\":\"Caller: x\",\"innererror\":{\"code\":\"ForbiddenByRbac\"}}}",
        "429 1\n",
    ],
};

/// The key that wraps data keys, as payloads name it.
pub(crate) const WRAPPING: &str =
    "azurekeyvault://unit.vault.azure.net/keys/wrapping/0123456789abcdef0123456789abcdef";

/// A wrapped data key. The vault of [`envelope`] gives [`DATA_KEY`] for it.
pub(crate) const WRAPPED: &str = "d3JhcHBlZA==";

/// Longest message: what it was about, 400 characters of somebody else's words, and the remedy.
const LONGEST_MESSAGE: usize = 3000;

const REFRESH: Duration = Duration::from_secs(300);

/// What separates two answers of an input.
const SEPARATOR: &[u8] = b"\n---\n";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().build().expect("a runtime")
});

/// The first byte chooses what asks the vault, the rest is what the vault answers.
fn run(input: &[u8]) -> Outcome {
    let (choices, rest) = choice(input);
    let azure = in_turn(answers(rest));
    // Where a value belongs, and nowhere else: ids and refusals may be quoted.
    let values = count(rest, format!("\"value\":\"{CANARY}").as_bytes());
    let is_secret = values == count(rest, CANARY.as_bytes());
    RUNTIME.block_on(async {
        match choices % 5 {
            0 => versions(&azure, is_secret).await,
            1 => keys(&azure, is_secret).await,
            2 => text(&azure, is_secret).await,
            3 => create(&azure, is_secret).await,
            _ => data_key(&azure, is_secret).await,
        }
    })
}

/// Reads `STATUS HEADER`, a line break and a body from each part.
fn answers(mut rest: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    while !rest.is_empty() {
        let end = rest.windows(SEPARATOR.len()).position(|it| it == SEPARATOR);
        let (one, after) = rest.split_at(end.unwrap_or(rest.len()));
        answers.push(answer(one));
        rest = after.get(SEPARATOR.len()..).unwrap_or_default();
    }
    answers
}

fn answer(text: &[u8]) -> Answer {
    let end = text.iter().position(|byte| *byte == b'\n');
    let (line, body) = text.split_at(end.unwrap_or(text.len()));
    let line = String::from_utf8_lossy(line);
    let (status, header) = line.split_once(' ').unwrap_or((&*line, ""));
    Answer {
        status: status.parse().unwrap_or(200),
        header: header.to_owned(),
        body: body.get(1..).unwrap_or_default().to_owned(),
    }
}

fn secret(azure: &Azure) -> VaultSecret {
    let vault = Url::parse("https://unit.vault.azure.net").expect("an address");
    VaultSecret::new(azure, &vault, "k").expect("a secret")
}

/// Fails if `failure` is not one short line, or shows what `is_secret`.
fn refused(failure: &(impl Debug + Display), is_secret: bool) -> Outcome {
    let message = failure.to_string();
    assert_one_line(&message, LONGEST_MESSAGE);
    if is_secret {
        assert_silent(&message);
        assert_silent(&format!("{failure:?}"));
    }
    Outcome::Refused
}

/// Versions have one id each, and a key or a failure.
async fn versions(azure: &Azure, is_secret: bool) -> Outcome {
    let secret = secret(azure);
    let versions = match secret.versions().await {
        Ok(versions) => versions,
        Err(failure) => return refused(&failure, is_secret),
    };
    let ids: BTreeSet<_> = versions.iter().map(|version| &version.id).collect();
    assert_eq!(ids.len(), versions.len(), "{versions:?}");
    for version in &versions {
        match secret.key(version).await {
            Ok(key) => drop(key),
            Err(failure) => drop(refused(&failure, is_secret)),
        }
    }
    Outcome::Accepted
}

/// A ring seals under a key of its own, or there is none.
async fn keys(azure: &Azure, is_secret: bool) -> Outcome {
    let activation_delay = 3 * REFRESH;
    let options = SourceOptions {
        refresh: REFRESH,
        policy: Policy { activation_delay },
        start_limit: Duration::ZERO,
    };
    match Source::load(secret(azure), options).await {
        Ok((ring, _)) => sound(&ring.current()),
        Err(failure) => refused(&failure, is_secret),
    }
}

fn sound(ring: &KeyRing) -> Outcome {
    assert!(ring.contains(ring.active()));
    let payload = Payload::from(b"payload");
    let sealed = ring.seal(&payload).expect("any ring seals");
    assert_eq!(ring.open(&sealed), Ok(payload));
    Outcome::Accepted
}

/// A text can be sent in a header, and is not shown.
async fn text(azure: &Azure, is_secret: bool) -> Outcome {
    let options = TextOptions {
        refresh: REFRESH,
        start_limit: Duration::ZERO,
    };
    match TextSource::load(secret(azure), options, &|_| ()).await {
        Ok((text, _)) => {
            let shown = text.expose();
            assert!(!shown.is_empty() && shown.chars().all(|it| it.is_ascii_graphic()));
            assert_eq!(format!("{text:?}"), "<redacted>");
            Outcome::Accepted
        }
        Err(failure) => refused(&failure, is_secret),
    }
}

/// A version that was made has the id that the vault says, or there is a failure without the key.
async fn create(azure: &Azure, is_secret: bool) -> Outcome {
    let key = Key::from_bytes(CANARY.as_bytes()).expect("16 bytes");
    match secret(azure).create(&key, None, None).await {
        Ok(version) => {
            assert!(!version.id.as_str().is_empty());
            Outcome::Accepted
        }
        Err(failure) => refused(&failure, is_secret),
    }
}

/// An envelope that was made seals, and opens what it sealed.
async fn data_key(azure: &Azure, is_secret: bool) -> Outcome {
    let uris = WRAPPING.parse().expect("a key");
    let options = EnvelopeOptions {
        encode: true,
        ..EnvelopeOptions::default()
    };
    match Envelope::new(azure, uris, options).await {
        Ok(envelope) => {
            let payload = Payload::from(b"payload");
            let sealed = envelope.seal(&payload).expect("a data key");
            assert_eq!(envelope.open(&sealed.expect("it encodes")), Ok(payload));
            Outcome::Accepted
        }
        Err(failure) => refused(&failure, is_secret),
    }
}

/// Returns an envelope that has [`DATA_KEY`], and to which the vault gives nothing else.
pub(crate) fn envelope() -> Envelope {
    let value = BASE64_URL_SAFE_NO_PAD.encode(DATA_KEY.bytes());
    let body =
        format!(r#"{{"kid":"https://unit.vault.azure.net/keys/wrapping/0","value":"{value}"}}"#);
    let azure = azure(Box::new(move |_| {
        Some(Answer {
            status: 200,
            header: String::new(),
            body: body.clone().into(),
        })
    }));
    RUNTIME.block_on(async {
        let uris = WRAPPING.parse().expect("a key");
        let envelope = Envelope::new(&azure, uris, EnvelopeOptions::default()).await;
        let envelope = envelope.expect("it only decodes");
        envelope.find(&enveloped()).await;
        assert_eq!(envelope.status().unwrapped, 1, "{:?}", envelope.status());
        envelope
    })
}

/// A payload that names the data key.
fn enveloped() -> Payload {
    let entries = [
        ("encoding", "binary/encrypted"),
        (sealane_codec::KEY_ID, WRAPPING),
        (WRAPPED_KEY, WRAPPED),
    ];
    let entries = entries.map(|(name, value)| (name.to_owned(), value.into()));
    Payload {
        metadata: entries.into(),
        ..Payload::default()
    }
}
