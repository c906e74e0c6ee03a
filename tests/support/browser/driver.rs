//! `ChromeDriver` as a child process, and its protocol: JSON over HTTP.

use std::{process::Command, time::Duration};

use anyhow::{Context, bail};
use sealane_dev::guardian::Guardian;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::ChildStdout,
    time::timeout,
};

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

/// Bounds the start: a `ChromeDriver` that says nothing fails the test. An idle machine takes a tenth of a second.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How often `ChromeDriver` is started before it is given up.
const ATTEMPTS: u32 = 5;

/// What `ChromeDriver` says with the port that it listens on.
const LISTENING: &str = "started successfully on port ";

pub(super) struct Driver {
    url: String,
    client: reqwest::Client,
    _guardian: Guardian,
    /// Kept open: what `ChromeDriver` may still say must not end it.
    _output: Output,
}

type Output = Lines<BufReader<ChildStdout>>;

impl Driver {
    /// `ChromeDriver` takes a free port of IPv4 and then wants the same of IPv6, which somebody else may have: it ends, and
    /// is started once more.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let started = timeout(START_TIMEOUT, Self::attempts()).await;
        started.context("ChromeDriver does not say on which port it listens")?
    }

    async fn attempts() -> anyhow::Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::attempt().await {
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    async fn attempt() -> anyhow::Result<Self> {
        let mut guardian = Guardian::start(Command::new("sh").args(["-c", GUARDIAN]))
            .context("sh could not be started")?;
        let output = guardian.output().context("sh has no output")?;
        let mut output = BufReader::new(ChildStdout::from_std(output)?).lines();
        let port = port_in(&mut output).await?;
        Ok(Self {
            url: format!("http://127.0.0.1:{port}"),
            client: reqwest::Client::builder()
                .no_proxy()
                .timeout(CALL_TIMEOUT)
                .build()?,
            _guardian: guardian,
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

async fn port_in(output: &mut Output) -> anyhow::Result<u16> {
    while let Some(line) = output.next_line().await? {
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
