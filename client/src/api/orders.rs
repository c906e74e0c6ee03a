//! Orders, as a shop sees them: `/orders`.

mod model;

use axum::{extract::State, response::Response};
use sealane_service::http::{Json, Path, Problem};
use sealane_workflows::orders::Order;
use serde_json::Value;

use self::model::{CancelRequest, CancelRequested, OrderProgress, OrderRequest, Placed};
use super::{
    access::{Reader, Writer},
    answer,
    extract::{Body, IdempotencyKey, Name, NoQuery, said},
    problem::{INVALID_ORDER, KEY_REUSED, ORDER_EXISTS, ORDER_NOT_FOUND, WORKFLOW_ENDED},
    request::fingerprint,
    state::{Api, CALL_LIMIT, detached, promptly},
};
use crate::{
    call::CallError,
    payload,
    workflow::{Ending, Execution, Listed, Once, Start, Workflows},
};

/// What the worker registers the flow as; a test starts one of each name.
const TYPE: &str = "OrderWorkflow";
const CANCEL: &str = "cancel";
const STATUS: &str = "status";

/// Place an order
///
/// The number of the order is what makes repeating this harmless: the same order again gets the ids of
/// the first. An `Idempotency-Key` is not needed, and may be there.
#[utoipa::path(
    post,
    path = "/orders",
    operation_id = "placeOrder",
    tag = "orders",
    params(("Idempotency-Key" = Option<String>, Header, description = "Checked for its form; the number of the order decides", min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    request_body = OrderRequest,
    responses(
        (status = 202, description = "Placed", body = Placed, headers(("Location" = String, description = "The order"))),
        (status = 200, description = "The same order was placed before", body = Placed, headers(("Location" = String, description = "The order"))),
        (status = 409, description = "`order-exists`: another order has the number"),
        (status = 422, description = "`invalid-order`; `idempotency-key-reused` in place of `order-exists` if the request has a key"),
    )
)]
pub(super) async fn place(
    State(api): State<Api>,
    writer: Writer,
    NoQuery: NoQuery,
    IdempotencyKey(key): IdempotencyKey,
    Json(request): Json<OrderRequest>,
) -> Result<Response, Problem> {
    let order = Order::try_from(request)?;
    order
        .validate()
        .map_err(|why| Problem::new(INVALID_ORDER, why.to_string()))?;
    let start = start(&order, api.task_queue())?;
    let fingerprint = fingerprint(&start);
    let once = async move { promptly(writer.workflows.start_once(start, fingerprint)).await };
    match detached(once).await? {
        Once::Started(started) => {
            let placed = Placed::of(&order, started);
            Ok(answer::accepted(answer::order(order.id.as_str()), placed))
        }
        Once::Repeated(started) => {
            let placed = Placed::of(&order, started);
            Ok(answer::repeated(answer::order(order.id.as_str()), placed))
        }
        Once::Taken => {
            let kind = if key.is_some() {
                KEY_REUSED
            } else {
                ORDER_EXISTS
            };
            let detail = format!("order {} was placed with other contents", order.id);
            Err(Problem::new(kind, detail))
        }
    }
}

fn start(order: &Order, task_queue: &str) -> Result<Start, Problem> {
    let order_document = serde_json::to_value(order).map_err(|error| CallError::Unexpected {
        reason: error.to_string(),
    })?;
    Ok(Start {
        workflow_type: TYPE.to_owned(),
        workflow_id: workflow_id(order.id.as_str()),
        task_queue: task_queue.to_owned(),
        input: vec![payload::from_json(&order_document)],
        ..Start::default()
    })
}

fn workflow_id(order_id: &str) -> String {
    format!("order-{order_id}")
}

