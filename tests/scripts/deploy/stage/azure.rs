//! Azure, as far as a deployment asks.

use std::fs;

use super::{DIGEST, Things, refusal};
use crate::{
    environment::API_SERVER,
    harness::{Call, Reply},
};

pub(super) fn answer(call: &mut Call, things: &mut Things) -> Option<Reply> {
    match call.args.first()?.as_str() {
        "aks" => cluster(call, things),
        "acr" => registry(call, things),
        "keyvault" => vault(call, things),
        "identity" => identity(call, things),
        "group" => call.is("az group exists").then(|| "true".into()),
        "role" => Some(things.roles.join("\n").as_str().into()),
        _ => None,
    }
}

fn cluster(call: &Call, things: &Things) -> Option<Reply> {
    if call.is("az aks get-credentials") {
        fs::write(call.value("--file")?, "kubeconfig").ok()?;
        return Some(Reply::ok(""));
    }
    let answer = format!(
        "{API_SERVER}\nnone\nRunning\nSucceeded\n1.36.1\n{}\nid",
        things.issuer
    );
    call.is("az aks show").then(|| answer.as_str().into())
}

fn registry(call: &Call, things: &mut Things) -> Option<Reply> {
    if call.is("az acr repository show") {
        let unknown = "(MANIFEST_UNKNOWN) manifest unknown";
        Some(things.digest.map_or_else(|| refusal(unknown), Into::into))
    } else if call.is("az acr show") {
        Some(things.registry_mode.into())
    } else if call.is("az acr run") {
        things.digest = Some(DIGEST);
        Some("Run ID: ca1 was successful".into())
    } else {
        call.is("az acr login").then(|| "Login Succeeded".into())
    }
}

fn vault(call: &mut Call, things: &mut Things) -> Option<Reply> {
    let name = call.value("--name")?.to_owned();
    if things.rbac_refusals > 0 {
        things.rbac_refusals -= 1;
        return Some(refusal(
            "(Forbidden) Caller is not authorized. Inner error: { \"code\": \"ForbiddenByRbac\" }",
        ));
    }
    if call.is("az keyvault secret set") {
        things.secrets.push((name, call.stdin().len(), true));
        return Some("https://vault/secrets/payload-key/1".into());
    }
    if call.value("--query") == Some("value") {
        return Some(
            things
                .password
                .as_deref()
                .map_or_else(|| refusal("(SecretNotFound) none"), Into::into),
        );
    }
    let found = things.secrets.iter().rev().find(|it| it.0 == name);
    Some(found.map_or_else(
        || {
            refusal(&format!(
                "(SecretNotFound) A secret with (name/id) {name} was not found in this key vault."
            ))
        },
        |(_, length, enabled)| format!("{length}\n{enabled}").as_str().into(),
    ))
}

/// Each workload's identity is named like its account, and has the credential that Terraform made.
fn identity(call: &Call, things: &Things) -> Option<Reply> {
    if call.is("az identity federated-credential list") {
        return Some(
            format!("{}\tapi://AzureADTokenExchange", things.credential_issuer)
                .as_str()
                .into(),
        );
    }
    let all = things.outputs["identities"]["value"].as_object()?.values();
    let text = |it: &serde_json::Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
    let rows = all.map(|it| {
        format!(
            "{}\tid-{}",
            text(it, "client_id"),
            text(it, "service_account")
        )
    });
    let rows: Vec<_> = rows.collect();
    call.is("az identity list")
        .then(|| rows.join("\n").as_str().into())
}
