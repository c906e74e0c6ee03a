//! How it goes when all goes well, half well, or for the second time.

use super::estate::{Estate, KEPT, destroy, untouched};
use crate::{
    environment::{CLUSTER, GROUP, NODE_GROUP, SUBSCRIPTION},
    harness::Reply,
};

#[test]
fn everything_goes_in_order_and_is_proven_gone() {
    let estate = Estate::whole();
    let world = estate.world();

    let outcome = destroy(&world, &[]);

    outcome.succeeds().in_order(&[
        "az account show",
        "terraform init",
        "terraform output",
        "az group show",
        "az lock list",
        "az aks get-credentials",
        "kubectl config view",
        "kubectl exec -- sealane workflow list",
        "terraform plan -destroy",
        "terraform show",
        "kubectl get persistentvolumes",
        "kubectl delete namespace sealane temporal",
        "kubectl get persistentvolume pvc-1",
        "terraform apply",
        &format!("az group exists --name {GROUP}"),
        &format!("az group exists --name {NODE_GROUP}"),
        "az keyvault list-deleted",
    ]);
    assert_eq!(outcome.count("terraform apply"), 1);
    let plan = outcome
        .call("terraform plan")
        .value("-out")
        .unwrap()
        .to_owned();
    assert_eq!(
        outcome.call("terraform apply").args.last(),
        Some(&plan),
        "what was planned is applied"
    );
    outcome
        .says(&format!("az keyvault recover --name {KEPT}"))
        .says("2026-11-29");
    assert!(!estate.things().group);
}

#[test]
fn every_call_names_its_subscription_and_its_context() {
    let outcome = destroy(&Estate::whole().world(), &[]);

    for call in &outcome.calls {
        if call.program == "az" && !call.is("az version") && !call.is("az account") {
            assert_eq!(
                call.value("--subscription"),
                Some(SUBSCRIPTION),
                "{}",
                call.line()
            );
        }
        if call.program == "kubectl" && !call.is("kubectl version") && !call.is("kubectl config") {
            assert_eq!(call.value("--context"), Some(CLUSTER), "{}", call.line());
        }
    }
}

#[test]
fn the_summary_says_what_became_of_it() {
    let outcome = destroy(&Estate::whole().world(), &[]);

    let summary = outcome.summary();
    assert_eq!(summary["outcome"], "completed");
    assert_eq!(
        (
            &summary["planned"],
            &summary["running_workflows"],
            &summary["gone"]
        ),
        (&42.into(), &0.into(), &true.into())
    );
    assert_eq!(summary["vault_purged_at"], "2026-11-29T12:00:00+00:00");
    assert_eq!(
        summary["steps"].as_array().unwrap().len(),
        16,
        "arguments and 15 steps"
    );
}

#[test]
fn a_second_run_finds_it_gone() {
    let estate = Estate::whole();
    let world = estate.world();
    destroy(&world, &[]).succeeds();

    let again = destroy(&world, &[]);

    again
        .succeeds()
        .says("is gone already")
        .never("kubectl get")
        .never("terraform apply");
    untouched(&again);
}

#[test]
fn half_destroyed_it_goes_on_without_the_cluster() {
    let estate = Estate::whole();
    estate.things().cluster = false;

    let outcome = destroy(&estate.world(), &[]);

    outcome
        .succeeds()
        .says("is gone already")
        .called("terraform apply")
        .never("kubectl exec");
}

#[test]
fn where_nothing_was_deployed_nobody_is_asked_for_workflows() {
    let estate = Estate::whole();
    estate.things().namespaces.clear();

    destroy(&estate.world(), &[])
        .succeeds()
        .never("kubectl exec")
        .never("kubectl delete")
        .called("terraform apply");
}

#[test]
fn a_dry_run_looks_everywhere_and_changes_nothing() {
    let estate = Estate::whole();
    let world = estate.world();

    let outcome = destroy(&world, &["--dry-run"]);

    outcome
        .succeeds()
        .says("would run: kubectl")
        .says("would run: terraform apply")
        .called("terraform plan -destroy -lock=false");
    untouched(&outcome);
    assert!(estate.things().group);
    assert_eq!(outcome.summary()["dry_run"], true);
}

#[test]
fn a_volume_that_is_kept_is_named_and_not_waited_for() {
    let estate = Estate::whole();
    estate.things().volumes.push(("sealane", "pvc-3", "Retain"));

    let outcome = destroy(&estate.world(), &[]);

    outcome
        .succeeds()
        .says("volume pvc-3 has the policy Retain")
        .called("kubectl get persistentvolume pvc-1")
        .never("kubectl get persistentvolume pvc-3");
}

#[test]
fn a_volume_of_a_namespace_that_is_named_alike_is_none_of_ours() {
    let estate = Estate::whole();
    estate.things().volumes.push(("seal", "pvc-9", "Delete"));

    destroy(&estate.world(), &[])
        .succeeds()
        .never("kubectl get persistentvolume pvc-9");
}

#[test]
fn the_name_is_asked_for_and_only_the_name_will_do() {
    let estate = Estate::whole();
    let mut world = estate.world();
    for answer in ["", "yes\n", "Demo\n", "demo2\n"] {
        world.stdin(answer);
        let outcome = world.run("destroy", &["demo"]);
        outcome.fails(4, "not-confirmed");
        untouched(&outcome);
    }
    world.stdin("demo\n");
    world
        .run("destroy", &["demo"])
        .succeeds()
        .called("terraform apply");
}

#[test]
fn a_vault_that_nobody_can_recover_is_said_so() {
    let world = Estate::whole().world();
    world.answer("az keyvault list-deleted", Reply::ok(""));

    destroy(&world, &[])
        .succeeds()
        .says("there is no deleted vault");
}
