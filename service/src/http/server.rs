//! An HTTP server that says where it listens, outlives rude clients, and stops when told to.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};

use self::connection::serve_connection;
pub(super) use self::seats::Seats;
pub(crate) use self::seats::evictions;

mod activity;
mod connection;
mod patience;
mod seats;

/// Requests that are being answered when the server is told to stop get this long.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// Connections at once. Each holds a buffer or two, so this bounds memory; below it nobody waits.
const CONNECTIONS: usize = 1024;

/// What the kernel keeps of answers that a client has not taken, which Linux doubles for its own records. By itself it
/// keeps up to 4 MiB for each connection.
const SEND_BUFFER: u32 = 64 * 1024;

/// Connections that have come and wait to be accepted, as many as tokio lets wait.
const BACKLOG: u32 = 1024;

/// How long to wait when a connection cannot be accepted, most likely because there are too many open files.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// The address cannot be listened on: choose another, or end what uses it.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}, expected {setting} to be an address this process may use")]
pub struct BindError {
    address: SocketAddr,
    setting: &'static str,
    #[source]
    cause: io::Error,
}

impl BindError {
    pub(crate) fn new(address: SocketAddr, cause: io::Error) -> Self {
        Self {
            address,
            setting: "SEALANE_HTTP_ADDR",
            cause,
        }
    }

    /// Says that the address comes from `setting` rather than from `SEALANE_HTTP_ADDR`.
    #[must_use]
    pub fn of_setting(mut self, setting: &'static str) -> Self {
        self.setting = setting;
        self
    }

    pub(crate) fn cause(&self) -> &io::Error {
        &self.cause
    }
}

/// A server that already listens, so that no connection is refused from here on.
///
/// It speaks HTTP/1.1 and takes at most 1024 connections, 100 headers of 64 KiB together, and 10 s for them to arrive; an
/// idle connection is kept for 75 s. When all places are taken, a newcomer gets the place of the oldest connection that
/// has no request to be answered, or has not taken its answers for 5 s, so that neither half-open nor deaf ones keep
/// anybody out. Handlers find the other end of the connection as `ConnectInfo<SocketAddr>`.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    listener: TcpListener,
    router: Router,
    connections: usize,
}

impl Server {
    /// Listens on `address`, where port 0 means any free one.
    ///
    /// # Errors
    ///
    /// [`BindError`] with what the operating system says.
    pub async fn bind(address: SocketAddr, router: Router) -> Result<Self, BindError> {
        let failed = |cause| BindError::new(address, cause);
        let listener = listen(address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            address,
            listener,
            router,
            connections: CONNECTIONS,
        })
    }

    /// Takes this many connections at once instead of 1024.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Returns the address with the port that is really used.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `shutdown` completes, and those in progress for up to 5 s more.
    ///
    /// # Errors
    ///
    /// None today: what goes wrong with a connection is its client's, or tried again.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let seats = Arc::new(Seats::new(self.connections));
        // Dropped with this future, which ends the connections at once.
        let (stop, stopping) = watch::channel(());
        tokio::select! {
            () = shutdown => {}
            () = self.accept(&seats, &stopping) => {}
        }
        drop(stopping);
        stop.send_replace(());
        // The receivers are gone when the connections are.
        let _ = timeout(LAST_ANSWERS, stop.closed()).await;
        Ok(())
    }

    /// Accepts connections for ever, and stops listening when dropped.
    async fn accept(self, seats: &Arc<Seats>, stopping: &watch::Receiver<()>) {
        loop {
            let (stream, client) = accepted(&self.listener).await;
            let seat = seats.take().await;
            let router = self.router.clone();
            tokio::spawn(serve_connection(
                stream,
                client,
                router,
                seat,
                stopping.clone(),
            ));
        }
    }
}

/// Listens as [`TcpListener::bind`] does, with a send buffer that accepted connections inherit.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // What is left of the last process's connections must not keep this one from listening.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accepted(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_client(&error) => {}
            Err(error) => {
                tracing::warn!(error = %error, "a connection could not be accepted");
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// Whether only the connection that was about to be accepted is lost.
fn is_of_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpSocket, TcpStream};

    use super::{SEND_BUFFER, listen};

    #[tokio::test]
    async fn little_is_kept_of_what_a_client_does_not_take() {
        for loopback in ["127.0.0.1:0", "[::1]:0"] {
            let listener = listen(loopback.parse().unwrap()).unwrap();
            let address = listener.local_addr().unwrap();

            let (_client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());

            let stream = accepted.unwrap().0.into_std().unwrap();
            let kept = TcpSocket::from_std_stream(stream).send_buffer_size();
            assert!(kept.unwrap() <= 2 * SEND_BUFFER, "{address}");
        }
    }
}
