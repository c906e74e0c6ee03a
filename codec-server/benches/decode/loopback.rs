//! Over loopback: requests per second of CPU that the server takes, which the load generator on the same cores does not
//! blur as it would blur requests per second.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use crate::{cpu::cpu_seconds, peers::Server};

const CONNECTIONS: usize = 4;
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(5);

/// Requests with `body` to `server`, per second of its CPU time, user and system.
pub(crate) fn measure(server: &Server, body: &str) -> f64 {
    drive(server.address, body, WARM_UP);
    let before = cpu_seconds(server.pid());
    let requests = drive(server.address, body, MEASURED);
    let used = cpu_seconds(server.pid()) - before;
    f64::from(requests) / used
}

fn drive(address: SocketAddr, body: &str, time: Duration) -> u32 {
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|_| scope.spawn(|| client(address, body, time)))
            .collect();
        let counts = clients.into_iter().map(|client| client.join());
        counts
            .map(|count| count.expect("a client that works"))
            .sum()
    })
}

/// One connection that asks again as soon as it is answered.
fn client(address: SocketAddr, body: &str, time: Duration) -> u32 {
    let mut connection = TcpStream::connect(address).expect("a connection");
    connection.set_nodelay(true).expect("a socket");
    let mut answers = BufReader::with_capacity(1 << 20, connection.try_clone().expect("a socket"));
    let head = format!(
        "POST /decode HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let request = [head.as_bytes(), body.as_bytes()].concat();
    let started = Instant::now();
    let mut requests = 0;
    while started.elapsed() < time {
        connection.write_all(&request).expect("a server that reads");
        read(&mut answers);
        requests += 1;
    }
    requests
}

/// Reads one answer, which has a length or comes in chunks.
fn read(answers: &mut impl BufRead) {
    let mut line = String::new();
    answers.read_line(&mut line).expect("a status");
    assert!(line.starts_with("HTTP/1.1 200"), "{line}");
    let mut length = None;
    loop {
        line.clear();
        answers.read_line(&mut line).expect("a header");
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok();
        }
    }
    match length {
        Some(length) => skip(answers, length),
        None => while chunk(answers) > 0 {},
    }
}

fn chunk(answers: &mut impl BufRead) -> u64 {
    let mut line = String::new();
    answers.read_line(&mut line).expect("the length of a chunk");
    let length = u64::from_str_radix(line.trim_end(), 16).expect("a length");
    // The line break belongs to it.
    skip(answers, length + 2);
    length
}

fn skip(answers: &mut impl Read, length: u64) {
    let read = std::io::copy(&mut answers.take(length), &mut std::io::sink());
    assert_eq!(read.expect("a body"), length);
}
