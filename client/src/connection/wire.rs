//! One request to the server and its answer, as bytes, compressed or not.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use temporalio_client::callback_based::{GrpcRequest, GrpcSuccessResponse};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataMap,
    transport::Channel,
};

use sealane_service::settings::GrpcCompression;

/// Largest answer accepted, in bytes; the SDK's own default. A history page can exceed tonic's 4 MiB.
const MAX_ANSWER: usize = 128 * 1024 * 1024;

/// Header that tells how messages are compressed ([gRPC over HTTP/2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md)).
const ENCODING: &str = "grpc-encoding";

/// What the SDK is not to see of an answer: it gets the message unpacked, and a status among the headers says that there is none. tonic
/// would not apply the SDK's limit to it then, but its own of 4 MiB ([grpc-rust#1525](https://github.com/grpc/grpc-rust/issues/1525)).
const NOT_PASSED_ON: [&str; 4] = [
    ENCODING,
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
];

/// The way to the server. Servers in Go, as Temporal's is, compress an answer if its request was.
pub(super) struct Wire {
    plain: Grpc<Channel>,
    gzip: Grpc<Channel>,
    compresses: AtomicBool,
}

impl Wire {
    /// Returns a way over `channel` that compresses if `compression` says so, until the server does not know it.
    pub(super) fn new(channel: Channel, compression: GrpcCompression) -> Self {
        let plain = Grpc::new(channel).max_decoding_message_size(MAX_ANSWER);
        let gzip = plain
            .clone()
            .send_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Gzip);
        Self {
            plain,
            gzip,
            compresses: AtomicBool::new(compression == GrpcCompression::Gzip),
        }
    }

    /// Sends `request` and awaits the answer.
    ///
    /// # Errors
    ///
    /// Whatever status the server answers, and what keeps it from answering.
    pub(super) async fn exchange(
        &self,
        request: GrpcRequest,
    ) -> Result<GrpcSuccessResponse, Status> {
        let path = PathAndQuery::try_from(format!("/{}/{}", request.service, request.rpc))
            .map_err(|error| Status::internal(format!("no gRPC path: {error}")))?;
        let metadata = MetadataMap::from_headers(request.headers);
        if !self.compresses.load(Ordering::Relaxed) {
            return unary(&self.plain, metadata, request.proto, path).await;
        }
        let (again, proto) = (metadata.clone(), request.proto.clone());
        match unary(&self.gzip, metadata, request.proto, path.clone()).await {
            Err(status) if knows_no_gzip(&status) => {
                // A proxy that is there now may be so for as long as this process lives.
                if self.compresses.swap(false, Ordering::Relaxed) {
                    let reason = status.message();
                    tracing::info!(grpc.refusal = %reason, "the server takes no gzip; messages go without");
                }
                unary(&self.plain, again, proto, path).await
            }
            answer => answer,
        }
    }
}

async fn unary(
    grpc: &Grpc<Channel>,
    metadata: MetadataMap,
    proto: Bytes,
    path: PathAndQuery,
) -> Result<GrpcSuccessResponse, Status> {
    let mut request = Request::new(proto);
    *request.metadata_mut() = metadata;
    let mut grpc = grpc.clone();
    grpc.ready()
        .await
        .map_err(|error| Status::from_error(error.into()))?;
    let answer = grpc.unary(request, path, Verbatim).await;
    let answer = answer.map_err(|mut status| {
        // For a status that says so, the SDK would see one of its own in its place.
        status.metadata_mut().remove(ENCODING);
        status
    })?;
    let (metadata, proto, _) = answer.into_parts();
    let mut headers = metadata.into_headers();
    for name in NOT_PASSED_ON {
        headers.remove(name);
    }
    Ok(GrpcSuccessResponse {
        headers,
        proto: proto.into(),
    })
}

/// Whether `status` is how a server refuses a compression that it does not have: the words are those of gRPC in Go ("Decompressor is
/// not installed for grpc-encoding"), and of tonic ("Content is compressed with `gzip` which isn't supported").
fn knows_no_gzip(status: &Status) -> bool {
    let message = status.message().to_lowercase();
    status.code() == Code::Unimplemented
        && ["compress", ENCODING]
            .iter()
            .any(|word| message.contains(word))
}

/// Passes message bytes through: the SDK has already serialised them.
struct Verbatim;

impl Codec for Verbatim {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Verbatim {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for Verbatim {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
