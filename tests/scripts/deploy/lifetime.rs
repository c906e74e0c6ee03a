//! Environments whose time is over, and what somebody else's surroundings must not change.

use serde_json::json;

use super::stage::Stage;

#[test]
fn an_environment_whose_group_was_reaped_has_to_be_taken_away_first() {
    let world = Stage::deployed().world();
    world.answer("az group exists", "false");
    world
        .run("deploy", &["demo", "--yes"])
        .fails(4, "group-gone")
        .says("infra/scripts/destroy demo")
        .never("az keyvault")
        .never("terraform plan");
}

#[test]
fn an_environment_whose_time_is_over_is_not_deployed() {
    let past = "2026-01-02T03:04:05Z";
    let stage = Stage::deployed();
    stage.things().outputs["expires_at"]["value"] = json!(past);
    stage
        .deploys(&[])
        .fails(4, "expired")
        .says("raise ttl_hours")
        .never("kubectl diff");

    let stage = Stage::empty();
    stage.things().plan["planned_values"]["outputs"]["expires_at"]["value"] = json!(past);
    stage
        .deploys(&[])
        .fails(4, "expired")
        .never("terraform apply");

    let stage = Stage::deployed();
    stage.things().outputs["expires_at"]["value"] = json!(null);
    stage.deploys(&[]).succeeds();
}

#[test]
fn what_somebody_set_for_their_own_work_reaches_no_program() {
    let foreign = [
        "TF_WORKSPACE",
        "TF_LOG",
        "TF_LOG_PATH",
        "TF_CLI_ARGS_plan",
        "TF_VAR_location",
    ];
    let mut world = Stage::deployed().world();
    for name in foreign {
        world.env(name, "x");
    }
    world.env("KUBERC", "on").env("KUBECTL_KUBERC", "true");

    let outcome = world.run("deploy", &["demo", "--yes"]);

    for call in &outcome.succeeds().calls {
        for name in foreign {
            assert!(!call.env.contains_key(name), "{name} in {}", call.line());
        }
        assert_eq!(
            (&*call.env["KUBERC"], &*call.env["KUBECTL_KUBERC"]),
            ("off", "false")
        );
    }
}
