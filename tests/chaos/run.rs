//! One run: everything is set up, goes wrong, comes to rest, and is judged.

mod outcome;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Display,
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use futures_util::future::join_all;
use sealane_tests::process::probe;
use tokio::{
    task::LocalSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    keeper::{Ending, Keeper},
    plan::Plan,
    stage::Stage,
    strike::strike,
    trade::{Deal, Trade},
    verdict::{self, Book},
    wish::{CANARY, IN_THE_CLEAR, Wanted},
};
use outcome::Outcome;

/// How long the last orders may take after they were placed. A machine with nothing else to do needs a tenth of it.
const PATIENCE: Duration = Duration::from_secs(240);

/// How often workers are asked whether they are at rest.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// How long they may take to be: a cancelled activity is noticed with the next heartbeat.
const REST_WITHIN: Duration = Duration::from_secs(30);

/// How long one answer may take, from a worker or the server, once nothing goes wrong any more.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// How long a run may take on top of three times what its orders take. All waits above together are shorter.
const AT_MOST: Duration = Duration::from_mins(20);

/// After which parts of the orders, in percent, the worker that is never ended is measured.
const MEASURED_AT: [usize; 2] = [20, 90];

/// What is to be done.
pub(crate) struct Run {
    plan: Plan,
    trade: Arc<Trade>,
}

impl Run {
    /// Returns a run with what `SEALANE_CHAOS_SEED`, `SEALANE_CHAOS_WORKFLOWS` and `SEALANE_CHAOS_RATE` (orders per second)
    /// say, or else with these.
    ///
    /// # Errors
    ///
    /// If one of them makes no sense.
    pub(crate) fn from_environment(seed: u64, orders: usize, rate: f64) -> anyhow::Result<Self> {
        let seed = variable("SEALANE_CHAOS_SEED", "a whole number", seed)?;
        let orders = variable("SEALANE_CHAOS_WORKFLOWS", "a whole number", orders)?;
        let rate: f64 = variable("SEALANE_CHAOS_RATE", "orders per second", rate)?;
        if !(0.1..=1000.0).contains(&rate) || orders == 0 {
            bail!(
                "SEALANE_CHAOS_RATE is {rate} and SEALANE_CHAOS_WORKFLOWS {orders}, expected 0.1 to 1000 and at least 1"
            );
        }
        let every = Duration::from_secs_f64(1.0 / rate);
        Ok(Self {
            plan: Plan::new(seed, orders),
            trade: Arc::new(Trade::new(seed, orders, every)),
        })
    }

    /// Does it.
    ///
    /// # Errors
    ///
    /// With everything that is wrong at the end, and what was done when.
    pub(crate) async fn go(self) -> anyhow::Result<()> {
        eprintln!("{}", self.plan);
        let stage = timeout(AT_MOST, Stage::set()).await;
        let stage = Arc::new(stage.context("the programs do not come to run")??);
        let mut outcome = Outcome::new(&self.plan);
        let within = AT_MOST + 3 * self.trade.planned();
        let local = LocalSet::new();
        let playing = local.run_until(self.play(&stage, &mut outcome));
        if timeout(within, playing).await.is_err() {
            outcome.object(format!("the run was given up after {within:?}"));
        }
        outcome.took = stage.journal.elapsed();
        if outcome.objections.is_empty() {
            eprintln!("{}\n{outcome}", stage.journal);
            return Ok(());
        }
        bail!("{}\n{outcome}\n{}", stage.journal, outcome.told())
    }

    /// Whatever cannot be found out is an objection like any other, so that all others are told as well.
    async fn play(&self, stage: &Arc<Stage>, outcome: &mut Outcome) {
        let following = tokio::spawn({
            let stage = Arc::clone(stage);
            async move { stage.key_file.follow(stage.fake()).await }
        });
        self.disturb(stage, outcome).await;
        self.judge_orders(stage, outcome).await;
        judge_workers(stage, outcome).await;
        judge_database(stage, outcome);
        outcome.expect("server", stage.server.stop().await);
        judge_database(stage, outcome);
        following.abort();
    }

    /// Lets everything happen, until the orders have ended or patience has.
    async fn disturb(&self, stage: &Arc<Stage>, outcome: &mut Outcome) {
        let striking = async {
            let failed = strike(stage, &self.plan, &self.trade).await;
            (failed, stage.journal.elapsed())
        };
        let trading = self.trade.go_on(stage, PATIENCE);
        let ((failed, quiet_since), gone, sizes) =
            tokio::join!(striking, trading, self.measure(stage));
        stage.journal.note("the orders have ended, or patience has");
        outcome.recovered_in = stage.journal.elapsed().saturating_sub(quiet_since);
        outcome.objections.extend(failed);
        outcome.objections.extend(gone);
        outcome.objections.extend(sizes.and_then(verdict::grew));
        outcome.sizes = sizes;
    }

    /// Returns the size of the worker that is never ended, in KiB, early and late in the run. None if all are ended.
    async fn measure(&self, stage: &Stage) -> Option<[Option<u64>; 2]> {
        let worker = &stage.worker(self.plan.spared?).keeper;
        let mut sizes = [None; 2];
        for (size, percent) in sizes.iter_mut().zip(MEASURED_AT) {
            if self
                .trade
                .placed_more_than(self.plan.orders * percent / 100)
                .await
            {
                *size = worker.resident_memory();
            }
        }
        Some(sizes)
    }

