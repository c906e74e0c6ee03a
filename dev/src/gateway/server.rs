//! The listening side, which can be taken down and brought up again on the same port.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};

/// What the server should be doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wanted {
    Up,
    Down,
    /// Down for good.
    Gone,
}

/// Takes the server down and brings it up. Dropping it stops the server.
#[derive(Debug)]
pub(super) struct Switch(Line);

/// The half of the switch that requests hold too.
#[derive(Clone, Debug)]
pub(super) struct Line {
    address: SocketAddr,
    wanted: Arc<watch::Sender<Wanted>>,
    serving: watch::Receiver<bool>,
    listeners: mpsc::Sender<TcpListener>,
}

impl Switch {
    /// Binds `address` and serves what `router` makes. Returns the address that was bound.
    pub(super) async fn start(
        address: SocketAddr,
        router: impl FnOnce(&Line) -> Router,
    ) -> io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (listeners, next) = mpsc::channel(1);
        let (report, serving) = watch::channel(true);
        let line = Line {
            address,
            wanted: Arc::new(watch::Sender::new(Wanted::Up)),
            serving,
            listeners,
        };
        let server = Server {
            router: router(&line),
            wanted: line.wanted.subscribe(),
            report,
            next,
        };
        tokio::spawn(server.run(listener));
        Ok((Self(line), address))
    }

    pub(super) async fn take_down(&self) {
        self.0.take_down().await;
    }

    pub(super) async fn bring_up(&self) -> io::Result<()> {
        self.0.bring_up().await
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.0.wanted.send_replace(Wanted::Gone);
    }
}

impl Line {
    /// Returns once the server is to go down.
    pub(super) async fn cut(&self) {
        until(self.wanted.subscribe(), |wanted| wanted != Wanted::Up).await;
    }

    /// Takes the server down and brings it up again after `outage`.
    pub(super) fn cut_for(&self, outage: Duration) {
        let line = self.clone();
        tokio::spawn(async move {
            line.take_down().await;
            tokio::time::sleep(outage).await;
            if let Err(error) = line.bring_up().await {
                tracing::error!(address = %line.address, "gateway cannot listen again: {error}");
            }
        });
    }

    async fn take_down(&self) {
        self.want(Wanted::Down);
        // An error means that the server is gone, which is as down as it gets.
        let mut serving = self.serving.clone();
        serving.wait_for(|serving| !serving).await.ok();
    }

    async fn bring_up(&self) -> io::Result<()> {
        if *self.wanted.borrow() == Wanted::Up {
            return Ok(());
        }
        let listener = TcpListener::bind(self.address).await?;
        self.want(Wanted::Up);
        // Fails only if the gateway was dropped meanwhile, and then nobody misses it.
        self.listeners.send(listener).await.ok();
        Ok(())
    }

    fn want(&self, next: Wanted) {
        self.wanted.send_if_modified(|wanted| {
            let possible = *wanted != Wanted::Gone;
            if possible {
                *wanted = next;
            }
            possible
        });
    }
}

struct Server {
    router: Router,
    wanted: watch::Receiver<Wanted>,
    report: watch::Sender<bool>,
    next: mpsc::Receiver<TcpListener>,
}

impl Server {
    async fn run(mut self, first: TcpListener) {
        self.serve(first).await;
        loop {
            let gone = until(self.wanted.clone(), |wanted| wanted == Wanted::Gone);
            tokio::select! {
                () = gone => return,
                listener = self.next.recv() => match listener {
                    Some(listener) => self.serve(listener).await,
                    None => return,
                },
            }
        }
    }

    /// Serves until the server is to go down and every connection is closed.
    async fn serve(&self, listener: TcpListener) {
        self.report.send_replace(true);
        let down = until(self.wanted.clone(), |wanted| wanted != Wanted::Up);
        let served = axum::serve(listener, self.router.clone()).with_graceful_shutdown(down);
        if let Err(error) = served.await {
            tracing::error!("gateway stopped serving: {error}");
        }
        self.report.send_replace(false);
    }
}

async fn until(mut wanted: watch::Receiver<Wanted>, reached: impl Fn(Wanted) -> bool) {
    // An error means that nobody can want anything any more, which is as good as an end.
    wanted.wait_for(|wanted| reached(*wanted)).await.ok();
}
