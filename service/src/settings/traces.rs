//! Where traces go.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use url::Url;

use super::{
    http::list,
    secret::Secret,
    temporal::has_credentials,
    values::{Noted, Values},
};

/// Where traces go, and how many. The names of the settings are OpenTelemetry's own
/// ([specification](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/)).
#[derive(Clone, Debug, PartialEq)]
pub struct Traces {
    /// Base URL of an OTLP/HTTP receiver; nothing is traced without one.
    pub endpoint: Option<Url>,
    /// Name of the service, if it is not the process's own.
    pub service_name: Option<String>,
    /// Headers that the receiver wants, such as an API key.
    pub headers: BTreeMap<String, Secret>,
    /// Share of the traces that begin here or are asked for over HTTP which are recorded, from 0 to 1.
    pub sample_ratio: f64,
}

pub(super) fn read(values: &mut Values) -> Result<Traces, Noted> {
    let endpoint = values.optional("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    let service_name = values.optional("OTEL_SERVICE_NAME", |text| {
        (!text.chars().any(char::is_control)).then(|| text.to_owned())
    });
    let headers = values.optional("OTEL_EXPORTER_OTLP_HEADERS", |text| {
        list(text).map(header).collect()
    });
    let sample_ratio = values.parse("OTEL_TRACES_SAMPLER_ARG", |text| {
        text.parse()
            .ok()
            .filter(|ratio| (0.0..=1.0).contains(ratio))
    });
    Ok(Traces {
        endpoint: endpoint?,
        service_name: service_name?,
        headers: headers?.unwrap_or_default(),
        sample_ratio: sample_ratio?,
    })
}

fn endpoint(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    let is_plain = url.query().is_none() && url.fragment().is_none();
    (is_web && is_plain && !has_credentials(&url)).then_some(url)
}

fn header(text: &str) -> Option<(String, Secret)> {
    let (name, value) = text.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    HeaderName::try_from(name).ok()?;
    HeaderValue::try_from(value).ok()?;
    Some((name.to_ascii_lowercase(), Secret::new(value)))
}
