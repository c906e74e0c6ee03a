//! What the fake answers, and the ways in which an answer can fail to arrive.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use http::{Response, StatusCode, header};
use hyper::body::{Body, Frame};
use serde_json::Value;
use tokio::sync::Notify;

/// Between two bytes of a server that never comes to an end: shorter than any read timeout.
const DRIP: Duration = Duration::from_millis(20);

/// More bytes than any test waits for.
const ENDLESS: usize = 1 << 20;

/// An answer before it is sent.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// How an answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// To the end.
    Whole,
    /// Half of it, and then the connection is closed.
    Truncated,
    /// Half of it, and then the connection is reset.
    Reset,
    /// One byte at a time, without end.
    Dripping,
    /// Not at all, on a connection that stays open.
    Never,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::of("application/json; charset=utf-8", status, body.to_string())
    }

    /// What a captive portal or a broken proxy says.
    pub(super) fn html() -> Self {
        let page = "<!doctype html><title>Sign in to this network</title>";
        Self::of("text/html", 200, page.to_owned())
    }

    pub(super) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    fn of(content_type: &'static str, status: u16, body: String) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body,
        }
    }

    /// The response to send; `cut` resets its connection.
    pub(super) fn into_response(
        self,
        manner: Manner,
        now: SystemTime,
        cut: Arc<Notify>,
    ) -> Result<Response<Sent>, http::Error> {
        let length = match manner {
            Manner::Dripping => ENDLESS,
            _ => self.body.len(),
        };
        let mut response = Response::builder()
            .status(StatusCode::from_u16(self.status)?)
            .header(header::DATE, httpdate::fmt_http_date(now))
            .header(header::CONTENT_LENGTH, length);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(Sent::new(self.body, manner, cut))
    }
}

/// The body of a response on its way.
pub(super) struct Sent(BoxStream<'static, io::Result<Bytes>>);

impl Sent {
    fn new(body: String, manner: Manner, cut: Arc<Notify>) -> Self {
        let whole = Bytes::from(body);
        let half = whole.slice(..whole.len() / 2);
        Self(match manner {
            Manner::Whole => once(whole),
            Manner::Truncated => once(half).chain(stream::once(broken())).boxed(),
            Manner::Reset => once(half)
                .chain(stream::once(async move { reset(&cut).await }))
                .boxed(),
            Manner::Dripping => stream::repeat_with(|| Ok(Bytes::from_static(b" ")))
                .then(|byte| async {
                    tokio::time::sleep(DRIP).await;
                    byte
                })
                .boxed(),
            Manner::Never => stream::pending().boxed(),
        })
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_next_unpin(context).map_ok(Frame::data)
    }
}

fn once(bytes: Bytes) -> BoxStream<'static, io::Result<Bytes>> {
    stream::once(async { Ok(bytes) }).boxed()
}

/// Ends the connection from outside: an error would close it, not reset it.
async fn reset(cut: &Notify) -> io::Result<Bytes> {
    tokio::task::yield_now().await;
    cut.notify_one();
    std::future::pending().await
}

/// What was sent so far leaves while this waits for its turn.
async fn broken() -> io::Result<Bytes> {
    tokio::task::yield_now().await;
    Err(io::ErrorKind::BrokenPipe.into())
}
