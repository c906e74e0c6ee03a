//! What the API answers, and whether it said in its document that it might.

use std::{collections::BTreeMap, fmt, io::read_to_string};

use flate2::read::GzDecoder;
use serde_json::Value;

/// One answer.
pub(crate) struct Answer {
    pub(crate) line: String,
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
}

impl Answer {
    /// Reads an answer whole.
    ///
    /// # Errors
    ///
    /// If it breaks off.
    pub(crate) async fn read(line: String, response: reqwest::Response) -> anyhow::Result<Self> {
        let status = response.status().as_u16();
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value)
        });
        let headers: BTreeMap<_, _> = headers.collect();
        // The files of the page to browse the document with are packed, whoever asks.
        let text = if headers
            .get("content-encoding")
            .is_some_and(|it| it == "gzip")
        {
            let packed = response.bytes().await?;
            read_to_string(GzDecoder::new(&*packed))?
        } else {
            response.text().await?
        };
        Ok(Self {
            line,
            status,
            headers,
            text,
        })
    }

    /// Returns the body, having checked the status.
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self}");
        self.json()
    }

    /// Checks that it is the problem `slug` with `status`, and returns its body.
    pub(crate) fn is_problem(&self, status: u16, slug: &str) -> Value {
        let body = self.is(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(
            body["type"],
            format!("urn:sealane:problem:{slug}"),
            "{self}"
        );
        assert_eq!(body["status"], status, "{self}");
        body
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Checks that the document knows this status for this route.
    pub(crate) fn documented(self) -> Self {
        let document = document();
        let (method, target) = self.line.split_once(' ').expect("a method and a path");
        let path = target.split('?').next().unwrap_or_default();
        let paths = document["paths"]
            .as_object()
            .expect("the document has paths");
        let found = paths.iter().find(|(template, _)| matches(template, path));
        if let Some((template, item)) = found {
            let answers = &item[method.to_lowercase()]["responses"];
            // Another method than the route has is answered by the edge.
            if self.status != 405 {
                let status = self.status.to_string();
                assert!(
                    answers[&status].is_object(),
                    "{template} lacks {status}: {self}"
                );
            }
        }
        self
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} {:?} {}",
            self.line, self.status, self.headers, self.text
        )
    }
}

/// The document, as programs read it.
pub(crate) fn document() -> Value {
    serde_json::to_value(sealane_client::api::openapi()).expect("it is JSON")
}

fn matches(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(variable), Some(_)) if variable.starts_with('{') => {}
            (Some(fixed), Some(part)) if fixed == part => {}
            _ => return false,
        }
    }
}
