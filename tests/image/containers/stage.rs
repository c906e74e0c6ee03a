//! The overlay `local`, played by podman against a dev server.

use std::{fs, net::TcpListener, os::unix::fs::chown, path::PathBuf, time::Duration};

use anyhow::{Context, ensure};
use reqwest::RequestBuilder;
use sealane_dev::server::{DevServer, Options};
use sealane_tests::temporal_cli;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    built::{Built, IMAGE},
    instance::{Port, rendered},
};

/// What the overlay starts.
pub(crate) const WORKLOADS: [&str; 4] = ["worker", "api", "codec-server", "trigger"];

/// User of the image.
const USER: u32 = 65532;

/// Longer than any drain of the manifests.
const DRAIN: &str = "60";

/// Bounds every wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// The workloads, with a server and keys of their own. Dropping it ends them.
pub(crate) struct Stage {
    built: &'static Built,
    server: Option<DevServer>,
    folder: TempDir,
    ports: Vec<Port>,
}

impl Stage {
    /// Starts a server, makes keys and a token with the image itself, renders and plays.
    pub(crate) async fn open(built: &'static Built) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir_in(built.sandbox.place().join("tmp"))?;
        let options = Options {
            database: Some(folder.path().join("temporal.db")),
            ..Options::default()
        };
        let server = DevServer::start(&temporal_cli().await?, &options).await?;
        let variable = |workload| match workload {
            "codec-server" => "SEALANE_CODEC_ADDR",
            _ => "SEALANE_HTTP_ADDR",
        };
        let ports = WORKLOADS.map(|it| Ok((it, variable(it), free_port()?)));
        let stage = Self {
            built,
            server: Some(server),
            folder,
            ports: ports.into_iter().collect::<anyhow::Result<_>>()?,
        };
        stage.generate(
            "sealane-keys",
            &["keys", "generate", "--out", "/out/keys.json"],
        )?;
        stage.hand_out_a_token()?;
        stage.play()?;
        Ok(stage)
    }

    /// Runs the CLI of the image, which writes below `/out`: the folder that is mounted in place of the Secret `secret`.
    fn generate(&self, secret: &str, command: &[&str]) -> anyhow::Result<String> {
        let folder = self.path(secret);
        if !folder.exists() {
            fs::create_dir(&folder)?;
            chown(&folder, Some(USER), Some(USER))?;
        }
        let volume = format!("--volume={}:/out", folder.display());
        let mut arguments = vec![
            "run",
            "--rm",
            "--network=host",
            "--read-only",
            &volume,
            IMAGE,
            "sealane",
        ];
        arguments.extend(command);
        self.built.sandbox.run("podman", &arguments)
    }

    fn hand_out_a_token(&self) -> anyhow::Result<()> {
        let command = [
            "tokens",
            "generate",
            "--name",
            "test",
            "--grant",
            "default=writer",
        ];
        let output = ["--out", "/out/token", "--output", "json"];
        let told = self.generate("sealane-tokens", &[&command[..], &output[..]].concat())?;
        let told: Value = serde_json::from_str(&told)?;
        let list = json!({"tokens": [told["entry"]]}).to_string();
        fs::write(self.path("sealane-tokens/tokens.json"), list)?;
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn play(&self) -> anyhow::Result<()> {
        let address = self.server()?.address().replace("127.0.0.1", "localhost");
        let objects = rendered(self.folder.path(), &address, &self.ports)?;
        fs::write(self.path("played.yaml"), objects)?;
        let played = self.path("played.yaml").display().to_string();
        self.podman(&["play", "kube", "--network=host", &played])?;
        Ok(())
    }

    /// Returns the address of a workload's HTTP server.
    pub(crate) fn url(&self, workload: &str, path: &str) -> anyhow::Result<String> {
        let port = self
            .ports
            .iter()
            .find(|it| it.0 == workload)
            .context("no such workload")?
            .2;
        Ok(format!("http://127.0.0.1:{port}{path}"))
    }

    /// Waits until `path` of a workload answers with success, and returns the answer.
    pub(crate) async fn answers(&self, workload: &str, path: &str) -> anyhow::Result<String> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let url = self.url(workload, path)?;
        let asked = async {
            loop {
                if let Ok(answer) = client.get(&url).send().await
                    && answer.status().is_success()
                {
                    return answer.text().await;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        Ok(answer.with_context(|| {
            format!(
                "{url}: no success; {}",
                self.log(workload).unwrap_or_default()
            )
        })??)
    }

    /// Returns a request to the API with the token.
    pub(crate) fn request(&self, path: &str) -> anyhow::Result<RequestBuilder> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()?;
        let token = fs::read_to_string(self.path("sealane-tokens/token"))?;
        Ok(client.get(self.url("api", path)?).bearer_auth(token.trim()))
    }

    /// Returns the container of a workload, by the name that podman gives it.
    pub(crate) fn container(&self, workload: &str) -> anyhow::Result<String> {
        let filter = format!("name=^sealane-{workload}-.*{workload}$");
        let name = self.podman(&["ps", "--all", "--filter", &filter, "--format", "{{.Names}}"])?;
        ensure!(
            !name.is_empty() && !name.contains('\n'),
            "{workload}: {name:?}"
        );
        Ok(name)
    }

    /// Returns what a workload has written.
    pub(crate) fn log(&self, workload: &str) -> anyhow::Result<String> {
        let container = self.container(workload)?;
        let output = self
            .built
            .sandbox
            .command("podman")
            .args(["logs", &container])
            .output()?;
        Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// Runs podman, and returns what it writes.
    pub(crate) fn podman(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.built.sandbox.run("podman", arguments)
    }

    /// Stops a workload as Kubernetes does, with SIGTERM and time, and returns the code with which it ends.
    pub(crate) fn stop(&self, workload: &str) -> anyhow::Result<String> {
        let container = self.container(workload)?;
        self.podman(&["stop", "--time", DRAIN, &container])?;
        self.podman(&["inspect", "--format", "{{.State.ExitCode}}", &container])
    }

    /// Returns user, capabilities and root of a running workload, as the kernel knows them.
    pub(crate) fn status(&self, workload: &str) -> anyhow::Result<String> {
        let container = self.container(workload)?;
        let pid = self.podman(&["inspect", "--format", "{{.State.Pid}}", &container])?;
        let files = [format!("/proc/{pid}/status"), format!("/proc/{pid}/mounts")];
        self.built.sandbox.run("cat", &[&files[0], &files[1]])
    }

    /// Stops the server, and returns all files of its database.
    pub(crate) fn database(&mut self) -> anyhow::Result<Vec<u8>> {
        drop(self.server.take());
        let mut bytes = Vec::new();
        for file in fs::read_dir(self.folder.path())? {
            let path = file?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if name.starts_with("temporal.db") {
                bytes.extend(fs::read(path)?);
            }
        }
        Ok(bytes)
    }

    fn server(&self) -> anyhow::Result<&DevServer> {
        self.server.as_ref().context("the server is stopped")
    }
}

impl Drop for Stage {
    /// The sandbox stays for other tests, so its pods have to go.
    fn drop(&mut self) {
        self.podman(&["pod", "rm", "--all", "--force", "--time", "0"])
            .ok();
    }
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.port())
}
