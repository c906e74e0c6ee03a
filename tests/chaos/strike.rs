//! Lets go wrong what the plan says.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::{Context, bail, ensure};
use sealane_dev::gateway::{Knobs, Throttle};
use sealane_service::exit;
use sealane_tests::azure::{self, Fault as VaultFault, RetryAfter, Side};
use tokio::{
    sync::Mutex,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    clock,
    keeper::Asked,
    line::Condition,
    plan::{Fault, Outage, Plan, Target, Trouble},
    stage::{Stage, Worker},
    trade::Trade,
};

/// What `Retry-After` says, in seconds.
const RETRY_AFTER: u64 = 1;

/// How long `sealane keys rotate` may take: many times what it waits for a vault.
const ROTATES_WITHIN: Duration = Duration::from_secs(60);

/// How long the next fault of the gateway waits for the requests of this one, should they come no more.
const COME_WITHIN: Duration = Duration::from_secs(15);

/// How far a clock may be from what it was set to, on a loaded machine, in seconds.
const CLOCK_TOLERANCE: i64 = 5;

/// Strikes as planned, each when so many orders were placed, and returns when the last fault is over. Two faults of one
/// target take turns, so that neither ends the other early.
///
/// Returns which faults could not be brought about or undone, which is a mistake in here or in a program of ours.
pub(crate) async fn strike(stage: &Arc<Stage>, plan: &Plan, trade: &Trade) -> Vec<String> {
    let mut faults = JoinSet::new();
    let mut turns: HashMap<Target, Arc<Mutex<()>>> = HashMap::new();
    for strike in &plan.strikes {
        if !trade.placed_more_than(strike.after).await {
            break;
        }
        let (stage, fault) = (Arc::clone(stage), strike.fault.clone());
        let turn = Arc::clone(turns.entry(fault.target()).or_default());
        faults.spawn(async move {
            let _turn = turn.lock().await;
            stage.journal.note(fault.to_string());
            let outcome = bring_about(&stage, &fault).await;
            stage.journal.note(format!("over: {fault}"));
            outcome.with_context(|| fault.to_string())
        });
    }
    let mut failed = Vec::new();
    while let Some(ended) = faults.join_next().await {
        let outcome = ended.context("it panicked").and_then(|it| it);
        failed.extend(outcome.err().map(|error| format!("fault: {error:#}")));
    }
    failed
}

async fn bring_about(stage: &Stage, fault: &Fault) -> anyhow::Result<()> {
    match *fault {
        Fault::KillWorker { worker, back_after } => {
            let keeper = &stage.worker(worker).keeper;
            keeper.end(Asked::ToDie, back_after).await;
        }
        Fault::StopWorker { worker } => {
            let keeper = &stage.worker(worker).keeper;
            keeper.end(Asked::ToStop, Duration::ZERO).await;
        }
        Fault::LimitMemory { worker } => {
            let keeper = &stage.worker(worker).keeper;
            keeper.end(Asked::NotToGrow, Duration::ZERO).await;
        }
        Fault::KillServer { back_after } => stage.server.kill(sleep(back_after)).await?,
        Fault::SetClock {
            worker,
            seconds,
            lasting,
        } => {
            put_clock_off(stage, worker, seconds, lasting).await?;
        }
        Fault::CutLine { .. } | Fault::HoldLine { .. } | Fault::SlowLine { .. } => {
            disturb_line(stage, fault).await;
        }
        Fault::RefuseRequests { .. } | Fault::LoseAnswers { .. } | Fault::CloseGateway { .. } => {
            disturb_gateway(stage, fault).await?;
        }
        _ => disturb_keys(stage, fault).await?,
    }
    Ok(())
}

async fn put_clock_off(
    stage: &Stage,
    worker: usize,
    seconds: i64,
    lasting: Duration,
) -> anyhow::Result<()> {
    let Worker { keeper, clock, .. } = stage.worker(worker);
    clock.set_ahead(seconds)?;
    sleep(lasting).await;
    // It may be down at the moment.
    let ahead = match keeper.serves() {
        Some(url) => clock::ahead_of_ours(&url).await,
        None => Ok(None),
    };
    clock.set_ahead(0)?;
    // A server tells the latest time that it has seen, so only a clock that is ahead shows.
    if let Some(ahead) = ahead? {
        let shows = ahead + CLOCK_TOLERANCE >= seconds;
        ensure!(shows, "worker {worker} is {ahead} s ahead");
    }
    Ok(())
}

