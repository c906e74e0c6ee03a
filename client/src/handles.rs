//! Typed handles for the workflows of `sealane-workflows`.
//!
//! They hold the names of types, signals, queries and updates in one place, so that a caller deals in
//! Rust values only. For other types there is [`workflow`](crate::workflow).

use sealane_workflows::{
    greeting::GreetingWorkflow,
    orders::{Address, Order, OrderWorkflow, Receipt, Status},
};
use temporalio_client::{
    Client, NamespacedClient, WorkflowExecuteUpdateOptions, WorkflowExecutionInfo,
    WorkflowGetResultOptions, WorkflowHandle, WorkflowQueryOptions, WorkflowSignalOptions,
    WorkflowStartOptions,
    errors::{
        WorkflowGetResultError, WorkflowInteractionError, WorkflowQueryError, WorkflowStartError,
        WorkflowUpdateError,
    },
};
use temporalio_common::{
    data_converters::SerializationContextData, payload_visitor::decode_payloads,
    protos::temporal::api::failure::v1::Failure,
};

use crate::failure::Report;

/// One greeting.
pub struct Greeting(WorkflowHandle<Client, GreetingWorkflow>);

impl Greeting {
    /// Starts greeting `name`; `options` say under which id and on which task queue.
    ///
    /// # Errors
    ///
    /// [`WorkflowStartError::AlreadyStarted`] if the id is taken, otherwise what the server objects to.
    pub async fn start(
        client: &Client,
        name: String,
        options: WorkflowStartOptions,
    ) -> Result<Self, WorkflowStartError> {
        let started = client
            .start_workflow(GreetingWorkflow::run, name, options)
            .await?;
        Ok(Self(WorkflowHandle::new(
            client.clone(),
            started.info().clone(),
        )))
    }

    /// Refers to a greeting that was started earlier. Asks nobody whether it exists.
    pub fn of(client: &Client, workflow_id: &str) -> Self {
        Self(WorkflowHandle::new(
            client.clone(),
            latest_run(client, workflow_id),
        ))
    }

    /// Waits for the greeting to end and returns its text.
    ///
    /// # Errors
    ///
    /// How it ended otherwise, or why that cannot be known.
    pub async fn result(&self) -> Result<String, WorkflowGetResultError> {
        self.0.get_result(WorkflowGetResultOptions::default()).await
    }
}

/// One order on its way.
pub struct OrderHandle(WorkflowHandle<Client, OrderWorkflow>);

impl OrderHandle {
    /// Starts fulfilling `order`; `options` say under which id and on which task queue.
    ///
    /// # Errors
    ///
    /// [`WorkflowStartError::AlreadyStarted`] if the id is taken, otherwise what the server objects to.
    pub async fn start(
        client: &Client,
        order: Order,
        options: WorkflowStartOptions,
    ) -> Result<Self, WorkflowStartError> {
        let started = client
            .start_workflow(OrderWorkflow::run, order, options)
            .await?;
        Ok(Self(WorkflowHandle::new(
            client.clone(),
            started.info().clone(),
        )))
    }

    /// Refers to an order that was started earlier. Asks nobody whether it exists.
    pub fn of(client: &Client, workflow_id: &str) -> Self {
        Self(WorkflowHandle::new(
            client.clone(),
            latest_run(client, workflow_id),
        ))
    }

    /// Waits for the order to end and returns its receipt. A cancelled order has one too.
    ///
    /// # Errors
    ///
    /// How it ended otherwise, or why that cannot be known.
    pub async fn result(&self) -> Result<Receipt, WorkflowGetResultError> {
        self.0.get_result(WorkflowGetResultOptions::default()).await
    }

    /// Asks how far the order is. Needs a worker, even when the order has ended.
    ///
    /// # Errors
    ///
    /// If there is no such order, or no worker answers.
    pub async fn status(&self) -> Result<Status, WorkflowQueryError> {
        self.0
            .query(OrderWorkflow::status, (), WorkflowQueryOptions::default())
            .await
    }

    /// Sends the order elsewhere and returns the address that now stands.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Refused`] if the order refuses, because it is being shipped or the address is
    /// incomplete.
    pub async fn change_address(&self, address: Address) -> Result<Address, UpdateError> {
        let options = WorkflowExecuteUpdateOptions::default();
        let update = self
            .0
            .execute_update(OrderWorkflow::change_address, address, options);
        match update.await {
            Ok(address) => Ok(address),
            Err(WorkflowUpdateError::Failed(failure)) => {
                Err(refusal(self.0.client(), *failure).await)
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Asks for the order to be cancelled. It is, unless shipping has started.
    ///
    /// # Errors
    ///
    /// If there is no such order, or it has ended.
    pub async fn cancel(&self, reason: String) -> Result<(), WorkflowInteractionError> {
        self.0
            .signal(
                OrderWorkflow::cancel,
                reason,
                WorkflowSignalOptions::default(),
            )
            .await
    }
}

fn latest_run(client: &Client, workflow_id: &str) -> WorkflowExecutionInfo {
    WorkflowExecutionInfo::builder()
        .namespace(client.namespace())
        .workflow_id(workflow_id)
        .build()
}

/// Why an update did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The workflow refused it, or failed at it; this is what it said.
    #[error("{0}")]
    Refused(Report),

    /// It could not be sent, or its answer could not be read.
    #[error(transparent)]
    Call(#[from] WorkflowUpdateError),
}

/// The SDK hands over the failure of an update as the server holds it: encrypted.
async fn refusal(client: &Client, mut failure: Failure) -> UpdateError {
    let codec = client.options().data_converter.codec();
    match decode_payloads(&mut failure, codec, &SerializationContextData::None).await {
        Ok(()) => UpdateError::Refused(Report::of(&failure)),
        Err(error) => UpdateError::Call(error.into()),
    }
}
