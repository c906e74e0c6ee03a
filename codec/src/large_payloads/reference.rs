//! What goes to Temporal in place of a stored payload.
//!
//! The form is that of Temporal's own external storage, so the Web UI and other SDKs know it for
//! what it is: metadata `encoding = json/protobuf` and `messageType`, the data an
//! `ExternalStorageReference` in protobuf JSON, the size in `external_payloads`. In addition the
//! metadata names the key of the stored ciphertext, as that of any other encrypted payload does.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use temporalio_common::protos::temporal::api::common::v1::{
    Payload, payload::ExternalPayloadDetails,
};
use url::Url;

use super::name::BlobName;
use crate::metadata::{ENCODING, KEY_ID, WRAPPED_KEY, encoding};

const JSON_PROTOBUF: &str = "json/protobuf";
const MESSAGE_TYPE: &str = "messageType";
const REFERENCE: &str = "temporal.api.sdk.v1.ExternalStorageReference";

/// Name of the storage driver, like `aws.s3driver` and `gcp.gcsdriver` in Temporal's SDKs.
const DRIVER: &str = "azure.blobdriver";
const SHA256: &str = "sha256";

/// Ours are about 400 bytes long. What claims to be one is parsed only up to here.
const LONGEST: usize = 4096;

/// Where a stored payload is, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// The container it was written to. For messages only: what is read is what is configured.
    pub(super) container: Url,
    pub(super) name: BlobName,
    /// Bytes of the blob, if the reference still says so.
    pub(super) size: Option<usize>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    #[serde(alias = "driver_name")]
    driver_name: String,
    #[serde(alias = "claim_data")]
    claim_data: Claim,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    container: String,
    key: String,
    hash_algorithm: String,
    hash_value: String,
}

/// Whether `payload` is a reference to something kept outside of Temporal, by whatever driver.
#[must_use]
pub fn is_external_reference(payload: &Payload) -> bool {
    let kind = payload.metadata.get(MESSAGE_TYPE).map(Vec::as_slice);
    encoding(payload) == JSON_PROTOBUF.as_bytes() && kind == Some(REFERENCE.as_bytes())
}

/// Whether `payload` is a reference as Sealane writes them, and nothing else: then ciphertext is
/// behind it, and it holds nothing that would have to be encrypted.
#[must_use]
pub fn is_stored(payload: &Payload) -> bool {
    is_external_reference(payload) && Reference::of(payload).is_some()
}

impl Reference {
    pub(super) fn new(container: &Url, name: &BlobName, size: usize) -> Self {
        Self {
            container: container.clone(),
            name: name.clone(),
            size: Some(size),
        }
    }

    /// Reads a payload, if it is one of ours down to the last byte that counts.
    pub(super) fn of(payload: &Payload) -> Option<Self> {
        let known =
            |name: &String| [ENCODING, MESSAGE_TYPE, KEY_ID, WRAPPED_KEY].contains(&name.as_str());
        let is_ours = is_external_reference(payload) && payload.metadata.keys().all(known);
        if !is_ours || payload.data.len() > LONGEST {
            return None;
        }
        let wire: Wire = serde_json::from_slice(&payload.data).ok()?;
        let claim = wire.claim_data;
        let name = BlobName::parse(&claim.key)?;
        let is_whole = wire.driver_name == DRIVER
            && claim.hash_algorithm == SHA256
            && claim.hash_value == name.hash();
        let size = payload.external_payloads.first();
        let size = size
            .map(|it| usize::try_from(it.size_bytes))
            .transpose()
            .ok()?;
        is_whole.then_some(())?;
        Some(Self {
            container: container(&claim.container)?,
            name,
            size,
        })
    }

    /// The payload to send, in place of one with this `metadata`.
    pub(super) fn payload(&self, metadata: &HashMap<String, Vec<u8>>) -> Payload {
        let wire = Wire {
            driver_name: DRIVER.to_owned(),
            claim_data: Claim {
                container: self.container.to_string(),
                key: self.name.to_string(),
                hash_algorithm: SHA256.to_owned(),
                hash_value: self.name.hash(),
            },
        };
        let keys = [KEY_ID, WRAPPED_KEY].into_iter();
        let keys = keys.filter_map(|name| Some((name.to_owned(), metadata.get(name)?.clone())));
        let kind = [(ENCODING, JSON_PROTOBUF), (MESSAGE_TYPE, REFERENCE)];
        let kind = kind.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let size = self.size.and_then(|size| i64::try_from(size).ok());
        Payload {
            metadata: keys.chain(kind).collect(),
            data: serde_json::to_vec(&wire).unwrap_or_default(),
            external_payloads: size
                .map(|size_bytes| ExternalPayloadDetails { size_bytes })
                .into_iter()
                .collect(),
        }
    }
}

/// Bytes of a container's URL at most. Azure's have 24 letters of account, 63 of container and some 40 of domain.
pub const LONGEST_URL: usize = 256;

fn container(text: &str) -> Option<Url> {
    if text.len() > LONGEST_URL {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.password().is_none();
    (url.scheme() == "https" && is_plain && url.username().is_empty()).then_some(url)
}
