//! How much one request may take, and all of them together.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    body::HttpBody,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;

use super::{
    Admission, Kind, Problem,
    body::{Arrival, GivenUp},
    deadline::Deadline,
    edge::Parts,
    server::Seats,
};

/// Most requests take less than this, so that somebody is done by then.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Turns away what is too much at once. A queue would only make everybody wait for answers they no longer want.
pub(super) async fn concurrency(
    State(edge): State<Arc<Parts>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Ok(place) = edge.permits.clone().try_acquire_owned() else {
        // Those who do not take their answers must not keep out everybody else.
        if let Some(seats) = request.extensions().get::<Arc<Seats>>() {
            seats.dismiss_stuck();
        }
        return edge.too_much("concurrency", "too many requests at once");
    };
    let admission = Admission::new(place);
    request.extensions_mut().insert(admission.clone());
    let response = next.run(request).await;
    response.map(|body| admission.until_sent(body))
}

/// Answers for a handler that panicked. The panic itself is logged by its hook.
pub(super) async fn panics(request: Request, next: Next) -> Response {
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        Problem::new(
            Kind::Internal,
            "the request met a fault; the log says where",
        )
        .into_response()
    })
}

/// Stops a request that is too large or takes too long. An answer that has begun is not cut.
pub(super) async fn size_and_time(
    State(edge): State<Arc<Parts>>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.body().size_hint().lower() > edge.body_limit as u64 {
        return edge.too_large();
    }
    let arrival = Arrival::default();
    let admission = request.extensions().get::<Admission>();
    let room = admission.map(|admission| edge.room.of(admission));
    let request_body = |body| arrival.watch(body, edge.body_limit, room);
    let deadline = Deadline::after(edge.timeout);
    request.extensions_mut().insert(deadline.clone());
    let answer = deadline.limit(next.run(request.map(request_body))).await;
    match (arrival.given_up(), answer) {
        (Some(GivenUp::TooLarge), _) => edge.too_large(),
        (Some(GivenUp::NoRoom), _) => {
            edge.too_much("body_memory", "too many large requests at once")
        }
        (None, Ok(response)) => response,
        (None, Err(_)) => edge.too_late(&arrival),
    }
}

impl Parts {
    fn too_much(&self, reason: &'static str, detail: &str) -> Response {
        self.metrics.reject(reason);
        let problem = Problem::new(Kind::TooManyRequests, detail);
        problem.retry_after(RETRY_AFTER).into_response()
    }

    fn too_large(&self) -> Response {
        self.metrics.reject("body_limit");
        let limit = self.body_limit;
        Problem::new(
            Kind::PayloadTooLarge,
            format!("the body is larger than {limit} bytes"),
        )
        .with("limit", limit)
        .into_response()
    }

    fn too_late(&self, arrival: &Arrival) -> Response {
        if arrival.is_complete() {
            self.metrics.reject("timeout");
            let detail = "no answer in time; whether the request had an effect is not known";
            return Problem::new(Kind::GatewayTimeout, detail).into_response();
        }
        self.metrics.reject("slow_body");
        Problem::new(Kind::Timeout, "the body did not arrive in time").into_response()
    }
}
