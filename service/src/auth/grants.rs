//! What the claims of a token give.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    error::Fault,
    principal::{Grants, Role, is_namespace},
};

/// The claims of a token.
pub(super) type Claims = Map<String, Value>;

const EXPECTED: &str =
    r#"{"grants": [{"claim": …, "value": …, "namespaces": […], "role": "reader" or "writer"}]}"#;

/// What Temporal's server calls itself in permissions. They are about the cluster, not about a namespace.
const SYSTEM: &str = "temporal-system";

/// A file of grants.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    grants: Vec<Rule>,
}

/// Who has `value` in `claim` has `role` in `namespaces`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    claim: String,
    value: String,
    namespaces: Vec<String>,
    role: Role,
}

/// Reads a file of grants.
pub(super) fn parse(content: &[u8]) -> Result<Rules, Fault> {
    let rules: Rules =
        serde_json::from_slice(content).map_err(|error| Fault::json(&error, EXPECTED))?;
    for (index, rule) in rules.grants.iter().enumerate() {
        let place = |field| format!("grants[{index}].{field}");
        if rule.claim.is_empty() {
            return Err(Fault::new(place("claim"), "the name of a claim"));
        }
        if rule.value.is_empty() {
            return Err(Fault::new(place("value"), "a value of the claim"));
        }
        if rule.namespaces.is_empty() || !rule.namespaces.iter().all(|it| is_namespace(it)) {
            let expected = "names of namespaces without white space, or *";
            return Err(Fault::new(place("namespaces"), expected));
        }
    }
    Ok(rules)
}

impl Rules {
    /// Adds what `claims` are given to `grants`.
    pub(super) fn apply(&self, claims: &Claims, grants: &mut Grants) {
        for rule in &self.grants {
            if rule.fits(claims) {
                for namespace in &rule.namespaces {
                    grants.add(namespace, rule.role);
                }
            }
        }
    }
}

impl Rule {
    fn fits(&self, claims: &Claims) -> bool {
        let is_meant = |value: &Value| value.as_str() == Some(&self.value);
        let Some((holder, name)) = locate(claims, &self.claim) else {
            return false;
        };
        let has = holder.get(&name).is_some_and(|given| match given {
            Value::Array(values) => values.iter().any(is_meant),
            value => is_meant(value),
        });
        let is_doubtful = name == "email" && [claims, holder].into_iter().any(is_unverified);
        has && !is_doubtful
    }
}

/// Returns the object that a claim is a member of, and its name there.
///
/// A claim that begins with a slash is a JSON pointer ([RFC 6901]), such as `/realm_access/roles` of Keycloak.
///
/// [RFC 6901]: https://www.rfc-editor.org/rfc/rfc6901
fn locate<'a>(claims: &'a Claims, name: &str) -> Option<(&'a Claims, String)> {
    let Some(pointer) = name.strip_prefix('/') else {
        return Some((claims, name.to_owned()));
    };
    let unescape = |part: &str| part.replace("~1", "/").replace("~0", "~");
    let mut parts = pointer.split('/').map(unescape);
    let (mut holder, mut name) = (claims, parts.next()?);
    for part in parts {
        holder = holder.get(&name)?.as_object()?;
        name = part;
    }
    Some((holder, name))
}

/// Whoever says so of an address, even as text, must not be taken for its owner.
fn is_unverified(claims: &Claims) -> bool {
    match claims.get("email_verified") {
        Some(Value::Bool(verified)) => !verified,
        Some(Value::String(verified)) => !verified.eq_ignore_ascii_case("true"),
        Some(Value::Null) | None => false,
        Some(_) => true,
    }
}

