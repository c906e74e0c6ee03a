//! The search of the database finds what is there: a client that encrypts nothing leaves its order readable.

use std::time::Duration;

use sealane_client::{
    connection::{self, Extras},
    handles::OrderHandle,
};
use sealane_dev::server::{DevServer, Options};
use sealane_tests::{World, temporal_cli};
use temporalio_client::WorkflowStartOptions;

use crate::{
    verdict::search,
    wish::{CANARY, Wanted},
};

#[tokio::test]
async fn an_order_that_was_not_encrypted_is_found_in_the_database() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let options = Options {
        database: Some(folder.path().join("temporal.db")),
        ..Options::default()
    };
    let server = DevServer::start(&temporal_cli().await?, &options).await?;
    let settings = World::on(&server).settings();
    let client = connection::connect(&settings.temporal, None, Extras::default()).await?;
    assert!(search(folder.path(), &[CANARY])?.is_empty());

    let wanted = Wanted::new(1, 1);
    let start = WorkflowStartOptions::new("nobody", "plain")
        .task_timeout(Duration::from_secs(10))
        .build();
    OrderHandle::start(&client, wanted.order, start).await?;

    assert_eq!(search(folder.path(), &[CANARY])?, [CANARY].into());
    Ok(())
}
