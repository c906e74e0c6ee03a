//! What a test does to the fake, and sees of it.

use std::time::{Duration, SystemTime};

use super::{
    Endpoint, FakeAzure, Fault, NewVersion, Outage, Recorded, Role, SecretVersion, Side,
    keys::KeyVersion,
};
use crate::orders::patiently;

/// Secrets and keys.
impl FakeAzure {
    /// Adds a version to a secret, which comes to be with its first, and returns the version's name.
    pub fn add_version(&self, secret: &str, value: &str) -> String {
        self.add_version_with(secret, value, NewVersion::default())
    }

    /// Adds a version with dates and tags, and returns its name.
    pub fn add_version_with(&self, secret: &str, value: &str, options: NewVersion) -> String {
        let mut state = self.shared.state();
        let new = SecretVersion::new(value, options, state.now());
        let version = new.version.clone();
        state
            .secrets
            .entry(secret.to_owned())
            .or_default()
            .push(new);
        version
    }

    /// Enables or disables a version of a secret.
    ///
    /// # Panics
    ///
    /// If there is no such version.
    pub fn set_enabled(&self, secret: &str, version: &str, enabled: bool) {
        let mut state = self.shared.state();
        let now = state.now();
        let mut versions = state.secrets.get_mut(secret).into_iter().flatten();
        let found = versions.find(|it| it.version == version);
        let attributes = &mut found.expect("the version exists").attributes;
        attributes.enabled = enabled;
        attributes.updated = now;
    }

    /// Sets `nbf` and `exp` of a version of a secret, those that are given.
    ///
    /// # Panics
    ///
    /// If there is no such version, or if `exp` is not later than `nbf`, which a strict vault refuses.
    pub fn set_times(
        &self,
        secret: &str,
        version: &str,
        not_before: Option<SystemTime>,
        expires: Option<SystemTime>,
    ) {
        let mut state = self.shared.state();
        let now = state.now();
        let mut versions = state.secrets.get_mut(secret).into_iter().flatten();
        let found = versions.find(|it| it.version == version);
        let attributes = &mut found.expect("the version exists").attributes;
        let set = attributes.set_times(not_before, expires);
        set.expect("a version that begins before it expires");
        attributes.updated = now;
    }

    /// Returns the value of a version of a secret.
    pub fn value(&self, secret: &str, version: &str) -> Option<String> {
        let mut versions = self.versions(secret).into_iter();
        Some(versions.find(|it| it.version == version)?.value)
    }

    /// Returns the versions of a secret in the order in which they came.
    pub fn versions(&self, secret: &str) -> Vec<SecretVersion> {
        self.shared
            .state()
            .secrets
            .get(secret)
            .cloned()
            .unwrap_or_default()
    }

    /// Deletes a secret, which can still be recovered, so that its name is taken.
    pub fn delete_secret(&self, secret: &str) {
        let mut state = self.shared.state();
        state.secrets.remove(secret);
        state.deleted.insert(secret.to_owned());
    }

    /// Adds a version to an RSA key, which comes to be with its first, and returns the version's name.
    pub fn add_key(&self, name: &str) -> String {
        let new = KeyVersion::generate(self.now());
        let version = new.version.clone();
        let mut state = self.shared.state();
        state.keys.entry(name.to_owned()).or_default().push(new);
        version
    }

    /// Enables or disables a version of a key.
    ///
    /// # Panics
    ///
    /// If there is no such version.
    pub fn set_key_enabled(&self, name: &str, version: &str, enabled: bool) {
        let mut state = self.shared.state();
        let mut versions = state.keys.get_mut(name).into_iter().flatten();
        let found = versions.find(|it| it.version == version);
        found.expect("the version exists").attributes.enabled = enabled;
    }
}

/// Permissions, faults and outages.
impl FakeAzure {
    /// Gives the worker's identity a role in the vault.
    pub fn grant(&self, role: Role) {
        self.shared.state().roles.insert(role);
    }

    /// Takes a role from it.
    pub fn revoke(&self, role: Role) {
        self.shared.state().roles.remove(&role);
    }

    /// Lets something go wrong. Of several faults that fit a request, the first one injected counts.
    pub fn inject(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// Lets nothing go wrong any more, except for outages.
    pub fn clear(&self) {
        self.shared.state().faults.clear();
    }

    /// Begins an outage.
    pub fn outage(&self, side: Side, outage: Outage) {
        let outages = &self.shared.outages;
        outages.send_modify(|outages| {
            outages.insert(side, outage);
        });
    }

    /// Ends an outage.
    pub fn restore(&self, side: Side) {
        let outages = &self.shared.outages;
        outages.send_modify(|outages| {
            outages.remove(&side);
        });
    }

    /// Takes the vault off the network.
    pub fn vault_down(&self) {
        self.outage(Side::Vault, Outage::Refused);
    }

    /// Brings it back.
    pub fn vault_up(&self) {
        self.restore(Side::Vault);
    }

    /// Takes Entra off the network.
    pub fn entra_down(&self) {
        self.outage(Side::Entra, Outage::Refused);
    }

    /// Brings it back.
    pub fn entra_up(&self) {
        self.restore(Side::Entra);
    }

    /// Sets how long the tokens live that are issued from now on.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.shared.state().token_lifetime = lifetime;
    }

    /// Makes every token worthless that was issued so far.
    pub fn revoke_tokens(&self) {
        self.shared.state().tokens.clear();
    }

    /// Sets how many items a page of a list has at most.
    pub fn set_page_size(&self, items: usize) {
        self.shared.state().page = items.max(1);
    }

    /// Sets how far the clock of the fake is ahead.
    pub fn set_clock_ahead(&self, by: Duration) {
        self.shared.state().ahead = by;
    }

    /// Returns the time of the fake.
    pub fn now(&self) -> SystemTime {
        self.shared.state().now()
    }
}

/// What happened.
impl FakeAzure {
    /// Returns every request so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.record.all()
    }

    /// Returns how often an endpoint was asked, without the requests that only ask for the challenge.
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.shared.record.count(endpoint)
    }

    /// Waits until an endpoint has been asked `times` times since the start, counted as in [`count`](Self::count).
    ///
    /// # Panics
    ///
    /// If it is not.
    pub async fn asked(&self, endpoint: Endpoint, times: usize) {
        let what = format!("{endpoint:?} to be asked {times} times");
        patiently(&what, self.shared.record.reaches(endpoint, times)).await;
    }

    /// Returns every token that was issued and not revoked, for tests that search for them where they must not be.
    pub fn tokens(&self) -> Vec<String> {
        self.shared.state().tokens.keys().cloned().collect()
    }

    /// Returns the `jti` of the federated tokens that were shown to Entra, in order.
    pub fn assertions(&self) -> Vec<String> {
        let requests = self.requests().into_iter();
        requests.filter_map(|request| request.assertion).collect()
    }
}
