//! What running processes say about their keys, read from their metrics.

use std::{collections::BTreeMap, time::Duration};

use sealane_service::exit;

use crate::cli::CliError;

/// Payloads encrypted, by key id, over all processes that were asked.
pub(super) type Seals = BTreeMap<String, u64>;

const METRIC: &str = "sealane_key_seals_total{key_id=\"";

/// Pods that do not answer should not hold a command up for long.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Adds up what the pages at `urls` say; `None` if there are none to ask.
pub(super) async fn seals(urls: &[String]) -> Result<Option<Seals>, CliError> {
    if urls.is_empty() {
        return Ok(None);
    }
    let client = reqwest::Client::builder().timeout(TIMEOUT).build();
    let client = client.map_err(|error| CliError::new(exit::INTERNAL, error.to_string()))?;
    let mut seals = Seals::new();
    for url in urls {
        let page = page(&client, url)
            .await
            .map_err(|error| unread(url, &error))?;
        for (id, count) in samples(&page) {
            *seals.entry(id).or_default() += count;
        }
    }
    Ok(Some(seals))
}

async fn page(client: &reqwest::Client, url: &str) -> reqwest::Result<String> {
    let answer = client.get(url).send().await?.error_for_status()?;
    answer.text().await
}

fn unread(url: &str, error: &reqwest::Error) -> CliError {
    let code = if error.is_builder() {
        exit::USAGE
    } else {
        exit::UNAVAILABLE
    };
    let reason = exit::with_causes(error);
    CliError::new(
        code,
        format!("--metrics {url}: {reason}, expected the /metrics of a running Sealane process"),
    )
}

/// The samples of the metric on a page in the Prometheus text format.
fn samples(page: &str) -> impl Iterator<Item = (String, u64)> {
    page.lines().filter_map(|line| {
        let rest = line.strip_prefix(METRIC)?;
        let (id, count) = rest.rsplit_once("\"} ")?;
        Some((unescape(id), count.trim().parse().ok()?))
    })
}

/// Undoes the escapes of label values
/// ([text format](https://prometheus.io/docs/instrumenting/exposition_formats/)).
fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                escaped => text.extend(escaped),
            },
            plain => text.push(plain),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::samples;

    #[test]
    fn samples_of_the_metric_are_read_and_others_are_not() {
        let page = "# HELP sealane_key_seals_total Payloads encrypted, by key\n\
            sealane_key_seals_total{key_id=\"payload-key/1\"} 7\n\
            sealane_key_seals_total{key_id=\"odd \\\"name\\\\\"} 4294967296\n\
            sealane_key_opens_total{key_id=\"payload-key/1\"} 9\n";

        let read: Vec<_> = samples(page).collect();

        assert_eq!(
            read,
            [
                ("payload-key/1".to_owned(), 7),
                ("odd \"name\\".to_owned(), 4_294_967_296)
            ]
        );
    }
}
