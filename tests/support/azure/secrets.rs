//! Key Vault's secrets.

use serde_json::{Value, json};

use super::{
    Endpoint, VAULT_URL,
    asked::Asked,
    refusal,
    reply::Reply,
    state::State,
    vault,
    version::{NewVersion, SecretVersion},
};

/// The longest value, in bytes.
const LONGEST: usize = 25 * 1024;

/// The longest name, in letters.
const LONGEST_NAME: usize = 127;

/// One version with its value, whatever its dates say; the newest if `version` is none.
pub(super) fn get(state: &mut State, name: &str, version: Option<&str>) -> Result<Reply, Reply> {
    let found = find(state, name, version)?;
    if !found.attributes.enabled {
        return Err(refusal::disabled(Endpoint::GetSecret));
    }
    Ok(bundle(name, found, true))
}

/// A new version.
pub(super) fn set(state: &mut State, name: &str, request: &Value) -> Result<Reply, Reply> {
    let value = request["value"].as_str();
    let value = value.ok_or_else(|| refusal::bad_parameter("Property 'value' is missing."))?;
    if value.len() > LONGEST {
        let words = "The property value exceeds the maximum length of 25600.";
        return Err(refusal::bad_parameter(words));
    }
    if !is_name(name) {
        let words = format!("The request URI contains an invalid name: {name}");
        return Err(refusal::bad_parameter(&words));
    }
    if state.deleted.contains(name) {
        return Err(refusal::deleted(name));
    }
    let now = state.now();
    let mut new = SecretVersion::new(value, NewVersion::default(), now);
    new.change(request, now)?;
    let reply = bundle(name, &new, true);
    state.secrets.entry(name.to_owned()).or_default().push(new);
    Ok(reply)
}

/// Other attributes and tags of a version.
pub(super) fn update(
    state: &mut State,
    name: &str,
    version: Option<&str>,
    request: &Value,
) -> Result<Reply, Reply> {
    let now = state.now();
    let found = find(state, name, version)?;
    found.change(request, now)?;
    Ok(bundle(name, found, false))
}

/// The versions of a secret, in the order of their random names. None for one that does not exist.
pub(super) fn versions(state: &State, name: &str, asked: &Asked) -> Reply {
    let versions = state.secrets.get(name).map_or(&[][..], Vec::as_slice);
    let mut versions: Vec<_> = versions.iter().collect();
    versions.sort_by_key(|version| &version.version);
    let items = versions.into_iter();
    let items = items.map(|version| version.properties(&id(name, &version.version)));
    vault::page(state, asked, items.collect())
}

/// The secrets of the vault, each with the attributes of its newest version.
pub(super) fn list(state: &State, asked: &Asked) -> Reply {
    let newest = |versions: &[SecretVersion]| {
        let newest = versions
            .iter()
            .max_by_key(|version| version.attributes.created);
        newest.cloned()
    };
    let items = state.secrets.iter().filter_map(|(name, versions)| {
        let id = format!("{VAULT_URL}/secrets/{name}");
        Some(newest(versions)?.properties(&id))
    });
    vault::page(state, asked, items.collect())
}

/// "Newest" is by creation; of two in the same second, the later.
fn find<'a>(
    state: &'a mut State,
    name: &str,
    version: Option<&str>,
) -> Result<&'a mut SecretVersion, Reply> {
    let versions = state.secrets.get_mut(name).into_iter().flatten();
    let found = match version {
        Some(wanted) => versions.filter(|it| it.version == wanted).last(),
        None => versions.max_by_key(|it| it.attributes.created),
    };
    found.ok_or_else(|| refusal::not_found(Endpoint::GetSecret, name))
}

fn bundle(name: &str, version: &SecretVersion, with_value: bool) -> Reply {
    let mut bundle = version.properties(&id(name, &version.version));
    if with_value {
        bundle["value"] = json!(version.value);
    }
    Reply::json(200, &bundle)
}

fn id(name: &str, version: &str) -> String {
    format!("{VAULT_URL}/secrets/{name}/{version}")
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(allowed)
}
