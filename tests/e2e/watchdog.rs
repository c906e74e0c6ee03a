//! A workflow that blocks its thread, which the SDK does not notice.

use std::{
    net::TcpListener,
    sync::{Condvar, Mutex, PoisonError},
};

use anyhow::bail;
use sealane_tests::{
    TestWorker, World,
    orders::patiently,
    process::{Probe, Process, probe},
};
use sealane_worker::{RegistrationError, Settings, WorkerOptions};
use temporalio_client::{UntypedWorkflow, WorkflowGetResultOptions, WorkflowStartOptions};
use temporalio_common::data_converters::RawValue;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{WorkflowContext, WorkflowResult};

/// How many free ports are tried.
const PORTS: usize = 5;

static RELEASED: Mutex<bool> = Mutex::new(false);
static RELEASE: Condvar = Condvar::new();

fn release() {
    *RELEASED.lock().unwrap_or_else(PoisonError::into_inner) = true;
    RELEASE.notify_all();
}

#[workflow]
#[derive(Default)]
pub(crate) struct BlockingWorkflow;

#[workflow_methods]
impl BlockingWorkflow {
    /// Does what a workflow must never do.
    #[run(name = "BlockingWorkflow")]
    pub(crate) async fn run(_ctx: &mut WorkflowContext<Self>) -> WorkflowResult<()> {
        let released = RELEASED.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = RELEASE.wait_while(released, |released| !*released);
        drop(waited);
        Ok(())
    }
}

fn register(worker: &mut WorkerOptions, _: &Settings) -> Result<(), RegistrationError> {
    worker.register_workflow::<BlockingWorkflow>()?;
    Ok(())
}

/// Neither the drain nor anything else of the runtime that runs workflows gets a turn any more.
#[tokio::test]
async fn a_worker_that_is_blocked_ends_all_the_same_when_it_is_asked_to() -> anyhow::Result<()> {
    let mut world = World::new().await;
    world.set("SEALANE_DRAIN_TIMEOUT", "1s");
    let program = env!("CARGO_BIN_EXE_blocked-worker");
    let worker = Process::start(program, &[], world.variables())?;
    worker.says("polling for tasks").await?;
    let options = WorkflowStartOptions::new(world.task_queue(), world.id("blocked")).build();
    let blocked = UntypedWorkflow::new("BlockedWorkflow");
    let input = RawValue::new(Vec::new());
    let client = world.client().await;
    client.start_workflow(blocked, input, options).await?;
    worker.says("blocked for good").await?;

    worker.signal("TERM").await?;
    let ended = worker.ends().await?;

    assert_eq!(ended.code, Some(70), "{:#?}", ended.said);
    let last = ended.said.last().map(String::as_str).unwrap_or_default();
    assert!(last.contains("the drain hangs"), "{last}");
    Ok(())
}

/// Asks until the answer has `status`.
async fn livez(url: &str, status: u16) -> Probe {
    let asking = async {
        loop {
            match probe(url).await {
                Ok(answer) if answer.status == status => return answer,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    patiently(&format!("{status} at {url}"), asking).await
}

/// Starts a worker, and returns where it answers. Somebody else may take a free port before it does: then it ends, and
/// is started elsewhere.
async fn start(world: &mut World) -> anyhow::Result<(TestWorker, String)> {
    for _ in 0..PORTS {
        let free = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        world.set("SEALANE_HTTP_ADDR", free.to_string());
        let mut worker = TestWorker::start(world.settings(), register);
        let url = format!("http://{free}/livez");
        tokio::select! {
            ended = worker.ended() => eprintln!("the worker at {free} ended: {ended:?}"),
            _ = livez(&url, 200) => return Ok((worker, url)),
        }
    }
    bail!("{PORTS} ports that were free are taken")
}

#[tokio::test]
async fn a_blocked_workflow_thread_fails_livez_until_it_goes_on() -> anyhow::Result<()> {
    let mut world = World::new().await;
    world.set("SEALANE_WATCHDOG", "1s");
    let (worker, url) = start(&mut world).await?;
    let options = WorkflowStartOptions::new(world.task_queue(), world.id("blocking")).build();
    let client = world.client().await;

    let handle = client
        .start_workflow(BlockingWorkflow::run, (), options)
        .await?;
    let dead = livez(&url, 503).await;
    release();
    livez(&url, 200).await;

    assert!(dead.body.contains("SEALANE_WATCHDOG is 1 s"), "{dead:?}");
    let result = handle.get_result(WorkflowGetResultOptions::default());
    patiently("the workflow", result).await?;
    worker.stop().await?;
    Ok(())
}
