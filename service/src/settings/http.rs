//! How much a process takes on over HTTP, and whom it believes about where requests come from.

use std::time::Duration;

use ipnet::IpNet;

use super::{
    values::{Noted, Values},
    worker::duration,
};

/// Bounds on what is taken on over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Largest request body, in bytes.
    pub max_body: usize,
    /// Requests answered at once.
    pub max_concurrent: usize,
    /// How long one request may take.
    pub timeout: Duration,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// A kilobyte holds any request worth sending; a gigabyte is more than any process should keep.
const BODY: (usize, usize) = (1024, 1 << 30);

const MAX_CONCURRENT: usize = 100_000;
const TIMEOUT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(10));

pub(super) fn read(values: &mut Values) -> Result<Http, Noted> {
    let max_body = values.parse("SEALANE_HTTP_MAX_BODY", bytes);
    let max_concurrent = values.parse("SEALANE_HTTP_MAX_CONCURRENT", |text| {
        let count = text.parse().ok()?;
        (1..=MAX_CONCURRENT).contains(&count).then_some(count)
    });
    let timeout = values.parse("SEALANE_HTTP_TIMEOUT", |text| duration(text, TIMEOUT));
    let trusted_proxies = values.optional("SEALANE_TRUSTED_PROXIES", |text| {
        list(text).map(proxies).collect()
    });
    Ok(Http {
        max_body: max_body?,
        max_concurrent: max_concurrent?,
        timeout: timeout?,
        trusted_proxies: trusted_proxies?.unwrap_or_default(),
    })
}

/// If all addresses were proxies, all callers could say where they come from.
fn proxies(text: &str) -> Option<IpNet> {
    let range: IpNet = text.parse().ok()?;
    (range.prefix_len() > 0).then_some(range)
}

/// Parses a number of bytes from 1024 to 2^30.
pub(super) fn bytes(text: &str) -> Option<usize> {
    let bytes = text.parse().ok()?;
    (BODY.0..=BODY.1).contains(&bytes).then_some(bytes)
}

/// Splits at commas, and drops the blanks around each item.
pub(super) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim)
}
