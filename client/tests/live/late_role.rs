//! `sealane` where the vault does not let it have its keys yet.

use std::time::Duration;

use anyhow::Context;
use sealane_tests::{
    VaultWorld,
    azure::{Endpoint, Fault, Role, Trouble},
    process::probe,
};
use serde_json::Value;

use crate::terminal::Terminal;

/// How long ago a key was made that everybody has used for long.
const DAY: Duration = Duration::from_hours(24);

const WAITING: &str = "sealane: waiting for keys: ";

/// A world whose vault has a key.
async fn with_key() -> anyhow::Result<(VaultWorld, Terminal)> {
    let vault = VaultWorld::open(&[]).await?;
    vault.add_key(DAY);
    let terminal = Terminal::of(&vault.world);
    Ok((vault, terminal))
}

#[tokio::test]
async fn a_command_that_waits_for_its_keys_says_so_once() -> anyhow::Result<()> {
    for line in ["config check", "workflow list --limit 1"] {
        let (vault, terminal) = with_key().await?;
        let refusals = Fault::at(Endpoint::ListVersions, Trouble::ForbiddenByRbac).times(2);
        vault.fake.inject(refusals);

        let finished = terminal.run(line).await.succeeds();

        let told = finished.stderr.lines();
        let told: Vec<_> = told.filter(|line| line.starts_with(WAITING)).collect();
        assert_eq!(told.len(), 1, "{finished}");
        assert!(told[0].contains("ForbiddenByRbac"), "{finished}");
        assert!(vault.fake.count(Endpoint::ListVersions) > 2, "{finished}");
    }
    Ok(())
}

#[tokio::test]
async fn a_trigger_that_waits_for_its_keys_says_why_it_is_not_ready() -> anyhow::Result<()> {
    let (vault, terminal) = with_key().await?;
    vault.fake.revoke(Role::SecretsUser);

    let trigger = terminal.start("trigger GreetingWorkflow --every 1h --input-template 1")?;
    let served: Value = serde_json::from_str(&trigger.says("answering probes").await?)?;
    let address = served["http.address"].as_str().context("an address")?;
    let readyz = format!("http://{address}/readyz");
    trigger.says("waiting up to 120s for keys").await?;
    let unready = probe(&readyz).await?;
    vault.fake.grant(Role::SecretsUser);
    trigger.says("workflow started").await?;
    let ready = probe(&readyz).await?;
    trigger.signal("TERM").await?;
    let ended = trigger.ends().await?;

    let document: Value = serde_json::from_str(&unready.body)?;
    let reason = document["checks"]["key_ring"]["reason"].as_str();
    assert_eq!(unready.status, 503, "{unready:?}");
    assert!(
        reason.is_some_and(|reason| reason.contains("ForbiddenByRbac")),
        "{unready:?}"
    );
    assert_eq!(ready.status, 200, "{ready:?}");
    assert_eq!(ended.code, Some(0), "{:?}", ended.said);
    Ok(())
}
