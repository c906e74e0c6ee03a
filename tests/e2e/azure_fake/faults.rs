//! Every fault is what its name says, and is over when it should be.

use std::{
    error::Error as _,
    time::{Duration, SystemTime},
};

use reqwest::StatusCode;
use sealane_tests::azure::{
    Assertion, CLIENT_ID, Endpoint, FakeAzure, Fault, Outage, RetryAfter, SECRET, Side, TENANT_ID,
    Trouble,
};
use serde_json::json;

use super::{Caller, exchange, inner_code};

/// Nothing here answers faster because of it; it ends waits that would never end.
const PATIENCE: Duration = Duration::from_millis(300);

impl Caller {
    async fn with_secret() -> anyhow::Result<Self> {
        let caller = Self::new().await?;
        caller
            .fake
            .add_version(SECRET, &"open sesame ".repeat(1000));
        Ok(caller)
    }

    async fn read(&self) -> reqwest::Result<StatusCode> {
        Ok(self.get(&format!("secrets/{SECRET}")).await?.0)
    }

    async fn answer(&self) -> reqwest::Result<reqwest::Response> {
        let url = format!("https://unit.vault.azure.net/secrets/{SECRET}?api-version=7.4");
        self.http.get(url).bearer_auth(&self.token).send().await
    }
}

#[tokio::test]
async fn refusals_have_the_status_and_the_reason_of_the_real_ones() -> anyhow::Result<()> {
    let caller = Caller::with_secret().await?;
    let cases = [
        (Trouble::ForbiddenByRbac, 403, "ForbiddenByRbac"),
        (Trouble::ForbiddenByFirewall, 403, "ForbiddenByFirewall"),
        (Trouble::SecretDisabled, 403, "SecretDisabled"),
        (Trouble::NotFound, 404, ""),
        (Trouble::Status(500), 500, ""),
        (Trouble::Status(503), 503, ""),
    ];

    for (trouble, status, reason) in cases {
        caller
            .fake
            .inject(Fault::at(Endpoint::GetSecret, trouble).once());

        let (seen, answer) = caller.get(&format!("secrets/{SECRET}")).await?;

        assert_eq!((seen.as_u16(), inner_code(&answer)), (status, reason));
        assert_eq!(caller.read().await?, StatusCode::OK, "once is once");
    }
    Ok(())
}

#[tokio::test]
async fn throttling_says_when_to_come_back() -> anyhow::Result<()> {
    let caller = Caller::with_secret().await?;
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let cases = [
        (RetryAfter::Seconds(1), "1"),
        (RetryAfter::Seconds(3600), "3600"),
        (RetryAfter::Date(date), "Sun, 06 Nov 1994 08:49:37 GMT"),
    ];

    for (after, header) in cases {
        caller
            .fake
            .inject(Fault::of_vault(Trouble::Throttled(after)).once());

        let answer = caller.answer().await?;

        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers()["retry-after"], header);
    }
    Ok(())
}

#[tokio::test]
async fn a_challenge_may_be_missing_or_somebody_elses() -> anyhow::Result<()> {
    let caller = Caller::with_secret().await?;

    caller
        .fake
        .inject(Fault::of_vault(Trouble::BareUnauthorized).once());
    let bare = caller.answer().await?;
    caller
        .fake
        .inject(Fault::of_vault(Trouble::WrongResource).once());
    let wrong = caller.answer().await?;

    assert_eq!(bare.status(), StatusCode::UNAUTHORIZED);
    assert!(!bare.headers().contains_key("www-authenticate"));
    let challenge = wrong.headers()["www-authenticate"].to_str()?;
    assert!(challenge.ends_with("resource=\"https://vault.example.com\""));
    Ok(())
}

