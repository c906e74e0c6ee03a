//! Nothing is done to the wrong subscription, state or cluster, and nothing unasked.

use serde_json::json;

use super::stage::{Stage, objects, refusal};
use crate::{
    environment::{API_SERVER, CLUSTER, SUBSCRIPTION, TENANT},
    harness::Reply,
};

const OTHER: &str = "99999999-9999-4999-8999-999999999999";

#[test]
fn another_account_than_the_variables_name_is_refused_and_none_is_switched_to() {
    let account = |subscription: &str, tenant: &str, state: &str| {
        Reply::ok(format!("{subscription}\n{tenant}\n{state}\nada\n"))
    };
    let cases = [
        (
            refusal("Please run 'az login' to setup account."),
            "not-logged-in",
        ),
        (
            refusal("The subscription of '2222' doesn't exist in cloud 'AzureCloud'."),
            "wrong-subscription",
        ),
        (account(OTHER, TENANT, "Enabled"), "wrong-subscription"),
        (account(SUBSCRIPTION, OTHER, "Enabled"), "wrong-tenant"),
        (
            account(SUBSCRIPTION, TENANT, "Disabled"),
            "subscription-disabled",
        ),
    ];
    for (answer, slug) in cases {
        let world = Stage::empty().world();
        world.answer("az account show", answer);

        let outcome = world.run("deploy", &["demo", "--yes"]);

        outcome
            .fails(4, slug)
            .never("terraform init")
            .never("az account set")
            .never("az login");
    }
}

#[test]
fn a_sign_in_that_has_run_out_and_variables_of_another_tenant_are_refused() {
    let mut world = Stage::empty().world();
    world.answer(
        "az account get-access-token",
        refusal("AADSTS70043: The refresh token has expired"),
    );
    world
        .run("deploy", &["demo"])
        .fails(4, "login-expired")
        .says("az login --tenant");

    world.env("ARM_SUBSCRIPTION_ID", OTHER);
    world
        .run("deploy", &["demo"])
        .fails(4, "wrong-subscription")
        .says("unset ARM_SUBSCRIPTION_ID");
}

#[test]
fn every_call_of_az_names_the_subscription() {
    let outcome = Stage::empty().deploys(&[]);

    let about_azure = outcome
        .calls
        .iter()
        .filter(|call| call.program == "az" && !call.is("az version"));
    for call in about_azure {
        assert_eq!(
            call.value("--subscription"),
            Some(SUBSCRIPTION),
            "{}",
            call.line()
        );
    }
}

#[test]
fn a_lock_that_somebody_holds_ends_with_the_command_that_breaks_it() {
    let world = Stage::empty().world();
    let lock = "Error: Error acquiring the state lock\n\nError message: state blob is already locked\nLock Info:\n  ID:        6d1f0f4e-7e0a-4c1f-9a55-0f2f4a5b6c7d\n";
    world.answer("terraform plan", Reply::fail(1, lock));

    let outcome = world.run("deploy", &["demo", "--yes"]);

    outcome
        .fails(1, "state-locked")
        .says("terraform -chdir=infra/terraform force-unlock 6d1f0f4e-7e0a-4c1f-9a55-0f2f4a5b6c7d");
}

#[test]
fn a_plan_that_destroys_what_cannot_be_made_again_needs_a_word_of_its_own() {
    let stage = Stage::empty();
    let change = json!({"mode": "managed", "type": "azurerm_kubernetes_cluster", "address": "module.cluster.azurerm_kubernetes_cluster.this", "change": {"actions": ["delete", "create"]}});
    stage.things().plan = json!({"resource_changes": [change]});

    let outcome = stage.deploys(&[]);
    outcome
        .fails(4, "plan-destroys")
        .says("module.cluster.azurerm_kubernetes_cluster.this")
        .never("terraform apply");

    stage
        .deploys(&["--allow-destroy"])
        .succeeds()
        .called("terraform apply");
}

#[test]
fn nothing_is_applied_without_a_yes() {
    for answer in ["", "y\n", "no\n"] {
        let mut world = Stage::empty().world();
        world.stdin(answer);
        world
            .run("deploy", &["demo"])
            .fails(4, "not-confirmed")
            .never("terraform apply");
    }
    let mut world = Stage::empty().world();
    world.stdin("yes\nyes\n");
    world
        .run("deploy", &["demo"])
        .succeeds()
        .called("terraform apply")
        .called("kubectl apply --filename");
}

