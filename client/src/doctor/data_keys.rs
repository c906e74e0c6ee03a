//! Whether Key Vault wraps and unwraps data keys.

use sealane_codec::{
    azure::Azure,
    envelope::{Envelope, EnvelopeOptions, KeyUris, StartError},
};
use sealane_service::{encryption::EncryptionError, exit::ExitStatus, settings};

use super::{Finding, network, remedy, subject::Subject, within};

const CHECK: &str = "data-keys";

/// Has a random data key wrapped and unwrapped again, and throws it away.
pub(super) async fn check(subject: &Subject, exchange: &Finding) -> Finding {
    if let Some(why) = subject.without_keys() {
        return Finding::skipped(CHECK, why);
    }
    let Some(envelope) = &subject.parts.envelope else {
        let why = match subject.value("KEYVAULT_KEY_URI") {
            Some(_) => "cannot be checked before settings passes",
            None => "KEYVAULT_KEY_URI is not set",
        };
        return Finding::skipped(CHECK, why);
    };
    if !exchange.allows() {
        return Finding::needs(CHECK, exchange.check);
    }
    let azure = match subject.azure() {
        Ok(azure) => azure,
        Err(why) => return Finding::skipped(CHECK, why),
    };
    let Some(attempt) = within(attempt(&azure, envelope)).await else {
        return network::silent(CHECK);
    };
    match attempt {
        Ok(uri) => Finding::pass(CHECK, format!("{uri} wraps and unwraps")),
        // Reading needs nothing but unwrap, which cannot be tried without something to unwrap.
        Err(error) if !envelope.encrypts => {
            let (detail, remedy) = told(subject, &error);
            let detail = format!("cannot be tried as long as nothing may be wrapped: {detail}");
            Finding::warn(CHECK, detail, remedy)
        }
        Err(error) => {
            let (detail, remedy) = told(subject, &error);
            Finding::fail(CHECK, error.exit_code(), detail, remedy)
        }
    }
}

/// Returns the wrapping key, if it does its work.
async fn attempt(azure: &Azure, settings: &settings::Envelope) -> Result<String, EncryptionError> {
    let uris: KeyUris = settings.key_uris.join(",").parse()?;
    let wrapping = uris.wrapping().to_string();
    let options = EnvelopeOptions {
        encode: true,
        ..EnvelopeOptions::default()
    };
    Envelope::new(azure, uris, options).await?;
    Ok(wrapping)
}

fn told(subject: &Subject, error: &EncryptionError) -> (String, String) {
    let azure = match error {
        EncryptionError::DataKey(StartError::Azure(error)) => error,
        other => return (other.to_string(), "check KEYVAULT_KEY_URI".to_owned()),
    };
    (azure.story(), remedy::wrapping(subject, azure))
}
