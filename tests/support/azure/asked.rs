//! One request, and the way to its answer.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use http::{header::AUTHORIZATION, request::Parts};
use hyper::body::{Body, Incoming};

use super::{
    Endpoint, Side, entra, fault,
    record::Recorded,
    reply::{Manner, Reply},
    state::Shared,
    vault,
};

/// A request that has arrived whole.
pub(super) struct Asked {
    pub(super) side: Side,
    pub(super) endpoint: Endpoint,
    pub(super) path: String,
    pub(super) query: HashMap<String, String>,
    pub(super) bearer: Option<String>,
    pub(super) body: Bytes,
    method: String,
    host: String,
}

impl Asked {
    pub(super) fn new(side: Side, host: &str, head: &Parts, body: Bytes) -> Self {
        let path = head.uri.path().to_owned();
        let query = head.uri.query().unwrap_or_default().as_bytes();
        let bearer = head.headers.get(AUTHORIZATION);
        let bearer = bearer.and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "));
        Self {
            side,
            endpoint: Endpoint::of(side, head.method.as_str(), &segments(&path)),
            query: url::form_urlencoded::parse(query).into_owned().collect(),
            bearer: bearer.map(str::to_owned),
            path,
            body,
            method: head.method.to_string(),
            host: host.to_owned(),
        }
    }

    /// The parts of the path. The SDKs leave a version empty where they mean the latest.
    pub(super) fn segments(&self) -> Vec<&str> {
        segments(&self.path)
    }

    fn challenged(&self) -> bool {
        self.side == Side::Vault && self.bearer.is_none()
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty()).collect()
}

impl Shared {
    /// Answers, and puts down that it did.
    pub(super) fn answer(&self, asked: &Asked) -> (Reply, Manner) {
        let form = entra::form(&asked.body);
        let mut state = self.state();
        let now = state.now();
        let challenged = asked.challenged();
        let trouble = fault::next(&mut state.faults, asked.endpoint, &asked.path, challenged);
        let instead = trouble.and_then(|trouble| trouble.reply(asked.endpoint, now));
        let reply = instead.unwrap_or_else(|| match (asked.side, asked.endpoint) {
            (Side::Vault, _) => vault::answer(&mut state, asked),
            (Side::Entra, Endpoint::Token) => entra::token(&mut state, asked.segments()[0], &form),
            (Side::Entra, _) => entra::discovery(&asked.segments()),
        });
        drop(state);
        let manner = trouble.map_or(Manner::Whole, fault::Trouble::manner);
        self.record.add(Recorded {
            when: now,
            endpoint: asked.endpoint,
            host: asked.host.clone(),
            method: asked.method.clone(),
            path: asked.path.clone(),
            api_version: asked.query.get("api-version").cloned(),
            status: (manner != Manner::Never).then_some(reply.status),
            challenged,
            assertion: entra::assertion_id(&form),
        });
        (reply, manner)
    }
}

/// Reads a body to its end.
pub(super) async fn whole(mut body: Incoming) -> hyper::Result<Bytes> {
    let mut bytes = BytesMut::new();
    while let Some(frame) =
        std::future::poll_fn(|context| std::pin::Pin::new(&mut body).poll_frame(context)).await
    {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes.freeze())
}