#[test]
fn a_state_of_another_environment_is_refused() {
    let stage = Stage::empty();
    stage.things().outputs["environment"]["value"] = json!("production");
    stage
        .deploys(&[])
        .fails(4, "outputs-mismatch")
        .says("production")
        .never("kubectl kustomize");

    // Where there is a state already, nothing is planned on it, and what was known stays.
    for output in ["environment", "subscription_id", "tenant_id"] {
        let stage = Stage::deployed();
        stage.things().outputs[output]["value"] = json!(OTHER);
        let world = stage.world();
        world.write(".sealane/demo/outputs.json", "{}");
        world
            .run("deploy", &["demo", "--yes"])
            .fails(4, "outputs-mismatch")
            .never("terraform plan");
        assert_eq!(
            world.read(".sealane/demo/outputs.json").as_deref(),
            Some("{}")
        );
    }

    let stage = Stage::empty();
    stage.things().outputs["key_vault_id"]["value"] = json!(null);
    stage
        .things()
        .outputs
        .as_object_mut()
        .unwrap()
        .remove("namespace");
    stage
        .deploys(&[])
        .fails(1, "output-missing")
        .says("key_vault_id, namespace");
}

#[test]
fn another_cluster_than_terraforms_is_refused_by_name_and_by_host() {
    let cases = [
        (
            format!("minikube https://{API_SERVER}:443"),
            "wrong-context",
        ),
        (
            format!("{CLUSTER} https://other.hcp.westeurope.azmk8s.io:443"),
            "wrong-cluster",
        ),
        (format!("{CLUSTER} https://127.0.0.1:6443"), "wrong-cluster"),
        (format!("{CLUSTER} none"), "wrong-cluster"),
    ];
    for (view, slug) in cases {
        let stage = Stage::deployed();
        let world = stage.world();
        world.answer("kubectl config view", view.as_str());

        world
            .run("deploy", &["demo", "--yes"])
            .fails(4, slug)
            .never("kubectl apply")
            .never("kubectl get --raw");
    }
}

#[test]
fn a_cluster_that_is_stopped_or_does_not_answer_is_named() {
    let world = Stage::deployed().world();
    world.answer(
        "az aks show",
        format!("{API_SERVER}\nnone\nStopped\nSucceeded\n1.36.1\nx\nid").as_str(),
    );
    world
        .run("deploy", &["demo", "--yes"])
        .fails(4, "cluster-stopped")
        .says("az aks start");

    let world = Stage::deployed().world();
    world.answer(
        "kubectl get --raw /readyz",
        Reply::fail(1, "Unable to connect to the server: i/o timeout"),
    );
    let outcome = world.run("deploy", &["demo", "--yes"]);
    outcome.fails(1, "cluster-unreachable").says("i/o timeout");
    assert_eq!(outcome.count("kubectl get --raw /readyz"), 24);

    let world = Stage::deployed().world();
    world.answer("kubectl auth can-i", Reply::ok("no\n").code(1));
    world
        .run("deploy", &["demo", "--yes"])
        .fails(4, "cluster-forbidden")
        .says("Azure Kubernetes Service RBAC Admin");
}

#[test]
fn manifests_of_another_namespace_are_refused() {
    let stage = Stage::deployed();
    stage.things().outputs["namespace"]["value"] = json!("sealane-tenant-a");
    stage
        .deploys(&[])
        .fails(4, "namespace-mismatch")
        .never("kubectl apply");
}

#[test]
fn a_namespace_that_lets_everything_in_is_refused() {
    let stage = Stage::deployed();
    stage.things().objects[0] = objects::namespace("privileged");
    stage
        .deploys(&[])
        .fails(4, "namespace-unrestricted")
        .never("kubectl apply");

    let stage = Stage::deployed();
    stage.things().namespace = Some("baseline");
    let world = stage.world();
    world
        .run("deploy", &["demo", "--yes"])
        .fails(4, "namespace-unrestricted")
        .says("has Pod Security \"baseline\"");
}

#[test]
fn findings_of_the_lint_stop_it_before_an_image_is_built() {
    let stage = Stage::empty();
    let world = stage.world();
    world.answer(
        "sealane manifests check",
        Reply::ok("no-limits Deployment/sealane-worker …\n").code(1),
    );

    let outcome = world.run(
        "deploy",
        &[
            "demo",
            "--yes",
            "--accept",
            "no-limits=Deployment/sealane-worker",
        ],
    );

    outcome
        .fails(4, "manifests-refused")
        .says("no-limits Deployment/sealane-worker")
        .never("az acr run")
        .never("kubectl diff");
    let check = outcome.call("sealane manifests check");
    assert_eq!(
        check.value("--accept"),
        Some("no-limits=Deployment/sealane-worker")
    );
    assert_eq!(check.value("--kubernetes-version"), Some("1.36"));
    assert!(
        check
            .value("--infrastructure")
            .unwrap()
            .ends_with(".sealane/demo/outputs.json")
    );
}
