//! docs/codec-server.md agrees with the server.

use sealane_service::settings::DEFINITIONS;
use sealane_tests::{orders::patiently, temporal_cli};
use serde_json::Value;
use tokio::process::Command;

use crate::support::{App, Asked, ORIGIN, data};

const DOCUMENT: &str = include_str!("../../../docs/codec-server.md");

/// What stands between backticks or in an indented block.
fn words() -> impl Iterator<Item = &'static str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    DOCUMENT.split(move |c| !is_part(c))
}

fn section(title: &str) -> &'static str {
    let (_, rest) = DOCUMENT
        .split_once(&format!("## {title}\n"))
        .expect("a section");
    rest.split("\n## ").next().unwrap_or_default()
}

#[test]
fn every_setting_it_names_exists() {
    let named: Vec<_> = words()
        .filter(|word| word.starts_with("SEALANE_"))
        .collect();

    assert!(named.len() > 20, "{named:?}");
    for name in named {
        assert!(DEFINITIONS.iter().any(|it| it.name == name), "{name}");
    }
    for definition in DEFINITIONS {
        let is_ours = definition.name.starts_with("SEALANE_CODEC_");
        assert!(
            !is_ours || DOCUMENT.contains(definition.name),
            "{}",
            definition.name
        );
    }
}

#[tokio::test]
async fn a_preflight_is_answered_as_it_says() {
    let app = App::with(&[]).await;
    let preflight = Asked::new("OPTIONS", "/decode")
        .header("origin", ORIGIN)
        .header("access-control-request-method", "POST")
        .header("access-control-request-private-network", "true");

    let answer = app.send(preflight.body("")).await;

    let mut documented = 0;
    for line in section("CORS").lines() {
        let Some((name, value)) = line.strip_prefix("    ").and_then(|it| it.split_once(": "))
        else {
            continue;
        };
        let value = if value == "the origin itself" {
            ORIGIN
        } else {
            value
        };
        assert_eq!(answer.header(name), value, "{name}");
        documented += 1;
    }
    let sent = answer.headers.keys();
    let sent = sent.filter(|name| name.as_str().starts_with("access-control-") || *name == "vary");
    assert_eq!(documented, sent.count());
}

#[tokio::test]
async fn its_example_is_a_request() {
    let app = App::with(&[]).await;
    let mut lines = section("Protocol").lines();
    let example = lines.find_map(|line| line.strip_prefix("    {")).unwrap();
    let example: Value = serde_json::from_str(&format!("{{{example}")).unwrap();

    let answer = app.post("/decode", &example).await;

    assert_eq!(
        (answer.json(), data(&example)),
        (example.clone(), "\"Ada\"".to_owned())
    );
}

#[tokio::test]
async fn its_metrics_are_all_there_are_of_the_codec_server() {
    let app = App::with(&[]).await;
    let other = App::with(&[]).await.sealed("1").await;
    app.post("/decode", &other).await;

    let text = app.metrics.render().await;

    let shown = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let shown: Vec<_> = shown
        .filter_map(|line| line.split(' ').next())
        .filter(|name| name.starts_with("sealane_codec_server_"))
        .collect();
    let rows = section("Metrics").lines();
    let mut documented: Vec<_> = rows
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .collect();
    documented.sort_unstable();
    assert_eq!(shown, documented);
}

#[tokio::test]
async fn the_cli_has_the_flags_it_names() -> anyhow::Result<()> {
    let cli = temporal_cli().await?.path;
    let says = async |arguments: &[&str]| {
        let output = Command::new(&cli).args(arguments).output();
        let output = patiently("the Temporal CLI", output).await?;
        anyhow::Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let options = says(&["options"]).await?;
    for flag in ["--codec-endpoint", "--codec-auth", "--codec-header"] {
        assert!(DOCUMENT.contains(flag) && options.contains(flag), "{flag}");
    }
    let server = says(&["server", "start-dev", "--help"]).await?;
    let flag = "--ui-codec-endpoint";
    assert!(DOCUMENT.contains(flag) && server.contains(flag), "{flag}");
    Ok(())
}
