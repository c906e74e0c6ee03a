//! The data key that seals, and its successors.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use temporalio_common::protos::temporal::api::common::v1::Payload;
use tokio::{
    select,
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};
use tracing::{info, warn};

use super::{
    EnvelopeOptions, Renewal, SealError, StartError, Status, data_key::DataKey,
    status::DataKeyStatus, unwrapper::Unwrapper, wrapping::Wrapping,
};
use crate::NONCE_BUDGET;

/// Shortest and longest life of a data key, whatever the settings say: so that the vault is not
/// asked without end, and so that clocks can be calculated with.
const AGES: (Duration, Duration) = (
    Duration::from_secs(1),
    Duration::from_secs(366 * 24 * 60 * 60),
);

/// Shortest distance between two data keys, for a process that seals faster than its settings
/// foresee.
const DISTANCE: Duration = Duration::from_secs(1);

/// Longest distance between two attempts to get a data key wrapped.
const RETRY: Duration = Duration::from_secs(30);

/// Seals under one data key and replaces it in time.
pub(super) struct Resident {
    wrapping: Arc<Wrapping>,
    unwrapper: Unwrapper,
    current: RwLock<Arc<DataKey>>,
    renew_after: Duration,
    renew_at: u64,
    /// Payloads that one data key may seal, come what may.
    pub(super) budget: u64,
    /// Rung when the data key has sealed `renew_at` payloads.
    used: Notify,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    made: BTreeMap<Renewal, u64>,
    not_made: BTreeMap<&'static str, u64>,
    failure: Option<String>,
}

impl Resident {
    /// Makes the first data key. No data key, no resident.
    pub(super) async fn new(
        wrapping: Arc<Wrapping>,
        unwrapper: Unwrapper,
        options: &EnvelopeOptions,
    ) -> Result<Self, StartError> {
        let first = DataKey::make(&wrapping).await?;
        unwrapper.keep(first.reference.clone(), Arc::clone(&first.key));
        let record = Record {
            made: BTreeMap::from([(Renewal::Initial, 1)]),
            ..Record::default()
        };
        Ok(Self {
            wrapping,
            unwrapper,
            current: RwLock::new(Arc::new(first)),
            renew_after: three_quarters(options.max_age.clamp(AGES.0, AGES.1)),
            renew_at: (options.max_seals.clamp(1, NONCE_BUDGET) / 4 * 3).max(1),
            budget: NONCE_BUDGET,
            used: Notify::new(),
            record: Mutex::new(record),
        })
    }

    pub(super) fn seal(&self, payload: &Payload) -> Result<Payload, SealError> {
        let current = self.current();
        let nth = current.key.count_seal();
        if nth == self.renew_at {
            self.used.notify_one();
        }
        if nth > self.budget {
            return Err(SealError::Exhausted {
                uri: self.wrapping.uris().wrapping().to_string(),
                limit: self.budget,
                reason: self.record().failure.clone(),
            });
        }
        Ok(current.seal(payload)?)
    }

    /// Replaces the data key whenever that is due. Never returns.
    ///
    /// It is due when three quarters of its life or of its seals are over. If the vault is down
    /// then, the old one goes on, beyond both limits if need be: they are a precaution, and
    /// [`NONCE_BUDGET`] is the line that is not crossed.
    pub(super) async fn follow(&self) {
        loop {
            let renewal = self.due().await;
            while !self.renew(renewal).await {
                sleep(RETRY.min(self.renew_after / 4)).await;
            }
            sleep(DISTANCE).await;
        }
    }

    async fn due(&self) -> Renewal {
        loop {
            let current = self.current();
            if current.key.seals() >= self.renew_at {
                return Renewal::Count;
            }
            select! {
                () = self.used.notified() => {}
                () = sleep_until(current.made + self.renew_after) => return Renewal::Age,
            }
        }
    }

    async fn renew(&self, renewal: Renewal) -> bool {
        match DataKey::make(&self.wrapping).await {
            Ok(next) => {
                self.replace(next, renewal);
                true
            }
            Err(error) => {
                self.failed(&error);
                false
            }
        }
    }

    fn replace(&self, next: DataKey, renewal: Renewal) {
        let (reference, key) = (next.reference.clone(), Arc::clone(&next.key));
        self.unwrapper.keep(reference, key);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        let mut record = self.record();
        *record.made.entry(renewal).or_default() += 1;
        if record.failure.take().is_some() {
            info!("a new data key is in use again");
        }
    }

    /// Logs each new reason once.
    fn failed(&self, error: &StartError) {
        let text = error.to_string();
        let mut record = self.record();
        *record.not_made.entry(error.reason()).or_default() += 1;
        if record.failure.as_ref() != Some(&text) {
            warn!("no new data key, the old one stays in use: {text}");
        }
        record.failure = Some(text);
    }

    /// Adds what is known here to `status`.
    pub(super) fn report(&self, status: &mut Status) {
        let (record, current) = (self.record(), self.current());
        status.made.clone_from(&record.made);
        status.not_made.clone_from(&record.not_made);
        status.failure.clone_from(&record.failure);
        status.data_key = Some(DataKeyStatus {
            uri: self.wrapping.uris().wrapping().to_string(),
            age: Instant::now().saturating_duration_since(current.made),
            seals: current.key.seals(),
        });
    }

    fn current(&self) -> Arc<DataKey> {
        let current = self.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn three_quarters(whole: Duration) -> Duration {
    whole / 4 * 3
}
