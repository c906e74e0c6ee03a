//! What a laptop sends through the system.

use sealane_client::trigger::{InputTemplate, Target};
use sealane_workflows::orders::Order;
use serde_json::{Value, json};

/// The order that the README sends, too.
const ORDER: &str = include_str!("../../docs/order.json");

/// Returns a small order.
///
/// # Errors
///
/// Never, as a test shows.
pub(crate) fn order() -> serde_json::Result<Order> {
    serde_json::from_str(ORDER)
}

/// Returns a greeting and an order, to be started in turns.
///
/// # Errors
///
/// Never, as a test shows.
pub(crate) fn targets() -> anyhow::Result<Vec<Target>> {
    let mut order: Value = serde_json::from_str(ORDER)?;
    order["id"] = json!("{{id}}");
    Ok(vec![
        Target {
            workflow_type: "GreetingWorkflow".to_owned(),
            input: InputTemplate::new(vec![json!("visitor number {{counter}}")])?,
        },
        Target {
            workflow_type: "OrderWorkflow".to_owned(),
            input: InputTemplate::new(vec![order])?,
        },
    ])
}

#[cfg(test)]
mod tests {
    use super::{order, targets};

    #[test]
    fn the_samples_make_sense() {
        assert_eq!(order().unwrap().validate(), Ok(()));
        assert_eq!(targets().unwrap().len(), 2);
    }
}
