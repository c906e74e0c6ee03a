//! Whether the vault gives the API key of the Temporal service.

use std::time::Duration;

use sealane_codec::key_vault::{Text, TextError, TextOptions, TextSource, VaultSecret};
use sealane_service::{
    api_key::ApiKeyError,
    exit::ExitStatus,
    settings::{ApiKey, ApiKeySecret},
};

use super::{Finding, exchange, network, remedy, subject::Subject, within};

pub(super) const CHECK: &str = "api-key";

/// Gets the key that a start would use.
pub(super) async fn check(
    subject: &Subject,
    exchanged: &Finding,
    reachable: &Finding,
) -> (Finding, Option<Text>) {
    let wanted = match secret(subject) {
        Ok(wanted) => wanted,
        Err(why) => return (Finding::skipped(CHECK, why), None),
    };
    for needed in [reachable, exchanged] {
        if !needed.allows() {
            return (Finding::needs(CHECK, needed.check), None);
        }
    }
    match get(subject, wanted).await {
        Ok(key) => {
            let detail = format!("secret {} in {} holds one", wanted.secret, wanted.url);
            (Finding::pass(CHECK, detail), Some(key))
        }
        Err(failed) => (failed, None),
    }
}

/// Returns which secret to look at, or why at none.
fn secret(subject: &Subject) -> Result<&ApiKeySecret, &'static str> {
    match subject.parts.temporal.as_ref().map(|it| &it.api_key) {
        Some(ApiKey::KeyVault(secret)) => Ok(secret),
        _ if subject.has_api_key_secret() => Err("cannot be checked before settings passes"),
        _ => Err("KEYVAULT_API_KEY_SECRET_NAME is not set"),
    }
}

async fn get(subject: &Subject, wanted: &ApiKeySecret) -> Result<Text, Finding> {
    let azure = subject
        .azure()
        .map_err(|why| Finding::skipped(CHECK, why))?;
    let secret = VaultSecret::new(&azure, &wanted.url, &wanted.secret).map_err(|error| {
        let (story, remedy) = (error.story(), error.remedy());
        Finding::fail(CHECK, exchange::code(error), story, remedy)
    })?;
    let options = TextOptions {
        refresh: wanted.refresh,
        start_limit: Duration::ZERO,
    };
    let loaded = within(TextSource::load(secret, options, &|_| ())).await;
    match loaded.ok_or_else(|| network::silent(CHECK))? {
        Ok((key, _)) => Ok(key),
        Err(error) => Err(refused(subject, wanted, error)),
    }
}

fn refused(subject: &Subject, wanted: &ApiKeySecret, error: TextError) -> Finding {
    let (detail, remedy) = match &error {
        TextError::Azure(azure) => (azure.story(), remedy::api_key(subject, wanted, azure)),
        other => (other.to_string(), remedy::no_api_key(wanted)),
    };
    Finding::fail(CHECK, ApiKeyError::from(error).exit_code(), detail, remedy)
}
