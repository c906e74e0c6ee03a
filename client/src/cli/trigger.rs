//! `sealane trigger`: periodic starts, for as long as this process runs.

mod report;

use std::{future::pending, num::NonZeroU64, sync::Arc, time::Duration};

use clap::{Args, builder::NonEmptyStringValueParser};
use sealane_service::{
    encryption,
    exit::{self, ExitStatus, with_causes},
    probes::{self, BindError, Health, Metrics, Server},
    settings::Settings,
    shutdown,
    telemetry::{self, InitError},
};

use self::report::{CONDITION, Report};
use super::{CliError, Globals, Session, input, session};
use crate::{
    connection::Extras,
    trigger::{self, FailureKind, InputTemplate, Jitter, Target, TriggerError, TriggerOptions},
};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct TriggerCommand {
    /// Type of the workflows to start
    #[arg(value_name = "TYPE", value_parser = NonEmptyStringValueParser::new())]
    workflow_type: String,
    /// Time between two starts, as in 10s; the first one is due at once
    #[arg(long, value_name = "DURATION", value_parser = period)]
    every: Duration,
    /// End after this many starts; never if omitted
    #[arg(long)]
    count: Option<NonZeroU64>,
    /// How far the time between two starts may stray
    #[arg(long, value_name = "PERCENT", default_value = "0%")]
    jitter: Jitter,
    /// JSON argument, `@FILE` or `-`; in its strings {{counter}}, {{timestamp}} and {{id}} are filled
    /// in at each start. Repeat for several arguments
    #[arg(long, value_name = "JSON")]
    input_template: Vec<String>,
    /// Task queue of the workflows; default: `TEMPORAL_TASK_QUEUE`
    #[arg(long, short, value_parser = NonEmptyStringValueParser::new())]
    task_queue: Option<String>,
    /// Print the decrypted result of every workflow, one line each, and end after the last one
    #[arg(long)]
    wait: bool,
}

const AFTER_HELP: &str = "\
Workflow ids are TYPE-COUNTER-TIME, in plaintext on the server like the type itself. A start that fails
is retried under the same id, with growing waits, until the server has taken it. SIGTERM and Ctrl-C end
the command with exit code 0; workflows it has started go on. Probes and metrics: SEALANE_HTTP_ADDR.";

impl TriggerCommand {
    /// Runs until the count is reached or a signal comes.
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let input = self.template()?;
        let settings = session::settings(globals.config.as_deref())?;
        telemetry::init(&settings.log)?;
        let shutdown = shutdown::requested();
        tokio::pin!(shutdown);
        let (health, metrics) = serve(&settings).await?;
        let mut report = Report::new(globals.output, &metrics, health.clone())?;
        let session = tokio::select! {
            session = open(settings, &health, &metrics) => session?,
            () = &mut shutdown => return Ok(()),
        };
        if let Some(keys) = &session.keys {
            keys.expose(&health, &metrics);
        }
        health.readiness().ready();
        let options = self.options(input, &session);
        trigger::run(session.client, options, shutdown, |event| {
            report.tell(&event)
        })
        .await?;
        health.readiness().drain();
        Ok(())
    }

    fn template(&self) -> Result<InputTemplate, CliError> {
        let flag = "--input-template";
        let arguments = input::arguments(flag, &self.input_template)?;
        let values = arguments.iter().map(crate::payload::to_json).collect();
        InputTemplate::new(values).map_err(|error| CliError::usage(error.to_string()))
    }

    fn options(self, input: InputTemplate, session: &Session) -> TriggerOptions {
        let task_queue = &session.settings.temporal.task_queue;
        TriggerOptions {
            targets: vec![Target {
                workflow_type: self.workflow_type,
                input,
            }],
            task_queue: self.task_queue.unwrap_or_else(|| task_queue.clone()),
            every: self.every,
            jitter: self.jitter,
            count: self.count,
            wait: self.wait,
        }
    }
}

/// Opens a session; readiness says what that waits for.
async fn open(settings: Settings, health: &Health, metrics: &Metrics) -> Result<Session, CliError> {
    let waiting = |why| health.set("key_ring", Err(why));
    let keys = encryption::keys_telling(&settings.encryption, &waiting).await?;
    let health = health.clone();
    let extras = Extras {
        exposed: Some(metrics.clone()),
        waiting: Some(Arc::new(move |why| health.set(CONDITION, Err(why)))),
        ..Extras::default()
    };
    Session::of(settings, keys, extras).await
}

/// Answers probes from here on, until the process ends.
async fn serve(settings: &Settings) -> Result<(Health, Metrics), CliError> {
    let health = Health::new();
    let metrics = Metrics::new();
    let router = probes::router(health.clone(), metrics.clone());
    let server = Server::bind(settings.http_addr, router).await?;
    tracing::info!(http.address = %server.address(), "answering probes");
    tokio::spawn(async move {
        if let Err(error) = server.serve(pending()).await {
            tracing::error!(error = %error, "probes are no longer answered");
        }
    });
    Ok((health, metrics))
}

fn period(text: &str) -> Result<Duration, String> {
    let period = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if period.is_zero() {
        return Err("expected more than 0s".to_owned());
    }
    Ok(period)
}

impl From<TriggerError> for CliError {
    fn from(error: TriggerError) -> Self {
        let code = match error.kind {
            FailureKind::Refused => exit::REFUSED,
            FailureKind::NamespaceNotFound | FailureKind::Encode => exit::SETTINGS,
            FailureKind::Invalid => exit::USAGE,
            _ => exit::INTERNAL,
        };
        Self::new(code, with_causes(&error))
    }
}

impl From<BindError> for CliError {
    fn from(error: BindError) -> Self {
        Self::new(error.exit_code(), with_causes(&error))
    }
}

impl From<InitError> for CliError {
    fn from(error: InitError) -> Self {
        Self::new(error.exit_code(), with_causes(&error))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::TriggerCommand;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        command: TriggerCommand,
    }

    fn parse(flags: &[&str]) -> Result<TriggerCommand, clap::Error> {
        Ok(Line::try_parse_from([&["trigger", "T"], flags].concat())?.command)
    }

    #[test]
    fn values_out_of_their_domain_are_named() {
        for flags in [
            ["--every", "0s"],
            ["--every", "often"],
            ["--jitter", "10"],
            ["--count", "0"],
        ] {
            let error = parse(&flags).err().unwrap().to_string();
            assert!(
                error.contains(flags[0]) && error.contains(flags[1]),
                "{error}"
            );
        }
    }

    #[test]
    fn a_template_with_an_unknown_placeholder_is_refused_before_anything_starts() {
        let command = parse(&["--every", "1s", "--input-template", r#""{{name}}""#]).unwrap();

        let error = command.template().unwrap_err().to_string();

        assert!(error.contains(r#""name""#), "{error}");
    }
}
