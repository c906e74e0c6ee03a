//! Why a request got no payloads back, as a problem.

use std::time::Duration;

use axum::http::StatusCode;
use sealane_codec::{DecodeError, EncodeError, InflateError, large_payloads::FetchError};
use sealane_service::http::{Kind, Problem};

use super::Failure;
use crate::protojson::Unread;

/// A key that is used up is replaced by an operator or a rotation, not within seconds.
const KEY_EXHAUSTED_WAIT: Duration = Duration::from_secs(60);

/// Readers that are not slow are done by then.
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// Another pod answers at once.
const STOPPING_WAIT: Duration = Duration::from_secs(1);

/// Why a request got no payloads back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// The body is not what it should be, or too much.
    Unread(Unread),
    /// A payload does not open at first sight. Nobody is told this: another look follows.
    Unopened,
    /// A payload did not open.
    Unreadable(Failure),
    /// A payload unpacks to more than this many bytes, which are left for it.
    UnpacksTooLarge { index: usize, limit: usize },
    /// The answer would be larger than this many bytes.
    AnswerTooLarge { limit: usize },
    /// A payload cannot be encrypted as it is.
    Unwritable { index: usize },
    /// There is no key that may encrypt any more.
    NoKey,
    /// Answers to others are waiting for their readers, too many of them.
    Busy,
    /// Nobody waits for an answer.
    Abandoned,
    /// The process is about to end.
    Stopping,
}

impl Refusal {
    pub(super) fn of_encoding(index: usize, error: &EncodeError) -> Self {
        match error {
            EncodeError::NotWrapped => Self::Unwritable { index },
            error => {
                tracing::error!(error = %error, "payloads cannot be encrypted");
                Self::NoKey
            }
        }
    }

    /// What did not open deserves a second look, unless it is a bomb.
    pub(super) fn of_decoding(index: usize, error: &DecodeError) -> Self {
        match *error {
            DecodeError::Inflate(InflateError::TooLarge { limit, .. })
            | DecodeError::Fetch(FetchError::TooLarge { max: limit, .. }) => {
                Self::UnpacksTooLarge { index, limit }
            }
            _ => Self::Unopened,
        }
    }

    pub(super) fn unless_stopped(unread: Unread) -> Result<(), Self> {
        match unread {
            Unread::Stopped => Ok(()),
            unread => Err(Self::Unread(unread)),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unread(unread @ Unread::TooLarge { index, limit }) => {
                Self::new(Kind::PayloadTooLarge, unread.to_string())
                    .with("index", index)
                    .with("limit", limit)
            }
            Refusal::Unread(unread @ Unread::TooMany { index }) => {
                Self::new(Kind::PayloadTooLarge, unread.to_string()).with("index", index)
            }
            Refusal::Unread(unread) => Self::new(Kind::BadRequest, unread.to_string()),
            Refusal::Unreadable(failure) => {
                Self::new(UNREADABLE, failure.text()).with("index", failure.index)
            }
            Refusal::UnpacksTooLarge { index, limit } => Self::new(
                Kind::PayloadTooLarge,
                format!("payload {index} unpacks to more than {limit} bytes"),
            )
            .with("index", index)
            .with("limit", limit),
            Refusal::AnswerTooLarge { limit } => Self::new(
                Kind::PayloadTooLarge,
                format!(
                    "the answer would be larger than {limit} bytes, send fewer payloads at once"
                ),
            )
            .with("limit", limit),
            Refusal::Unwritable { index } => Self::new(
                Kind::BadRequest,
                format!(
                    "payload {index} is compressed and does not unpack, or is larger than 64 MiB"
                ),
            )
            .with("index", index),
            Refusal::NoKey => Self::new(Kind::Unavailable, "no key may encrypt now, see the log")
                .retry_after(KEY_EXHAUSTED_WAIT),
            Refusal::Unopened => Self::new(UNREADABLE, "a payload cannot be decrypted"),
            Refusal::Busy => Self::new(Kind::TooManyRequests, "too many large answers at once")
                .retry_after(BUSY_WAIT),
            Refusal::Abandoned => Self::new(Kind::Timeout, "the request was given up"),
            Refusal::Stopping => Self::new(Kind::Unavailable, "this server is about to stop")
                .retry_after(STOPPING_WAIT),
        }
    }
}

/// None of the encrypted payloads of a request opens, or a plain one is not taken.
const UNREADABLE: Kind = Kind::Other {
    slug: "payload-unreadable",
    title: "A payload cannot be decrypted",
    status: StatusCode::BAD_REQUEST,
};
