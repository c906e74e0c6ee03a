//! Whether the container of large payloads can be used.

use sealane_codec::{
    azure::AzureError,
    large_payloads::{LargePayloadOptions, LargePayloads},
};
use sealane_service::{encryption::EncryptionError, exit::ExitStatus, settings};

use super::{Finding, Status, network, subject::Subject, within};

const CHECK: &str = "blob-container";

/// Stores a blob of 14 bytes and reads it; where nothing is stored, asks for one.
pub(super) async fn check(subject: &Subject, exchange: &Finding) -> Finding {
    let Some(wanted) = &subject.parts.large_payloads else {
        let why = match subject.value("SEALANE_LARGE_PAYLOADS") {
            Some("read" | "blob") => "cannot be checked before settings passes",
            _ => "SEALANE_LARGE_PAYLOADS is off",
        };
        return Finding::skipped(CHECK, why);
    };
    if exchange.status == Status::Fail {
        return Finding::needs(CHECK, exchange.check);
    }
    let azure = match subject.azure() {
        Ok(azure) => azure,
        Err(why) => return Finding::skipped(CHECK, why),
    };
    let attempt = async {
        let large = LargePayloads::new(&azure, options(wanted))?;
        large.probe().await
    };
    match within(attempt).await {
        None => network::silent(CHECK),
        Some(Ok(())) => Finding::pass(CHECK, seen(wanted)),
        Some(Err(error)) => failed(error),
    }
}

fn options(wanted: &settings::LargePayloads) -> LargePayloadOptions {
    LargePayloadOptions {
        container: wanted.container.clone(),
        namespace: wanted.namespace.clone(),
        stores: wanted.stores,
        threshold: wanted.threshold,
        max: wanted.max,
    }
}

fn seen(wanted: &settings::LargePayloads) -> String {
    let can = match wanted.stores {
        true => "stored and read",
        false => "read",
    };
    format!("blobs can be {can} in {}", wanted.container)
}

fn failed(error: AzureError) -> Finding {
    let (story, remedy) = (error.story(), error.remedy());
    let code = EncryptionError::from(error).exit_code();
    Finding::fail(CHECK, code, story, remedy)
}
