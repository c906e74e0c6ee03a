//! An HTTP server that says where it listens, and stops when told to.

use std::{io, net::SocketAddr, time::Duration};

use axum::Router;
use tokio::{net::TcpListener, sync::oneshot, time::timeout};

/// Requests that are being answered when the server is told to stop get this long.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// The address cannot be listened on: choose another, or end what uses it.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address}, expected SEALANE_HTTP_ADDR to be an address this process may use"
)]
pub struct BindError {
    address: SocketAddr,
    #[source]
    cause: io::Error,
}

impl BindError {
    pub(crate) fn new(address: SocketAddr, cause: io::Error) -> Self {
        Self { address, cause }
    }

    pub(crate) fn cause(&self) -> &io::Error {
        &self.cause
    }
}

/// A server that already listens, so that no connection is refused from here on.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    listener: TcpListener,
    router: Router,
}

impl Server {
    /// Listens on `address`, where port 0 means any free one.
    ///
    /// # Errors
    ///
    /// [`BindError`] with what the operating system says.
    pub async fn bind(address: SocketAddr, router: Router) -> Result<Self, BindError> {
        let failed = |cause| BindError::new(address, cause);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            address,
            listener,
            router,
        })
    }

    /// Returns the address with the port that is really used.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `shutdown` completes, and those in progress for up to 5 s more.
    ///
    /// # Errors
    ///
    /// If the listener fails for good.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let (stopping, stopped) = oneshot::channel();
        let serving = axum::serve(self.listener, self.router).with_graceful_shutdown(async move {
            shutdown.await;
            // The receiver is gone only if serving has ended by itself.
            let _ = stopping.send(());
        });
        let serving = serving.into_future();
        tokio::pin!(serving);
        tokio::select! {
            ended = &mut serving => return ended,
            _ = stopped => {}
        }
        timeout(LAST_ANSWERS, serving).await.unwrap_or(Ok(()))
    }
}