/// Look at an order
///
/// Without a worker there is no `progress`; without the key there is no `receipt`, and `unreadable`
/// says so.
#[utoipa::path(
    get,
    path = "/orders/{orderId}",
    operation_id = "lookAtOrder",
    tag = "orders",
    params(("orderId" = Name, Path, description = "Number of the order")),
    responses((status = 200, description = "How far it is, or how it ended", body = OrderProgress))
)]
pub(super) async fn look(
    Reader(workflows): Reader,
    Path(order_id): Path<Name>,
    NoQuery: NoQuery,
) -> Result<Json<OrderProgress>, Problem> {
    let row = find(&workflows, &order_id).await?;
    let mut progress = OrderProgress::of(order_id.into(), &row);
    if row.is_running() {
        progress.progress = ask(&workflows, &row.execution()).await;
    } else {
        tell_ending(&workflows, &row, &mut progress).await?;
    }
    Ok(Json(progress))
}

/// Finds the order's workflow, which another program may have started, but not one of another type.
async fn find(workflows: &Workflows, order_id: &Name) -> Result<Listed, Problem> {
    let not_found = || Problem::new(ORDER_NOT_FOUND, "there is no order with that number");
    let execution = Execution {
        workflow_id: workflow_id(order_id.as_str()),
        run_id: None,
    };
    match promptly(workflows.look(&execution)).await {
        Ok(row) if row.workflow_type == TYPE => Ok(row),
        Ok(_) | Err(CallError::WorkflowNotFound { .. }) => Err(not_found()),
        Err(error) => Err(error.into()),
    }
}

/// Whoever looks at an order wants to know that it is running, even if no worker says how far it is.
async fn ask(workflows: &Workflows, execution: &Execution) -> Option<Value> {
    let asked = workflows.query(execution, STATUS, Vec::new());
    tokio::time::timeout(model::PATIENCE, asked)
        .await
        .ok()?
        .ok()
}

async fn tell_ending(
    workflows: &Workflows,
    row: &Listed,
    progress: &mut OrderProgress,
) -> Result<(), Problem> {
    let ended = tokio::time::timeout(CALL_LIMIT, workflows.end(&row.execution())).await;
    let Ok(ended) = ended else {
        // A retry or a continuation is running.
        return Ok(());
    };
    match workflows.read(ended?).await {
        Err(CallError::Unreadable(why)) => progress.unreadable = Some(why.to_string()),
        Err(error) => return Err(error.into()),
        Ok(outcome) => match outcome.ending {
            Ending::Completed(receipt) => progress.receipt = Some(receipt),
            Ending::Failed(report) => progress.failure = Some(report.without_stack_traces()),
            _ => {}
        },
    }
    Ok(())
}

/// Cancel an order
///
/// It is, unless shipping has started: look at the order for what became of it.
#[utoipa::path(
    post,
    path = "/orders/{orderId}/cancel",
    operation_id = "cancelOrder",
    tag = "orders",
    params(("orderId" = Name, Path, description = "Number of the order")),
    request_body = Option<CancelRequest>,
    responses(
        (status = 202, description = "Asked for", body = CancelRequested, headers(("Location" = String, description = "The order"))),
        (status = 409, description = "`workflow-ended`"),
    )
)]
pub(super) async fn cancel(
    writer: Writer,
    Path(order_id): Path<Name>,
    NoQuery: NoQuery,
    request: Body<CancelRequest>,
) -> Result<Response, Problem> {
    let row = find(&writer.workflows, &order_id).await?;
    if !row.is_running() {
        return Err(Problem::new(WORKFLOW_ENDED, "the order has ended already"));
    }
    let reason = Value::String(said(request).reason);
    let input = vec![payload::from_json(&reason)];
    let workflows = writer.workflows;
    let signal = async move { promptly(workflows.signal(&row.execution(), CANCEL, input)).await };
    detached(signal).await?;
    let location = answer::order(order_id.as_str());
    let requested = CancelRequested {
        order_id: order_id.into(),
        requested: "cancel",
    };
    Ok(answer::accepted(location, requested))
}
