//! From what the vault lists to versions.

use std::{collections::HashMap, time::SystemTime};

use azure_security_keyvault_secrets::{
    ResourceExt,
    models::{Secret, SecretAttributes, SecretProperties},
};

use crate::{KeyId, rotation::Version};

/// Tag of a version that names its key. Never change it on a version in use: what was encrypted
/// under the old id would not be found under the new one.
pub const ID_TAG: &str = "sealane-key-id";

/// The versions of a secret, and what is odd about them.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Name of the secret.
    pub(super) name: String,
    /// In any order. Until [`Ids`](super::ids::Ids) has settled it, several may have the same id.
    pub(super) versions: Vec<Version>,
    /// One sentence each, the same in each listing.
    pub(super) oddities: Vec<String>,
}

/// Why a version cannot be understood.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct NotAVersion;

impl Listing {
    /// Reads the versions of the secret called `name`.
    pub(super) fn new(
        name: &str,
        listed: impl IntoIterator<Item = SecretProperties>,
    ) -> Result<Self, NotAVersion> {
        let mut listing = Self {
            name: name.to_owned(),
            ..Self::default()
        };
        for properties in listed {
            let id = properties.resource_id().map_err(|_| NotAVersion)?.version;
            let tags = properties.tags.unwrap_or_default();
            if tags.get(ID_TAG).is_some_and(String::is_empty) {
                let version = id.as_deref().unwrap_or_default();
                listing.oddities.push(format!(
                    "version {version} of secret {name} has an empty tag {ID_TAG}, which is ignored"
                ));
            }
            let version = version(name, id, properties.attributes, &tags)?;
            // Pages that move while they are read may bring one again. What came last is later.
            listing.versions.retain(|it| it.version != version.version);
            listing.versions.push(version);
        }
        Ok(listing)
    }
}

/// Reads the version that the vault has just made of the secret called `name`.
pub(super) fn made(name: &str, secret: Secret) -> Result<Version, NotAVersion> {
    let id = secret.resource_id().map_err(|_| NotAVersion)?.version;
    version(
        name,
        id,
        secret.attributes,
        &secret.tags.unwrap_or_default(),
    )
}

fn version(
    name: &str,
    version: Option<String>,
    attributes: Option<SecretAttributes>,
    tags: &HashMap<String, String>,
) -> Result<Version, NotAVersion> {
    let attributes = attributes.unwrap_or_default();
    let (Some(version), Some(created)) = (version, attributes.created) else {
        return Err(NotAVersion);
    };
    let tagged = tags.get(ID_TAG).and_then(|id| id.parse().ok());
    let id = match tagged {
        Some(id) => id,
        None => KeyId::try_from(&*format!("{name}/{version}")).map_err(|_| NotAVersion)?,
    };
    let created = SystemTime::from(created);
    Ok(Version {
        version,
        id,
        created,
        updated: attributes.updated.map_or(created, SystemTime::from),
        not_before: attributes.not_before.map(SystemTime::from),
        expires: attributes.expires.map(SystemTime::from),
        // What is left out has its default.
        enabled: attributes.enabled.unwrap_or(true),
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use azure_security_keyvault_secrets::models::SecretProperties;
    use serde_json::json;

    use super::{ID_TAG, Listing, NotAVersion};

    fn listed(version: &str, created: u64, tag: Option<&str>) -> SecretProperties {
        serde_json::from_value(json!({
            "id": format!("https://unit.vault.azure.net/secrets/k/{version}"),
            "attributes": {"created": created, "updated": created + 5, "enabled": true},
            "tags": tag.map(|tag| json!({ID_TAG: tag})),
        }))
        .unwrap()
    }

    #[test]
    fn a_version_that_is_listed_twice_is_there_once_as_it_was_listed_last() {
        let twice = [
            listed("a", 1, None),
            listed("b", 2, None),
            listed("a", 1, Some("x")),
        ];

        let listing = Listing::new("k", twice).unwrap();

        assert_eq!(ids(&listing), ["k/b", "x"]);
    }

    fn ids(listing: &Listing) -> Vec<&str> {
        let ids = listing.versions.iter().map(|version| version.id.as_str());
        ids.collect()
    }

    #[test]
    fn the_id_is_name_and_version_unless_a_tag_says_otherwise() {
        let tagged = listed("b", 2, Some("payloads-2026"));

        let listing = Listing::new("k", [listed("a", 1, None), tagged]).unwrap();

        assert_eq!(ids(&listing), ["k/a", "payloads-2026"]);
        assert!(listing.oddities.is_empty());
    }

    #[test]
    fn times_and_state_are_those_of_the_vault() {
        let properties = serde_json::from_value(json!({
            "id": "https://unit.vault.azure.net:443/secrets/k/a",
            "attributes": {"created": 1, "updated": 2, "nbf": 3, "exp": 4, "enabled": false},
        }));

        let listing = Listing::new("k", [properties.unwrap()]).unwrap();

        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let version = &listing.versions[0];
        assert_eq!((version.created, version.updated), (at(1), at(2)));
        assert_eq!(
            (version.not_before, version.expires),
            (Some(at(3)), Some(at(4)))
        );
        assert!(!version.enabled);
    }

    #[test]
    fn an_empty_tag_is_odd_and_ignored() {
        let listing = Listing::new("k", [listed("a", 1, Some(""))]).unwrap();

        assert_eq!(ids(&listing), ["k/a"]);
        assert!(listing.oddities[0].contains("empty tag"));
    }

    #[test]
    fn what_has_no_version_or_no_birthday_is_no_version() {
        let without_version = json!({
            "id": "https://unit.vault.azure.net/secrets/k", "attributes": {"created": 1},
        });
        let without_birthday = json!({"id": "https://unit.vault.azure.net/secrets/k/a"});

        for properties in [without_version, without_birthday, json!({})] {
            let properties = serde_json::from_value(properties).unwrap();
            assert_eq!(Listing::new("k", [properties]).unwrap_err(), NotAVersion);
        }
    }
}
