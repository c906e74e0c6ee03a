//! Identities beside the worker's, each of which may read its own secrets and nothing else.

use std::{collections::BTreeSet, path::Path, time::SystemTime};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    Assertion, CLIENT_ID, Endpoint, FakeAzure, NewVersion, Role, SUBJECT, asked::Asked, random,
    state::State, token_file,
};

/// An identity with the role Key Vault Secrets User at some secrets.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// What `AZURE_CLIENT_ID` says.
    pub client_id: String,
    /// The service account that it trusts.
    pub subject: String,
    /// The secrets that it may read.
    pub secrets: BTreeSet<String>,
}

impl Tenant {
    /// The tenant in namespace `sealane-tenant-<name>`, whose keys are in the secret `payload-key-<name>`.
    pub fn new(name: &str) -> Self {
        Self {
            client_id: random::uuid(),
            subject: format!("system:serviceaccount:sealane-tenant-{name}:sealane-worker"),
            secrets: BTreeSet::from([format!("payload-key-{name}")]),
        }
    }

    /// The secret that holds its keys.
    ///
    /// # Panics
    ///
    /// If it has none.
    pub fn secret(&self) -> &str {
        self.secrets.first().expect("a tenant has a secret")
    }
}

impl FakeAzure {
    /// Adds an identity, and a key to its secret as if made at `created`. Returns the version's name.
    pub fn add_tenant(&self, tenant: &Tenant, created: SystemTime) -> String {
        self.shared.state().tenants.push(tenant.clone());
        let made = NewVersion {
            created: Some(created),
            ..NewVersion::default()
        };
        let value = BASE64_STANDARD.encode(random::bytes::<32>());
        self.add_version_with(tenant.secret(), &value, made)
    }

    /// As [`environment`](Self::environment), for a pod of `tenant`.
    pub fn environment_of(&self, tenant: &Tenant, folder: &Path) -> Vec<(String, String)> {
        let mut environment = self.environment(folder);
        let assertion = Assertion {
            subject: tenant.subject.clone(),
            ..Assertion::default()
        };
        self.write_assertion(&token_file(folder), &assertion);
        for (name, value) in &mut environment {
            match name.as_str() {
                "AZURE_CLIENT_ID" => value.clone_from(&tenant.client_id),
                "KEYVAULT_SECRET_NAME" => tenant.secret().clone_into(value),
                _ => {}
            }
        }
        environment
    }
}

impl State {
    /// The service account that the identity `client_id` trusts, if there is that identity.
    pub(super) fn subject(&self, client_id: &str) -> Option<&str> {
        if client_id == CLIENT_ID {
            return Some(SUBJECT);
        }
        self.tenant(client_id).map(|it| it.subject.as_str())
    }

    /// Whether the roles of `client_id` allow what is asked.
    pub(super) fn allows(&self, client_id: &str, asked: &Asked) -> bool {
        let Some(tenant) = self.tenant(client_id) else {
            return self.roles.iter().any(|role| role.allows(asked.endpoint));
        };
        let of_one = matches!(asked.endpoint, Endpoint::GetSecret | Endpoint::ListVersions);
        let secret = asked.segments().get(1).copied().unwrap_or_default();
        of_one && Role::SecretsUser.allows(asked.endpoint) && tenant.secrets.contains(secret)
    }

    fn tenant(&self, client_id: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|it| it.client_id == client_id)
    }
}
