//! The Web UI reads what the server cannot, for as long as the codec server lets it.

use sealane_client::handles::Greeting;

use crate::stage::Stage;

/// Long enough to be found nowhere by chance.
const NAME: &str = "Ada-5f1c9a7e42d8";

#[tokio::test]
async fn the_web_ui_reads_what_the_server_cannot() -> anyhow::Result<()> {
    let mut stage = Stage::set().await?;
    let options = stage.options("greeting-in-the-ui");
    let greeting = Greeting::start(&stage.system.client, NAME.to_owned(), options).await?;
    let result = greeting.result().await?;
    let page = stage.ui("workflows/greeting-in-the-ui");

    stage.browser.visit(&page).await?;
    stage
        .browser
        .shows(&["COMPLETED", &format!("{NAME:?}"), &format!("{result:?}")])
        .await?;
    stage.photograph("decrypted").await?;

    assert_eq!(stage.browser.complaints().await?, [""; 0]);
    stage.assert_encrypted("greeting-in-the-ui", NAME)?;

    stage.system.stop_codec_server().await?;
    stage.browser.visit(&page).await?;
    stage
        .browser
        .shows(&[
            "COMPLETED",
            "Codec Server could not connect",
            "binary/encrypted",
        ])
        .await?;
    stage.photograph("ciphertext").await?;

    assert!(!stage.browser.html().await?.contains(NAME));
    stage.strike().await
}

#[tokio::test]
async fn the_events_of_a_workflow_are_readable_too() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let options = stage.options("greeting-event-by-event");
    let greeting = Greeting::start(&stage.system.client, NAME.to_owned(), options).await?;
    greeting.result().await?;

    stage
        .browser
        .visit(&stage.ui("workflows/greeting-event-by-event/history"))
        .await?;
    stage.browser.shows(&[&format!("Hello, {NAME}!")]).await?;
    stage.photograph("history").await?;

    stage.strike().await
}
