//! A stream that does not wait for ever for a client that sends half a request, or reads nothing.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::activity::Activity;

/// For the head of a request to arrive, counted from its first byte.
const HEAD: Duration = Duration::from_secs(10);

/// A client that has not taken a single byte for this long has gone, or means no good.
const PATIENCE: Duration = Duration::from_secs(30);

/// Fails a read that waits for the rest of a head for 10 s, and a write that made no progress for 30 s.
pub(super) struct Patience<S> {
    stream: S,
    activity: Arc<Activity>,
    head: Option<Head>,
    blocked: Option<Pin<Box<Sleep>>>,
}

/// The head of a request that has begun to arrive.
struct Head {
    /// How many requests there were before it.
    number: usize,
    overdue: Pin<Box<Sleep>>,
}

impl<S> Patience<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self {
            stream,
            activity,
            head: None,
            blocked: None,
        }
    }

    /// Notes that something was read: the beginning of a head, unless it is more of one or belongs to a body.
    fn has_read(&mut self) {
        let number = self.activity.requests();
        let is_more = self.head.as_ref().is_some_and(|head| head.number == number);
        if !is_more && self.activity.is_answering() {
            self.head = None;
        } else if !is_more {
            let overdue = Box::pin(sleep_until(Instant::now() + HEAD));
            self.head = Some(Head { number, overdue });
        }
    }

    /// Completes when the rest of a head did not come in time.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let number = self.activity.requests();
        let head = self.head.as_mut().filter(|head| head.number == number);
        head.map_or(Poll::Pending, |head| head.overdue.as_mut().poll(cx))
    }

    fn judge<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            if self.blocked.take().is_some() {
                self.activity.set_blocked(false);
            }
            return written;
        }
        self.activity.set_blocked(true);
        let waiting = self
            .blocked
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + PATIENCE)));
        waiting
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patience<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_pending() {
            if self.activity.is_idle() {
                self.activity.caught_up();
            }
            let overdue = self.poll_overdue(cx);
            return overdue.map(|()| Err(io::ErrorKind::TimedOut.into()));
        }
        if buffer.filled().len() > before {
            self.has_read();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patience<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    // A socket has nothing to flush, and closes its side without waiting.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, duplex},
        time::{Instant, timeout},
    };

    use super::{super::activity::STUCK, Activity, HEAD, PATIENCE, Patience};

    #[tokio::test(start_paused = true)]
    async fn a_head_has_ten_seconds_however_often_a_byte_of_it_comes() {
        let (server, mut client) = duplex(64);
        let mut server = Patience::new(server, Arc::default());
        let started = Instant::now();
        tokio::spawn(async move {
            while client.write_all(b"G").await.is_ok() {
                tokio::time::sleep(HEAD / 4).await;
            }
        });

        let error = server.read_to_end(&mut Vec::new()).await.unwrap_err();

        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed(), HEAD);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_and_an_idle_connection_are_not_hurried() {
        let (server, mut client) = duplex(64);
        let activity = Arc::new(Activity::default());
        let mut server = Patience::new(server, activity.clone());
        client.write_all(b"head").await.unwrap();
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 4);

        let answering = activity.answer();
        client.write_all(b"body").await.unwrap();
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 4);
        drop(answering);

        let read = timeout(HEAD * 3, server.read(&mut [0; 8])).await;
        assert!(read.is_err(), "{read:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_nothing_is_given_up() {
        let (server, _client) = duplex(4);
        let activity = Arc::new(Activity::default());
        let mut server = Patience::new(server, activity.clone());
        let started = Instant::now();

        let error = server.write_all(b"answer").await.unwrap_err();

        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), PATIENCE.as_secs());
        assert!(!activity.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_client_was_late_with_is_forgotten_once_it_has_taken_all() {
        let (server, mut client) = duplex(4);
        let activity = Arc::new(Activity::default());
        let mut server = Patience::new(server, activity.clone());
        let mut answer = [0; 8];

        for _ in 0..3 {
            let reading = async {
                tokio::time::sleep(STUCK * 2 / 3).await;
                assert!(!activity.is_stuck());
                client.read_exact(&mut answer).await
            };
            let (written, read) = tokio::join!(server.write_all(b"answered"), reading);
            written.unwrap();
            assert_eq!(read.unwrap(), 8);
            let more = timeout(HEAD, server.read(&mut [0])).await;
            assert!(more.is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_slowly_gets_everything() {
        let (server, mut client) = duplex(1);
        let activity = Arc::new(Activity::default());
        let mut server = Patience::new(server, activity.clone());
        let reading = tokio::spawn(async move {
            let mut read = Vec::new();
            let mut byte = [0];
            while client.read(&mut byte).await.unwrap() > 0 {
                read.push(byte[0]);
                tokio::time::sleep(PATIENCE / 2).await;
            }
            read
        });

        server.write_all(b"answer").await.unwrap();

        assert!(activity.is_idle());
        drop(server);
        assert_eq!(reading.await.unwrap(), b"answer");
    }
}
