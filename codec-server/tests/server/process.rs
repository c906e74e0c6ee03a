//! The process: how it starts, what it needs, how it ends.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use sealane_tests::orders::patiently;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Live, data, one, spawn, variables};

#[tokio::test]
async fn it_serves_probes_and_payloads_and_ends_when_asked() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Live::start(&variables(folder.path())?)
        .await?
        .once_ready()
        .await?;

    let sealed = server
        .ask("/encode", None, &one("\"canary-4711\""))
        .await?
        .json();
    let opened = server.ask("/decode", None, &sealed).await?;

    assert_eq!(data(&opened.json()), "\"canary-4711\"");
    assert_eq!(server.process.core_limit()?, "0 0");
    for path in ["/livez", "/readyz"] {
        assert_eq!(server.get(path).await?.status, 200, "{path}");
    }
    let metrics = server.get("/metrics").await?.body;
    for series in [
        r#"sealane_codec_server_payloads_total{operation="decode",outcome="done"} 1"#,
        r#"sealane_key_opens_total{key_id="test-key"} 1"#,
    ] {
        assert!(metrics.lines().any(|line| line == series), "{metrics}");
    }
    let ended = server.stop().await?;
    assert_eq!(ended.code, Some(0));
    let said = ended.said.join("\n");
    assert!(said.contains("draining"), "{said}");
    for secret in ["canary-4711", "ImNhbmFyeS00NzExI"] {
        assert!(!said.contains(secret), "a payload is in the log");
    }
    Ok(())
}

#[tokio::test]
async fn a_request_that_is_being_received_is_still_answered_after_sigterm() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Live::start(&variables(folder.path())?)
        .await?
        .once_ready()
        .await?;
    let address = server.url.trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await?;
    let body = one("1").to_string();
    let (first, rest) = body.split_at(10);
    let length = body.len();
    let head = format!(
        "POST /decode HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{first}"
    );
    connection.write_all(head.as_bytes()).await?;
    let in_flight = r#"sealane_http_in_flight{process="sealane-codec-server"} 1"#;
    while !server.get("/metrics").await?.body.contains(in_flight) {}

    server.process.signal("TERM").await?;
    server.process.says("draining").await?;
    connection.write_all(rest.as_bytes()).await?;

    let mut answer = String::new();
    patiently("an answer", connection.read_to_string(&mut answer)).await?;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.process.ends().await?.code, Some(0));
    Ok(())
}

#[tokio::test]
async fn mistakes_of_requests_leave_nothing_in_the_log() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Live::start(&variables(folder.path())?)
        .await?
        .once_ready()
        .await?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut foreign = one("x");
    foreign["payloads"][0]["metadata"]["encoding"] = json!("YmluYXJ5L2VuY3J5cHRlZA==");
    foreign["payloads"][0]["data"] = json!("Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5");
    for (path, body) in [
        ("/decode", r#"{"payloads":"canary"}"#.to_owned()),
        ("/decode", r#"{"canary"#.to_owned()),
        ("/encode?canary=1", "canary".to_owned()),
        ("/decode", foreign.to_string()),
    ] {
        let answer = server.post(path, headers.clone(), body).await?;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(!answer.body.contains("canary") && !answer.body.contains("Y2FuYXJ5"));
    }

    let said = server.stop().await?.said.join("\n");

    assert!(
        !said.contains("canary") && !said.contains("Y2FuYXJ5"),
        "{said}"
    );
    Ok(())
}

#[tokio::test]
async fn settings_that_make_no_sense_are_named_and_end_it_at_once() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let good = variables(folder.path())?;
    let missing = folder.path().join("missing.json").display().to_string();
    for (settings, code, words) in [
        (
            vec![("SEALANE_ENCRYPTION", "off"), ("SEALANE_KEY_FILE", "")],
            78,
            "SEALANE_ENCRYPTION is off",
        ),
        (
            vec![("SEALANE_CODEC_ADDR", "0.0.0.0:0")],
            78,
            "SEALANE_AUTH",
        ),
        (
            vec![("SEALANE_CODEC_ADDR", "nowhere")],
            78,
            "SEALANE_CODEC_ADDR",
        ),
        (
            vec![("SEALANE_CORS_ORIGINS", "*")],
            78,
            "SEALANE_CORS_ORIGINS",
        ),
        (vec![("SEALANE_KEY_FILE", &missing)], 78, "missing.json"),
        (
            vec![
                ("SEALANE_CODEC_ADDR", "192.0.2.1:80"),
                ("SEALANE_AUTH", "tokens"),
                ("SEALANE_AUTH_TOKENS_FILE", &missing),
            ],
            78,
            "missing.json",
        ),
    ] {
        let mut variables = good.clone();
        let settings = settings
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        variables.extend(settings);
        let ended = spawn(&[], &variables)?.ends().await?;
        let said = ended.said.join("\n");
        assert_eq!(ended.code, Some(code), "{said}");
        assert!(said.contains(words), "{words} in {said}");
    }
    Ok(())
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_with_its_setting() -> anyhow::Result<()> {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let folder = tempfile::tempdir()?;
    let mut variables = variables(folder.path())?;
    let address = taken.local_addr()?.to_string();
    variables.insert("SEALANE_CODEC_ADDR".to_owned(), address.clone());

    let ended = spawn(&[], &variables)?.ends().await?;

    let said = ended.said.join("\n");
    assert_eq!(ended.code, Some(69), "{said}");
    assert!(
        said.contains(&address) && said.contains("SEALANE_CODEC_ADDR"),
        "{said}"
    );
    Ok(())
}

#[tokio::test]
async fn the_command_line_knows_a_file_of_settings_and_nothing_else() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut variables = variables(folder.path())?;
    let config = folder.path().join("sealane.env");
    let key_file = variables.remove("SEALANE_KEY_FILE").unwrap_or_default();
    std::fs::write(&config, format!("SEALANE_KEY_FILE={key_file}\n"))?;

    let config = config.display().to_string();
    let process = spawn(&["--config", &config], &variables)?;
    process.says("payloads are encrypted and decrypted").await?;
    process.signal("TERM").await?;
    assert_eq!(process.ends().await?.code, Some(0));

    for (argument, code) in [
        ("--version", 0),
        ("--help", 0),
        ("--verbose", 64),
        ("decode", 64),
    ] {
        assert_eq!(
            spawn(&[argument], &variables)?.ends().await?.code,
            Some(code),
            "{argument}"
        );
    }
    Ok(())
}
