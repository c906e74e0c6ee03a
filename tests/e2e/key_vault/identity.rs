//! The token exchange: which token is shown, and what Entra's refusals become.

use std::time::{Duration, SystemTime};

use sealane_codec::{
    azure::{Azure, AzureError, Cause, Identity, WorkloadIdentity},
    key_vault::Source,
};
use sealane_tests::azure::{Assertion, Endpoint, FakeAzure, Fault, SECRET, Trouble};

use super::{Following, KEY, OPTIONS, not_loaded, old, secret};

const SCOPE: &str = "https://vault.azure.net/.default";

async fn refused(fake: &FakeAzure, identity: WorkloadIdentity) -> AzureError {
    let azure = Azure::new(Identity::Workload(identity), fake.http_client());
    let azure = azure.expect("an identity");
    azure.token(SCOPE).await.expect_err("a refusal")
}

#[tokio::test]
async fn a_rewritten_token_file_is_used_by_the_next_exchange() -> anyhow::Result<()> {
    let following = Following::start().await?;
    let fake = &following.fake;
    let second = fake.write_token(&fake.token_file());

    // The vault refuses the token at hand, so another one has to be exchanged.
    fake.revoke_tokens();
    fake.asked(Endpoint::Token, 2).await;
    following.listed_again().await;
    let third = fake.write_token(&fake.token_file());
    fake.revoke_tokens();
    fake.asked(Endpoint::Token, 3).await;

    assert_eq!(fake.assertions()[1..3], [second, third]);
    let status = following.status.current();
    assert!(status.failures.is_empty(), "{:?}", status.failures);
    Ok(())
}

#[tokio::test]
async fn tokens_that_live_a_second_are_exchanged_again_and_again() -> anyhow::Result<()> {
    let following = Following::start().await?;
    following.fake.set_token_lifetime(Duration::from_secs(1));
    following.fake.revoke_tokens();

    following.fake.asked(Endpoint::Token, 5).await;

    assert!(following.status.current().failures.is_empty());
    Ok(())
}

#[tokio::test]
async fn an_expired_federated_token_is_a_failure_until_the_kubelet_rewrites_it()
-> anyhow::Result<()> {
    let following = Following::start().await?;
    let fake = &following.fake;
    let expires = SystemTime::now() - Duration::from_secs(600);
    let assertion = Assertion {
        expires,
        ..Assertion::default()
    };

    fake.write_assertion(&fake.token_file(), &assertion);
    fake.revoke_tokens();
    assert_eq!(following.failing().await, "token_exchange");
    let text = following
        .status
        .current()
        .failing
        .map(|failing| failing.text);
    assert!(text.is_some_and(|text| text.contains("AADSTS700024")));

    fake.write_token(&fake.token_file());
    following.recovered().await;
    Ok(())
}

#[tokio::test]
async fn start_waits_for_a_federated_credential_that_was_just_made() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    fake.add_version_with(SECRET, KEY, old());
    fake.inject(Fault::at(Endpoint::Token, Trouble::Aadsts(70_021)).times(2));

    let secret = secret(&fake.azure(), &fake);
    let (_ring, source) = Source::load(secret, OPTIONS).await?;

    assert_eq!(source.status().current().failures["token_exchange"], 2);
    Ok(())
}

#[tokio::test]
async fn a_wrong_subject_is_named_once_the_time_is_up() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    let subject = "system:serviceaccount:default:default".to_owned();
    let assertion = Assertion {
        subject,
        ..Assertion::default()
    };
    fake.write_assertion(&fake.token_file(), &assertion);

    let secret = secret(&fake.azure(), &fake);
    let error = not_loaded(secret, Duration::from_millis(100)).await;

    assert!(error.is_refusal());
    let text = error.to_string();
    for part in [
        "no token from https://login.microsoftonline.com/",
        "AADSTS700213",
        "'system:serviceaccount:default:default'",
        "set the subject of the identity's federated credential",
    ] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    assert!(!text.contains('\n') && !text.contains("Trace ID"), "{text}");
    Ok(())
}

#[tokio::test]
async fn each_mistake_in_the_identity_has_its_own_code_and_remedy() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    let right = fake.workload_identity();
    let nowhere = "3c9a6d0e-0000-4000-8000-000000000000".to_owned();
    let tenant = WorkloadIdentity {
        tenant_id: nowhere.clone(),
        ..right.clone()
    };
    let client = WorkloadIdentity {
        client_id: nowhere,
        ..right.clone()
    };

    for (identity, code, remedy) in [
        (tenant, 90_002, "AZURE_TENANT_ID"),
        (client, 700_016, "AZURE_CLIENT_ID"),
    ] {
        let error = refused(&fake, identity).await;
        assert_eq!(error.cause(), Cause::Exchange { aadsts: Some(code) });
        assert!(error.to_string().contains(remedy), "{error}");
        assert!(!error.is_transient() && error.is_refusal());
    }
    Ok(())
}

#[tokio::test]
async fn a_token_file_that_is_missing_or_empty_points_at_the_pod() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    let folder = tempfile::tempdir()?;
    let token_file = folder.path().join("token");
    let identity = WorkloadIdentity {
        token_file: token_file.clone(),
        ..fake.workload_identity()
    };

    let missing = refused(&fake, identity.clone()).await;
    std::fs::write(&token_file, "\n")?;
    let empty = refused(&fake, identity).await;

    for error in [missing, empty] {
        assert_eq!(error.cause(), Cause::TokenFile);
        assert!(!error.is_transient() && !error.is_refusal());
        let text = error.to_string();
        assert!(text.contains(&token_file.display().to_string()), "{text}");
        assert!(text.contains("azure.workload.identity/use"), "{text}");
    }
    assert_eq!(fake.count(Endpoint::Token), 0);
    Ok(())
}

#[tokio::test]
async fn an_authority_without_tls_is_no_authority() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    let authority_host = "http://login.test".parse()?;
    let identity = WorkloadIdentity {
        authority_host,
        ..fake.workload_identity()
    };

    let error = Azure::new(Identity::Workload(identity), fake.http_client()).unwrap_err();

    assert_eq!(error.cause(), Cause::Identity);
    assert!(
        error.to_string().contains("AZURE_AUTHORITY_HOST"),
        "{error}"
    );
    Ok(())
}
