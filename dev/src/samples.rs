//! What a laptop sends through the system.

use sealane_client::trigger::{InputTemplate, Target, TemplateError};
use sealane_workflows::orders::{Address, Item, Order};
use serde_json::json;

/// Returns a small order.
pub(crate) fn order() -> Order {
    Order {
        id: "A-1042".to_owned().into(),
        customer: "ada".to_owned().into(),
        items: vec![Item {
            sku: "tea-assam".to_owned().into(),
            quantity: 2,
        }],
        amount: 1250,
        currency: "EUR".to_owned(),
        card_token: "tok_visa".to_owned().into(),
        address: Address {
            name: "Ada Lovelace".to_owned(),
            street: "12 St James's Square".to_owned(),
            postal_code: "SW1Y 4JH".to_owned(),
            city: "London".to_owned(),
            country: "GB".to_owned(),
        },
    }
}

/// Returns a greeting and an order, to be started in turns.
///
/// # Errors
///
/// Never: the placeholders are known.
pub(crate) fn targets() -> Result<Vec<Target>, TemplateError> {
    let mut order = json!(order());
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
