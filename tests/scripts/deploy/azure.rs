//! Roles, identities and secrets, and what is told when one is not as it has to be.

use serde_json::json;

use super::stage::{KEY, Stage, objects, refusal};
use crate::environment::{ISSUER, VAULT};

#[test]
fn nodes_that_may_not_pull_end_with_the_command_that_lets_them() {
    let stage = Stage::empty();
    stage.things().roles = vec!["Reader", "AcrPush"];

    let outcome = stage.deploys(&[]);

    outcome.fails(1, "pull-role-missing").says(
        "az role assignment create --assignee-object-id 44444444-4444-4444-8444-444444444444 --assignee-principal-type ServicePrincipal --role \"AcrPull\" --scope /subscriptions/",
    );
    outcome
        .never("az acr run")
        .never("az role assignment create");
}

#[test]
fn a_registry_with_roles_for_repositories_needs_another_role() {
    let stage = Stage::empty();
    stage.things().registry_mode = "AbacRepositoryPermissions";
    stage
        .deploys(&[])
        .fails(4, "registry-mode")
        .says("registry_role_mode = \"abac\"");

    stage.things().outputs["registry_role_mode"]["value"] = json!("abac");
    stage
        .deploys(&[])
        .fails(1, "pull-role-missing")
        .says("--role \"Container Registry Repository Reader\"");

    stage.things().roles = vec!["Container Registry Repository Reader"];
    let outcome = stage.deploys(&[]);
    let run = outcome.succeeds().call("az acr run");
    assert_eq!(run.value("--source-acr-auth-id"), Some("[caller]"));
    Stage::empty()
        .deploys(&[])
        .succeeds()
        .never("az acr run --source-acr-auth-id");
}

#[test]
fn the_four_parts_of_workload_identity_have_to_agree() {
    let stage = Stage::empty();
    stage.things().credential_issuer = "https://old.example/".to_owned();
    stage
        .deploys(&[])
        .fails(1, "issuer-mismatch")
        .says("trusts issuer https://old.example/")
        .says(ISSUER);

    let stage = Stage::empty();
    stage.things().issuer = "https://new.example/".to_owned();
    stage
        .deploys(&[])
        .fails(1, "issuer-mismatch")
        .says("the cluster's issuer is https://new.example/");

    let stage = Stage::empty();
    stage.things().outputs["identities"]["value"]["api"]["subject"] =
        json!("system:serviceaccount:default:sealane-api");
    stage
        .deploys(&[])
        .fails(1, "subject-mismatch")
        .says("expected system:serviceaccount:sealane:sealane-api");

    let stage = Stage::empty();
    stage
        .things()
        .objects
        .retain(|it| it["kind"] != "ServiceAccount" || it["metadata"]["name"] != "sealane-trigger");
    stage
        .deploys(&[])
        .fails(1, "subject-mismatch")
        .says("no manifest has the service account sealane/sealane-trigger");

    let stage = Stage::empty();
    let account = objects::account("worker", "99999999-9999-4999-8999-999999999999");
    let mut things = stage.things();
    things
        .objects
        .retain(|it| it["kind"] != "ServiceAccount" || it["metadata"]["name"] != "sealane-worker");
    things.objects.push(account);
    drop(things);
    stage
        .deploys(&[])
        .fails(1, "client-id-mismatch")
        .says("names client id 99999999");

    let world = Stage::empty().world();
    world.answer("az identity federated-credential list", "");
    let outcome = world.run("deploy", &["demo", "--yes"]);
    outcome.fails(1, "credential-missing").says(
        "az identity federated-credential create --name sealane-api --identity-name id-sealane-api",
    );
    outcome.never("az keyvault secret set");
}

#[test]
fn a_role_that_was_just_assigned_is_waited_for() {
    let stage = Stage::empty();
    stage.things().rbac_refusals = 5;
    let outcome = stage.deploys(&[]);
    outcome.succeeds();
    assert_eq!(outcome.count("sleep 10"), 5);

    let stage = Stage::empty();
    stage.things().rbac_refusals = 1000;
    let outcome = stage.deploys(&[]);
    outcome
        .fails(1, "vault-role-missing")
        .says("az role assignment create --role \"Key Vault Secrets User\"")
        .says("/secrets/payload-key");
    assert_eq!(outcome.count("az keyvault secret show"), 18);
}

#[test]
fn refusals_of_the_vault_are_told_apart() {
    let cases = [
        (
            "(Forbidden) Client address is not authorized. Inner error: { \"code\": \"ForbiddenByFirewall\" }",
            "vault-firewall",
            "key_vault_ip_ranges",
        ),
        (
            "(Conflict) Secret payload-key is currently in a deleted but recoverable state. Inner error: ObjectIsDeletedButRecoverable",
            "key-deleted",
            "az keyvault secret recover",
        ),
        ("Something else", "vault-failed", "Something else"),
    ];
    for (words, slug, help) in cases {
        let world = Stage::empty().world();
        world.answer("az keyvault secret set", refusal(words));
        let outcome = world.run("deploy", &["demo", "--yes"]);
        outcome.fails(1, slug).says(help);
        assert_eq!(outcome.count("az keyvault secret set"), 1);
    }
}

#[test]
fn a_key_that_is_there_is_looked_at_and_never_replaced() {
    let cases = [
        (44, true, None),
        (24, true, None),
        (43, true, Some("key-invalid")),
        (0, true, Some("key-invalid")),
        (44, false, Some("key-disabled")),
    ];
    for (length, enabled, slug) in cases {
        let stage = Stage::empty();
        stage
            .things()
            .secrets
            .push(("payload-key".to_owned(), length, enabled));
        let outcome = stage.deploys(&[]);
        match slug {
            None => outcome.succeeds().says("has been recovered with its keys"),
            Some(slug) => outcome.fails(1, slug),
        };
        outcome
            .never("az keyvault secret set")
            .never("openssl rand -base64");
    }
}

#[test]
fn bad_random_bytes_are_never_stored() {
    for bytes in ["", "short", &KEY[..43]] {
        let world = Stage::empty().world();
        world.answer("openssl rand -base64 32", bytes);
        world
            .run("deploy", &["demo", "--yes"])
            .fails(1, "openssl-failed")
            .never("az keyvault secret set");
    }
    let world = Stage::empty().world();
    world.answer("openssl rand -hex 24", "0123");
    world
        .run("deploy", &["demo", "--yes"])
        .fails(1, "openssl-failed")
        .never("terraform plan");
}

#[test]
fn the_api_key_of_temporal_cloud_is_asked_of_a_person() {
    let stage = Stage::empty().on_cloud();
    let outcome = stage.deploys(&[]);
    let remedy =
        format!("az keyvault secret set --vault-name {VAULT} --name temporal-api-key --file FILE");
    outcome
        .fails(1, "api-key-missing")
        .says(&remedy)
        .never("az acr run");

    stage
        .things()
        .secrets
        .push(("temporal-api-key".to_owned(), 3, true));
    stage
        .deploys(&[])
        .fails(1, "api-key-missing")
        .says("3 characters");
}
