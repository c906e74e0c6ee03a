//! Microsoft's SDKs for Python, unchanged, which verify certificates and challenges as they always do.

use std::collections::{BTreeMap, BTreeSet};

use sealane_tests::{
    azure::{Endpoint, FakeAzure, Role, SECRET},
    python::Python,
};
use serde_json::{Value, json};

const KEY: &str = "wrapping-key";

/// More than one page.
const VERSIONS: usize = 30;

struct Seen {
    fake: FakeAzure,
    versions: BTreeSet<String>,
    key: String,
    secrets: Value,
    keys: Value,
}

/// Lets Python do everything once.
async fn seen_by_python() -> anyhow::Result<Seen> {
    let python = Python::with_temporal().await?;
    let fake = FakeAzure::start().await?;
    fake.grant(Role::SecretsOfficer);
    fake.grant(Role::CryptoOfficer);
    let versions = (0..VERSIONS).map(|number| fake.add_version(SECRET, &number.to_string()));
    let versions = versions.collect();
    let key = fake.add_key(KEY);
    let folder = tempfile::tempdir()?;
    let mut variables = BTreeMap::from_iter(fake.environment(folder.path()));
    let root = variables["KEYVAULT_CA_FILE"].clone();
    variables.insert("REQUESTS_CA_BUNDLE".to_owned(), root);

    let mut seen = python
        .run_with("key_vault.py", &[SECRET, KEY], &Value::Null, variables)
        .await?;

    Ok(Seen {
        fake,
        versions,
        key,
        secrets: seen["secrets"].take(),
        keys: seen["keys"].take(),
    })
}

#[tokio::test]
async fn the_python_sdk_works_unchanged() -> anyhow::Result<()> {
    let seen = seen_by_python().await?;

    assert_secrets(&seen);
    assert_keys(&seen);
    assert_requests(&seen.fake);
    Ok(())
}

fn assert_secrets(seen: &Seen) {
    let secrets = &seen.secrets;
    assert_eq!(secrets["listed"], json!(seen.versions), "all pages");
    assert_eq!(secrets["read"], "from Python");
    assert_eq!(secrets["not_before"], "2030-01-01T00:00:00+00:00");
    assert_eq!(secrets["created"], true);
    assert_eq!(secrets["recoverable_days"], 90);
    assert_eq!(secrets["tags"], json!({ "seen": "yes" }));
    assert_eq!(secrets["names"], json!([SECRET]));
    assert_eq!(
        secrets["of_disabled"],
        json!({ "status": 403, "code": "Forbidden", "inner": "SecretDisabled" })
    );
    assert_eq!(secrets["of_unknown"]["code"], "SecretNotFound");
    assert_eq!(secrets["unknown_is_not_found"], true);

    let all = seen.fake.versions(SECRET);
    let made = all.last().expect("a version");
    assert_eq!(secrets["made"], made.version);
    assert_eq!(made.value, "from Python");
    let disabled = all.iter().filter(|it| !it.attributes.enabled);
    let disabled: Vec<_> = disabled.map(|it| &it.version).collect();
    assert_eq!(secrets["disabled"], json!(disabled));
    assert_eq!(disabled.len(), 1);
}

fn assert_keys(seen: &Seen) {
    assert_eq!(
        seen.keys,
        json!({
            "version": seen.key,
            "wrapped_length": 256,
            "round_trips": [true, true, true, true],
            "versions": 2,
            "latest_is_created": true,
        })
    );
}

/// One exchange for each client at most, and nothing that the fake does not know.
fn assert_requests(fake: &FakeAzure) {
    assert!((1..=3).contains(&fake.count(Endpoint::Token)));
    assert_eq!(fake.count(Endpoint::Connect), 0);
    for request in fake.requests() {
        assert_ne!(request.endpoint, Endpoint::Unknown, "{request:?}");
        assert_eq!(
            request.status == Some(401),
            request.challenged,
            "{request:?}"
        );
    }
}
