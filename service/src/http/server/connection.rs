//! One connection, from accept to close.

use std::{
    convert::Infallible, future::poll_fn, net::SocketAddr, pin::Pin, sync::Arc, time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    time::timeout,
};
use tower::Service as _;

use super::{
    activity::Activity,
    patience::Patience,
    seats::{Seat, Seats},
};

/// How long a connection is kept for its next request. nginx keeps those to its upstreams for 60 s; the side that sends
/// should be the first to close, or a request is lost now and then.
const IDLE: Duration = Duration::from_secs(75);

/// Browsers behind proxies send about thirty.
const HEADERS: usize = 100;

/// Largest head, and largest piece of a body that is read at once. Tokens are the longest headers, at most 16 KiB.
const BUFFER: usize = 64 * 1024;

/// How long to go on reading what a client sends after it was refused. Closing at once would reset the connection,
/// and the client would lose the answer that says why.
const LINGER: Duration = Duration::from_secs(2);

/// Serves `stream` until either side closes it. Told to stop, it ends with the request that is being answered; when
/// whoever could tell it is gone, at once.
pub(super) async fn serve_connection(
    stream: TcpStream,
    client: SocketAddr,
    router: Router,
    seat: Seat,
    mut stopping: watch::Receiver<()>,
) {
    // Answers are small and complete; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let activity = seat.activity.clone();
    let service = Handler {
        router,
        client,
        activity: activity.clone(),
        seats: seat.seats.clone(),
    };
    let io = TokioIo::new(Patience::new(stream, activity.clone()));
    let mut connection = protocol().serve_connection(io, service);
    let ended = loop {
        tokio::select! {
            // First, so that what has arrived is seen before the connection is taken for idle.
            biased;
            ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break ended,
            stop = stopping.changed() => match stop {
                Ok(()) => Pin::new(&mut connection).graceful_shutdown(),
                Err(_) => return,
            },
            () = activity.asked_to_go() => {
                if activity.may_go() {
                    return seat.evicted();
                }
                activity.tell_idle();
            }
        }
    };
    if ended.is_err() || activity.left_body_unread() {
        let stream = connection.into_parts().io.into_inner();
        tokio::select! {
            () = linger(stream) => {}
            () = activity.asked_to_go() => seat.evicted(),
            Err(_) = stopping.changed() => {}
        }
    }
}

fn protocol() -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_headers(HEADERS)
        .max_header_size(BUFFER)
        .max_buf_size(BUFFER);
    protocol
}

/// Ends our side, and waits a little for the client to end its own.
async fn linger(mut stream: Patience<TcpStream>) {
    let reading = async {
        stream.shutdown().await?;
        let mut ignored = vec![0; BUFFER];
        while stream.read(&mut ignored).await? > 0 {}
        std::io::Result::Ok(())
    };
    // However it ends, the connection is over.
    let _ = timeout(LINGER, reading).await;
}

/// Hands requests to the router, with where they come from, and beside whom.
struct Handler {
    router: Router,
    client: SocketAddr,
    activity: Arc<Activity>,
    seats: Arc<Seats>,
}

impl Service<Request<Incoming>> for Handler {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let mut request = request.map(|body| self.activity.watch(Body::new(body)));
        request.extensions_mut().insert(ConnectInfo(self.client));
        request.extensions_mut().insert(self.seats.clone());
        let answering = self.activity.answer();
        let answer = self.router.clone().call(request);
        Box::pin(async move {
            let response = answer.await?;
            Ok(response.map(|body| answering.until_sent(body)))
        })
    }
}
