//! A real Temporal server behind a door: requests pass with an API key that is accepted, and no others. As in
//! Temporal Cloud, keys can be accepted and revoked while everybody stays connected.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use bytes::{Bytes, BytesMut};
use h2::{RecvStream, client::SendRequest, server::SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response, Uri, header::AUTHORIZATION};
use tokio::net::{TcpListener, TcpStream};

/// The gRPC status `UNAUTHENTICATED`.
const UNAUTHENTICATED: HeaderValue = HeaderValue::from_static("16");

/// The door. Open for as long as the runtime lives.
#[derive(Clone)]
pub struct Guarded {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
struct Book {
    accepted: BTreeSet<String>,
    /// Every key that was shown, and whether it was accepted, without repetitions in a row.
    shown: Vec<(String, bool)>,
}

impl Guarded {
    /// Starts a door before `server` (`host:port`) that accepts `key`.
    ///
    /// # Errors
    ///
    /// If it cannot listen.
    pub async fn start(server: &str, key: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let guarded = Self {
            address: listener.local_addr()?,
            book: Arc::default(),
        };
        guarded.accept(key);
        let (server, book) = (server.to_owned(), Arc::clone(&guarded.book));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, server.clone(), Arc::clone(&book)));
            }
        });
        Ok(guarded)
    }

    /// Returns where it listens, in plaintext.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts `key` from now on.
    pub fn accept(&self, key: &str) {
        self.book().accepted.insert(key.to_owned());
    }

    /// Accepts `key` no more.
    pub fn revoke(&self, key: &str) {
        self.book().accepted.remove(key);
    }

    /// Returns every key that was shown, and whether it was accepted, without repetitions in a row.
    pub fn shown(&self) -> Vec<(String, bool)> {
        self.book().shown.clone()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the key in `headers` is accepted. Long polls count when they begin.
fn is_accepted(book: &Mutex<Book>, headers: &HeaderMap) -> bool {
    let header = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
    let key = header.and_then(|it| it.strip_prefix("Bearer "));
    let key = key.unwrap_or_default().to_owned();
    let mut book = lock(book);
    let accepted = book.accepted.contains(&key);
    let entry = (key, accepted);
    if book.shown.last() != Some(&entry) {
        book.shown.push(entry);
    }
    accepted
}

async fn serve(stream: TcpStream, server: String, book: Arc<Mutex<Book>>) -> anyhow::Result<()> {
    let mut connection = h2::server::handshake(stream).await?;
    let upstream = TcpStream::connect(&server).await?;
    let (upstream, driver) = h2::client::handshake(upstream).await?;
    tokio::spawn(driver);
    while let Some(request) = connection.accept().await {
        let (request, respond) = request?;
        if is_accepted(&book, request.headers()) {
            tokio::spawn(forward(request, respond, upstream.clone(), server.clone()));
        } else {
            refuse(respond)?;
        }
    }
    Ok(())
}

fn refuse(mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let mut response = Response::new(());
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", UNAUTHENTICATED);
    headers.insert(
        "grpc-message",
        HeaderValue::from_static("Request unauthorized."),
    );
    respond.send_response(response, true).map(drop)
}

async fn forward(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    upstream: SendRequest<Bytes>,
    server: String,
) -> anyhow::Result<()> {
    let (parts, body) = request.into_parts();
    let (body, _) = whole(body).await?;
    let path = parts.uri.path_and_query().context("no path")?.clone();
    let mut onward = Request::post(
        Uri::builder()
            .scheme("http")
            .authority(server)
            .path_and_query(path)
            .build()?,
    );
    if let Some(headers) = onward.headers_mut() {
        *headers = parts.headers;
        headers.remove(AUTHORIZATION);
    }
    let mut upstream = upstream.ready().await?;
    let (answer, mut sending) = upstream.send_request(onward.body(())?, false)?;
    sending.send_data(body, true)?;
    let (parts, body) = answer.await?.into_parts();
    let ends = body.is_end_stream();
    let mut sending = respond.send_response(Response::from_parts(parts, ()), ends)?;
    if !ends {
        let (body, trailers) = whole(body).await?;
        sending.send_data(body, trailers.is_none())?;
        if let Some(trailers) = trailers {
            sending.send_trailers(trailers)?;
        }
    }
    Ok(())
}

/// Reads a body to its end.
async fn whole(mut body: RecvStream) -> Result<(Bytes, Option<HeaderMap>), h2::Error> {
    let mut read = BytesMut::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        read.extend_from_slice(&chunk);
    }
    Ok((read.freeze(), body.trailers().await?))
}
