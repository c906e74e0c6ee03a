//! Programs that are missing, fail, hang, print nonsense or lie.

use std::fs;

use serde_json::json;

use super::estate::{Estate, destroy, untouched};
use crate::harness::Reply;

#[test]
fn missing_programs_are_told_all_at_once() {
    let world = Estate::whole().world();
    world.without("kubelogin").without("terraform");

    destroy(&world, &[])
        .fails(3, "prerequisites")
        .says("terraform is missing")
        .says("kubelogin is missing");
}

/// Asserts that one answer, instead of the good one, stops it before anything is changed, under that name and with those words.
fn stopped(pattern: &str, reply: Reply, slug: &str, words: &str) {
    let world = Estate::whole().world();
    world.answer(pattern, reply);

    let outcome = destroy(&world, &[]);

    outcome.fails(1, slug).says(words);
    untouched(&outcome);
    assert_eq!(outcome.summary()["error"]["slug"], slug);
}

#[test]
fn terraform_that_fails_or_prints_nonsense_is_named_and_nothing_was_changed() {
    let fail = |words: &str| Reply::fail(1, format!("Error: {words}"));
    stopped(
        "terraform init",
        fail("no backend"),
        "terraform-init",
        "no backend",
    );
    stopped(
        "terraform output",
        fail("no state"),
        "terraform-output",
        "no state",
    );
    stopped(
        "terraform plan",
        fail("bad plan"),
        "terraform-plan",
        "bad plan",
    );
    stopped(
        "terraform show",
        Reply::ok("<html>"),
        "terraform-plan",
        "cannot be read",
    );
    stopped(
        "terraform show",
        Reply::ok(""),
        "terraform-plan",
        "does not say",
    );
}

#[test]
fn az_that_fails_or_prints_nonsense_is_named_and_nothing_was_changed() {
    let fail = |words: &str| Reply::fail(1, format!("ERROR: {words}"));
    stopped(
        "az group exists",
        fail("throttled"),
        "group-unreadable",
        "throttled",
    );
    stopped(
        "az group exists",
        Reply::ok("maybe\n"),
        "group-unreadable",
        "maybe",
    );
    stopped(
        "az group show",
        Reply::ok(""),
        "group-unreadable",
        "does not say",
    );
    stopped(
        "az lock list",
        fail("(AuthorizationFailed)"),
        "locks-unknown",
        "AuthorizationFailed",
    );
    let cluster = "az aks show --query nodeResourceGroup";
    stopped(
        cluster,
        fail("throttled"),
        "cluster-unreadable",
        "throttled",
    );
    stopped(
        "az aks get-credentials",
        fail("forbidden"),
        "credentials",
        "forbidden",
    );
}

#[test]
fn kubectl_that_fails_is_named_and_nothing_was_changed() {
    let fail = |words: &str| Reply::fail(1, format!("Error: {words}"));
    stopped(
        "kubectl get namespaces",
        fail("refused"),
        "cluster-unreachable",
        "refused",
    );
    stopped(
        "kubectl get persistentvolumes",
        fail("forbidden"),
        "volumes-unknown",
        "forbidden",
    );
}

#[test]
fn a_lock_of_the_state_comes_with_the_command_that_breaks_it() {
    let world = Estate::whole().world();
    let message = "Error: Error acquiring the state lock\n\nError message: state blob is already locked\nLock Info:\n  ID:        11112222-3333-4444-8555-666677778888\n";
    world.answer("terraform plan", Reply::fail(1, message));

    destroy(&world, &[])
        .fails(1, "state-locked")
        .says("force-unlock 11112222-3333-4444-8555-666677778888");
}

#[test]
fn what_hangs_is_ended_and_named() {
    for (pattern, program) in [
        ("az group exists", "az"),
        ("terraform plan", "terraform"),
        ("kubectl exec", "kubectl"),
        ("kubelogin convert-kubeconfig", "kubelogin"),
    ] {
        let mut world = Estate::whole().world();
        world.hurried().answer(pattern, Reply::hang("working\n"));
        let outcome = destroy(&world, &[]);
        outcome.fails(1, "timed-out").says(program);
        untouched(&outcome);
    }
}