async fn disturb_line(stage: &Stage, fault: &Fault) {
    let (worker, condition, lasting) = match *fault {
        Fault::CutLine { worker, lasting } => (worker, Condition::Cut, lasting),
        Fault::HoldLine { worker, lasting } => (worker, Condition::Held, lasting),
        Fault::SlowLine {
            worker,
            delay,
            lasting,
        } => (worker, Condition::Slow(delay), lasting),
        _ => return,
    };
    let line = &stage.worker(worker).line;
    line.be(condition);
    sleep(lasting).await;
    line.be(Condition::Good);
}

async fn disturb_gateway(stage: &Stage, fault: &Fault) -> anyhow::Result<()> {
    match *fault {
        Fault::RefuseRequests { trouble, requests } | Fault::LoseAnswers { trouble, requests } => {
            stage.gateway.turn(|knobs| turn(knobs, trouble, requests));
            let all_came = stage.gateway.wait_until(|state| is_over(state.knobs()));
            timeout(COME_WITHIN, all_came).await.ok();
        }
        Fault::CloseGateway { lasting } => {
            stage.gateway.take_down().await;
            sleep(lasting).await;
            stage.gateway.bring_up().await?;
        }
        _ => {}
    }
    Ok(())
}

fn turn(knobs: &mut Knobs, trouble: Trouble, requests: u32) {
    let throttle = |status| {
        Some(Throttle {
            next: requests,
            retry_after_seconds: RETRY_AFTER,
            status,
        })
    };
    match trouble {
        Trouble::Fails => knobs.fail_next += requests,
        Trouble::IsLost => knobs.lose_next += requests,
        Trouble::IsGarbled => knobs.garble_next += requests,
        Trouble::IsThrottled => knobs.throttle = throttle(429),
        Trouble::IsShed => knobs.throttle = throttle(503),
    }
}

/// Whether all requests that were to go wrong have.
fn is_over(knobs: &Knobs) -> bool {
    let throttled = knobs.throttle.as_ref().map_or(0, |it| it.next);
    throttled + knobs.fail_next + knobs.lose_next + knobs.garble_next == 0
}

async fn disturb_keys(stage: &Stage, fault: &Fault) -> anyhow::Result<()> {
    match *fault {
        Fault::RotateKey { by_command: true } => rotate_by_command(stage).await?,
        Fault::RotateKey { by_command: false } => {
            stage.rotate_key();
        }
        Fault::LoseVault { outage, lasting } => {
            stage.fake().outage(Side::Vault, outage_of(outage));
            sleep(lasting).await;
            stage.fake().restore(Side::Vault);
        }
        Fault::RefuseByVault { status, lasting } => {
            let trouble = match status {
                429 => azure::Trouble::Throttled(RetryAfter::Seconds(RETRY_AFTER)),
                status => azure::Trouble::Status(status),
            };
            stage.fake().inject(VaultFault::of_vault(trouble));
            sleep(lasting).await;
            stage.fake().clear();
        }
        Fault::FillDisk {
            kept_percent,
            lasting,
        } => {
            stage.key_file.fill_disk(kept_percent)?;
            sleep(lasting).await;
            stage.key_file.free_disk(stage.fake()).await?;
        }
        _ => {}
    }
    Ok(())
}

/// Somebody else makes the key if the command cannot, because the vault does not answer it either. There is no other
/// reason for it to fail.
async fn rotate_by_command(stage: &Stage) -> anyhow::Result<()> {
    let mut rotation = stage.start_rotation()?;
    // Dropping it kills it.
    let status = timeout(ROTATES_WITHIN, rotation.exits()).await;
    let status = status.context("it does not end")??;
    let said = rotation.ends().await?.said;
    match status.code() {
        Some(0) => {}
        Some(code) if code == i32::from(exit::UNAVAILABLE) => {
            stage.journal.note(format!("it could not: {said:?}"));
            stage.rotate_key();
        }
        _ => bail!("{status}, {said:?}"),
    }
    Ok(())
}

fn outage_of(outage: Outage) -> azure::Outage {
    match outage {
        Outage::Refused => azure::Outage::Refused,
        Outage::Reset => azure::Outage::Reset,
        Outage::Silent => azure::Outage::Silent,
    }
}
