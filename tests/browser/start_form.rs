//! What a person sends from the Web UI reaches the server encrypted, and our worker understands it.

use sealane_client::handles::{Greeting, OrderHandle};
use sealane_dev::gateway::{Operation::Release, State};
use sealane_tests::orders::{order, patiently};
use sealane_workflows::orders::Receipt;

use crate::stage::Stage;

/// Long enough to be found nowhere by chance.
const NAME: &str = "Grace-0b7d36e1f9c4";
const REASON: &str = "changed-my-mind-77c05ad1e3";

/// Where JSON is typed, on any form.
const DATA: &str = "//*[@role='textbox'][@aria-label='Data']";

#[tokio::test]
async fn a_workflow_started_in_the_web_ui_is_encrypted_and_completes() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let browser = &stage.browser;

    browser.visit(&stage.ui("workflows/start-workflow")).await?;
    browser
        .type_into("//input[@id='workflowId']", "greeting-by-form")
        .await?;
    browser
        .type_into("//input[@id='taskQueue']", stage.task_queue())
        .await?;
    browser
        .type_into("//input[@id='workflowType']", "GreetingWorkflow")
        .await?;
    browser.type_into(DATA, &format!("{NAME:?}")).await?;
    // The field is laid out again when it is left, which would move the button away from under a click.
    browser.click("//h1[contains(., 'Start')]").await?;
    stage.photograph("start-form").await?;
    browser
        .click("//button[@data-testid='start-workflow-button']")
        .await?;
    browser.shows(&["Workflow started successfully"]).await?;

    let greeting = Greeting::of(&stage.system.client, "greeting-by-form");
    let result = patiently("the greeting", greeting.result()).await?;
    assert_eq!(result, format!("Final result: Processed: Hello, {NAME}!"));
    browser
        .visit(&stage.ui("workflows/greeting-by-form"))
        .await?;
    browser
        .shows(&["COMPLETED", &format!("{NAME:?}"), &format!("{result:?}")])
        .await?;
    stage.photograph("started-by-form").await?;
    stage.assert_encrypted("greeting-by-form", NAME)?;
    stage.strike().await
}

#[tokio::test]
async fn a_signal_sent_from_the_web_ui_is_encrypted_and_understood() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let browser = &stage.browser;
    // The order gets nowhere until it has been called off.
    stage
        .system
        .gateway
        .turn(|knobs| knobs.fail_next = u32::MAX);
    let options = stage.options("order-to-call-off");
    let placed = OrderHandle::start(&stage.system.client, order("A-1", &["tea"]), options).await?;

    browser
        .visit(&stage.ui("workflows/order-to-call-off"))
        .await?;
    browser
        .click("//button[contains(., 'More Actions')]")
        .await?;
    browser
        .click("//*[@role='menuitem'][contains(., 'Signal')]")
        .await?;
    browser
        .type_into("//input[@id='signal-name']", "cancel")
        .await?;
    browser
        .type_into(&format!("//dialog{DATA}"), &format!("{REASON:?}"))
        .await?;
    browser.click("//dialog//h3").await?;
    stage.photograph("signal-form").await?;
    browser.click("//dialog//button[@type='submit']").await?;
    // What it undoes proves that the signal has arrived.
    let undoing = |state: &State| {
        state
            .log()
            .requests
            .iter()
            .any(|it| it.operation == Release)
    };
    patiently("the signal", stage.system.gateway.wait_until(undoing)).await;
    stage.system.gateway.turn(|knobs| knobs.fail_next = 0);

    let receipt = patiently("the receipt", placed.result()).await?;
    let cancelled = Receipt::Cancelled {
        order_id: "A-1".into(),
        reason: REASON.to_owned(),
    };
    assert_eq!(receipt, cancelled);
    stage.assert_encrypted("order-to-call-off", REASON)?;
    stage.strike().await
}
