//! Key Vault's refusals, in its own words.
//!
//! They are the words of bug reports: line breaks inside a message, and a reason that stands only in the inner error.

use serde_json::{Value, json};

use super::{AUTHORITY_HOST, CLIENT_ID, Endpoint, RESOURCE, TENANT_ID, VAULT, reply::Reply};

/// 401 that says where to get a token for `resource`.
pub(super) fn challenge(resource: &str) -> Reply {
    let authority = format!("https://{AUTHORITY_HOST}/{TENANT_ID}");
    let challenge = format!(r#"Bearer authorization="{authority}", resource="{resource}""#);
    unauthorized().with("www-authenticate", challenge)
}

/// What everybody without a valid token is told.
pub(super) fn challenged() -> Reply {
    challenge(RESOURCE)
}

pub(super) fn unauthorized() -> Reply {
    let words = "AKV10000: Request is missing a Bearer or PoP token.";
    error(401, "Unauthorized", words, None)
}

pub(super) fn forbidden_by_rbac(endpoint: Endpoint) -> Reply {
    let action = endpoint.action();
    let words = format!(
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny \
         assignments or role definitions were changed recently, please observe propagation time.\r\n\
         {}\r\nAction: 'Microsoft.KeyVault/vaults/{action}'\r\nAssignment: (not found)\r\n\
         DenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\n\
         Vault: {VAULT};location=westeurope\r\n",
        caller()
    );
    error(403, "Forbidden", &words, Some("ForbiddenByRbac"))
}

pub(super) fn forbidden_by_firewall() -> Reply {
    let words = format!(
        "Client address is not authorized and caller is not a trusted service.\r\n\
         Client address: 203.0.113.7\r\n{}\r\nVault: {VAULT};location=westeurope",
        caller()
    );
    error(403, "Forbidden", &words, Some("ForbiddenByFirewall"))
}

pub(super) fn disabled(endpoint: Endpoint) -> Reply {
    let operation = endpoint.operation();
    let kind = kind(endpoint);
    let words = format!("Operation {operation} is not allowed on a disabled {kind}.");
    let inner = if endpoint.is_of_keys() {
        "KeyDisabled"
    } else {
        "SecretDisabled"
    };
    error(403, "Forbidden", &words, Some(inner))
}

pub(super) fn not_found(endpoint: Endpoint, name: &str) -> Reply {
    let kind = kind(endpoint);
    let words = format!("A {kind} with (name/id) {name} was not found in this key vault.");
    let code = if endpoint.is_of_keys() {
        "KeyNotFound"
    } else {
        "SecretNotFound"
    };
    error(404, code, &words, None)
}

pub(super) fn deleted(name: &str) -> Reply {
    let words = format!(
        "Secret {name} is currently in a deleted but recoverable state, and its name cannot be \
         reused; in this state, the secret can only be recovered or purged."
    );
    let inner = Some("ObjectIsDeletedButRecoverable");
    error(409, "Conflict", &words, inner)
}

pub(super) fn throttled() -> Reply {
    let words = "Request was not processed because too many requests were received. \
                 Reason: VaultRequestTypeLimitReached";
    error(429, "Throttled", words, None)
}

pub(super) fn bad_parameter(words: &str) -> Reply {
    error(400, "BadParameter", words, None)
}

fn error(status: u16, code: &str, message: &str, inner: Option<&str>) -> Reply {
    let mut error = json!({ "code": code, "message": message });
    if let Some(inner) = inner {
        error["innererror"] = json!({ "code": inner });
    }
    Reply::json(status, &Value::from_iter([("error", error)]))
}

fn kind(endpoint: Endpoint) -> &'static str {
    if endpoint.is_of_keys() {
        "key"
    } else {
        "secret"
    }
}

fn caller() -> String {
    format!("Caller: appid={CLIENT_ID};oid={CLIENT_ID};iss=https://sts.windows.net/{TENANT_ID}/")
}
