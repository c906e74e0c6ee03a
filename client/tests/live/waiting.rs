//! Waiting in vain, without being left in the dark.

use sealane_tests::World;

use crate::{desk::Desk, terminal::Terminal};

#[tokio::test]
async fn a_workflow_type_that_no_worker_knows_is_hinted_at() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.world.id("unknown");
    // From here on there is a worker, for all that the server knows.
    desk.greet("Ada").await;

    // The first hint comes after four seconds.
    let line = format!("workflow run --type NobodyKnows -w {id} --timeout 7s");
    let finished = desk.terminal.run(&line).await;

    let [started, hint, last] = finished.lines_of_failure(75)[..] else {
        panic!("not three lines: {finished}");
    };
    assert!(started.contains(" started, run "), "{started}");
    let waiting = format!("still waiting for {id:?}: the worker fails its workflow task");
    assert!(hint.starts_with(&waiting), "{hint}");
    assert!(hint.contains("NobodyKnows"), "{hint}");
    assert_eq!(
        last,
        format!(
            "stopped waiting after 7s, workflow {id:?} goes on; \
             `sealane workflow result -w {id}` waits again"
        )
    );
    Ok(())
}

#[tokio::test]
async fn a_task_queue_without_a_worker_is_hinted_at_until_the_user_gives_up() -> anyhow::Result<()>
{
    let world = World::new().await;

    let run = Terminal::of(&world).start("workflow run --type Idle")?;
    let queue = format!("no worker polls task queue {:?}", world.task_queue());
    run.says(&queue).await?;
    run.signal("INT").await?;
    let ended = run.ends().await?;

    assert_eq!(ended.code, Some(130), "{:?}", ended.said);
    let last = ended.said.last().map(String::as_str).unwrap_or_default();
    assert!(last.starts_with("sealane: stopped waiting"), "{last}");
    Ok(())
}

#[tokio::test]
async fn a_query_without_a_worker_is_given_up() {
    let world = World::new().await;
    let terminal = Terminal::of(&world);
    let id = world.id("unanswered");
    let start = format!("workflow start --type Idle -w {id}");
    terminal.run(&start).await.succeeds();

    let query = format!("workflow query -w {id} --name status");
    let finished = terminal.run(&query).await;

    let lines = finished.lines_of_failure(75);
    let last = lines.last().copied().unwrap_or_default();
    assert!(last.starts_with("no worker answered"), "{finished}");
}
