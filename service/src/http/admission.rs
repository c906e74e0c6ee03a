//! What one request takes of what all requests share.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::{Body, Bytes},
    extract::FromRequestParts,
    http::request::Parts,
};
use tokio::sync::OwnedSemaphorePermit;

use super::sent;

/// A request's place among those at once, and the room that its body takes. Clones share them.
///
/// Both are given back when the last byte of the answer is written, or the request is given up, and every clone is
/// dropped. A handler takes it as an argument (it is in the request's extensions) and moves it into work that outlives
/// the request, such as a blocking task: that work then stays within the limits.
#[derive(Clone, Debug, Default)]
pub struct Admission(Arc<Share>);

#[derive(Debug, Default)]
struct Share {
    /// `None` without an edge around the handler.
    _place: Option<OwnedSemaphorePermit>,
    room: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Admission {
    pub(super) fn new(place: OwnedSemaphorePermit) -> Self {
        Self(Arc::new(Share {
            _place: Some(place),
            room: Mutex::default(),
        }))
    }

    /// Keeps `more` room, beside what is kept already.
    pub(super) fn keep(&self, mut more: OwnedSemaphorePermit) {
        let mut room = self.0.room.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = room.take() {
            more.merge(before);
        }
        *room = Some(more);
    }

    /// Returns `body`, whose bytes keep this until they are written: the connection takes all of a large answer at
    /// once, and then waits for the client.
    pub(super) fn until_sent(self, body: Body) -> Body {
        sent::pass(body, move |bytes| {
            let admission = self.clone();
            Bytes::from_owner(Held {
                bytes,
                _admission: admission,
            })
        })
    }
}

/// Without an edge around the handler nothing is shared.
impl<S: Sync> FromRequestParts<S> for Admission {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

struct Held {
    bytes: Bytes,
    _admission: Admission,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
