//! `ChromeDriver` as a child process, and its protocol: JSON over HTTP.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use serde_json::Value;

/// Bounds every call. Loading a page takes a few seconds on a busy machine.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs `ChromeDriver` and kills it, with all that it has started, when our end of standard input closes, which also happens
/// when this process is killed. A browser outlives its driver otherwise.
const GUARDIAN: &str = r#"
exec 3<&0
chromedriver --port=0 </dev/null 3<&- &
driver=$!
(cat <&3 >/dev/null; kill -s KILL -- -$$) >/dev/null 2>&1 &
wait "$driver"
"#;

/// How often `ChromeDriver` is started before it is given up.
const ATTEMPTS: u32 = 5;

/// What `ChromeDriver` says with the port that it listens on.
const LISTENING: &str = "started successfully on port ";

pub(super) struct Driver {
    guardian: Child,
    url: String,
    client: reqwest::Client,
    /// Kept open: what `ChromeDriver` may still say must not end it.
    _output: BufReader<ChildStdout>,
}

impl Driver {
    /// `ChromeDriver` takes a free port of IPv4 and then wants the same of IPv6, which somebody else may have: it ends, and
    /// is started once more.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::attempt().await {
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    async fn attempt() -> anyhow::Result<Self> {
        let mut guardian = Command::new("sh")
            .args(["-c", GUARDIAN])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .context("sh could not be started")?;
        let mut output = BufReader::new(guardian.stdout.take().context("sh has no output")?);
        let (port, output) =
            tokio::task::spawn_blocking(move || (port_in(&mut output), output)).await?;
        let port = port?;
        Ok(Self {
            guardian,
            url: format!("http://127.0.0.1:{port}"),
            client: reqwest::Client::builder()
                .no_proxy()
                .timeout(CALL_TIMEOUT)
                .build()?,
            _output: output,
        })
    }

    /// Sends one command and returns its value. A null `body` is none.
    pub(super) async fn call(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<Value> {
        let method = method.parse()?;
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if !body.is_null() {
            request = request.json(body);
        }
        let mut answer: Value = request.send().await?.json().await?;
        let value = answer["value"].take();
        if let Some(error) = value["error"].as_str() {
            let message = value["message"].as_str().unwrap_or_default();
            let line = message.lines().next().unwrap_or_default();
            bail!("the browser refuses {path}: {error}: {line}");
        }
        Ok(value)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        self.guardian.wait().ok();
    }
}

fn port_in(output: impl BufRead) -> anyhow::Result<u16> {
    for line in output.lines() {
        let line = line?;
        let Some((_, rest)) = line.split_once(LISTENING) else {
            continue;
        };
        let port = rest.trim_end_matches('.');
        return port.parse().with_context(|| format!("no port in {line:?}"));
    }
    bail!(
        "ChromeDriver did not start; are chromium and chromium-driver installed? (.ci/run does that)"
    )
}
