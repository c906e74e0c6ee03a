//! `az`, as far as the document uses it, on the fake.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use sealane_tests::azure::{FakeAzure, NewVersion, Role, SECRET};

use super::shell::{flag, optional};

/// The arguments of all commands that the document uses, apart from their values.
const FLAGS: [&str; 15] = [
    "--assignee",
    "--enabled",
    "--expires",
    "--file",
    "--kty",
    "--name",
    "--not-before",
    "--output",
    "--role",
    "--scope",
    "--size",
    "--tags",
    "--value",
    "--vault-name",
    "--version",
];

/// Does what `az` with these arguments does. It prints nothing.
///
/// # Panics
///
/// If the real one would refuse them, would show a value, or if nobody taught us.
pub(super) fn run(fake: &FakeAzure, folder: &Path, words: &[String]) {
    let command: Vec<_> = words.iter().take_while(|it| !it.starts_with('-')).collect();
    let flags = words.iter().filter(|it| it.starts_with('-'));
    for flag in flags {
        assert!(
            FLAGS.contains(&flag.as_str()),
            "az has no {flag}: {words:?}"
        );
    }
    // `az keyvault secret set` prints the value.
    assert_eq!(flag(words, "--output"), "none", "{words:?}");
    let command: Vec<_> = command.into_iter().map(String::as_str).collect();
    match command[..] {
        ["role", "assignment", "create"] => assign(fake, words),
        ["keyvault", "secret", "set"] => set(fake, folder, words),
        ["keyvault", "secret", "set-attributes"] => set_attributes(fake, words),
        ["keyvault", "key", "create"] => create_key(fake, words),
        _ => panic!("nobody taught us {words:?}"),
    }
}

fn assign(fake: &FakeAzure, words: &[String]) {
    let (role, scope) = match flag(words, "--role") {
        "Key Vault Secrets User" => (Role::SecretsUser, "VAULT/secrets/payload-key"),
        "Key Vault Secrets Officer" => (Role::SecretsOfficer, "VAULT/secrets/payload-key"),
        "Key Vault Crypto Service Encryption User" => {
            (Role::CryptoServiceEncryptionUser, "VAULT/keys/payload-kek")
        }
        other => panic!("Azure has no role {other:?}"),
    };
    assert_eq!(flag(words, "--scope"), scope);
    assert!(["ME", "WORKERS"].contains(&flag(words, "--assignee")));
    fake.grant(role);
}

/// The real one takes more than a second to start, so no two versions are of the same second.
fn set(fake: &FakeAzure, folder: &Path, words: &[String]) {
    assert_eq!(optional(words, "--value"), None, "a key in an argument");
    let secret = secret(words);
    let value = fs::read_to_string(folder.join(flag(words, "--file"))).expect("a file");
    let versions = fake.versions(secret);
    let last = versions.iter().map(|it| it.attributes.created).max();
    let next = last.map(|last| last + Duration::from_secs(1));
    let tag = optional(words, "--tags").map(|tag| tag.split_once('=').expect("a tag"));
    let tag = tag.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let new = NewVersion {
        created: next.map(|next| next.max(fake.now())),
        not_before: time(words, "--not-before"),
        expires: time(words, "--expires"),
        tags: tag.into_iter().collect(),
        ..NewVersion::default()
    };
    let times = new.not_before.zip(new.expires);
    assert!(
        times.is_none_or(|(begin, end)| begin < end),
        "a strict vault refuses {words:?}"
    );
    fake.add_version_with(secret, &value, new);
}

fn set_attributes(fake: &FakeAzure, words: &[String]) {
    let (secret, version) = (secret(words), flag(words, "--version"));
    if let Some(enabled) = optional(words, "--enabled") {
        fake.set_enabled(secret, version, enabled.parse().expect("a truth"));
    }
    let (not_before, expires) = (time(words, "--not-before"), time(words, "--expires"));
    fake.set_times(secret, version, not_before, expires);
}

fn create_key(fake: &FakeAzure, words: &[String]) {
    assert_eq!(
        (flag(words, "--kty"), flag(words, "--size")),
        ("RSA", "2048")
    );
    vault(words);
    fake.add_key(flag(words, "--name"));
}

fn secret(words: &[String]) -> &str {
    vault(words);
    assert_eq!(flag(words, "--name"), SECRET);
    SECRET
}

fn vault(words: &[String]) {
    assert_eq!(flag(words, "--vault-name"), "unit");
}

fn time(words: &[String], name: &str) -> Option<SystemTime> {
    let at = optional(words, name)?;
    Some(humantime::parse_rfc3339(at).expect("a time"))
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use sealane_tests::azure::{FakeAzure, NewVersion, SECRET};

    use super::{super::shell, run};

    #[tokio::test]
    #[should_panic(expected = "begins before it expires")]
    async fn a_pending_version_cannot_just_expire() {
        let fake = FakeAzure::start().await.unwrap();
        let pending = NewVersion {
            not_before: Some(fake.now() + Duration::from_mins(30)),
            ..NewVersion::default()
        };
        let version = fake.add_version_with(SECRET, "open sesame", pending);
        let line = format!(
            "keyvault secret set-attributes --vault-name unit --name {SECRET} --version {version} \
             --expires 2020-01-01T00:00:00Z --output none"
        );

        run(&fake, Path::new("."), &shell::words(&line));
    }
}
