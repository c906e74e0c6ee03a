//! The courses a workflow can take, and the recorded history of each.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::ensure;
use futures_util::{FutureExt, future::LocalBoxFuture};
use sealane_client::{handles::Greeting, workflow::Execution};
use sealane_worker::flows;
use sealane_workflows::orders::Order;
use serde_json::{Map, Value, json};

use crate::{
    World,
    orders::{Placed, Shop, address, order, patiently},
};

/// One course of a workflow. Its history is `tests/histories/<name>.json`.
pub struct Shape {
    /// Name of the shape, also of the workflow or order that takes this course.
    pub name: &'static str,
    /// Takes the course to its end. The shop has no worker yet.
    play: Play,
}

/// Takes a workflow named as told through one course, and says which it was.
type Play = for<'a> fn(&'a mut Shop, &'a str) -> LocalBoxFuture<'a, anyhow::Result<Execution>>;

/// Every shape that must keep replaying.
pub const SHAPES: &[Shape] = &[
    Shape {
        name: "greeting",
        play: |shop, name| greeting(shop, name).boxed_local(),
    },
    Shape {
        name: "order-shipped",
        play: |shop, name| order_shipped(shop, name).boxed_local(),
    },
    Shape {
        name: "order-shipped-elsewhere",
        play: |shop, name| order_shipped_elsewhere(shop, name).boxed_local(),
    },
    Shape {
        name: "order-cancelled-too-late",
        play: |shop, name| order_cancelled_too_late(shop, name).boxed_local(),
    },
    Shape {
        name: "order-cancelled-by-signal",
        play: |shop, name| order_cancelled_by_signal(shop, name).boxed_local(),
    },
    Shape {
        name: "order-cancelled-by-temporal",
        play: |shop, name| order_cancelled_by_temporal(shop, name).boxed_local(),
    },
    Shape {
        name: "order-declined",
        play: |shop, name| order_declined(shop, name).boxed_local(),
    },
    Shape {
        name: "order-out-of-stock",
        play: |shop, name| order_out_of_stock(shop, name).boxed_local(),
    },
    Shape {
        name: "order-invalid",
        play: |shop, name| order_invalid(shop, name).boxed_local(),
    },
    Shape {
        name: "order-not-undone",
        play: |shop, name| order_not_undone(shop, name).boxed_local(),
    },
];

impl Shape {
    /// Returns where the history is kept.
    pub fn file(&self) -> PathBuf {
        folder().join(self.name).with_extension("json")
    }

    /// Takes the course on the shared dev server and returns its history, decrypted.
    ///
    /// # Errors
    ///
    /// If the course does not end as it should.
    ///
    /// # Panics
    ///
    /// If the dev server cannot be used, or something that the course needs never happens.
    pub async fn record(&self) -> anyhow::Result<Value> {
        let mut world = World::new().await;
        world.set("TEMPORAL_TASK_QUEUE", "recording");
        let mut shop = Shop::without_workers(world).await?;
        let execution = (self.play)(&mut shop, self.name).await?;
        let mut history = shop.workflows.history(&execution).await?;
        shop.close().await?;
        hide_machine(&mut history);
        Ok(history)
    }
}

/// Returns the folder of the recorded histories.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("histories")
}

/// Returns the recorded histories, in the order of their names.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn files() -> io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(folder())?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.retain(|path| path.extension().is_some_and(|end| end == "json"));
    files.sort();
    Ok(files)
}

/// Blanks out who recorded a history and where, which means nothing to a replay. Workers and their sticky task queues
/// carry the name of the host.
fn hide_machine(document: &mut Value) {
    match document {
        Value::Array(items) => items.iter_mut().for_each(hide_machine),
        Value::Object(fields) => {
            for name in fields_of_machine(fields) {
                fields.insert(name.to_owned(), json!("recorder"));
            }
            fields.values_mut().for_each(hide_machine);
        }
        _ => {}
    }
}

fn fields_of_machine(fields: &Map<String, Value>) -> Vec<&'static str> {
    let is_sticky = fields
        .get("normal_name")
        .is_some_and(|normal| normal.as_str() != Some(""));
    let is_text = |name: &str| fields.get(name).is_some_and(Value::is_string);
    [("identity", true), ("name", is_sticky)]
        .into_iter()
        .filter_map(|(name, applies)| (applies && is_text(name)).then_some(name))
        .collect()
}

