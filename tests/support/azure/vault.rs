//! The vault's door: API version, token, role. Behind it are the secrets and the keys.

use serde_json::{Value, json};

use super::{
    Endpoint, VAULT_URL, asked::Asked, entra, keys, refusal, reply::Reply, secrets, state::State,
};

/// What the SDKs of these years send.
const API_VERSIONS: [&str; 8] = [
    "7.0",
    "7.1",
    "7.2",
    "7.3",
    "7.4",
    "7.5",
    "7.6",
    "2025-07-01",
];

/// The newest, which only the Python SDK asks for so far.
const PREVIEWED: &str = "2026-04-01";

/// Answers one request.
pub(super) fn answer(state: &mut State, asked: &Asked) -> Reply {
    admit(state, asked)
        .and_then(|()| serve(state, asked))
        .unwrap_or_else(|refusal| refusal)
}

fn admit(state: &State, asked: &Asked) -> Result<(), Reply> {
    let token = asked.bearer.as_deref();
    let Some(identity) = token.and_then(|token| entra::identity(state, token)) else {
        return Err(refusal::challenged());
    };
    let version = asked.query.get("api-version").map_or("", String::as_str);
    if version != PREVIEWED && !API_VERSIONS.contains(&version) {
        return Err(refusal::bad_parameter(
            "The specified version is not recognized. Consider using the latest supported version.",
        ));
    }
    if !state.allows(identity, asked) {
        return Err(refusal::forbidden_by_rbac(asked.endpoint));
    }
    Ok(())
}

fn serve(state: &mut State, asked: &Asked) -> Result<Reply, Reply> {
    let segments = asked.segments();
    let name = segments.get(1).copied().unwrap_or_default();
    let version = segments.get(2).copied().filter(|part| is_version(part));
    let body = || json_of(&asked.body);
    match asked.endpoint {
        Endpoint::GetSecret => secrets::get(state, name, version),
        Endpoint::ListVersions => Ok(secrets::versions(state, name, asked)),
        Endpoint::ListSecrets => Ok(secrets::list(state, asked)),
        Endpoint::SetSecret => secrets::set(state, name, &body()?),
        Endpoint::UpdateSecret => secrets::update(state, name, version, &body()?),
        Endpoint::GetKey => keys::get(state, name, version),
        Endpoint::ListKeyVersions => Ok(keys::versions(state, name, asked)),
        Endpoint::CreateKey => keys::create(state, name, &body()?),
        _ => keys::operate(state, name, version, asked.endpoint, &body()?),
    }
}

fn is_version(part: &str) -> bool {
    part.len() == 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn json_of(body: &[u8]) -> Result<Value, Reply> {
    serde_json::from_slice(body)
        .map_err(|_| refusal::bad_parameter("The request body is not valid JSON."))
}

/// One page of `items`, and the link to the next, with the port that Key Vault puts into it.
pub(super) fn page(state: &State, asked: &Asked, items: Vec<Value>) -> Reply {
    let number = |name: &str| asked.query.get(name)?.parse::<usize>().ok();
    let size = number("maxresults")
        .unwrap_or(state.page)
        .clamp(1, state.page);
    let start = number("$skiptoken").unwrap_or(0);
    let end = start + size;
    let link = (end < items.len()).then(|| {
        let version = &asked.query["api-version"];
        let path = &asked.path;
        format!("{VAULT_URL}:443{path}?api-version={version}&$skiptoken={end}&maxresults={size}")
    });
    let items: Vec<_> = items.into_iter().skip(start).take(size).collect();
    Reply::json(200, &json!({ "value": items, "nextLink": link }))
}
