//! Versions of secrets, and what Key Vault says about them.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value, json};

use super::{assertion::seconds, random, refusal, reply::Reply};

/// A version of a secret.
#[derive(Clone, Debug)]
pub struct SecretVersion {
    /// 32 hexadecimal digits.
    pub version: String,
    /// What the vault was told to remember about it.
    pub attributes: Attributes,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// What kind of value it is.
    pub content_type: Option<String>,
    /// The secret itself.
    pub value: String,
}

/// Attributes of a version, of a secret or a key.
#[derive(Clone, Debug)]
pub struct Attributes {
    /// A disabled version cannot be read.
    pub enabled: bool,
    /// When it was made.
    pub created: SystemTime,
    /// When its attributes were last changed.
    pub updated: SystemTime,
    /// `nbf`, which the vault only stores.
    pub not_before: Option<SystemTime>,
    /// `exp`, which the vault only stores.
    pub expires: Option<SystemTime>,
}

/// How a test wants a new version to be.
#[derive(Clone, Debug, Default)]
pub struct NewVersion {
    /// Disabled from the start.
    pub disabled: bool,
    /// When it was made; now if none.
    pub created: Option<SystemTime>,
    /// `nbf`.
    pub not_before: Option<SystemTime>,
    /// `exp`.
    pub expires: Option<SystemTime>,
    /// Tags, such as `sealane-key-id`.
    pub tags: BTreeMap<String, String>,
}

impl SecretVersion {
    pub(super) fn new(value: &str, options: NewVersion, now: SystemTime) -> Self {
        let created = options.created.unwrap_or(now);
        Self {
            version: random::hex(),
            attributes: Attributes {
                enabled: !options.disabled,
                created,
                updated: created,
                not_before: options.not_before,
                expires: options.expires,
            },
            tags: options.tags,
            content_type: None,
            value: value.to_owned(),
        }
    }

    /// Everything but the value, as lists show it under `id`.
    pub(super) fn properties(&self, id: &str) -> Value {
        let mut properties =
            json!({ "id": id, "attributes": self.attributes.json(), "tags": self.tags });
        if let Some(content_type) = &self.content_type {
            properties["contentType"] = json!(content_type);
        }
        properties
    }

    /// Takes over what a request says about attributes, tags and content type.
    ///
    /// # Errors
    ///
    /// As [`Attributes::set_times`]; then nothing is taken over.
    pub(super) fn change(&mut self, request: &Value, now: SystemTime) -> Result<(), Reply> {
        self.attributes.change(&request["attributes"], now)?;
        if let Some(tags) = request["tags"].as_object() {
            self.tags = texts(tags);
        }
        if let Some(content_type) = request["contentType"].as_str() {
            self.content_type = Some(content_type.to_owned());
        }
        Ok(())
    }
}

impl Attributes {
    pub(super) fn new(now: SystemTime) -> Self {
        Self {
            enabled: true,
            created: now,
            updated: now,
            not_before: None,
            expires: None,
        }
    }

    pub(super) fn json(&self) -> Value {
        let mut attributes = json!({
            "enabled": self.enabled,
            "created": seconds(self.created),
            "updated": seconds(self.updated),
            "recoveryLevel": "Recoverable",
            "recoverableDays": 90,
        });
        if let Some(not_before) = self.not_before {
            attributes["nbf"] = json!(seconds(not_before));
        }
        if let Some(expires) = self.expires {
            attributes["exp"] = json!(seconds(expires));
        }
        attributes
    }

    /// Sets the times that are given.
    ///
    /// # Errors
    ///
    /// If the version would expire before it begins. Nobody says that every vault looks at that, and
    /// nobody that none does.
    pub(super) fn set_times(
        &mut self,
        not_before: Option<SystemTime>,
        expires: Option<SystemTime>,
    ) -> Result<(), Reply> {
        let not_before = not_before.or(self.not_before);
        let expires = expires.or(self.expires);
        if let (Some(begin), Some(end)) = (not_before, expires)
            && end <= begin
        {
            let words = "Property 'exp' must be later than property 'nbf'.";
            return Err(refusal::bad_parameter(words));
        }
        (self.not_before, self.expires) = (not_before, expires);
        Ok(())
    }

    fn change(&mut self, request: &Value, now: SystemTime) -> Result<(), Reply> {
        self.set_times(time(&request["nbf"]), time(&request["exp"]))?;
        self.enabled = request["enabled"].as_bool().unwrap_or(self.enabled);
        self.updated = now;
        Ok(())
    }
}

fn time(value: &Value) -> Option<SystemTime> {
    Some(UNIX_EPOCH + Duration::from_secs(value.as_u64()?))
}

fn texts(map: &Map<String, Value>) -> BTreeMap<String, String> {
    map.iter()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}
