//! Starting workflows, and looking at them.

use std::fs;

use sealane_tests::World;
use serde_json::json;

use crate::{desk::Desk, terminal::Terminal};

const RESULT: &str = "Final result: Processed: Hello, Ada!";

#[tokio::test]
async fn a_started_workflow_is_described_and_its_result_is_decrypted() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.world.id("described");
    let start = format!(
        "workflow start --type GreetingWorkflow --workflow-id {id} --input '\"Ada\"' \
         --memo 'ticket={{\"number\": 7}}' --static-summary 'greets Ada' --static-details 'two\nlines' \
         --output json"
    );

    let started = desk.terminal.run(&start).await.succeeds().json();
    let result = format!("workflow result -w {id}");
    let result = desk.terminal.run(&result).await.succeeds();
    let describe = format!("workflow describe -w {id} -o json");
    let described = desk.terminal.run(&describe).await.succeeds().json();

    assert_eq!(started["workflowId"], json!(id));
    assert_eq!(started["started"], json!(true));
    assert!(result.shows("result", RESULT), "{result}");
    assert_eq!(described["runId"], started["runId"]);
    assert_eq!(described["type"], "GreetingWorkflow");
    assert_eq!(described["status"], "COMPLETED");
    assert_eq!(described["taskQueue"], desk.world.task_queue());
    assert_eq!(described["memo"], json!({"ticket": {"number": 7}}));
    assert_eq!(described["summary"], "greets Ada");
    assert_eq!(described["details"], "two\nlines");
    Ok(())
}

#[tokio::test]
async fn a_document_is_the_same_inline_in_a_file_and_on_standard_input() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    fs::write(desk.world.folder().join("name.json"), "\n  \"Ada\"\n")?;

    for (given, stdin) in [("\"Ada\"", ""), ("@name.json", ""), ("-", "\"Ada\"\n")] {
        let line = format!("workflow run --type GreetingWorkflow --input {given}");
        let finished = desk.terminal.run_fed(&line, stdin).await.succeeds();

        assert!(finished.shows("result", RESULT), "{finished}");
        assert!(finished.shows("status", "COMPLETED"), "{finished}");
        assert!(finished.stderr.contains(" started, run "), "{finished}");
    }
    Ok(())
}

#[tokio::test]
async fn several_inputs_are_several_arguments_in_their_order() -> anyhow::Result<()> {
    let world = World::new().await;
    let terminal = Terminal::of(&world);
    let id = world.id("several");
    fs::write(world.folder().join("third.json"), "[3]")?;

    let start = format!("workflow start --type Several -w {id} -i \"one\" -i - -i @third.json");
    let started = terminal.run_fed(&start, r#"{"two": 2.5}"#).await;
    started.succeeds();
    let history = format!("workflow history -w {id}");
    let history = terminal.run(&history).await.succeeds();

    let arguments = r#"Several "one" {"two":2.5} [3]"#;
    assert!(history.stdout.contains(arguments), "{history}");
    Ok(())
}

#[tokio::test]
async fn a_list_shows_the_workflows_that_match() {
    let world = World::new().await;
    let terminal = Terminal::of(&world);
    let (id, other) = (world.id("listed"), world.id("other"));
    for id in [&id, &other] {
        let start = format!("workflow start --type Idle -w {id}");
        terminal.run(&start).await.succeeds();
    }

    let list = format!("workflow list --query WorkflowId=\"{id}\"");
    // Lists lag behind.
    let table = terminal.until(&list, |it| it.stdout.contains(&id)).await;
    let rows = terminal.run(&format!("{list} -o json")).await;

    let table = table.succeeds();
    assert!(table.stdout.starts_with("status "), "{table}");
    assert_eq!(table.stdout.lines().count(), 2, "{table}");
    let rows = rows.succeeds().json();
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
    assert_eq!(rows[0]["workflowId"], json!(id));
    assert_eq!(rows[0]["status"], "RUNNING");
    assert_eq!(rows[0]["taskQueue"], world.task_queue());
}

#[tokio::test]
async fn a_list_that_is_cut_short_says_so() {
    let world = World::new().await;
    let terminal = Terminal::of(&world);
    for _ in 0..2 {
        terminal.run("workflow start --type Idle").await.succeeds();
    }

    let queue = world.task_queue();
    let list = format!("workflow list -q TaskQueue=\"{queue}\" --limit 1");
    let cut = terminal.until(&list, |it| !it.stderr.is_empty()).await;

    let cut = cut.succeeds();
    assert!(cut.stderr.contains("there are more"), "{cut}");
    assert_eq!(cut.stdout.lines().count(), 2, "{cut}");
}

#[tokio::test]
async fn a_terminated_workflow_is_reported_with_the_reason() {
    let world = World::new().await;
    let terminal = Terminal::of(&world);
    let id = world.id("terminated");
    let start = format!("workflow start --type Idle -w {id}");
    terminal.run(&start).await.succeeds();

    let terminate = format!("workflow terminate -w {id} --reason 'wrong input'");
    let requested = terminal.run(&terminate).await.succeeds();
    let result = terminal.run(&format!("workflow result -w {id}")).await;

    assert!(requested.shows("requested", "terminate"), "{requested}");
    let expected = format!("workflow {id:?} was terminated: wrong input");
    assert_eq!(result.fails(1), expected);
}

#[tokio::test]
async fn a_taken_id_starts_nothing_unless_the_running_workflow_will_do() {
    let world = World::new().await;
    let terminal = Terminal::of(&world);
    let id = world.id("taken");
    let start = format!("workflow start --type Idle -w {id} -o json");
    let first = terminal.run(&start).await.succeeds().json();

    let refused = terminal.run(&start).await;
    let accepted = format!("{start} --id-conflict-policy use-existing");
    let accepted = terminal.run(&accepted).await.succeeds().json();

    let line = refused.fails(1);
    assert!(line.contains(&id), "{line}");
    assert!(line.contains("--id-conflict-policy"), "{line}");
    assert_eq!(accepted["started"], json!(false));
    assert_eq!(accepted["runId"], first["runId"]);
}