#[tokio::test]
async fn an_answer_can_break_off_in_the_middle() -> anyhow::Result<()> {
    let caller = Caller::with_secret().await?;

    for (trouble, expected) in [(Trouble::Truncated, "eof"), (Trouble::Reset, "reset")] {
        caller
            .fake
            .inject(Fault::at(Endpoint::GetSecret, trouble).once());

        let answer = caller.answer().await?;
        assert_eq!(answer.status(), StatusCode::OK);
        let error = answer.text().await.expect_err("half of it is missing");

        assert!(chain(&error).contains(expected), "{}", chain(&error));
        assert_eq!(caller.read().await?, StatusCode::OK, "once is once");
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_can_take_for_ever() -> anyhow::Result<()> {
    let caller = Caller::with_secret().await?;

    for trouble in [Trouble::Dripping, Trouble::Silence] {
        caller
            .fake
            .inject(Fault::at(Endpoint::GetSecret, trouble).once());

        let answer = tokio::time::timeout(PATIENCE, caller.read()).await;

        assert!(answer.is_err(), "{trouble:?}: {answer:?}");
        assert_eq!(caller.read().await?, StatusCode::OK, "once is once");
    }
    Ok(())
}

#[tokio::test]
async fn a_page_is_no_answer_of_a_vault() -> anyhow::Result<()> {
    let caller = Caller::with_secret().await?;
    caller.fake.inject(Fault::of_vault(Trouble::Page));

    let answer = caller.answer().await?;

    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "text/html");
    caller.fake.clear();
    assert_eq!(caller.read().await?, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn a_fault_can_be_that_of_one_version() -> anyhow::Result<()> {
    let caller = Caller::with_secret().await?;
    let bad = caller.fake.add_version(SECRET, "bad");
    let good = caller.fake.add_version(SECRET, "good");
    let fault = Fault::at(Endpoint::GetSecret, Trouble::Status(500));
    caller.fake.inject(fault.on(&bad).times(2));

    let mut seen = Vec::new();
    for version in [&bad, &good, &bad, &bad] {
        let (status, _) = caller.get(&format!("secrets/{SECRET}/{version}")).await?;
        seen.push(status.as_u16());
    }

    assert_eq!(seen, [500, 200, 500, 200]);
    Ok(())
}

#[tokio::test]
async fn entra_may_need_some_time_for_a_new_credential() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    let token = Assertion::default().token();
    fake.inject(Fault::at(Endpoint::Token, Trouble::Aadsts(70021)).times(2));

    let mut codes = Vec::new();
    for _ in 0..3 {
        let (_, answer) = exchange(&fake, TENANT_ID, CLIENT_ID, &token).await?;
        codes.push(answer["error_codes"].clone());
    }

    assert_eq!(codes, [json!([70021]), json!([70021]), json!(null)]);
    Ok(())
}

#[tokio::test]
async fn tokens_live_as_long_as_a_test_wants() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    fake.set_token_lifetime(Duration::from_secs(1));

    let token = Assertion::default().token();
    let (_, answer) = exchange(&fake, TENANT_ID, CLIENT_ID, &token).await?;

    assert_eq!(answer["expires_in"], 1);
    Ok(())
}

#[tokio::test]
async fn an_outage_ends_standing_connections_and_admits_no_new_ones() -> anyhow::Result<()> {
    let caller = Caller::with_secret().await?;
    caller.read().await?;

    for outage in [Outage::Refused, Outage::Reset] {
        caller.fake.outage(Side::Vault, outage);
        caller.read().await.expect_err("the vault is away");
        caller.read().await.expect_err("the vault is still away");
        let token = Assertion::default().token();
        let (entra, _) = exchange(&caller.fake, TENANT_ID, CLIENT_ID, &token).await?;
        assert_eq!(entra, StatusCode::OK, "Entra is not the vault");

        caller.fake.restore(Side::Vault);
        assert_eq!(caller.read().await?, StatusCode::OK);
    }
    assert!(caller.fake.count(Endpoint::Connect) >= 2);
    Ok(())
}

#[tokio::test]
async fn a_silent_outage_is_not_noticed_by_anybody_who_does_not_count_the_time()
-> anyhow::Result<()> {
    let caller = Caller::with_secret().await?;
    caller.read().await?;
    caller.fake.outage(Side::Vault, Outage::Silent);

    let standing = tokio::time::timeout(PATIENCE, caller.read()).await;
    let fresh = tokio::time::timeout(PATIENCE, caller.read()).await;

    assert!(standing.is_err() && fresh.is_err());
    caller.fake.restore(Side::Vault);
    assert_eq!(caller.read().await?, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn a_vault_that_nobody_has_is_not_reached() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;

    let asked = fake
        .http_client()
        .get("https://unti.vault.azure.net/secrets/a");

    asked.send().await.expect_err("there is no such name");
    let requests = fake.requests();
    assert_eq!(requests[0].host, "unti.vault.azure.net");
    assert_eq!(requests[0].endpoint, Endpoint::Connect);
    Ok(())
}

#[tokio::test]
async fn the_clock_of_the_service_can_be_ahead() -> anyhow::Result<()> {
    let caller = Caller::with_secret().await?;
    let hour = Duration::from_secs(3600);

    caller.fake.set_clock_ahead(hour);
    let answer = caller.answer().await?;

    let date = httpdate::parse_http_date(answer.headers()["date"].to_str()?)?;
    let ahead = date.duration_since(SystemTime::now())?;
    assert!(ahead > hour / 2, "{ahead:?}");
    Ok(())
}

/// The causes of an error, which is where the news is.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text.to_lowercase()
}
