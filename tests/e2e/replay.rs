//! Workflow code must keep replaying every recorded history.

use std::{collections::BTreeSet, fs, path::PathBuf};

use sealane_tests::histories::{SHAPES, Shape, files};
use sealane_workflows::{greeting::GreetingWorkflow, orders::OrderWorkflow};
use temporalio_client::WorkflowHistory;
use temporalio_sdk::workflow_replayer::{
    WorkflowReplayError, WorkflowReplayFailure, WorkflowReplayer, WorkflowReplayerOptions,
};

fn replayer() -> anyhow::Result<WorkflowReplayer> {
    let options = WorkflowReplayerOptions::new()
        .register_workflow::<GreetingWorkflow>()?
        .register_workflow::<OrderWorkflow>()?;
    Ok(WorkflowReplayer::new(options.build())?)
}

#[tokio::test]
async fn every_recorded_history_still_replays() -> anyhow::Result<()> {
    let replayer = replayer()?;

    let mut replayed = 0;
    for path in files()? {
        let history = WorkflowHistory::from_json(&fs::read(&path)?)?;
        let outcome = replayer.replay_workflow(history).await;
        assert!(outcome.is_ok(), "{}: {outcome:?}", path.display());
        replayed += 1;
    }

    assert!(replayed > 0, "no history was found");
    Ok(())
}

#[test]
fn every_shape_has_a_history_and_every_history_a_shape() -> anyhow::Result<()> {
    let shapes: BTreeSet<PathBuf> = SHAPES.iter().map(Shape::file).collect();

    let histories: BTreeSet<PathBuf> = files()?.into_iter().collect();

    assert_eq!(shapes, histories);
    Ok(())
}

#[tokio::test]
async fn a_history_that_no_longer_fits_the_code_is_reported() -> anyhow::Result<()> {
    for (file, from, to) in [
        ("greeting", "\"greet\"", "\"welcome\""),
        ("order-shipped", "\"charge_card\"", "\"charge_account\""),
    ] {
        let shape = SHAPES.iter().find(|shape| shape.name == file);
        let recorded = fs::read_to_string(shape.expect("a shape").file())?;
        let tampered = recorded.replace(from, to);
        assert_ne!(tampered, recorded, "{from} is not in {file}");

        let history = WorkflowHistory::from_json(tampered.as_bytes())?;
        let outcome = replayer()?.replay_workflow(history).await;

        assert!(
            matches!(
                outcome,
                Err(WorkflowReplayError::Replay(
                    WorkflowReplayFailure::Nondeterminism { .. }
                ))
            ),
            "{file}: {outcome:?}"
        );
    }
    Ok(())
}
