//! Stopping an order exactly where a test wants it.

use sealane_activities::orders::Orders;
use sealane_dev::gateway::{Knobs, Operation, State, Throttle};
use sealane_worker::{RegistrationError, Settings, WorkerOptions};
use sealane_workflows::orders::{Order, OrderWorkflow};

use super::{Placed, Shop, patiently};
use crate::TestWorker;

/// How long a held attempt is told to wait: much longer than any test.
const HOLD_SECONDS: u64 = 600;

impl Shop {
    /// Places `order` and stops it while its card is being charged: the charge waits, nothing was taken.
    ///
    /// The knobs cannot fail the second request and not the first. So the first is made while no worker decides what
    /// comes after it, and the knob is turned before one does.
    ///
    /// # Errors
    ///
    /// What the server or a worker objects to.
    pub async fn hold_at_charging(&mut self, order: Order) -> anyhow::Result<Placed> {
        let deciding = TestWorker::start(self.world.settings(), decisions);
        let placed = self.place(order).await?;
        // Answered after the first workflow task, which asks for the reservation.
        patiently("the status", placed.handle.status()).await?;
        deciding.stop().await?;
        self.start_worker(side_effects);
        self.gateway_reaches(|state| state.log().effects_of(Operation::Reserve) == 1)
            .await;
        self.gateway.turn(|knobs| knobs.throttle = hold());
        self.start_worker(decisions);
        self.attempt_fails(&placed, "charge_card", "Throttled")
            .await?;
        Ok(placed)
    }

    /// Places `order` and stops it when the parcel with this number, counted from 0, is to be packed.
    ///
    /// # Errors
    ///
    /// What the server objects to.
    pub async fn hold_at_parcel(&self, order: Order, number: u32) -> anyhow::Result<Placed> {
        self.gateway
            .turn(|knobs| knobs.pause_at_parcel = Some(number));
        let placed = self.place(order).await?;
        self.gateway_reaches(State::is_paused).await;
        Ok(placed)
    }

    /// Places `order` and stops it when its only parcel is packed, while Temporal believes it is not.
    ///
    /// # Errors
    ///
    /// What the server objects to.
    pub async fn hold_after_lost_parcel(&self, order: Order) -> anyhow::Result<Placed> {
        let placed = self.hold_at_parcel(order, 0).await?;
        self.gateway.turn(|knobs| {
            *knobs = Knobs {
                lose_next: u32::MAX,
                ..Knobs::default()
            }
        });
        self.gateway_reaches(|state| state.log().effects_of(Operation::Pack(0)) == 1)
            .await;
        self.gateway.turn(|knobs| {
            *knobs = Knobs {
                throttle: hold(),
                ..Knobs::default()
            }
        });
        self.attempt_fails(&placed, "ship", "Throttled").await?;
        Ok(placed)
    }

    /// Lets go of everything that is held at a parcel, and serves every request from now on.
    pub fn resume(&self) {
        self.gateway.turn(|knobs| *knobs = Knobs::default());
    }
}

/// Turns one request away for so long that nothing but the test goes on.
fn hold() -> Option<Throttle> {
    Some(Throttle {
        next: 1,
        retry_after_seconds: HOLD_SECONDS,
        status: 429,
    })
}

fn decisions(worker: &mut WorkerOptions, _: &Settings) -> Result<(), RegistrationError> {
    worker.register_workflow::<OrderWorkflow>()?;
    Ok(())
}

fn side_effects(worker: &mut WorkerOptions, settings: &Settings) -> Result<(), RegistrationError> {
    worker.register_activities(Orders::new(settings.orders_gateway_url.clone())?);
    Ok(())
}