#[test]
fn a_plan_that_does_more_than_destroy_is_not_applied() {
    for actions in [
        json!(["create"]),
        json!(["update"]),
        json!(["delete", "create"]),
    ] {
        let world = Estate::whole().world();
        world.answer("terraform show", json!({"resource_changes": [
            {"mode": "managed", "address": "azurerm_key_vault.this", "change": {"actions": actions}},
            {"mode": "managed", "address": "a.b", "change": {"actions": ["delete"]}},
        ]}));
        let outcome = destroy(&world, &[]);
        outcome
            .fails(1, "plan-does-more")
            .says("azurerm_key_vault.this");
        untouched(&outcome);
    }
}

#[test]
fn a_state_that_knows_nothing_of_the_group_is_the_wrong_one() {
    let estate = Estate::whole();
    let world = estate.world();
    world.write(
        ".sealane/demo/outputs.json",
        &estate.things().outputs.to_string(),
    );
    estate.things().in_state = 0;

    let outcome = destroy(&world, &[]);

    outcome.fails(1, "state-empty").says("backend.hcl");
    untouched(&outcome);
}

#[test]
fn an_apply_that_only_says_so_is_found_out() {
    let world = Estate::whole().world();
    world.answer(
        "terraform apply",
        "Destroy complete! Resources: 42 destroyed.",
    );

    destroy(&world, &[])
        .fails(1, "group-left")
        .says("sealane-demo");
}

#[test]
fn an_apply_that_fails_can_be_repeated() {
    let estate = Estate::whole();
    let world = estate.world();
    world.answer(
        "terraform apply",
        Reply::fail(1, "Error: timeout while waiting"),
    );
    destroy(&world, &[])
        .fails(1, "terraform-destroy")
        .says("timeout while waiting");

    let inner = estate.clone();
    world.on(move |call| {
        call.is("terraform apply").then(|| {
            inner.things().group = false;
            inner.things().cluster = false;
            "Destroyed".into()
        })
    });
    destroy(&world, &[]).succeeds();
}

#[test]
fn namespaces_and_volumes_that_stay_stop_it_unless_forced() {
    let stuck = || {
        let world = Estate::whole().world();
        world.answer("kubectl delete namespace", "deleted");
        world
    };
    destroy(&stuck(), &[])
        .fails(1, "namespaces-stuck")
        .never("terraform apply");
    destroy(&stuck(), &["--force"])
        .succeeds()
        .called("terraform apply");

    let world = Estate::whole().world();
    world.answer("kubectl get persistentvolume", "persistentvolume/pvc-1");
    destroy(&world, &[])
        .fails(1, "volumes-left")
        .says("pvc-1")
        .never("terraform apply");
}

#[test]
fn files_that_lead_nowhere_are_removed_and_the_outputs_stay() {
    let estate = Estate::whole();
    let world = estate.world();
    world
        .write(".sealane/demo/manifests.yaml", "x")
        .write(".sealane/demo/instance/kustomization.yaml", "x");

    destroy(&world, &[]).succeeds();

    let mut left: Vec<_> = fs::read_dir(world.root().join(".sealane/demo"))
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["destroy.json", "outputs.json"]);
}

#[test]
fn a_list_of_namespaces_without_the_one_that_is_always_there_is_none() {
    for list in ["", "default \n", "sealane sealane\n", "kube-system-2 \n"] {
        stopped(
            "kubectl get namespaces",
            Reply::ok(list),
            "cluster-unreachable",
            "kube-system",
        );
    }
}

#[test]
fn what_was_forced_past_is_not_reported_as_the_failure_of_the_run() {
    let world = Estate::whole().world();
    world.answer("kubectl config view", "prod https://x:443");
    // Something that nobody foresaw, much later: a folder where the plan should be.
    world.write(".sealane/demo/plan/file", "");

    let outcome = destroy(&world, &["--force"]);

    outcome
        .ends_with(1)
        .says("[wrong-context]")
        .says("[unexpected]");
    assert_eq!(outcome.summary()["error"]["slug"], "unexpected");
}
