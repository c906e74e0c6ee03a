//! Bad input with a server that works: one clear line, the documented exit code, nothing half-done.

use sealane_tests::World;

use crate::{desk::Desk, terminal::Terminal};

/// A port that nobody serves any more: that of the discard protocol.
const NOBODY: &str = "127.0.0.1:9";

#[tokio::test]
async fn an_id_that_does_not_exist_is_named_with_where_it_was_looked_for() {
    let world = World::new().await;
    let terminal = Terminal::of(&world);

    for command in [
        "describe",
        "result",
        "history",
        "cancel",
        "terminate",
        "signal --name cancel",
        "query --name status",
        "update --name change_address",
    ] {
        let line = format!("workflow {command} -w nowhere");
        let finished = terminal.run(&line).await;

        assert_eq!(
            finished.fails(1),
            "no workflow with id \"nowhere\" in namespace \"default\"; \
             `sealane workflow list` shows those there are",
        );
        assert_eq!(finished.stdout, "", "{finished}");
    }
}

#[tokio::test]
async fn a_namespace_that_does_not_exist_is_a_bad_setting() {
    let world = World::new().await;
    let terminal = Terminal::of(&world).with("TEMPORAL_NAMESPACE", "payments");

    for line in [
        "workflow start --type Idle",
        "workflow run --type Idle",
        "workflow describe -w w",
        "workflow result -w w",
        "workflow history -w w",
        "workflow signal -w w --name n",
        "workflow query -w w --name n",
        "workflow update -w w --name n",
        "workflow terminate -w w",
        "workflow list",
        "schedule list",
        "schedule create -s s --type T --interval 20h",
        "schedule describe -s s",
        "schedule delete -s s",
        "config check --connect",
    ] {
        let finished = terminal.run(line).await;

        assert_eq!(
            finished.fails(78),
            "the server has no namespace \"payments\"; check TEMPORAL_NAMESPACE",
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let world = World::new().await;
    let terminal = Terminal::of(&world).with("TEMPORAL_ADDRESS", NOBODY);

    for line in [
        "workflow run --type Idle",
        "workflow signal -w w --name n",
        "schedule list",
        "schedule pause -s s",
        "config check --connect",
    ] {
        let finished = terminal.run(line).await;

        let told = finished.fails(69);
        assert!(told.contains(NOBODY), "{finished}");
        assert!(told.contains("TEMPORAL_ADDRESS"), "{finished}");
    }
}

#[tokio::test]
async fn a_trigger_that_can_never_start_anything_ends_at_once() {
    let world = World::new().await;
    let terminal = Terminal::of(&world);

    for (variable, value, code) in [
        ("TEMPORAL_NAMESPACE", "payments", 78),
        ("TEMPORAL_ADDRESS", NOBODY, 69),
    ] {
        let terminal = terminal.clone().with(variable, value);
        let finished = terminal.run("trigger Idle --every 1s").await;

        assert_eq!(finished.code, code, "{finished}");
        // What comes before is the log.
        let last = finished.stderr.lines().next_back().unwrap_or_default();
        assert!(last.starts_with("sealane: "), "{finished}");
        assert!(last.contains(variable), "{finished}");
    }
}

#[tokio::test]
async fn without_a_key_nothing_is_sent() {
    let world = World::new().await;
    let terminal = Terminal::of(&world).without("SEALANE_KEY_FILE");

    for line in [
        "workflow start --type Idle",
        "schedule list",
        "config check",
        "trigger Idle --every 1s",
    ] {
        let finished = terminal.run(line).await;

        assert!(
            finished.fails(78).contains("SEALANE_KEY_FILE"),
            "{finished}"
        );
    }
}

#[tokio::test]
async fn malformed_json_starts_nothing() {
    let world = World::new().await;
    let terminal = Terminal::of(&world);
    let id = world.id("malformed");

    let start = format!("workflow start --type Idle -w {id} -i '{{\"a\":'");
    let refused = terminal.run(&start).await;
    let described = terminal.run(&format!("workflow describe -w {id}")).await;

    let line = refused.fails(64);
    assert!(line.starts_with("--input is not JSON"), "{line}");
    assert!(described.fails(1).contains(&id), "{described}");
}

#[tokio::test]
async fn what_the_server_does_not_understand_is_a_bad_argument() {
    let world = World::new().await;
    let terminal = Terminal::of(&world);

    for (line, named) in [
        ("workflow list --query Colour=1", "Colour"),
        ("schedule list --query Colour=1", "Colour"),
        (
            "workflow start --type Idle --search-attribute Colour=1",
            "Colour",
        ),
        ("schedule create -s s --type T --cron soon", "soon"),
        ("schedule create -s s --type T --cron '61 * * * *'", "61"),
    ] {
        let finished = terminal.run(line).await;

        assert!(finished.fails(64).contains(named), "{finished}");
    }
}

#[tokio::test]
async fn a_query_or_update_that_the_workflow_does_not_know_is_named() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.start_order_that_is_shipping().await?;

    for verb in ["query", "update"] {
        let line = format!("workflow {verb} -w {id} --name colour");
        let finished = desk.terminal.run(&line).await;

        let told = format!("{verb} \"colour\" failed: ");
        assert!(finished.fails(1).starts_with(&told), "{finished}");
    }
    Ok(())
}

#[tokio::test]
async fn a_workflow_that_has_ended_can_be_told_nothing() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.greet("Ada").await;

    for command in ["terminate", "signal --name cancel", "update --name hurry"] {
        let line = format!("workflow {command} -w {id}");
        let finished = desk.terminal.run(&line).await;

        assert_eq!(
            finished.fails(1),
            format!("workflow {id:?} has already ended; `sealane workflow result` shows how"),
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_schedule_is_neither_updated_before_nor_created_after_it_exists() {
    let world = World::new().await;
    let terminal = Terminal::of(&world);
    let id = world.id("schedule");
    let create = format!("schedule create -s {id} --type T --interval 20h --paused");

    let update = format!("schedule update -s {id} --note n");
    let missing = terminal.run(&update).await;
    terminal.run(&create).await.succeeds();
    let taken = terminal.run(&create).await;

    let expected = format!("schedule {id:?} does not exist");
    assert!(missing.fails(1).starts_with(&expected), "{missing}");
    let expected = format!("schedule {id:?} exists already");
    assert!(taken.fails(1).starts_with(&expected), "{taken}");
}
