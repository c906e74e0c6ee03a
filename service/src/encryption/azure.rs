//! From settings to Azure: who we are, whom we trust, and how long a start waits.

use std::{collections::BTreeSet, fs, time::Duration};

use sealane_codec::{
    azure::{Azure, Identity, Start, WorkloadIdentity, http_client},
    envelope::{Envelope, EnvelopeOptions, KeyUris, StartError},
};
use tokio::time::sleep;

use super::EncryptionError;
use crate::settings::{self, AzureIdentity, Encryption};

/// Returns the access to Azure that `settings` describe. Sends nothing.
///
/// # Errors
///
/// [`EncryptionError::CaFile`] and [`EncryptionError::Azure`].
pub fn azure(settings: &settings::Azure) -> Result<Azure, EncryptionError> {
    let root = settings.ca_file.as_ref().map(|path| {
        fs::read(path).map_err(|error| EncryptionError::CaFile {
            path: path.display().to_string(),
            reason: error.to_string(),
        })
    });
    let http = http_client(root.transpose()?.as_deref())?;
    Ok(Azure::new(identity(&settings.identity), http)?)
}

fn identity(settings: &AzureIdentity) -> Identity {
    match settings.clone() {
        AzureIdentity::Workload {
            tenant_id,
            client_id,
            token_file,
            authority_host,
        } => Identity::Workload(WorkloadIdentity {
            tenant_id,
            client_id,
            token_file,
            authority_host,
        }),
        AzureIdentity::Managed { client_id } => Identity::Managed { client_id },
        AzureIdentity::Developer => Identity::Developer,
    }
}

/// How long a start waits for what may pass.
pub(super) fn start_limit(settings: &Encryption) -> Duration {
    let azure = settings.azure.as_ref();
    azure.map_or(Duration::ZERO, |azure| azure.start_limit)
}

pub(super) fn key_uris(texts: &[String]) -> Result<KeyUris, EncryptionError> {
    Ok(texts.join(",").parse()?)
}

/// Makes the envelope, whose first data key has to be wrapped. Waits for what may pass, and logs
/// each reason for it once.
pub(super) async fn first_data_key(
    azure: &Azure,
    uris: &KeyUris,
    options: &EnvelopeOptions,
    limit: Duration,
    waiting: &(dyn Fn(String) + Sync),
) -> Result<Envelope, StartError> {
    let (mut start, mut told) = (Start::now(), BTreeSet::new());
    loop {
        let error = match Envelope::new(azure, uris.clone(), options.clone()).await {
            Ok(envelope) => return Ok(envelope),
            Err(error) => error,
        };
        let azure = error.azure();
        let limit = azure.map_or(Duration::ZERO, |azure| azure.patience(limit));
        let Some(wait) = start.wait(limit) else {
            return Err(error);
        };
        if told.insert(error.reason()) {
            tracing::warn!("waiting up to {limit:?} for a data key: {error}");
        }
        waiting(error.to_string());
        sleep(wait).await;
    }
}
