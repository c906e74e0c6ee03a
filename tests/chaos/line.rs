//! The line between one worker and the server, which can be cut, held and slowed.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
    time::sleep,
};

/// Read and sent at once, in bytes. A slow line takes its delay for each.
const CHUNK: usize = 16 * 1024;

/// How a line is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Condition {
    /// Everything passes.
    Good,
    /// There are no connections, and there come none about.
    Cut,
    /// Nothing passes, and nobody is told.
    Held,
    /// Everything passes, later.
    Slow(Duration),
}

/// A TCP proxy. Dropping it cuts it for good.
pub(crate) struct Line {
    address: SocketAddr,
    condition: Arc<watch::Sender<Condition>>,
    accepting: JoinHandle<()>,
}

impl Line {
    /// Lays a line to `server` (`host:port`).
    ///
    /// # Errors
    ///
    /// If no port can be bound.
    pub(crate) async fn lay(server: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let condition = Arc::new(watch::Sender::new(Condition::Good));
        let accepting = tokio::spawn(accept(listener, server.to_owned(), Arc::clone(&condition)));
        Ok(Self {
            address,
            condition,
            accepting,
        })
    }

    /// Returns where the worker finds it, as `host:port`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Changes how it is, at once and for all connections.
    pub(crate) fn be(&self, condition: Condition) {
        self.condition.send_replace(condition);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.be(Condition::Cut);
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: String, condition: Arc<watch::Sender<Condition>>) {
    while let Ok((worker, _)) = listener.accept().await {
        tokio::spawn(carry(worker, server.clone(), condition.subscribe()));
    }
}

/// Carries both directions until either end is gone or the line is cut. Errors end a connection; that is all they do.
async fn carry(worker: TcpStream, server: String, mut condition: watch::Receiver<Condition>) {
    let pass = {
        let condition = condition.clone();
        async move {
            let server = TcpStream::connect(server).await?;
            worker.set_nodelay(true)?;
            server.set_nodelay(true)?;
            let (from_worker, to_worker) = worker.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::select! {
                ended = pass(from_worker, to_server, condition.clone()) => ended,
                ended = pass(from_server, to_worker, condition) => ended,
            }
        }
    };
    tokio::select! {
        _ = condition.wait_for(|now| *now == Condition::Cut) => {}
        _ = pass => {}
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut condition: watch::Receiver<Condition>,
) -> std::io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk).await?;
        if read == 0 {
            return Ok(());
        }
        // An error means that the line is gone, and so will this task be.
        let now = condition.wait_for(|now| *now != Condition::Held).await;
        if let Ok(Condition::Slow(delay)) = now.map(|now| *now) {
            sleep(delay).await;
        }
        to.write_all(&chunk[..read]).await?;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        time::{Instant, timeout},
    };

    use super::{Condition, Line};

    const SHORTLY: Duration = Duration::from_millis(300);

    /// A line to somebody who repeats everything, and a connection through it.
    async fn stage() -> anyhow::Result<(Line, TcpStream)> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (mut read, mut write) = stream.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut read, &mut write).await });
            }
        });
        let line = Line::lay(&address).await?;
        let stream = TcpStream::connect(line.address()).await?;
        Ok((line, stream))
    }

    async fn echo(stream: &mut TcpStream) -> anyhow::Result<()> {
        stream.write_all(b"hello").await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        Ok(())
    }

    #[tokio::test]
    async fn a_line_that_is_held_goes_on_later() -> anyhow::Result<()> {
        let (line, mut stream) = stage().await?;
        echo(&mut stream).await?;
        line.be(Condition::Held);
        assert!(timeout(SHORTLY, echo(&mut stream)).await.is_err());
        line.be(Condition::Good);
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        Ok(())
    }

    #[tokio::test]
    async fn a_line_that_is_cut_lets_nobody_through() -> anyhow::Result<()> {
        let (line, mut stream) = stage().await?;
        echo(&mut stream).await?;
        line.be(Condition::Cut);
        assert!(echo(&mut stream).await.is_err());
        let mut another = TcpStream::connect(line.address()).await?;
        assert!(echo(&mut another).await.is_err());
        line.be(Condition::Good);
        echo(&mut TcpStream::connect(line.address()).await?).await
    }

    #[tokio::test]
    async fn a_slow_line_takes_its_time() -> anyhow::Result<()> {
        let (line, mut stream) = stage().await?;
        line.be(Condition::Slow(SHORTLY));
        let began = Instant::now();
        echo(&mut stream).await?;
        assert!(began.elapsed() >= 2 * SHORTLY);
        Ok(())
    }
}
