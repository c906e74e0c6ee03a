//! Terraform, whose plan is to make everything.

use std::fs;

use serde_json::{Value, json};

use super::Things;
use crate::harness::{Call, Reply};

pub(super) fn answer(call: &mut Call, things: &mut Things) -> Option<Reply> {
    if call.is("terraform init") {
        Some("Terraform has been successfully initialized!".into())
    } else if call.is("terraform plan") {
        things.planned_password = said(call);
        fs::write(call.value("-out")?, "plan").ok()?;
        Some(if things.applied {
            Reply::ok("No changes.\n")
        } else {
            Reply::ok("Plan: 42 to add.\n").code(2)
        })
    } else if call.is("terraform apply") {
        let password = said(call);
        // Terraform wants at the apply what it was given at the plan.
        assert_eq!(
            password, things.planned_password,
            "the password of plan and apply"
        );
        things.password = things.password.take().or(password);
        things.applied = true;
        things.state = state();
        Some("Apply complete!".into())
    } else if call.is("terraform output") {
        let nothing = json!({});
        Some(Reply::json(if things.applied {
            &things.outputs
        } else {
            &nothing
        }))
    } else if call.is("terraform show -json") {
        let plan = call.args.last().is_some_and(|word| word.ends_with("/plan"));
        Some(Reply::json(&if plan {
            things.plan.clone()
        } else {
            with_outputs(things)
        }))
    } else {
        None
    }
}

/// The state as `terraform show` tells it: with the outputs, once there are resources.
fn with_outputs(things: &Things) -> Value {
    let mut state = things.state.clone();
    if !state["values"].is_null() {
        state["values"]["outputs"] = things.outputs.clone();
    }
    state
}

/// The password that comes over standard input, where there is one.
fn said(call: &mut Call) -> Option<String> {
    call.args
        .iter()
        .find(|word| *word == "-var-file=/dev/stdin")?;
    let text = call.stdin();
    Some(text.split('"').nth(1)?.to_owned())
}

/// The state after an apply, as far as anyone here reads it.
pub(super) fn state() -> Value {
    let resources = json!([
        {"type": "azurerm_resource_group", "mode": "managed", "name": "this", "values": {"name": crate::environment::GROUP}},
        {"type": "azurerm_key_vault", "mode": "managed", "name": "this", "values": {"name": crate::environment::VAULT}},
        {"type": "azurerm_key_vault_secret", "mode": "managed", "name": "password", "values": {"name": "postgresql-password-1", "value_wo_version": 1}},
        {"type": "azurerm_postgresql_flexible_server", "mode": "managed", "name": "this", "values": {"administrator_password_wo_version": 1}},
    ]);
    json!({"values": {"root_module": {"child_modules": [{"resources": resources}]}}})
}
