//! The image and the manifests together: what the overlay `local` says, running.

use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{
    built::{REVISION, built},
    sandbox::say,
    stage::{Stage, WORKLOADS},
};

/// Found nowhere by chance.
const SECRET: &str = "canary-3b9e51c07fd2";

/// What a worker logs when its polls are answered.
const POLLING: &str = "polling for tasks";

/// One test, since starting all this takes longer than all that is asked.
#[tokio::test]
async fn the_overlay_local_works_encrypted_and_drains() -> anyhow::Result<()> {
    let Some(built) = built("the_overlay_local_works_encrypted_and_drains").await? else {
        return Ok(());
    };
    let mut stage = Stage::open(built).await?;
    for workload in WORKLOADS {
        stage.answers(workload, "/livez").await?;
        stage.answers(workload, "/readyz").await?;
        assert_locked_up(&stage, workload)?;
    }
    let refused = reqwest::get(stage.url("api", "/sync?name=nobody")?).await?;
    assert_eq!(refused.status(), 401, "a stranger is not answered");
    assert!(greeting(&stage).await?.contains(SECRET));

    for round in 1..=2 {
        let elapsed = restarted(&stage).await?;
        say(&format!(
            "image: container start to first poll, round {round}: {} ms",
            elapsed.as_millis()
        ));
    }
    assert!(
        greeting(&stage).await?.contains(SECRET),
        "after two restarts"
    );

    assert!(
        stage.answers("api", "/ping").await?.contains(REVISION),
        "the API knows its commit"
    );

    for workload in ["trigger", "api", "codec-server", "worker"] {
        assert_eq!(
            stage.stop(workload)?,
            "0",
            "{workload}: {}",
            stage.log(workload)?
        );
    }
    assert!(
        stage
            .log("worker")?
            .lines()
            .last()
            .is_some_and(|it| it.contains("drained"))
    );
    assert_encrypted(&stage.database()?)
}

/// Starts a workflow through the API, and returns its result.
async fn greeting(stage: &Stage) -> anyhow::Result<String> {
    let answer = stage
        .request(&format!("/sync?name={SECRET}"))?
        .send()
        .await?;
    let (status, text) = (answer.status(), answer.text().await?);
    ensure!(status == 200, "{status}: {text}; {}", stage.log("worker")?);
    Ok(text)
}

/// Checks user, rights and root with the kernel, whatever manifest and podman say.
fn assert_locked_up(stage: &Stage, workload: &str) -> anyhow::Result<()> {
    let status = stage.status(workload)?;
    let field = |name: &str| {
        let line = status.lines().find_map(|it| it.strip_prefix(name));
        line.map(|it| it.split_whitespace().collect::<Vec<_>>().join(" "))
            .with_context(|| format!("{workload}: {name}"))
    };
    assert_eq!(field("Uid:")?, "65532 65532 65532 65532", "{workload}");
    assert_eq!(field("Gid:")?, "65532 65532 65532 65532", "{workload}");
    assert_eq!(field("CapEff:")?, "0000000000000000", "{workload}");
    assert_eq!(field("NoNewPrivs:")?, "1", "{workload}");
    let root = status.lines().find(|it| it.split(' ').nth(1) == Some("/"));
    let options = root
        .and_then(|it| it.split(' ').nth(3))
        .context("no root is mounted")?;
    assert!(
        options.split(',').any(|it| it == "ro"),
        "{workload}: {options}"
    );
    Ok(())
}

/// Stops the worker and starts it again, and returns how long it took from then to its first answered poll.
async fn restarted(stage: &Stage) -> anyhow::Result<Duration> {
    assert_eq!(stage.stop("worker")?, "0");
    let polled = |log: &str| log.lines().filter(|it| it.contains(POLLING)).count();
    let before = polled(&stage.log("worker")?);
    let begun = SystemTime::now();
    stage.podman(&["start", &stage.container("worker")?])?;
    stage.answers("worker", "/readyz").await?;
    let log = stage.log("worker")?;
    assert_eq!(polled(&log), before + 1, "{log}");
    let line = log
        .lines()
        .rfind(|it| it.contains(POLLING))
        .context("just counted")?;
    let line: Value = serde_json::from_str(line)?;
    let time = line["timestamp"].as_str().context("no timestamp")?;
    Ok(humantime::parse_rfc3339_weak(time)?.duration_since(begun)?)
}

fn assert_encrypted(database: &[u8]) -> anyhow::Result<()> {
    let holds = |text: &str| database.windows(text.len()).any(|it| it == text.as_bytes());
    ensure!(
        holds("GreetingWorkflow") && holds("binary/encrypted"),
        "the search is blind"
    );
    ensure!(!holds(SECRET), "plaintext is in the database");
    Ok(())
}
