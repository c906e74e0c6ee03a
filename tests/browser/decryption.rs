//! The Web UI reads what the server cannot, for as long as the codec server lets it.

use anyhow::Context;
use base64::{Engine, prelude::BASE64_STANDARD};
use sealane_client::{
    handles::Greeting,
    workflow::{Execution, Workflows},
};
use sealane_tests::orders::patiently;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

use crate::stage::Stage;

/// Long enough to be found nowhere by chance.
const NAME: &str = "Ada-5f1c9a7e42d8";

const ID: &str = "greeting-in-the-ui";

#[tokio::test]
async fn the_web_ui_reads_what_the_server_cannot() -> anyhow::Result<()> {
    let mut stage = Stage::set().await?;
    let client = &stage.system.client;
    let greeting = Greeting::start(client, NAME.to_owned(), stage.options(ID)).await?;
    let result = patiently("the greeting", greeting.result()).await?;
    let (input, result) = (format!("{NAME:?}"), format!("{result:?}"));
    let page = stage.ui(&format!("workflows/{ID}"));

    stage.browser.visit(&page).await?;
    stage.browser.shows(&["COMPLETED", &input, &result]).await?;
    stage.photograph("decrypted").await?;
    stage
        .browser
        .click("//a[contains(., 'Event History')]")
        .await?;
    let activity_result = format!("\"Hello, {NAME}!\"");
    stage
        .browser
        .shows(&["Activity Task Completed", &activity_result])
        .await?;
    stage.photograph("decrypted-history").await?;

    assert_eq!(stage.browser.complaints().await?, [""; 0]);
    stage.assert_encrypted(ID, NAME)?;

    patiently("the codec server", stage.system.stop_codec_server()).await?;
    stage.browser.visit(&page).await?;
    let ciphertext = stored_input(&stage).await?;
    stage
        .browser
        .shows(&["Codec Server could not connect", &ciphertext])
        .await?;
    stage.photograph("ciphertext").await?;

    assert!(!stage.browser.html().await?.contains(NAME));
    stage.strike().await
}

/// The input as the server keeps it, in the base64 of the UI.
async fn stored_input(stage: &Stage) -> anyhow::Result<String> {
    let workflows = Workflows::new(stage.system.client.clone(), None);
    let execution = Execution {
        workflow_id: ID.to_owned(),
        run_id: None,
    };
    let history = workflows.encrypted_history(&execution).await?;
    let first = history
        .events
        .into_iter()
        .next()
        .and_then(|it| it.attributes);
    let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) = first else {
        anyhow::bail!("the history begins with {first:?}");
    };
    let payloads = started.input.context("there is an input")?.payloads;
    let payload = payloads.first().context("there is a payload")?;
    Ok(BASE64_STANDARD.encode(&payload.data))
}
