//! The gateway's HTTP face.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, Request as HttpRequest, State as Shared},
    http::{HeaderMap, StatusCode, header::RETRY_AFTER},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;

use super::{
    Effect, Knobs, Log, Operation, Request, State,
    book::{Answer, refusal},
    knobs::Fate,
    server::Line,
};

type Cell = Arc<watch::Sender<State>>;

/// All routes. `line` ends requests on the way when the gateway is taken down.
pub(super) fn router(state: &Cell, line: &Line) -> Router {
    let cut = line.clone();
    Router::new()
        .route("/reservations", post(reserve))
        .route("/reservations/{id}/release", post(release))
        .route("/charges", post(charge))
        .route("/charges/{id}/refund", post(refund))
        .route("/shipments", post(ship))
        .route("/shipments/{id}/parcels/{number}", post(pack))
        .route("/shipments/{id}/recall", post(recall))
        .route("/knobs", get(show_knobs).put(set_knobs))
        .route("/log", get(show_log))
        .with_state(Arc::clone(state))
        .route("/down", post(go_down))
        .with_state(line.clone())
        .layer(middleware::from_fn(move |request, next| {
            unless_down(cut.clone(), request, next)
        }))
}

async fn reserve(Shared(state): Shared<Cell>, headers: HeaderMap, body: String) -> Response {
    serve(&state, Operation::Reserve, &id_in(&body), &headers, &body)
}

async fn charge(Shared(state): Shared<Cell>, headers: HeaderMap, body: String) -> Response {
    serve(&state, Operation::Charge, &id_in(&body), &headers, &body)
}

async fn ship(Shared(state): Shared<Cell>, headers: HeaderMap, body: String) -> Response {
    serve(&state, Operation::Ship, &id_in(&body), &headers, &body)
}

async fn release(
    Shared(state): Shared<Cell>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    serve(&state, Operation::Release, &id, &headers, &body)
}

async fn refund(
    Shared(state): Shared<Cell>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    serve(&state, Operation::Refund, &id, &headers, &body)
}

async fn recall(
    Shared(state): Shared<Cell>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    serve(&state, Operation::Recall, &id, &headers, &body)
}

async fn pack(
    Shared(state): Shared<Cell>,
    Path((id, number)): Path<(String, u32)>,
    headers: HeaderMap,
    body: String,
) -> Response {
    wait_while_paused(&state, number).await;
    let delay = state.borrow().knobs.parcel_delay();
    tokio::time::sleep(delay).await;
    serve(&state, Operation::Pack(number), &id, &headers, &body)
}

/// Lets the knobs decide what becomes of a request, and keeps the promise of its idempotency key.
fn serve(
    state: &Cell,
    operation: Operation,
    id: &str,
    headers: &HeaderMap,
    body: &str,
) -> Response {
    let key = key_of(headers);
    let mut response = None;
    state.send_modify(|state| {
        state.log.requests.push(Request {
            operation,
            id: id.to_owned(),
            key: key.clone(),
            body: body.to_owned(),
        });
        response = Some(match state.knobs.next_fate() {
            Fate::Throttled { status, seconds } => throttled(status, seconds),
            Fate::Failed => answer(refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal")),
            fate => {
                let given = state.answer_to(operation, id, &key, body);
                after_the_fact(fate, given)
            }
        });
    });
    response.unwrap_or_default()
}

impl State {
    fn answer_to(&mut self, operation: Operation, id: &str, key: &str, body: &str) -> Answer {
        if id.is_empty() || key.is_empty() {
            return refusal(StatusCode::BAD_REQUEST, "id_or_key_missing");
        }
        if let Some(answer) = self.book.recall(operation, key, body) {
            return answer;
        }
        let (answer, changed) = self.book.perform(operation, id, body, &self.knobs);
        self.book.remember(operation, key, body, answer.clone());
        if changed {
            self.log.effects.push(Effect {
                operation,
                id: id.to_owned(),
                key: key.to_owned(),
            });
        }
        answer
    }
}

/// What the client gets to see of an answer that is already in the book.
fn after_the_fact(fate: Fate, given: Answer) -> Response {
    match fate {
        Fate::Lost => answer(refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal")),
        Fate::Garbled => (StatusCode::OK, "<html>It works!</html>").into_response(),
        Fate::Served | Fate::Throttled { .. } | Fate::Failed => answer(given),
    }
}

async fn wait_while_paused(state: &Cell, number: u32) {
    let paused = |state: &State| state.knobs.pause_at_parcel == Some(number);
    if !paused(&state.borrow()) {
        return;
    }
    let _pause = Pause::start(state);
    let mut changes = state.subscribe();
    // The sender is in our hands, so the wait ends only because the knob was turned.
    changes.wait_for(|state| !paused(state)).await.ok();
}

/// A parcel that waits. A guard, because the client may go away meanwhile.
struct Pause<'a>(&'a Cell);

impl<'a> Pause<'a> {
    fn start(state: &'a Cell) -> Self {
        state.send_modify(|state| state.paused += 1);
        Self(state)
    }
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|state| state.paused -= 1);
    }
}

async fn show_knobs(Shared(state): Shared<Cell>) -> Json<Knobs> {
    Json(state.borrow().knobs.clone())
}

async fn set_knobs(Shared(state): Shared<Cell>, Json(knobs): Json<Knobs>) -> Json<Knobs> {
    state.send_modify(|state| state.knobs = knobs.clone());
    Json(knobs)
}

async fn show_log(Shared(state): Shared<Cell>) -> Json<Log> {
    Json(state.borrow().log.clone())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outage {
    seconds: u64,
}

async fn go_down(Shared(line): Shared<Line>, Json(outage): Json<Outage>) -> StatusCode {
    line.cut_for(Duration::from_secs(outage.seconds));
    StatusCode::ACCEPTED
}

async fn unless_down(line: Line, request: HttpRequest, next: Next) -> Response {
    tokio::select! {
        // An answer that is ready is given, above all the one to the request that pulled the plug.
        biased;
        response = next.run(request) => response,
        () = line.cut() => answer(refusal(StatusCode::SERVICE_UNAVAILABLE, "down")),
    }
}

fn key_of(headers: &HeaderMap) -> String {
    headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

fn id_in(body: &str) -> String {
    serde_json::from_str::<Value>(body)
        .ok()
        .and_then(|body| body.get("id")?.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn throttled(status: u16, seconds: u64) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::TOO_MANY_REQUESTS);
    let (status, body) = refusal(status, "throttled");
    (status, [(RETRY_AFTER, seconds.to_string())], Json(body)).into_response()
}

fn answer((status, body): Answer) -> Response {
    (status, Json(body)).into_response()
}
