//! An answer's body, and what lasts as long as it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// Returns `body` with its data passed through `each`, which must keep the length. What `each` owns lives until the
/// body is handed on or given up.
pub(super) fn pass(body: Body, each: impl FnMut(Bytes) -> Bytes + Send + Unpin + 'static) -> Body {
    Body::new(Passed { body, each })
}

struct Passed<F> {
    body: Body,
    each: F,
}

impl<F: FnMut(Bytes) -> Bytes + Unpin> HttpBody for Passed<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        frame.map_ok(|frame| frame.map_data(&mut self.each))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