/// Adds what `claim` gives, a list of `namespace:permission` as Temporal's default claim mapper
/// ([server](https://github.com/temporalio/temporal), `common/authorization/default_jwt_claim_mapper.go`) reads it.
///
/// `read` makes a reader, `write` and `admin` a writer. `worker` gives nothing: workers bring their own keys and need
/// neither us nor a codec server. Nor do permissions for `temporal-system`, and `*` is a namespace like others there,
/// not all of them.
pub(super) fn permissions(claims: &Claims, claim: &str, grants: &mut Grants) {
    let Some(Value::Array(entries)) = claims.get(claim) else {
        return;
    };
    for entry in entries {
        let entry = entry.as_str().and_then(|entry| entry.split_once(':'));
        let Some((namespace, permission)) = entry else {
            continue;
        };
        let role = match permission.to_ascii_lowercase().as_str() {
            "read" => Role::Reader,
            "write" | "admin" => Role::Writer,
            _ => continue,
        };
        if is_namespace(namespace) && namespace != SYSTEM && namespace != "*" {
            grants.add(namespace, role);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Grants, Role, parse, permissions};

    fn applied(rules: &Value, claims: &Value) -> Value {
        let rules = parse(rules.to_string().as_bytes()).unwrap();
        let mut grants = Grants::default();
        rules.apply(claims.as_object().unwrap(), &mut grants);
        serde_json::to_value(grants).unwrap()
    }

    fn rules() -> Value {
        json!({ "grants": [
            { "claim": "email", "value": "ada@example.com", "namespaces": ["orders"], "role": "reader" },
            { "claim": "roles", "value": "Sealane.Writer", "namespaces": ["*"], "role": "writer" },
            { "claim": "/realm_access/roles", "value": "codec", "namespaces": ["a", "b"], "role": "reader" },
            { "claim": "https://example.com/~groups", "value": "g", "namespaces": ["c"], "role": "reader" },
        ]})
    }

    #[test]
    fn a_claim_is_a_text_or_a_list_of_texts() {
        for (claims, expected) in [
            (
                json!({ "email": "ada@example.com" }),
                json!({ "orders": "reader" }),
            ),
            (
                json!({ "email": ["ada@example.com"] }),
                json!({ "orders": "reader" }),
            ),
            (json!({ "email": "eve@example.com" }), json!({})),
            (
                json!({ "roles": ["Other", "Sealane.Writer"] }),
                json!({ "*": "writer" }),
            ),
            (
                json!({ "roles": [["Sealane.Writer"], { "Sealane.Writer": 1 }, 7] }),
                json!({}),
            ),
            (
                json!({ "realm_access": { "roles": ["codec"] } }),
                json!({ "a": "reader", "b": "reader" }),
            ),
            (json!({ "realm_access": ["codec"] }), json!({})),
            (
                json!({ "https://example.com/~groups": "g" }),
                json!({ "c": "reader" }),
            ),
            (json!({}), json!({})),
        ] {
            assert_eq!(applied(&rules(), &claims), expected, "{claims}");
        }
    }

    #[test]
    fn an_address_that_is_not_verified_counts_for_nothing() {
        let reader = json!({ "orders": "reader" });
        for (verified, expected) in [
            (json!(true), &reader),
            (json!("true"), &reader),
            (Value::Null, &reader),
            (json!(false), &json!({})),
            (json!("false"), &json!({})),
            (json!(0), &json!({})),
        ] {
            let claims = json!({ "email": "ada@example.com", "email_verified": verified });
            assert_eq!(&applied(&rules(), &claims), expected, "{claims}");
        }
    }

    #[test]
    fn no_path_leads_round_the_check_of_an_address() {
        let address = "ada@example.com";
        for (path, claims) in [
            (
                "/email",
                json!({ "email": address, "email_verified": false }),
            ),
            (
                "/user/email",
                json!({ "user": { "email": address, "email_verified": false } }),
            ),
            (
                "/user/email",
                json!({ "user": { "email": [address] }, "email_verified": "no" }),
            ),
        ] {
            let rule =
                json!({ "claim": path, "value": address, "namespaces": ["a"], "role": "reader" });
            let rules = json!({ "grants": [rule] });
            assert_eq!(applied(&rules, &claims), json!({}), "{path} {claims}");
            let verified = claims
                .to_string()
                .replace("false", "true")
                .replace("no", "true");
            let verified = serde_json::from_str(&verified).unwrap();
            let reader = json!({ "a": "reader" });
            assert_eq!(applied(&rules, &verified), reader, "{path} {verified}");
        }
    }

    #[test]
    fn permissions_are_read_as_temporal_reads_them() {
        let claims = json!({ "permissions": [
            "orders:read", "billing:Write", "billing:read", "ops:admin", "tasks:worker",
            "temporal-system:admin", "*:write", ":read", "odd", "more:read:write", 7,
        ]});
        let mut grants = Grants::default();
        permissions(claims.as_object().unwrap(), "permissions", &mut grants);

        let expected = json!({ "orders": "reader", "billing": "writer", "ops": "writer" });
        assert_eq!(serde_json::to_value(grants).unwrap(), expected);
        let mut none = Grants::default();
        let text = json!({ "permissions": "orders:read" });
        permissions(text.as_object().unwrap(), "permissions", &mut none);
        assert!(none.is_empty());
    }

    #[test]
    fn faults_name_a_place_and_quote_nothing() {
        for (grant, place) in [
            (
                json!({ "claim": "", "value": "a", "namespaces": ["a"], "role": "reader" }),
                "grants[0].claim",
            ),
            (
                json!({ "claim": "a", "value": "", "namespaces": ["a"], "role": "reader" }),
                "grants[0].value",
            ),
            (
                json!({ "claim": "a", "value": "a", "namespaces": [], "role": "reader" }),
                "grants[0].namespaces",
            ),
            (
                json!({ "claim": "a", "value": "a", "namespaces": ["a "], "role": "reader" }),
                "grants[0].namespaces",
            ),
            (
                json!({ "claim": "a", "value": "a", "namespaces": ["a"], "role": "swordfish" }),
                "line 1",
            ),
            (
                json!({ "claim": "a", "value": "a", "namespaces": ["a"], "role": "reader", "swordfish": 1 }),
                "line 1",
            ),
        ] {
            let file = json!({ "grants": [grant] }).to_string();
            let fault = parse(file.as_bytes()).unwrap_err().to_string();
            assert!(
                fault.starts_with(place) && !fault.contains("swordfish"),
                "{fault}"
            );
        }
    }

    #[test]
    fn roles_are_written_in_lower_case() {
        assert_eq!(serde_json::to_value(Role::Writer).unwrap(), "writer");
    }
}