async fn greeting(shop: &mut Shop, name: &str) -> anyhow::Result<Execution> {
    shop.start_worker(flows::register);
    let options = shop.start_options(name);
    let workflow_id = options.workflow_id.clone();
    let greeting = Greeting::start(shop.client(), "Ada".to_owned(), options).await?;
    patiently("the greeting", greeting.result()).await?;
    Ok(Execution {
        workflow_id,
        run_id: None,
    })
}

async fn order_shipped(shop: &mut Shop, name: &str) -> anyhow::Result<Execution> {
    shop.start_worker(flows::register);
    let placed = shop.place(two_parcels(name)).await?;
    shop.result(&placed).await?;
    Ok(placed.execution)
}

async fn order_shipped_elsewhere(shop: &mut Shop, name: &str) -> anyhow::Result<Execution> {
    shop.start_worker(flows::register);
    shop.gateway.take_down().await;
    let placed = shop.place(two_parcels(name)).await?;
    shop.attempt_fails(&placed, "reserve_stock", "Unanswered")
        .await?;
    let elsewhere = address("Unter den Linden 5");
    patiently("the update", placed.handle.change_address(elsewhere)).await?;
    shop.gateway.bring_up().await?;
    shop.result(&placed).await?;
    Ok(placed.execution)
}

async fn order_cancelled_too_late(shop: &mut Shop, name: &str) -> anyhow::Result<Execution> {
    shop.start_worker(flows::register);
    let placed = shop.hold_at_parcel(two_parcels(name), 1).await?;
    placed.handle.cancel("too late".to_owned()).await?;
    shop.resume();
    shop.result(&placed).await?;
    Ok(placed.execution)
}

async fn order_cancelled_by_signal(shop: &mut Shop, name: &str) -> anyhow::Result<Execution> {
    let placed = shop.hold_at_charging(two_parcels(name)).await?;
    let reason = "ordered twice".to_owned();
    placed.handle.cancel(reason).await?;
    shop.result(&placed).await?;
    Ok(placed.execution)
}

async fn order_cancelled_by_temporal(shop: &mut Shop, name: &str) -> anyhow::Result<Execution> {
    shop.start_worker(flows::register);
    let placed = shop.hold_at_parcel(two_parcels(name), 1).await?;
    shop.workflows
        .cancel(&placed.execution, "shop closes")
        .await?;
    let ended = shop.result(&placed).await;
    ensure!(ended.is_err(), "{name} ended as {ended:?}");
    Ok(placed.execution)
}

async fn order_declined(shop: &mut Shop, name: &str) -> anyhow::Result<Execution> {
    let code = Some("insufficient_funds".to_owned());
    shop.gateway.turn(|knobs| knobs.decline = code);
    let placed = shop.place(two_parcels(name)).await?;
    failed(shop, placed).await
}

async fn order_out_of_stock(shop: &mut Shop, name: &str) -> anyhow::Result<Execution> {
    shop.sell_out("tea");
    let placed = shop.place(two_parcels(name)).await?;
    failed(shop, placed).await
}

async fn order_invalid(shop: &mut Shop, name: &str) -> anyhow::Result<Execution> {
    let placed = shop.place(order(name, &[])).await?;
    failed(shop, placed).await
}

async fn order_not_undone(shop: &mut Shop, name: &str) -> anyhow::Result<Execution> {
    shop.start_worker(flows::register);
    let placed = shop.hold_after_lost_parcel(order(name, &["tea"])).await?;
    shop.workflows
        .cancel(&placed.execution, "shop closes")
        .await?;
    shop.failure(&placed).await?;
    Ok(placed.execution)
}

async fn failed(shop: &mut Shop, placed: Placed) -> anyhow::Result<Execution> {
    shop.start_worker(flows::register);
    shop.failure(&placed).await?;
    Ok(placed.execution)
}

fn two_parcels(name: &str) -> Order {
    order(name, &["tea", "teapot"])
}
