//! When it refuses, before anything is changed.

use serde_json::json;

use super::estate::{Estate, destroy, untouched};
use crate::{
    environment::{SUBSCRIPTION, TENANT, variables},
    harness::{Reply, World},
};

const OTHER: &str = "99999999-9999-4999-8999-999999999999";

/// Asserts that nothing was changed, and why.
fn refused(world: &World, args: &[&str], slug: &str) {
    let outcome = destroy(world, args);
    outcome.fails(4, slug);
    untouched(&outcome);
    assert_eq!(outcome.summary()["outcome"], "refused");
}

#[test]
fn workflows_that_run_are_not_lost_unless_that_is_meant() {
    let estate = Estate::whole();
    estate.things().running = 3;
    let world = estate.world();

    refused(&world, &[], "workflows-running");

    let forced = destroy(&world, &["--force"]);
    forced.succeeds().called("terraform apply");
    assert_eq!(forced.summary()["running_workflows"], 3);
}

#[test]
fn not_knowing_whether_workflows_run_is_no_leave() {
    for reply in [
        Reply::fail(69, "sealane: no server"),
        Reply::ok(""),
        Reply::ok("{}"),
        Reply::ok("status\n"),
        Reply::ok("null"),
    ] {
        let world = Estate::whole().world();
        world.answer("kubectl exec", reply);
        refused(&world, &[], "workflows-unknown");
        destroy(&world, &["--force"]).succeeds();
    }
}

#[test]
fn without_an_api_to_ask_it_refuses() {
    let world = Estate::whole().world();
    world.answer("kubectl get deployment sealane-api", Reply::ok(""));

    refused(&world, &[], "workflows-unknown");
}

#[test]
fn a_group_that_is_not_ours_is_left_alone_even_by_force() {
    for (part_of, auto_destroy, slug) in [
        ("none", "true", "group-not-ours"),
        ("shop", "true", "group-not-ours"),
        ("sealane", "none", "meant-to-stay"),
    ] {
        let estate = Estate::whole();
        estate.things().part_of = part_of;
        estate.things().auto_destroy = auto_destroy;
        refused(&estate.world(), &["--force"], slug);
    }
}

#[test]
fn an_environment_without_a_time_to_live_goes_only_by_permanent() {
    let estate = Estate::whole();
    estate.things().auto_destroy = "none";

    destroy(&estate.world(), &["--permanent"]).succeeds();
}

#[test]
fn a_group_of_another_environment_is_left_alone() {
    let world = Estate::whole().world();
    let id = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/sealane-demo");
    world.answer(
        "az group show",
        format!("{id}\nsealane\nprod\ntrue\n2099-01-01T00:00:00Z").as_str(),
    );

    refused(&world, &["--permanent", "--force"], "group-not-ours");
}

#[test]
fn another_tenant_or_subscription_is_refused() {
    let world = Estate::whole().world();
    world.answer(
        "az account show",
        format!("{SUBSCRIPTION}\n{OTHER}\nEnabled\nada").as_str(),
    );
    refused(&world, &[], "wrong-tenant");
    world.answer(
        "az account show",
        format!("{OTHER}\n{TENANT}\nEnabled\nada").as_str(),
    );
    refused(&world, &[], "wrong-subscription");
}

#[test]
fn a_state_of_another_environment_is_refused() {
    for (output, value) in [
        ("environment", "prod"),
        ("subscription_id", OTHER),
        ("tenant_id", OTHER),
    ] {
        let estate = Estate::whole();
        estate.things().outputs[output]["value"] = json!(value);
        let world = estate.world();
        refused(&world, &[], "outputs-mismatch");
        assert_eq!(
            world.read(".sealane/demo/outputs.json"),
            None,
            "what belongs to others is not kept"
        );
    }
}

#[test]
fn a_context_that_leads_elsewhere_is_refused() {
    let world = Estate::whole().world();
    world.answer(
        "kubectl config view",
        "prod https://sealane-demo-abc123.hcp.westeurope.azmk8s.io:443",
    );
    refused(&world, &[], "wrong-context");
    world.answer(
        "kubectl config view",
        "sealane-demo https://prod.hcp.westeurope.azmk8s.io:443",
    );
    refused(&world, &[], "wrong-cluster");

    let forced = destroy(&world, &["--force"]);
    forced
        .succeeds()
        .never("kubectl get")
        .never("kubectl delete")
        .says("the cluster cannot be asked");
}

#[test]
fn a_lock_stops_it_before_it_begins() {
    let world = Estate::whole().world();
    world.answer("az lock list", "keep-me\naudit");

    refused(&world, &["--force"], "locked");
}

#[test]
fn names_that_are_none_and_options_that_are_none_are_refused() {
    let world = Estate::whole().world();
    for args in [
        &[][..],
        &["../demo"],
        &["demo", "prod"],
        &["demo", "--everything"],
        &["nowhere"],
    ] {
        let outcome = world.run("destroy", args);
        assert_eq!(
            (outcome.code, outcome.calls.len()),
            (2, 0),
            "{args:?} {outcome}"
        );
    }
}

#[test]
fn a_variable_that_breaks_a_rule_is_found_before_anybody_is_asked() {
    let world = Estate::whole().world();
    world.write(
        "infra/environments/demo/terraform.tfvars",
        &variables("prod"),
    );

    destroy(&world, &[])
        .fails(2, "variables")
        .never("az account")
        .never("terraform init");
}
