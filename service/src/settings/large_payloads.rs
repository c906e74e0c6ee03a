//! Where payloads are kept that are too large for Temporal.

use sealane_codec::large_payloads::LONGEST_URL;
use url::Url;

use super::{
    definitions::definition,
    http::bytes,
    key_vault::https_url,
    temporal,
    values::{Noted, Values},
};

/// Where payloads are kept that are too large for Temporal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargePayloads {
    /// The container.
    pub container: Url,
    /// Namespace whose payloads this process stores and reads.
    pub namespace: String,
    /// Whether it stores any; otherwise it reads what others have stored.
    pub stores: bool,
    /// Encrypted payloads of more bytes are stored.
    pub threshold: usize,
    /// Encrypted payloads of more bytes are not stored, and larger blobs not read.
    pub max: usize,
}

/// Temporal refuses payloads of 2 MB, so everything from there on has to be stored.
const LARGEST_THRESHOLD: usize = 2_000_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Off,
    Read,
    Blob,
}

/// Whether anything is to be kept outside of Temporal, as far as that can be told.
pub(super) fn are_wanted(values: &Values) -> bool {
    let mode = values.get("SEALANE_LARGE_PAYLOADS");
    mode.is_some_and(|(text, _)| matches!(text, "read" | "blob"))
}

/// Reads them; only ciphertext is stored, so nothing is if payloads are not `encrypted`.
pub(super) fn read(values: &mut Values, encrypted: bool) -> Result<Option<LargePayloads>, Noted> {
    let mode = values.parse("SEALANE_LARGE_PAYLOADS", |text| match text {
        "off" => Some(Mode::Off),
        "read" => Some(Mode::Read),
        "blob" => Some(Mode::Blob),
        _ => None,
    });
    let container = values.optional("SEALANE_BLOB_CONTAINER_URL", container_url);
    let threshold = values.parse("SEALANE_LARGE_PAYLOADS_THRESHOLD", |text| {
        bytes(text).filter(|bytes| *bytes <= LARGEST_THRESHOLD)
    });
    let max = values.parse("SEALANE_LARGE_PAYLOADS_MAX", bytes);
    let (mode, container) = (mode?, container?);
    if mode == Mode::Off {
        return Ok(None);
    }
    if !encrypted {
        let expected = "off because SEALANE_ENCRYPTION is off: only ciphertext is stored";
        return Err(values.reject_as("SEALANE_LARGE_PAYLOADS", expected));
    }
    let Some(container) = container else {
        let domain = definition("SEALANE_BLOB_CONTAINER_URL").domain;
        let expected = format!("{domain} because SEALANE_LARGE_PAYLOADS is not off");
        return Err(values.miss("SEALANE_BLOB_CONTAINER_URL", expected));
    };
    let (threshold, max) = (threshold?, max?);
    if max < threshold {
        let expected = format!("at least SEALANE_LARGE_PAYLOADS_THRESHOLD, which is {threshold}");
        return Err(values.reject_as("SEALANE_LARGE_PAYLOADS_MAX", expected));
    }
    Ok(Some(LargePayloads {
        container,
        namespace: values.parse("TEMPORAL_NAMESPACE", temporal::namespace)?,
        stores: mode == Mode::Blob,
        threshold,
        max,
    }))
}

/// Accepts the URL of something in a storage account, without a query: that would be a signature.
fn container_url(text: &str) -> Option<Url> {
    let mut url = https_url(text)?;
    let path = url.path().trim_end_matches('/').to_owned();
    let is_container = path.len() > 1 && !path[1..].split('/').any(str::is_empty);
    url.set_path(&path);
    (is_container && url.as_str().len() <= LONGEST_URL).then_some(url)
}
