//! The Temporal CLI against a real server, with our codec between it and the person who types.

use std::process::Output;

use base64::{Engine, prelude::BASE64_STANDARD};
use sealane_service::auth::{Grants, IssuedToken, Role};
use sealane_tests::{World, orders::patiently, temporal_cli};
use serde_json::json;
use tokio::process::Command;

use crate::support::Live;

const CANARY: &str = "canary-cli-90125";

/// A Temporal CLI on the shared server.
struct Cli {
    world: World,
    /// Flags of every command that speaks to the codec server.
    codec: Vec<String>,
}

impl Cli {
    async fn run(&self, arguments: &[&str], with_codec: bool) -> anyhow::Result<Output> {
        let address = &self.world.variables()["TEMPORAL_ADDRESS"];
        let mut command = Command::new(temporal_cli().await?.path);
        command.args(arguments).args(["--address", address]);
        if with_codec {
            command.args(&self.codec);
        }
        // Nothing of the person who runs the tests.
        command.env_clear().env("HOME", self.world.folder());
        Ok(patiently("the Temporal CLI", command.output()).await?)
    }

    async fn start(&self, id: &str) -> anyhow::Result<Output> {
        let input = format!("\"{CANARY}\"");
        let queue = self.world.task_queue();
        let start = [
            "workflow",
            "start",
            "--type",
            "Nobody",
            "--task-queue",
            queue,
        ];
        let arguments = [&start[..], &["--workflow-id", id, "--input", &input]].concat();
        self.run(&arguments, true).await
    }

    async fn show(&self, id: &str, with_codec: bool) -> anyhow::Result<String> {
        let arguments = ["workflow", "show", "--workflow-id", id, "--output", "json"];
        let output = self.run(&arguments, with_codec).await?;
        assert!(output.status.success(), "{output:?}");
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// Fails unless `history` holds the input as ciphertext and nothing else.
fn assert_encrypted(history: &str) {
    assert!(
        history.contains(&BASE64_STANDARD.encode("binary/encrypted")),
        "{history}"
    );
    let plain = BASE64_STANDARD.encode(format!("\"{CANARY}\""));
    assert!(
        !history.contains(CANARY) && !history.contains(&plain),
        "{history}"
    );
}

async fn scene(role: Role, suffix: &str) -> anyhow::Result<(Cli, Live)> {
    let mut world = World::new().await;
    let mut grants = Grants::default();
    grants.add("default", role);
    let issued = IssuedToken::generate("cli", grants)?;
    let file = world.folder().join("tokens.json");
    std::fs::write(&file, json!({ "tokens": [issued.entry()] }).to_string())?;
    world.set("SEALANE_AUTH", "tokens");
    world.set("SEALANE_AUTH_TOKENS_FILE", file.display().to_string());
    let server = Live::start(world.variables()).await?.once_ready().await?;
    let endpoint = format!("{}{suffix}", server.url);
    let auth = format!("Bearer {}", issued.secret());
    let codec = ["--codec-endpoint", &endpoint, "--codec-auth", &auth];
    let codec = codec.map(str::to_owned).into();
    Ok((Cli { world, codec }, server))
}

#[tokio::test]
async fn the_cli_encodes_what_it_starts_and_decodes_what_it_shows() -> anyhow::Result<()> {
    for suffix in ["", "/{namespace}", "/behind/a/prefix/{namespace}"] {
        let (cli, _server) = scene(Role::Writer, suffix).await?;
        let id = cli.world.id("cli");

        let started = cli.start(&id).await?;

        assert!(started.status.success(), "{started:?}");
        assert_encrypted(&cli.show(&id, false).await?);
        let shown = cli.show(&id, true).await?;
        let plain = BASE64_STANDARD.encode(format!("\"{CANARY}\""));
        assert!(shown.contains(CANARY) || shown.contains(&plain), "{shown}");
    }
    Ok(())
}

#[tokio::test]
async fn the_cli_of_a_reader_decodes_and_starts_nothing() -> anyhow::Result<()> {
    let (cli, server) = scene(Role::Reader, "").await?;
    let id = cli.world.id("cli-reader");

    let refused = cli.start(&id).await?;

    assert!(!refused.status.success(), "{refused:?}");
    let unknown = cli
        .run(&["workflow", "show", "--workflow-id", &id], false)
        .await?;
    assert!(!unknown.status.success(), "{unknown:?}");
    let metrics = server.get("/metrics").await?.body;
    let nothing = r#"sealane_codec_server_payloads_total{operation="encode",outcome="done"} 0"#;
    assert!(metrics.lines().any(|line| line == nothing), "{metrics}");
    Ok(())
}
