//! One run: everything is set up, goes wrong, comes to rest, and is judged.

mod outcome;

use std::{env, fmt::Display, str::FromStr, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use sealane_tests::process::probe;
use tokio::{
    task::LocalSet,
    time::{Instant, sleep},
};

use crate::{
    plan::Plan,
    stage::Stage,
    strike::strike,
    trade::Trade,
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
        let stage = Arc::new(Stage::set().await?);
        let outcome = LocalSet::new().run_until(self.play(&stage)).await;
        match outcome {
            Ok(outcome) if outcome.objections.is_empty() => {
                eprintln!("{}\n{outcome}", stage.journal);
                Ok(())
            }
            Ok(outcome) => bail!("{}\n{outcome}\n{}", stage.journal, outcome.told()),
            Err(error) => Err(error.context(stage.journal.to_string())),
        }
    }

    async fn play(&self, stage: &Arc<Stage>) -> anyhow::Result<Outcome> {
        let following = tokio::spawn({
            let stage = Arc::clone(stage);
            async move { stage.key_file.follow(stage.fake()).await }
        });
        let striking = async {
            strike(stage, &self.plan, self.trade.placed()).await?;
            anyhow::Ok(stage.journal.elapsed())
        };
        let trading = self.trade.go_on(stage, PATIENCE);
        let (quiet_since, ()) = tokio::try_join!(striking, trading)?;
        stage.journal.note("the orders have ended, or patience has");
        let mut outcome = Outcome::new(&self.plan);
        outcome.recovered_in = stage.journal.elapsed().saturating_sub(quiet_since);
        self.judge_orders(stage, &mut outcome).await?;
        judge_workers(stage, &mut outcome).await?;
        judge_database(stage, &mut outcome)?;
        stage.server.stop().await?;
        judge_database(stage, &mut outcome)?;
        outcome.took = stage.journal.elapsed();
        following.abort();
        Ok(outcome)
    }

    async fn judge_orders(&self, stage: &Stage, outcome: &mut Outcome) -> anyhow::Result<()> {
        let deals = self.trade.ended();
        let requests = stage.gateway.requests();
        let book = Book::read(&requests, &stage.gateway.effects());
        outcome.ends = verdict::count(deals.values());
        outcome.requests = requests.len();
        outcome.repeated = book.repeated();
        if book.repeated() == 0 {
            let why = "gateway: no request was ever repeated, so its book proves nothing";
            outcome.objections.push(why.to_owned());
        }
        outcome.objections.extend_from_slice(book.objections());
        outcome.objections.extend(
            deals
                .values()
                .filter_map(|deal| verdict::judge(deal, &book)),
        );
        let orders: Vec<_> = (0..self.plan.orders)
            .map(|number| Wanted::new(self.plan.seed, number).order.id.to_string())
            .collect();
        let strangers = book
            .orders()
            .filter(|order| !orders.iter().any(|it| it == order));
        outcome
            .objections
            .extend(strangers.map(|it| format!("gateway: nobody ordered {it}")));
        for (number, order) in orders.iter().enumerate() {
            if !deals.contains_key(&number) {
                let state = stage.state_of(order).await;
                outcome
                    .objections
                    .push(format!("{order} has not come to an end: {state}"));
            }
        }
        let ids: Vec<_> = orders
            .iter()
            .map(|order| stage.workflow_id(order))
            .collect();
        outcome.objections.extend(runs(stage, &ids).await?);
        Ok(())
    }
}

/// Lists lag behind, so they get some time.
async fn runs(stage: &Stage, ids: &[String]) -> anyhow::Result<Vec<String>> {
    let deadline = Instant::now() + REST_WITHIN;
    loop {
        let objections = verdict::each_ran_once(&stage.listed().await?, ids);
        if objections.is_empty() || Instant::now() > deadline {
            return Ok(objections);
        }
        sleep(ASK_EVERY).await;
    }
}

/// Those that are left come to rest, and no one ever ended as it must not.
async fn judge_workers(stage: &Stage, outcome: &mut Outcome) -> anyhow::Result<()> {
    for worker in stage.workers() {
        let url = worker.keeper.ready().await?;
        let busy = comes_to_rest(&format!("{url}/metrics")).await?;
        outcome.objections.extend(busy);
    }
    let endings = stage.retire_workers().await?;
    let objections = endings.iter().filter_map(|ending| ending.objection());
    outcome.objections.extend(objections);
    outcome.objections.extend(verdict::told(&endings, CANARY));
    let (largest, objection) = verdict::largest(&endings);
    outcome.largest_kib = largest;
    outcome.objections.extend(objection);
    outcome.endings = endings;
    Ok(())
}

async fn comes_to_rest(metrics: &str) -> anyhow::Result<Vec<String>> {
    let deadline = Instant::now() + REST_WITHIN;
    loop {
        let busy = verdict::at_rest(&probe(metrics).await?.body);
        if busy.is_empty() || Instant::now() > deadline {
            return Ok(busy);
        }
        sleep(ASK_EVERY).await;
    }
}

fn judge_database(stage: &Stage, outcome: &mut Outcome) -> anyhow::Result<()> {
    let found = verdict::search(stage.server.folder(), &[CANARY, IN_THE_CLEAR])?;
    if found.contains(CANARY) {
        outcome
            .objections
            .push(format!("{CANARY} is in the database"));
    }
    if !found.contains(IN_THE_CLEAR) {
        outcome.objections.push(format!(
            "{IN_THE_CLEAR} is not in the database, so the search proves nothing"
        ));
    }
    Ok(())
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