    async fn judge_orders(&self, stage: &Stage, outcome: &mut Outcome) {
        let deals = self.trade.ended();
        let orders: Vec<_> = (0..self.plan.orders)
            .map(|number| Wanted::new(self.plan.seed, number).order.id.to_string())
            .collect();
        outcome.ends = verdict::count(deals.values());
        let unheard = verdict::unheard(&outcome.ends, self.plan.orders);
        outcome.objections.extend(unheard);
        judge_book(stage, &deals, &orders, outcome);
        let open = orders.iter().enumerate();
        let open = open.filter(|(number, _)| !deals.contains_key(number));
        let open = open.map(|(_, order)| not_ended(stage, order));
        outcome.objections.extend(join_all(open).await);
        let ids: Vec<_> = orders
            .iter()
            .map(|order| stage.workflow_id(order))
            .collect();
        let runs = outcome.expect("list", runs(stage, &ids).await);
        outcome.objections.extend(runs.unwrap_or_default());
    }
}

/// What the gateway did is what was ordered, and agrees with how it ended.
fn judge_book(
    stage: &Stage,
    deals: &BTreeMap<usize, Deal>,
    orders: &[String],
    outcome: &mut Outcome,
) {
    let requests = stage.gateway.requests();
    let book = Book::read(&requests, &stage.gateway.effects());
    outcome.requests = requests.len();
    outcome.repeated = book.repeated();
    if book.repeated() == 0 {
        outcome.object("gateway: no request was ever repeated, so its book proves nothing");
    }
    outcome.objections.extend_from_slice(book.objections());
    let deals = deals.values();
    let wrong = deals.filter_map(|deal| verdict::judge(deal, &book));
    outcome.objections.extend(wrong);
    let known: BTreeSet<_> = orders.iter().map(String::as_str).collect();
    let strangers = book.orders().filter(|order| !known.contains(order));
    let strangers = strangers.map(|it| format!("gateway: nobody ordered {it}"));
    outcome.objections.extend(strangers);
}

async fn not_ended(stage: &Stage, order: &str) -> String {
    let state = timeout(ANSWER_WITHIN, stage.state_of(order)).await;
    let state = state.unwrap_or_else(|_| "the server does not say".to_owned());
    format!("{order} has not come to an end: {state}")
}

/// Lists lag behind, so they get some time.
async fn runs(stage: &Stage, ids: &[String]) -> anyhow::Result<Vec<String>> {
    let deadline = Instant::now() + REST_WITHIN;
    loop {
        let listed = timeout(REST_WITHIN, stage.listed()).await;
        let listed = listed.context("no answer")??;
        let objections = verdict::each_ran_once(&listed, ids);
        if objections.is_empty() || Instant::now() > deadline {
            return Ok(objections);
        }
        sleep(ASK_EVERY).await;
    }
}

/// Those that are left come to rest, and no one ever ended as it must not.
async fn judge_workers(stage: &Stage, outcome: &mut Outcome) {
    for (number, worker) in stage.workers().iter().enumerate() {
        let busy = comes_to_rest(&worker.keeper).await;
        let busy = outcome.expect(&format!("worker {number} at rest"), busy);
        outcome.objections.extend(busy.unwrap_or_default());
    }
    let mut endings = Vec::new();
    for (number, retired) in stage.retire_workers().await.into_iter().enumerate() {
        let its = outcome.expect(&format!("worker {number} to its end"), retired);
        endings.extend(its.unwrap_or_default());
    }
    let objections = endings.iter().filter_map(Ending::objection);
    outcome.objections.extend(objections);
    outcome.objections.extend(verdict::told(&endings, CANARY));
    outcome.objections.extend(verdict::unlimited(&endings));
    let (largest, objection) = verdict::largest(&endings);
    outcome.largest_kib = largest;
    outcome.objections.extend(objection);
    outcome.endings = endings;
}

async fn comes_to_rest(worker: &Keeper) -> anyhow::Result<Vec<String>> {
    let metrics = format!("{}/metrics", worker.ready().await?);
    let deadline = Instant::now() + REST_WITHIN;
    loop {
        let scrape = timeout(ANSWER_WITHIN, probe(&metrics)).await;
        let busy = verdict::at_rest(&scrape.context("no answer")??.body);
        if busy.is_empty() || Instant::now() > deadline {
            return Ok(busy);
        }
        sleep(ASK_EVERY).await;
    }
}

fn judge_database(stage: &Stage, outcome: &mut Outcome) {
    let found = verdict::search(stage.server.folder(), &[CANARY, IN_THE_CLEAR]);
    let Some(found) = outcome.expect("database", found.map_err(Into::into)) else {
        return;
    };
    if found.contains(CANARY) {
        outcome.object(format!("{CANARY} is in the database"));
    }
    if !found.contains(IN_THE_CLEAR) {
        outcome.object(format!(
            "{IN_THE_CLEAR} is not in the database, so the search proves nothing"
        ));
    }
}

fn variable<T: FromStr + Display>(name: &str, expected: &str, default: T) -> anyhow::Result<T> {
    match env::var(name) {
        Err(_) => Ok(default),
        Ok(value) => value
            .parse()
            .ok()
            .with_context(|| format!("{name} is {value:?}, expected {expected}")),
    }
}
