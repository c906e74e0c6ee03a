//! What Kubernetes does for a worker: starts it again whenever it ends, and remembers how it did.

mod ending;

use std::{
    collections::BTreeMap, os::unix::process::ExitStatusExt, path::PathBuf, sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use sealane_tests::process::{Process, memory};
use serde_json::Value;
use tokio::{
    sync::{Mutex, mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};

pub(crate) use ending::{Asked, Ending};

use crate::journal::Journal;

/// How long a worker that ended by itself waits for its next start.
const BACK_OFF: Duration = Duration::from_millis(500);

/// How long a worker that may not grow gets to notice.
const LIMITED_FOR: Duration = Duration::from_secs(4);

/// What a worker may still grow after it was limited, in bytes: about one request.
const ROOM: u64 = 64 * 1024;

/// How long a worker may take to end: many times what it was told to drain for. Then it is killed, which is wrong.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// How long a new worker may take to poll before somebody has to look.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// What a worker is started with.
pub(crate) struct Recipe {
    /// Its number.
    pub(crate) number: usize,
    /// The executable.
    pub(crate) program: PathBuf,
    /// Its environment, whole.
    pub(crate) variables: BTreeMap<String, String>,
    /// Whether what it needs for a start is broken at the moment.
    pub(crate) start_may_fail: Box<dyn Fn() -> bool + Send + Sync>,
}

/// Keeps one worker running.
pub(crate) struct Keeper {
    demands: mpsc::Sender<Demand>,
    serving: watch::Receiver<Option<String>>,
    pid: watch::Receiver<Option<u32>>,
    keeping: Mutex<Option<JoinHandle<anyhow::Result<Vec<Ending>>>>>,
}

struct Demand {
    asked: Asked,
    back_after: Duration,
    /// Whether there is a next worker.
    last: bool,
    /// Dropped once the worker has ended.
    _done: oneshot::Sender<()>,
}

impl Keeper {
    /// Starts the worker.
    pub(crate) fn start(recipe: Recipe, journal: Arc<Journal>) -> Self {
        let (demands, demanded) = mpsc::channel(8);
        let (serves, serving) = watch::channel(None);
        let (runs_as, pid) = watch::channel(None);
        let keeping = Keeping {
            recipe,
            journal,
            demanded,
            serves,
            runs_as,
            endings: Vec::new(),
        };
        Self {
            demands,
            serving,
            pid,
            keeping: Mutex::new(Some(tokio::spawn(keeping.keep()))),
        }
    }

    /// Ends the worker as asked, and waits until it has ended. The next one starts `back_after` that.
    pub(crate) async fn end(&self, asked: Asked, back_after: Duration) {
        self.demand(asked, back_after, false).await;
    }

    /// Waits until the worker polls, and returns the address of its probes.
    ///
    /// # Errors
    ///
    /// If it does not get there.
    pub(crate) async fn ready(&self) -> anyhow::Result<String> {
        let mut serving = self.serving.clone();
        let ready = timeout(READY_WITHIN, serving.wait_for(Option::is_some)).await;
        let url = ready.context("a worker does not come to poll")??;
        url.clone().context("a worker that polls has probes")
    }

    /// Returns the address of the worker's probes, if it polls at the moment.
    pub(crate) fn serves(&self) -> Option<String> {
        self.serving.borrow().clone()
    }

    /// Returns how much the worker has in memory, in KiB. None if it does not run at the moment.
    pub(crate) fn resident_memory(&self) -> Option<u64> {
        memory((*self.pid.borrow())?, "VmRSS")
    }

    /// Drains the worker and returns how it and all before it ended.
    ///
    /// # Errors
    ///
    /// If a worker could not be started.
    pub(crate) async fn retire(&self) -> anyhow::Result<Vec<Ending>> {
        self.demand(Asked::ToStop, Duration::ZERO, true).await;
        let keeping = self.keeping.lock().await.take();
        keeping.context("a worker retires once")?.await?
    }

    async fn demand(&self, asked: Asked, back_after: Duration, last: bool) {
        let (done, ended) = oneshot::channel();
        let demand = Demand {
            asked,
            back_after,
            last,
            _done: done,
        };
        // Fails only if the keeper is gone, which `retire` reports.
        if self.demands.send(demand).await.is_ok() {
            ended.await.ok();
        }
    }
}

struct Keeping {
    recipe: Recipe,
    journal: Arc<Journal>,
    demanded: mpsc::Receiver<Demand>,
    serves: watch::Sender<Option<String>>,
    runs_as: watch::Sender<Option<u32>>,
    endings: Vec<Ending>,
}

impl Keeping {
    async fn keep(mut self) -> anyhow::Result<Vec<Ending>> {
        loop {
            let demand = self.one_life().await?;
            let ending = self.endings.last().context("a life has an end")?;
            self.journal.note(ending.to_string());
            match demand {
                None => sleep(BACK_OFF).await,
                Some(demand) if demand.last => return Ok(self.endings),
                Some(demand) => sleep(demand.back_after).await,
            }
        }
    }

    /// Starts a worker and waits for its end, by itself or because of a demand, which is returned.
    async fn one_life(&mut self) -> anyhow::Result<Option<Demand>> {
        let mut worker = Process::start(&self.recipe.program, &[], &self.recipe.variables)?;
        self.runs_as.send_replace(worker.id());
        let mut heard = worker.heard();
        let mut demand = None;
        let mut peak = None;
        let mut overdue = false;
        let mut until = Instant::now();
        let status = loop {
            tokio::select! {
                ended = worker.exits() => break ended?,
                Ok(()) = heard.changed() => {
                    let url = polls_at(&heard.borrow_and_update());
                    self.serves.send_if_modified(|now| std::mem::replace(now, url.clone()) != url);
                }
                Some(next) = self.demanded.recv(), if demand.is_none() => {
                    peak = worker.id().and_then(|pid| memory(pid, "VmHWM"));
                    carry_out(next.asked, &mut worker).await?;
                    demand = Some(next);
                    until = Instant::now() + ENDS_WITHIN;
                }
                () = sleep_until(until), if demand.is_some() && !overdue => {
                    kill_process(pid(&worker)?, Signal::KILL)?;
                    overdue = true;
                }
            }
        };
        self.serves.send_replace(None);
        self.runs_as.send_replace(None);
        let was_ready = polls_at(&heard.borrow()).is_some();
        let ended = worker.ends().await?;
        self.endings.push(Ending {
            worker: self.recipe.number,
            asked: demand.as_ref().map(|it| it.asked),
            code: status.code(),
            signal: status.signal(),
            overdue,
            was_ready,
            start_could_fail: (self.recipe.start_may_fail)(),
            peak_kib: peak,
            said: ended.said,
        });
        Ok(demand)
    }
}

async fn carry_out(asked: Asked, worker: &mut Process) -> anyhow::Result<()> {
    let pid = pid(worker)?;
    match asked {
        Asked::ToDie => kill_process(pid, Signal::KILL)?,
        Asked::ToStop => kill_process(pid, Signal::TERM)?,
        Asked::NotToGrow => {
            // One that has just ended has none left.
            let now = worker.id().and_then(|pid| memory(pid, "VmData"));
            let Some(now) = now.map(|kib| kib * 1024) else {
                return Ok(());
            };
            let limit = Rlimit {
                current: Some(now + ROOM),
                maximum: Some(now + ROOM),
            };
            prlimit(Some(pid), Resource::Data, limit)?;
            // What Kubernetes would have done at once.
            if timeout(LIMITED_FOR, worker.exits()).await.is_err() {
                kill_process(pid, Signal::KILL)?;
            }
        }
    }
    Ok(())
}

fn pid(worker: &Process) -> anyhow::Result<Pid> {
    let id = worker.id().context("the worker has ended")?;
    match i32::try_from(id).ok().and_then(Pid::from_raw) {
        Some(pid) => Ok(pid),
        None => bail!("{id} is no process id"),
    }
}

/// Returns where the probes of a worker are that has said all this, if it polls.
fn polls_at(said: &[String]) -> Option<String> {
    let line = said.iter().find(|line| line.contains("http.address"))?;
    let event: Value = serde_json::from_str(line).ok()?;
    let polls = said.iter().any(|line| line.contains("polling for tasks"));
    polls.then(|| Some(format!("http://{}", event["http.address"].as_str()?)))?
}
