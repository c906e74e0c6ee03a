//! The fake Azure is what the real one is, as far as its clients can tell.

mod faults;
mod python;
mod rust;

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use reqwest::{Method, StatusCode};
use sealane_tests::azure::{
    Assertion, CLIENT_ID, Endpoint, FakeAzure, NewVersion, Role, SECRET, TENANT_ID,
};
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A client that has shown its federated token.
struct Caller {
    fake: FakeAzure,
    http: reqwest::Client,
    token: String,
}

impl Caller {
    async fn new() -> anyhow::Result<Self> {
        let fake = FakeAzure::start().await?;
        let http = fake.http_client();
        let assertion = Assertion::default();
        let (status, answer) = exchange(&fake, TENANT_ID, CLIENT_ID, &assertion.token()).await?;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let token = answer["access_token"].as_str().unwrap_or_default();
        Ok(Self {
            token: token.to_owned(),
            fake,
            http,
        })
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Result<(StatusCode, Value)> {
        let url = format!("https://unit.vault.azure.net/{path}?api-version=2025-07-01");
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        Ok((answer.status(), answer.json().await?))
    }

    async fn get(&self, path: &str) -> reqwest::Result<(StatusCode, Value)> {
        self.ask(Method::GET, path, None).await
    }

    async fn put(&self, value: &str) -> reqwest::Result<(StatusCode, Value)> {
        let path = format!("secrets/{SECRET}");
        let body = json!({ "value": value });
        self.ask(Method::PUT, &path, Some(body)).await
    }
}

/// Shows `assertion` to Entra.
async fn exchange(
    fake: &FakeAzure,
    tenant: &str,
    client: &str,
    assertion: &str,
) -> reqwest::Result<(StatusCode, Value)> {
    let url = format!("{}{tenant}/oauth2/v2.0/token", fake.authority_host());
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", client)
        .append_pair("scope", "https://vault.azure.net/.default")
        .append_pair(
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )
        .append_pair("client_assertion", assertion)
        .finish();
    let answer = fake.http_client().post(url).body(form).send().await?;
    Ok((answer.status(), answer.json().await?))
}

fn inner_code(answer: &Value) -> &str {
    answer["error"]["innererror"]["code"]
        .as_str()
        .unwrap_or_default()
}

#[tokio::test]
async fn who_shows_no_token_is_told_where_to_get_one() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;

    let url = format!("{}secrets/{SECRET}?api-version=7.4", fake.vault_url());
    let answer = fake.http_client().get(url).send().await?;

    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let challenge = answer.headers()["www-authenticate"].to_str()?;
    let expected = format!(
        "Bearer authorization=\"https://login.microsoftonline.com/{TENANT_ID}\", \
         resource=\"https://vault.azure.net\""
    );
    assert_eq!(challenge, expected);
    assert_eq!(fake.count(Endpoint::GetSecret), 0, "a challenge is no call");
    Ok(())
}

