//! A stand-in for a Temporal frontend that no client wants to meet: it gives every request the same answer.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{BufMut, Bytes, BytesMut};
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Response};
use prost::Message;
use temporalio_common::protos::temporal::api::workflowservice::v1::GetSystemInfoResponse;
use tokio::net::{TcpListener, TcpStream};

/// What a [`Frontend`] says to everything.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A gRPC status other than OK, and its message.
    Status(u8, &'static str),
    /// The system information of a server of this version.
    Version(&'static str),
    /// The system information of a server of this version to who asks for it, and a status to all else.
    Greeting(&'static str, u8, &'static str),
    /// As [`Version`](Self::Version), after the request's `authorization` header was put where a test can see it.
    Witness(&'static str, Arc<Mutex<String>>),
    /// As [`Version`](Self::Version), but to requests that are compressed only how gRPC in Go refuses what it cannot unpack. Whether each
    /// request was is put where a test can see it.
    Unpacked(&'static str, Arc<Mutex<Vec<bool>>>),
    /// As [`Greeting`](Self::Greeting), the status being `RESOURCE_EXHAUSTED` in the way of Temporal's frontend: after headers, which say
    /// that what follows is compressed.
    Busy(&'static str),
}

/// What gRPC in Go says to a compression that it does not have, as status `UNIMPLEMENTED`.
const UNKNOWN_COMPRESSION: &str = "grpc: Decompressor is not installed for grpc-encoding \"gzip\"";

/// Starts a frontend that listens for as long as the runtime lives, and returns where.
///
/// # Errors
///
/// If it cannot listen.
pub async fn start(answer: Answer) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, answer.clone()));
        }
    });
    Ok(address)
}

async fn serve(stream: TcpStream, answer: Answer) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(request) = connection.accept().await {
        let (request, respond) = request?;
        if let Answer::Witness(_, seen) = &answer {
            let header = request.headers().get("authorization");
            let header = header.and_then(|it| it.to_str().ok()).unwrap_or_default();
            header.clone_into(&mut seen.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let is_packed = request.headers().contains_key("grpc-encoding");
        if let Answer::Unpacked(_, seen) = &answer {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(is_packed);
        }
        let is_greeting = request.uri().path().ends_with("/GetSystemInfo");
        match answer {
            Answer::Unpacked(version, _) if is_packed => {
                let refused = Answer::Greeting(version, 12, UNKNOWN_COMPRESSION);
                reply(respond, &refused, false)?;
            }
            _ => reply(respond, &answer, is_greeting)?,
        }
    }
    Ok(())
}

fn reply(
    mut respond: SendResponse<Bytes>,
    answer: &Answer,
    is_greeting: bool,
) -> Result<(), h2::Error> {
    let mut response = Response::new(());
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    match answer {
        Answer::Greeting(_, code, message) if !is_greeting => {
            refuse(respond, response, *code, message)
        }
        Answer::Status(code, message) => refuse(respond, response, *code, message),
        Answer::Busy(_) if !is_greeting => {
            headers.insert("grpc-encoding", HeaderValue::from_static("gzip"));
            let cause = HeaderValue::from_static("RpsLimit");
            headers.insert("x-resource-exhausted-cause", cause);
            let mut body = respond.send_response(response, false)?;
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("8"));
            trailers.insert("grpc-message", HeaderValue::from_static("busy"));
            body.send_trailers(trailers)
        }
        Answer::Version(version)
        | Answer::Greeting(version, ..)
        | Answer::Witness(version, _)
        | Answer::Unpacked(version, _)
        | Answer::Busy(version) => {
            let mut body = respond.send_response(response, false)?;
            body.send_data(system_info(version), false)?;
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            body.send_trailers(trailers)
        }
    }
}

fn refuse(
    mut respond: SendResponse<Bytes>,
    mut response: Response<()>,
    code: u8,
    message: &'static str,
) -> Result<(), h2::Error> {
    let headers = response.headers_mut();
    headers.insert("grpc-status", HeaderValue::from(u16::from(code)));
    headers.insert("grpc-message", HeaderValue::from_static(message));
    respond.send_response(response, true).map(drop)
}

/// One gRPC frame: not compressed, length, message.
fn system_info(version: &str) -> Bytes {
    let message = GetSystemInfoResponse {
        server_version: version.to_owned(),
        ..GetSystemInfoResponse::default()
    }
    .encode_to_vec();
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("a version is short"));
    frame.put_slice(&message);
    frame.freeze()
}
