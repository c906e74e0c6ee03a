//! The pod's token, and what Entra makes of it.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use sealane_tests::azure::{AUDIENCE, Assertion, Endpoint, Fault, SUBJECT, Trouble};

use super::Pod;

const NO_VAULT: [&str; 3] = ["vault-list", "vault-get", "keys"];

/// Everything that the exchange of the token is needed for, itself included.
const NO_TOKEN: [&str; 4] = ["token-exchange", "vault-list", "vault-get", "keys"];

#[tokio::test]
async fn each_refusal_of_entra_is_told_with_what_has_to_match() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    let exact = format!("subject {SUBJECT} and audience {AUDIENCE}");
    let list = "az identity federated-credential list";

    for (code, remedies) in [
        (70_021, [exact.as_str(), list]),
        (
            700_211,
            [
                exact.as_str(),
                "az aks show --query oidcIssuerProfile.issuerUrl",
            ],
        ),
        (700_212, [exact.as_str(), list]),
        (700_213, [exact.as_str(), list]),
        (
            700_016,
            [
                "AZURE_CLIENT_ID",
                "kubectl get serviceaccount sealane-worker -n sealane",
            ],
        ),
        (
            90_002,
            ["AZURE_TENANT_ID", "az account show --query tenantId"],
        ),
        (700_024, ["expired", "kubectl describe node"]),
        (500_011, ["AZURE_TENANT_ID", list]),
    ] {
        pod.azure.clear();
        pod.azure
            .inject(Fault::at(Endpoint::Token, Trouble::Aadsts(code)));

        let report = pod.examine().await;

        report
            .fails(77, &["token-exchange"], &NO_VAULT)
            .says("token-exchange", &[&format!("AADSTS{code}")], &remedies)
            .says("vault-list", &["before token-exchange passes"], &[]);
        assert_eq!(report.status("vault-reachable"), "pass");
        assert_eq!(report.status("temporal-namespace"), "pass");
        assert_eq!(report.status("clock"), "pass");
    }
    Ok(())
}

#[tokio::test]
async fn a_token_of_another_service_account_shows_whose_it_is() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    let other = "system:serviceaccount:default:default";
    let assertion = Assertion {
        subject: other.to_owned(),
        ..Assertion::default()
    };
    pod.azure.write_assertion(&pod.token_file(), &assertion);

    let report = pod.examine().await;

    report
        .fails(77, &["token-exchange"], &NO_VAULT)
        .says("token-file", &[other], &[])
        .says(
            "token-exchange",
            &["AADSTS700213", other],
            &[&format!("subject {other}")],
        );
    Ok(())
}

#[tokio::test]
async fn an_expired_token_is_seen_before_entra_says_so() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    let expires = SystemTime::now() - Duration::from_hours(2);
    let assertion = Assertion {
        expires,
        ..Assertion::default()
    };
    pod.azure.write_assertion(&pod.token_file(), &assertion);

    let report = pod.examine().await;

    report
        .fails(77, &["token-file", "token-exchange"], &NO_VAULT)
        .says("token-file", &["expired at"], &["kubelet"])
        .says(
            "token-exchange",
            &["AADSTS700024"],
            &["AZURE_FEDERATED_TOKEN_FILE"],
        );
    Ok(())
}

#[tokio::test]
async fn a_token_for_somebody_else_is_pointed_out() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    let audience = "https://kubernetes.default.svc".to_owned();
    let assertion = Assertion {
        audience,
        ..Assertion::default()
    };
    pod.azure.write_assertion(&pod.token_file(), &assertion);

    let report = pod.examine().await;

    report
        .fails(77, &["token-exchange"], &NO_VAULT)
        .says(
            "token-file",
            &["https://kubernetes.default.svc"],
            &["api://AzureADTokenExchange"],
        )
        .says(
            "token-exchange",
            &["AADSTS700212"],
            &["az identity federated-credential list"],
        );
    assert_eq!(report.status("token-file"), "warn");
    Ok(())
}