#[tokio::test]
async fn entra_says_what_is_wrong_with_an_assertion() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    let good = Assertion::default();
    let changed = |change: fn(&mut Assertion)| {
        let mut assertion = Assertion::default();
        change(&mut assertion);
        assertion.token()
    };
    let cases = [
        (
            TENANT_ID,
            CLIENT_ID,
            changed(|it| it.subject.push('x')),
            700_213,
        ),
        (
            TENANT_ID,
            CLIENT_ID,
            changed(|it| it.subject.make_ascii_uppercase()),
            7_002_138,
        ),
        (
            TENANT_ID,
            CLIENT_ID,
            changed(|it| it.issuer.push('x')),
            700_211,
        ),
        (
            TENANT_ID,
            CLIENT_ID,
            changed(|it| it.audience.push('x')),
            700_212,
        ),
        (
            TENANT_ID,
            CLIENT_ID,
            changed(|it| it.expires -= DAY),
            700_024,
        ),
        (TENANT_ID, CLIENT_ID, "no token".to_owned(), 50027),
        (TENANT_ID, "somebody", good.token(), 700_016),
        ("nowhere", CLIENT_ID, good.token(), 90002),
    ];

    for (tenant, client, assertion, code) in cases {
        let (status, answer) = exchange(&fake, tenant, client, &assertion).await?;

        assert!(status.is_client_error(), "{code}: {status}");
        assert_eq!(answer["error_codes"], json!([code]), "{answer}");
        let text = answer["error_description"].as_str().unwrap_or_default();
        assert!(text.starts_with(&format!("AADSTS{code}: ")), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn the_record_says_which_federated_token_was_shown() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    let first = fake.write_token(&fake.token_file());
    let old = std::fs::read_to_string(fake.token_file())?;
    let second = fake.write_token(&fake.token_file());
    let new = std::fs::read_to_string(fake.token_file())?;

    exchange(&fake, TENANT_ID, CLIENT_ID, &old).await?;
    exchange(&fake, TENANT_ID, CLIENT_ID, &new).await?;

    assert_eq!(fake.assertions(), [first, second]);
    Ok(())
}

#[tokio::test]
async fn a_token_is_good_until_it_is_revoked() -> anyhow::Result<()> {
    let caller = Caller::new().await?;
    caller.fake.add_version(SECRET, "open sesame");
    let path = format!("secrets/{SECRET}");
    let (before, _) = caller.get(&path).await?;

    caller.fake.revoke_tokens();

    assert_eq!(before, StatusCode::OK);
    let (after, _) = caller.get(&path).await?;
    assert_eq!(after, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn a_list_comes_in_pages_and_in_no_order() -> anyhow::Result<()> {
    let caller = Caller::new().await?;
    let mut added = Vec::new();
    for number in 0..60 {
        added.push(caller.fake.add_version(SECRET, &format!("value {number}")));
    }

    let mut listed = Vec::new();
    let mut pages = 0;
    let url = format!("https://unit.vault.azure.net/secrets/{SECRET}/versions");
    let mut next = Some(format!("{url}?api-version=7.6"));
    while let Some(url) = next {
        let request = caller.http.get(url).bearer_auth(&caller.token);
        let page: Value = request.send().await?.json().await?;
        for item in page["value"].as_array().expect("a page of versions") {
            let id = item["id"].as_str().unwrap_or_default();
            listed.push(id.rsplit('/').next().unwrap_or_default().to_owned());
            assert!(item.get("value").is_none(), "a list shows no values");
        }
        pages += 1;
        next = page["nextLink"].as_str().map(str::to_owned);
    }

    assert_eq!(pages, 3);
    assert_ne!(listed, added);
    assert_eq!(BTreeSet::from_iter(listed), BTreeSet::from_iter(added));
    Ok(())
}

#[tokio::test]
async fn the_latest_is_the_newest_even_before_its_time() -> anyhow::Result<()> {
    let caller = Caller::new().await?;
    let now = caller.fake.now();
    let of = |created: SystemTime| NewVersion {
        created: Some(created),
        not_before: Some(now + DAY),
        expires: Some(now - DAY),
        ..NewVersion::default()
    };
    caller.fake.add_version_with(SECRET, "new", of(now));
    caller.fake.add_version_with(SECRET, "old", of(now - DAY));

    let (status, latest) = caller.get(&format!("secrets/{SECRET}/")).await?;

    assert_eq!(status, StatusCode::OK);
    assert_eq!(latest["value"], "new");
    let attributes = &latest["attributes"];
    assert!(attributes["nbf"].as_u64() > attributes["created"].as_u64());
    assert!(attributes["exp"].as_u64() < attributes["created"].as_u64());
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_read_says_why() -> anyhow::Result<()> {
    let caller = Caller::new().await?;
    let version = caller.fake.add_version(SECRET, "open sesame");
    caller.fake.set_enabled(SECRET, &version, false);

    let path = format!("secrets/{SECRET}/{version}");
    let (status, answer) = caller.get(&path).await?;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(inner_code(&answer), "SecretDisabled");

    let (status, answer) = caller.get("secrets/another").await?;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(answer["error"]["code"], "SecretNotFound");

    let (status, answer) = caller.get("secrets/another/versions").await?;
    assert_eq!((status, &answer["value"]), (StatusCode::OK, &json!([])));
    Ok(())
}

#[tokio::test]
async fn roles_decide_what_is_allowed() -> anyhow::Result<()> {
    let caller = Caller::new().await?;
    let path = format!("secrets/{SECRET}");

    let (status, answer) = caller.put("open sesame").await?;
    assert_eq!(status, StatusCode::FORBIDDEN, "a user may not write");
    assert_eq!(inner_code(&answer), "ForbiddenByRbac");

    caller.fake.grant(Role::SecretsOfficer);
    let (status, _) = caller.put("open sesame").await?;
    assert_eq!(status, StatusCode::OK);

    caller.fake.revoke(Role::SecretsOfficer);
    caller.fake.revoke(Role::SecretsUser);
    let (status, answer) = caller.get(&path).await?;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(inner_code(&answer), "ForbiddenByRbac");
    Ok(())
}

#[tokio::test]
async fn a_value_has_at_most_25_kilobytes() -> anyhow::Result<()> {
    let caller = Caller::new().await?;
    caller.fake.grant(Role::SecretsOfficer);

    let (longest, _) = caller.put(&"x".repeat(25 * 1024)).await?;
    let (longer, answer) = caller.put(&"x".repeat(25 * 1024 + 1)).await?;

    assert_eq!(longest, StatusCode::OK);
    assert_eq!(longer, StatusCode::BAD_REQUEST);
    assert_eq!(answer["error"]["code"], "BadParameter");
    assert_eq!(caller.fake.versions(SECRET).len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_would_expire_before_it_begins_is_refused_as_a_strict_vault_does() -> anyhow::Result<()>
{
    let caller = Caller::new().await?;
    caller.fake.grant(Role::SecretsOfficer);
    let path = format!("secrets/{SECRET}");
    let begins = json!({ "value": "open sesame", "attributes": { "nbf": 2_000_000_000 } });
    let ends = |at: u64| json!({ "attributes": { "exp": at } });
    let both = |at: u64| json!({ "attributes": { "nbf": at - 1, "exp": at } });

    let (set, _) = caller.ask(Method::PUT, &path, Some(begins)).await?;
    let [version] = &caller.fake.versions(SECRET)[..] else {
        anyhow::bail!("not one version");
    };
    let version = format!("{path}/{}", version.version);
    let change = |body| caller.ask(Method::PATCH, &version, Some(body));
    let (at_once, answer) = change(ends(2_000_000_000)).await?;
    let (later, _) = change(ends(2_000_000_001)).await?;
    let (both, _) = change(both(1_577_836_800)).await?;

    assert_eq!(set, StatusCode::OK);
    assert_eq!(at_once, StatusCode::BAD_REQUEST);
    assert_eq!(answer["error"]["code"], "BadParameter");
    assert_eq!((later, both), (StatusCode::OK, StatusCode::OK));
    Ok(())
}
