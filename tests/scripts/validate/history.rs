//! Histories of workflows, as `sealane workflow history --encrypted --output json` prints them.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// The key that encrypts.
pub(super) const KEY: &str = "payload-key/0f7c5e0e2f5d4a0c8b1f3a6d9c2e4b71";

/// A payload of these bytes.
pub(super) fn payload(encoding: &str, key: &str, data: &[u8]) -> Value {
    json!({
        "metadata": {"encoding": BASE64_STANDARD.encode(encoding), "encryption-key-id": BASE64_STANDARD.encode(key)},
        "data": BASE64_STANDARD.encode(data),
    })
}

/// A payload that is encrypted; what it says nobody can see.
pub(super) fn sealed() -> Value {
    let noise: Vec<u8> = (0..90_u8)
        .map(|byte| byte.wrapping_mul(151).wrapping_add(200))
        .collect();
    payload("binary/encrypted", KEY, &noise)
}

/// What `sealane workflow start` without encryption leaves behind.
pub(super) fn plain(text: &str) -> Value {
    json!({"metadata": {"encoding": BASE64_STANDARD.encode("json/plain")}, "data": BASE64_STANDARD.encode(format!("{text:?}"))})
}

/// The events of a greeting: input and result of the workflow and of three activities, and headers that are plain by design.
pub(super) fn history(id: &str) -> Value {
    let mut events = vec![event(
        "WorkflowExecutionStarted",
        &json!({
            "workflow_id": id, "input": {"payloads": [sealed()]}, "memo": null,
            "header": {"fields": {"_tracer-data": plain("00-11-22-01")}},
            "search_attributes": {"indexed_fields": {"BuildIds": plain("[]")}},
        }),
    )];
    for _ in 0..3 {
        events.push(event(
            "ActivityTaskScheduled",
            &json!({"input": {"payloads": [sealed()]}}),
        ));
        events.push(event(
            "ActivityTaskCompleted",
            &json!({"result": {"payloads": [sealed()]}, "identity": "worker"}),
        ));
    }
    events.push(event(
        "WorkflowExecutionCompleted",
        &json!({"result": {"payloads": [sealed()]}}),
    ));
    json!({"events": events})
}

fn event(kind: &str, attributes: &Value) -> Value {
    json!({"event_id": 1, "attributes": {format!("{kind}EventAttributes"): attributes}})
}
