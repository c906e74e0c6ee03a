//! A stand-in for the warehouse and payment service that orders talk to, with knobs to make it fail.
//!
//! It keeps the promises a good service keeps: one `Idempotency-Key` gets one answer and takes effect once, however often
//! it is sent; a thing that was undone before it was made is never made afterwards. Everything lives in memory.
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /reservations`, `POST /reservations/{id}/release` | `{"id"}` |
//! | `POST /charges`, `POST /charges/{id}/refund` | `{"id"}` |
//! | `POST /shipments`, `POST /shipments/{id}/parcels/{number}`, `POST /shipments/{id}/recall` | `{"id", "tracking_id"}` |
//! | `GET /knobs`, `PUT /knobs` | the [`Knobs`] |
//! | `GET /log` | every request and every effect so far |
//! | `POST /down` with `{"seconds"}` | refuses connections for that long |
//!
//! Errors are `{"code": "declined"}` and the like, with the status that says what to do about them.

mod book;
mod knobs;
mod log;
mod routes;
mod server;

use std::{io, net::SocketAddr, sync::Arc};

use tokio::sync::watch;

pub use book::Operation;
pub use knobs::{Knobs, Throttle};
pub use log::{Effect, Log, Request};

use server::Switch;

/// A running gateway. Dropping it stops it.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
    switch: Switch,
}

/// What the gateway knows, as [`Gateway::wait_until`] shows it.
#[derive(Debug, Default)]
pub struct State {
    knobs: Knobs,
    log: Log,
    book: book::Book,
    /// How many parcels wait.
    paused: usize,
}

impl Gateway {
    /// Starts to listen; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let state = Arc::new(watch::Sender::new(State::default()));
        let (switch, address) = Switch::start(address, |line| routes::router(&state, line)).await?;
        Ok(Self {
            address,
            state,
            switch,
        })
    }

    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// If no port can be bound.
    pub async fn start_local() -> io::Result<Self> {
        Self::start(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Where it listens, and what `ORDERS_GATEWAY_URL` should say: `http://127.0.0.1:1234`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes the knobs. Takes effect with the next request, and releases parcels that were waiting for it.
    pub fn turn(&self, change: impl FnOnce(&mut Knobs)) {
        self.state.send_modify(|state| change(&mut state.knobs));
    }

    /// Every request so far, in the order of arrival, including those that were turned away.
    pub fn requests(&self) -> Vec<Request> {
        self.state.borrow().log.requests.clone()
    }

    /// Everything that really happened so far, in order.
    pub fn effects(&self) -> Vec<Effect> {
        self.state.borrow().log.effects.clone()
    }

    /// Waits until the gateway has come to where `reached` is true.
    pub async fn wait_until(&self, mut reached: impl FnMut(&State) -> bool) {
        self.state
            .subscribe()
            .wait_for(|state| reached(state))
            .await
            .expect("the gateway holds the sender for as long as it can be borrowed");
    }

    /// Closes the port: requests on the way get a 503, later ones find nobody there.
    pub async fn take_down(&self) {
        self.switch.take_down().await;
    }

    /// Opens the same port again.
    ///
    /// # Errors
    ///
    /// If somebody else has taken the port meanwhile.
    pub async fn bring_up(&self) -> io::Result<()> {
        self.switch.bring_up().await
    }
}

impl State {
    /// The knobs as they stand.
    pub fn knobs(&self) -> &Knobs {
        &self.knobs
    }

    /// Every request and effect so far.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Whether a parcel is waiting for [`Knobs::pause_at_parcel`] to be turned off.
    pub fn is_paused(&self) -> bool {
        self.paused > 0
    }
}

#[cfg(test)]
mod tests;
