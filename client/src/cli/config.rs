//! `sealane config`.

use clap::{Args, Subcommand};
use sealane_service::{
    auth::Authenticator,
    exit,
    probes::Metrics,
    settings::{self, Row, Settings, Temporal},
};
use serde::Serialize;
use temporalio_client::{NamespacedClient, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeNamespaceRequest;
use tonic::IntoRequest;

use super::{CliError, Globals, Session, output, session};

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print every setting with its source, and check that they can be used
    Check(Check),
}

/// Prints every setting with its value and where it comes from, secrets redacted, then checks
/// values, files and keys. All problems are reported at once.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Also connect to the Temporal server and look for the namespace
    #[arg(long)]
    connect: bool,
}

/// One setting.
#[derive(Serialize)]
struct Setting {
    setting: String,
    value: Option<String>,
    source: String,
}

impl ConfigCommand {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        match self {
            Self::Check(command) => command.run(globals).await,
        }
    }
}

impl Check {
    async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let rows = settings::report(globals.config.as_deref(), |name| std::env::var_os(name));
        let rows: Vec<Setting> = rows.into_iter().map(Setting::from).collect();
        output::many(globals.output, &rows)?;
        let settings = session::settings(globals.config.as_deref())?;
        session::keys(&settings.encryption).await?;
        note_callers(&settings).await;
        if self.connect {
            let session = Box::pin(Session::open(globals.config.as_deref())).await?;
            find_namespace(session).await?;
            let Temporal {
                address, namespace, ..
            } = &settings.temporal;
            eprintln!(
                "sealane: settings and keys can be used; {address} has the namespace {namespace:?}"
            );
        } else {
            eprintln!("sealane: settings and keys can be used");
        }
        Ok(())
    }
}

/// Says what would keep the HTTP API and the codec server from telling callers apart. It is no error, because
/// workers share the settings and not the files.
async fn note_callers(settings: &Settings) {
    if settings.auth.is_off() {
        return;
    }
    let metrics = Metrics::new();
    let started = Authenticator::start(&settings.auth, settings.http_addr, &metrics).await;
    if let Err(error) = started {
        eprintln!(
            "sealane: `sealane serve` and `sealane-codec-server` would not start: {}",
            exit::with_causes(&error)
        );
    }
}

/// Connecting alone does not tell whether the namespace exists.
async fn find_namespace(mut session: Session) -> Result<(), CliError> {
    let request = DescribeNamespaceRequest {
        namespace: session.client.namespace(),
        ..DescribeNamespaceRequest::default()
    };
    let found = session.client.describe_namespace(request.into_request());
    found.await?;
    Ok(())
}

impl From<Row> for Setting {
    fn from(row: Row) -> Self {
        Self {
            setting: row.name,
            value: row.value,
            source: row.source.to_string(),
        }
    }
}
