//! Who asks, and their roles.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use serde::{Deserialize, Serialize};

use super::error::Fault;

/// The namespace that stands for all of them, in files of tokens and grants.
const ANY: &str = "*";

/// Longest name that is logged, in characters.
const MAX_NAME: usize = 64;

/// What somebody may do in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May decode payloads and look at workflows.
    Reader,
    /// May also encode payloads, and start, steer and end workflows.
    Writer,
}

/// Roles by namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Grants(BTreeMap<String, Role>);

impl Grants {
    /// Gives `role` in `namespace`, where `*` stands for all. A role that is there already is only ever raised.
    pub fn add(&mut self, namespace: &str, role: Role) {
        let given = self.0.entry(namespace.to_owned()).or_insert(role);
        *given = role.max(*given);
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn allow(&self, namespace: &str, role: Role) -> bool {
        let given = [self.0.get(namespace), self.0.get(ANY)];
        given.into_iter().flatten().max() >= Some(&role)
    }

    pub(super) fn check(&self, place: &str) -> Result<(), Fault> {
        match self.0.keys().all(|namespace| is_namespace(namespace)) {
            true => Ok(()),
            false => Err(Fault::new(
                place,
                "names of namespaces without white space, or *",
            )),
        }
    }
}

pub(super) fn is_namespace(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Somebody who is known.
#[derive(Clone, Debug)]
pub struct Principal(Arc<Known>);

#[derive(Debug)]
struct Known {
    id: String,
    name: String,
    grants: Option<Grants>,
}

impl Principal {
    /// Returns the caller of a process that asks nobody to prove anything. May do everything.
    pub fn anonymous() -> Self {
        Self::new("anonymous".to_owned(), "anonymous", None)
    }

    /// Returns the holder of the static token called `name`.
    pub(super) fn token(name: &str, grants: Grants) -> Self {
        Self::new(format!("token:{name}"), name, Some(grants))
    }

    /// Returns whom `issuer` calls `subject` in `claim`.
    pub(super) fn subject(issuer: &str, claim: &str, subject: &str, grants: Grants) -> Self {
        let id = format!("oidc:{issuer} {claim} {subject}");
        Self::new(id, subject, Some(grants))
    }

    fn new(id: String, name: &str, grants: Option<Grants>) -> Self {
        let name = printable(name);
        Self(Arc::new(Known { id, name, grants }))
    }

    /// Returns what they are called in logs: the name of a static token, or the subject, at most 64 characters.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns what no two of them have in common, however they proved who they are. Of any length; not for logs.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Returns whether they may act as `role` in `namespace`.
    pub fn may(&self, namespace: &str, role: Role) -> bool {
        let grants = self.0.grants.as_ref();
        grants.is_none_or(|grants| grants.allow(namespace, role))
    }
}

/// A subject is text of somebody else's making.
fn printable(name: &str) -> String {
    let mut printed = String::new();
    for c in name.chars().take(MAX_NAME) {
        if c.is_control() {
            // Writing to a string does not fail.
            let _ = write!(printed, "{}", c.escape_default());
        } else {
            printed.push(c);
        }
    }
    printed
}

#[cfg(test)]
mod tests {
    use super::{Grants, Principal, Role};

    #[test]
    fn a_writer_reads_and_a_reader_does_not_write() {
        let mut grants = Grants::default();
        grants.add("orders", Role::Writer);
        grants.add("orders", Role::Reader);
        grants.add("*", Role::Reader);
        let ada = Principal::token("ada", grants);

        assert!(ada.may("orders", Role::Writer) && ada.may("orders", Role::Reader));
        assert!(ada.may("other", Role::Reader) && !ada.may("other", Role::Writer));
    }

    #[test]
    fn nothing_is_granted_by_default() {
        let ada = Principal::token("ada", Grants::default());

        assert!(!ada.may("orders", Role::Reader) && !ada.may("*", Role::Reader));
        assert!(Principal::anonymous().may("orders", Role::Writer));
    }

    #[test]
    fn names_are_fit_for_a_log_and_ids_are_unique() {
        let long = format!("a\nb{}", "c".repeat(100));
        let odd = Principal::subject("https://issuer", "sub", &long, Grants::default());

        assert!(odd.name().starts_with("a\\nbc"), "{}", odd.name());
        assert!(odd.name().len() < 70);
        let token = Principal::token("ci", Grants::default());
        let [subject, client] = ["sub", "client_id"]
            .map(|claim| Principal::subject("https://issuer", claim, "ci", Grants::default()));
        assert!(token.name() == subject.name() && token.name() == client.name());
        assert_ne!(token.id(), subject.id());
        assert_ne!(subject.id(), client.id());
    }
}
