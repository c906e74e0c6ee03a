//! Requests that are meant to hurt.

use std::fs;

use anyhow::Context;
use futures_util::future::join_all;
use sealane_tests::orders::patiently;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::service::Service;

/// More memory than this, in KiB, and something kept what it was sent.
const GROWTH: u64 = 48 * 1024;

#[tokio::test]
async fn a_hundred_megabytes_are_refused_and_kept_by_nobody() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let before = resident_kib(&service)?;

    let declared = raw(
        &service,
        b"POST /orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 104857600\r\n\r\n",
        0,
    );
    assert!(declared.await?.starts_with("HTTP/1.1 413"));
    let endless = raw(
        &service,
        b"POST /orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
        100,
    );
    assert!(endless.await?.starts_with("HTTP/1.1 413"));

    healthy(&service).await;
    let grown = resident_kib(&service)?.saturating_sub(before);
    assert!(grown < GROWTH, "{grown} KiB more than before");
    Ok(())
}

#[tokio::test]
async fn ten_thousand_headers_are_refused() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let mut request = b"GET /ping HTTP/1.1\r\nhost: localhost\r\n".to_vec();
    for number in 0..10_000 {
        request.extend(format!("x-{number}: 1\r\n").into_bytes());
    }
    request.extend(b"\r\n");

    let answer = raw(&service, &request, 0).await?;

    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    healthy(&service).await;
    Ok(())
}

#[tokio::test]
async fn those_who_never_finish_a_request_keep_nobody_else_waiting() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let mut slow = Vec::new();
    for _ in 0..300 {
        let mut stream = TcpStream::connect(service.address).await?;
        stream
            .write_all(b"POST /orders HTTP/1.1\r\nhost: localhost\r\nx-slow")
            .await?;
        slow.push(stream);
    }

    let requests = (0..50).map(|_| service.get("/ping"));
    for answer in patiently("the others", join_all(requests)).await {
        answer.is(200);
    }
    drop(slow);
    healthy(&service).await;
    Ok(())
}

#[tokio::test]
async fn bytes_that_are_no_text_and_json_without_end_are_refused() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let before = resident_kib(&service)?;
    let deep = |depth: usize| format!(r#"{{"type":"T","input":{}"#, "[".repeat(depth)).into_bytes();
    let endless_but_whole = {
        let mut body = deep(1_000_000);
        body.extend("]".repeat(1_000_000).into_bytes());
        body.push(b'}');
        body
    };
    for body in [
        b"{\"type\": \"\xff\xfe\"}".to_vec(),
        b"{\"type\": \"T\", \"input\": [\"\xc3\x28\"]}".to_vec(),
        b"{\"type\": \"T\", \"input\": [\"\\ud800\"]}".to_vec(),
        deep(1_000_000),
        endless_but_whole,
        b"\0".repeat(1_000_000),
        Vec::new(),
    ] {
        let finish = |request: reqwest::RequestBuilder| {
            request
                .header("content-type", "application/json")
                .body(body)
        };
        let answer = service.send("POST", "/api/v1/workflows", finish).await;
        assert!(matches!(answer.status, 400 | 422), "{answer}");
    }
    // Not UTF-8 in the path.
    let answer = service.get("/api/v1/workflows/%ff%fe").await;
    answer.is_problem(400, "bad-request");

    healthy(&service).await;
    let grown = resident_kib(&service)?.saturating_sub(before);
    assert!(grown < GROWTH, "{grown} KiB more than before");
    Ok(())
}

/// Sends `head` and then `megabytes` of body in chunks, and returns how the answer begins.
async fn raw(service: &Service, head: &[u8], megabytes: usize) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(service.address).await?;
    let (mut answer, mut request) = stream.split();
    let sending = async {
        // The server may have answered and closed by now.
        let mut chunk = b"100000\r\n".to_vec();
        chunk.extend(vec![b' '; 1 << 20]);
        chunk.extend(b"\r\n");
        let mut going = request.write_all(head).await.is_ok();
        for _ in 0..megabytes {
            going = going && request.write_all(&chunk).await.is_ok();
        }
    };
    let reading = async {
        let mut begin = [0; 12];
        answer.read_exact(&mut begin).await?;
        Ok(String::from_utf8_lossy(&begin).into_owned())
    };
    let (begin, ()) = patiently("an answer", futures_util::future::join(reading, sending)).await;
    begin
}

async fn healthy(service: &Service) {
    for path in ["/livez", "/readyz", "/ping"] {
        service.get(path).await.is(200);
    }
    service.get("/async?name=Ada").await.is(202);
}

/// What the process holds in memory, as Linux counts it.
fn resident_kib(service: &Service) -> anyhow::Result<u64> {
    let id = service.process.id().context("it is running")?;
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.context("a size")?.trim().trim_end_matches(" kB");
    Ok(number.parse()?)
}
