//! A listener whose connections can all be turned away.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};

/// Whether connections are turned away. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Latch(Arc<AtomicBool>);

impl Latch {
    pub(super) fn close(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(super) fn open(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    fn is_closed(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Keeps its port while closed, so that nobody else gets it.
pub(super) struct Door {
    listener: TcpListener,
    latch: Latch,
}

impl Door {
    pub(super) fn new(listener: TcpListener, latch: Latch) -> Self {
        Self { listener, latch }
    }
}

impl Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let accepted = Listener::accept(&mut self.listener).await;
            if !self.latch.is_closed() {
                return accepted;
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
