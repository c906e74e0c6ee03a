//! The page that a person meets first: what it links to is there, and what it says to type works.

use std::{collections::BTreeSet, process::Stdio};

use anyhow::Context;
use sealane_tests::{orders::patiently, process};
use tokio::process::Command;

use crate::stage::Stage;

#[tokio::test]
async fn every_link_of_the_start_page_answers_and_every_command_works() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let browser = &stage.browser;

    browser.visit(&stage.start_page()).await?;
    browser.shows(&["Sealane", "Try"]).await?;
    stage.photograph("start-page").await?;

    assert_eq!(browser.complaints().await?, [""; 0]);
    let links: BTreeSet<String> = browser
        .evaluate("return [...document.links].map(link => link.href)")
        .await?;
    assert!(links.len() > 10, "{links:?}");
    for link in &links {
        assert_eq!(process::probe(link).await?.status, 200, "{link}");
    }
    let commands: Vec<String> = browser
        .evaluate("return [...document.querySelectorAll('pre')].map(pre => pre.innerText)")
        .await?;
    assert!(commands.len() > 5, "{commands:?}");
    // Twice, because the page promises that repeats do no harm.
    for command in commands.iter().chain(&commands) {
        run(command).await?;
    }
    stage.assert_encrypted("greeting-by-hand", "Grace")?;
    stage.strike().await
}

#[tokio::test]
async fn the_page_of_the_api_documentation_shows_and_tries_its_operations() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let browser = &stage.browser;

    browser
        .visit(&format!("{}docs", stage.start_page()))
        .await?;
    browser.shows(&["/orders", "/api/v1/workflows"]).await?;
    stage.photograph("api-docs").await?;
    let ping = "//div[@id='operations-about-ping']";
    browser
        .click(&format!(
            "{ping}//button[contains(@class, 'summary-control')]"
        ))
        .await?;
    browser
        .click(&format!("{ping}//button[contains(@class, 'try-out')]"))
        .await?;
    browser
        .click(&format!("{ping}//button[contains(@class, 'execute')]"))
        .await?;
    browser
        .element(&format!(
            "{ping}//*[contains(@class, 'live-responses-table')]//td[contains(., '200')]"
        ))
        .await?;
    stage.photograph("api-docs-tried").await?;

    assert_eq!(browser.complaints().await?, [""; 0]);
    stage.strike().await
}

/// Runs what a person would paste into a shell. A pipe fails with any of its parts.
async fn run(command: &str) -> anyhow::Result<()> {
    let child = Command::new("bash")
        .args(["-o", "pipefail", "-e", "-c", command])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = patiently(command, child)
        .await
        .context("bash cannot be started")?;
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}\n{words}");
    assert!(!output.stdout.is_empty(), "{command}\n{words}");
    Ok(())
}
