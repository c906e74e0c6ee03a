//! The proxy and the server behind it: a tunnel to any name of ours ends here.

use std::{io, os::fd::AsFd, sync::Arc};

use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_rustls::TlsAcceptor;

use super::{
    Outage, Side,
    asked::{Asked, whole},
    reply::Sent,
    state::Shared,
};

/// A client that says more than this before its tunnel stands is none of ours.
const LONGEST_HEAD: usize = 8192;

const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// Accepts clients for as long as the runtime lives.
pub(super) async fn serve(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(tunnel(stream, acceptor.clone(), Arc::clone(&shared)));
    }
}

/// Failures are the client's to report.
async fn tunnel(
    mut stream: TcpStream,
    acceptor: TlsAcceptor,
    shared: Arc<Shared>,
) -> io::Result<()> {
    let host = asked_for(&mut stream).await?;
    if let Some(to) = shared.forwarded(&host) {
        return match TcpStream::connect(to).await {
            Ok(server) => relay(stream, server).await,
            Err(_) => refuse(stream, &host, &shared).await,
        };
    }
    let Some(side) = Side::of(&host) else {
        return refuse(stream, &host, &shared).await;
    };
    match shared.outage(side) {
        None => {
            stream.write_all(ESTABLISHED).await?;
        }
        Some(Outage::Refused) => return refuse(stream, &host, &shared).await,
        Some(Outage::Reset) => {
            shared.refused(&host, None);
            return stream.set_zero_linger();
        }
        Some(Outage::Silent) => {
            shared.refused(&host, None);
            over(&shared, side).await;
            return Ok(());
        }
    }
    // A second handle, because the first belongs to the conversation that may have to be cut short.
    let socket = std::net::TcpStream::from(stream.as_fd().try_clone_to_owned()?);
    let socket = TcpStream::from_std(socket)?;
    let cut = Arc::new(Notify::new());
    tokio::select! {
        () = converse(stream, &host, side, &acceptor, &shared, &cut) => Ok(()),
        () = cut.notified() => socket.set_zero_linger(),
        () = severed(&shared, side) => socket.set_zero_linger(),
    }
}

/// A tunnel to another server, which speaks TLS itself.
async fn relay(mut stream: TcpStream, mut server: TcpStream) -> io::Result<()> {
    stream.write_all(ESTABLISHED).await?;
    tokio::io::copy_bidirectional(&mut stream, &mut server).await?;
    Ok(())
}

/// Reads the head of a `CONNECT` and returns the name in it. The client says no more until it is answered.
async fn asked_for(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > LONGEST_HEAD || stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    let head = String::from_utf8_lossy(&head);
    let target = head
        .strip_prefix("CONNECT ")
        .and_then(|rest| rest.split(' ').next());
    let host = target.and_then(|target| target.strip_suffix(":443"));
    Ok(host.unwrap_or_default().to_owned())
}

/// What a proxy says that cannot reach the server, or find it.
async fn refuse(mut stream: TcpStream, host: &str, shared: &Shared) -> io::Result<()> {
    shared.refused(host, Some(502));
    let answer = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(answer).await?;
    stream.shutdown().await
}

async fn converse(
    stream: TcpStream,
    host: &str,
    side: Side,
    acceptor: &TlsAcceptor,
    shared: &Arc<Shared>,
    cut: &Arc<Notify>,
) {
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = service_fn(|request| respond(request, host, side, shared, cut));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    connection.await.ok();
}

async fn respond(
    request: Request<Incoming>,
    host: &str,
    side: Side,
    shared: &Shared,
    cut: &Arc<Notify>,
) -> Result<Response<Sent>, Broken> {
    let (head, body) = request.into_parts();
    let asked = Asked::new(side, host, &head, whole(body).await?);
    // An outage begins with the call that declares it, not when the connections have noticed.
    if shared.outage(side).is_some() {
        return std::future::pending().await;
    }
    let (reply, manner) = shared.answer(&asked);
    if manner == super::reply::Manner::Never {
        return std::future::pending().await;
    }
    let now = shared.state().now();
    Ok(reply.into_response(manner, now, Arc::clone(cut))?)
}

/// Waits for an outage that ends standing connections.
async fn severed(shared: &Shared, side: Side) {
    let mut outages = shared.outages.subscribe();
    let cuts = |outage: Option<&Outage>| outage.is_some_and(|it| *it != Outage::Silent);
    let severed = outages.wait_for(|outages| cuts(outages.get(&side))).await;
    severed.expect("the sender is the fake's own");
}

/// Waits for the end of an outage.
async fn over(shared: &Shared, side: Side) {
    let mut outages = shared.outages.subscribe();
    let over = outages
        .wait_for(|outages| !outages.contains_key(&side))
        .await;
    over.expect("the sender is the fake's own");
}

type Broken = Box<dyn std::error::Error + Send + Sync>;
