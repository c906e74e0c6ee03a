//! How many connections there are at once, and who has to go for a newcomer.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus::IntCounter;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

use super::activity::Activity;

/// Nobody tells when a client has been slow for too long, so that is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

static EVICTIONS: LazyLock<IntCounter> = LazyLock::new(|| {
    IntCounter::new(
        "sealane_http_evicted_connections_total",
        "Connections closed because others wanted their place",
    )
    .expect("the name is valid")
});

/// Returns how many connections had to go, of all servers of this process.
pub(crate) fn evictions() -> IntCounter {
    EVICTIONS.clone()
}

/// A bounded number of places for connections.
pub(in crate::http) struct Seats {
    free: Arc<Semaphore>,
    taken: Mutex<Taken>,
    /// Told when a connection has answered its request, and may be asked to go from then on.
    idle: Arc<Notify>,
}

#[derive(Default)]
struct Taken {
    next: u64,
    /// By age, the oldest first.
    seats: BTreeMap<u64, Arc<Activity>>,
}

impl Seats {
    pub(super) fn new(count: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count)),
            taken: Mutex::default(),
            idle: Arc::default(),
        }
    }

    /// Waits for a place. If there is none, the oldest connection that may go is asked to: one without a request to be
    /// answered, or whose client does not take the answer.
    pub(super) async fn take(self: &Arc<Self>) -> Seat {
        loop {
            if let Ok(permit) = self.free.clone().try_acquire_owned() {
                return self.seat(permit);
            }
            self.make_room();
            tokio::select! {
                Ok(permit) = self.free.clone().acquire_owned() => return self.seat(permit),
                () = self.idle.notified() => {}
                () = sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// Asks all connections to go whose clients do not take their answers.
    pub(in crate::http) fn dismiss_stuck(&self) {
        let taken = self.taken();
        for activity in taken.seats.values().filter(|activity| activity.is_stuck()) {
            activity.ask_to_go();
        }
    }

    fn seat(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Seat {
        let activity = Arc::new(Activity::new(self.idle.clone()));
        let mut taken = self.taken();
        taken.next += 1;
        let number = taken.next;
        taken.seats.insert(number, activity.clone());
        Seat {
            seats: self.clone(),
            number,
            activity,
            _permit: permit,
        }
    }

    fn make_room(&self) {
        let taken = self.taken();
        if let Some(oldest) = taken.seats.values().find(|activity| activity.may_go()) {
            oldest.ask_to_go();
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection, free again when dropped.
pub(super) struct Seat {
    pub(super) seats: Arc<Seats>,
    number: u64,
    pub(super) activity: Arc<Activity>,
    _permit: OwnedSemaphorePermit,
}

impl Seat {
    /// Gives the place back for somebody who wants it.
    pub(super) fn evicted(self) {
        EVICTIONS.inc();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().seats.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::{task, time::timeout};

    use super::{super::activity::STUCK, LOOK_AGAIN, Seat, Seats};

    async fn full() -> (Arc<Seats>, [Seat; 3]) {
        let seats = Arc::new(Seats::new(3));
        let taken = [seats.take().await, seats.take().await, seats.take().await];
        (seats, taken)
    }

    #[tokio::test]
    async fn the_oldest_connection_without_a_request_goes_for_a_newcomer() {
        let (seats, [first, second, third]) = full().await;
        let answering = first.activity.answer();
        let newcomer = tokio::spawn(async move { seats.take().await });

        second.activity.asked_to_go().await;
        drop(second);

        newcomer.await.unwrap();
        drop((answering, third));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_stuck_goes_for_a_newcomer() {
        let (seats, [first, second, third]) = full().await;
        let answering = [&first, &second, &third].map(|seat| seat.activity.answer());
        second.activity.set_blocked(true);
        let newcomer = tokio::spawn(async move { seats.take().await });

        let asked = async |wait| timeout(wait, second.activity.asked_to_go()).await.is_ok();
        assert!(!asked(STUCK - LOOK_AGAIN).await);
        assert!(asked(LOOK_AGAIN * 2).await);
        drop(second);

        newcomer.await.unwrap();
        drop((answering, first, third));
    }

    #[tokio::test]
    async fn a_newcomer_waits_while_all_are_answering() {
        let (seats, taken) = full().await;
        let mut answering = taken.each_ref().map(|seat| Some(seat.activity.answer()));
        let newcomer = tokio::spawn(async move { seats.take().await });
        task::yield_now().await;
        assert!(!newcomer.is_finished());

        answering[1] = None;
        taken[1].activity.asked_to_go().await;
        drop(taken);

        newcomer.await.unwrap();
    }
}