#[tokio::test]
async fn a_missing_token_file_is_named_with_the_webhook() -> anyhow::Result<()> {
    let pod = Pod::new()
        .await?
        .with("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    let pod = pod.with("HOSTNAME", "sealane-worker-7d9f");
    fs::remove_file(pod.token_file())?;

    let report = pod.examine().await;

    report
        .fails(78, &["settings", "token-file"], &NO_TOKEN)
        .says(
            "settings",
            &["AZURE_FEDERATED_TOKEN_FILE is"],
            &["let the workload identity webhook set it"],
        )
        .says(
            "token-file",
            &["azure-identity-token", "No such file"],
            &[
                "azure.workload.identity/use: \"true\"",
                "kubectl get pod sealane-worker-7d9f -o jsonpath=",
                "kubectl get deployment azure-wi-webhook-controller-manager",
            ],
        )
        .says("token-exchange", &["before token-file passes"], &[]);
    assert_eq!(report.status("vault-reachable"), "pass");
    Ok(())
}

#[tokio::test]
async fn a_pod_that_the_webhook_has_not_changed_is_told_so() -> anyhow::Result<()> {
    let pod = Pod::new()
        .await?
        .with("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    let pod = pod.without("AZURE_FEDERATED_TOKEN_FILE");
    let pod = pod.without("AZURE_CLIENT_ID").without("AZURE_TENANT_ID");

    let report = pod.examine().await;

    report
        .fails(78, &["settings", "token-file"], &NO_TOKEN)
        .says(
            "settings",
            &["AZURE_FEDERATED_TOKEN_FILE is not set"],
            &["azure.workload.identity/use"],
        )
        .says(
            "token-file",
            &["webhook has not changed this pod"],
            &["kubectl get pod"],
        );
    assert_eq!(report.status("vault-reachable"), "pass");
    assert_eq!(report.status("temporal-namespace"), "pass");
    Ok(())
}

#[tokio::test]
async fn a_file_that_holds_no_token_is_not_quoted() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    fs::write(pod.token_file(), "hunter2-is-no-token")?;

    let report = pod.examine().await;

    report.fails(78, &["token-file"], &NO_TOKEN).says(
        "token-file",
        &["holds no JSON web token"],
        &[],
    );
    assert!(
        !report.finished.to_string().contains("hunter2"),
        "{}",
        report.finished
    );
    Ok(())
}

#[tokio::test]
async fn entra_out_of_reach_is_not_a_refusal() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    pod.azure.entra_down();

    let report = pod.examine().await;

    report
        .fails(69, &["token-exchange"], &NO_VAULT)
        .says(
            "token-exchange",
            &["login.microsoftonline.com", "no connection"],
            &["HTTPS_PROXY"],
        )
        .says("clock", &["agrees with unit.vault.azure.net"], &[]);
    Ok(())
}

#[tokio::test]
async fn only_a_name_that_was_set_may_be_misspelt() -> anyhow::Result<()> {
    let pod = Pod::new().await?.without("HTTPS_PROXY");
    let vault = "https://nuit.vault.invalid";
    let pod = pod.with("KEYVAULT_URL", vault);
    let pod = pod.with("AZURE_AUTHORITY_HOST", "https://login.invalid/");

    let report = pod.examine().await;

    let broken = "no name of Azure resolves";
    report
        .says("vault-reachable", &[], &[broken, "az keyvault list"])
        .says(
            "token-exchange",
            &[],
            &[broken, "AZURE_AUTHORITY_HOST", "nslookup login.invalid"],
        );
    let remedy = report.finding("token-exchange")["remedy"].to_string();
    assert!(!remedy.contains("KEYVAULT_URL"), "{remedy}");
    Ok(())
}

#[tokio::test]
async fn a_laptop_without_a_login_is_told_to_log_in() -> anyhow::Result<()> {
    let pod = Pod::new()
        .await?
        .with("SEALANE_AZURE_CREDENTIAL", "developer");

    let report = pod.examine().await;

    report
        .fails(
            77,
            &["token-exchange"],
            &["token-file", "vault-list", "vault-get", "keys"],
        )
        .says("token-file", &["az or azd"], &[])
        .says("token-exchange", &["nobody is signed in"], &["az login"]);
    let detail = report.finding("token-exchange")["detail"].to_string();
    assert!(
        detail.len() < 100,
        "the words of az and azd are left to them: {detail}"
    );
    Ok(())
}
