//! Answers the stand-ins of one world.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use super::{Call, Record, Reply};

type Answer = Box<dyn FnMut(&mut Call) -> Option<Reply> + Send>;

/// Answers and what was asked. Cloning shares them.
#[derive(Clone, Default)]
pub(super) struct Server {
    answers: Arc<Mutex<Vec<Answer>>>,
    records: Arc<Mutex<Vec<Record>>>,
}

impl Server {
    /// Listens at `socket` until the process ends.
    pub(super) fn listen(&self, socket: &Path) -> anyhow::Result<()> {
        let listener = UnixListener::bind(socket)?;
        let server = self.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let server = server.clone();
                thread::spawn(move || server.serve(stream));
            }
        });
        Ok(())
    }

    /// The newest answer is asked first.
    pub(super) fn add(&self, answer: Answer) {
        lock(&self.answers).push(answer);
    }

    /// Everything that was asked since the last time.
    pub(super) fn take_records(&self) -> Vec<Record> {
        std::mem::take(&mut lock(&self.records))
    }

    /// Keeps the stream open afterwards, since a stand-in that hangs lives as long as it.
    fn serve(&self, stream: UnixStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let record = serde_json::from_str(&line).ok()?;
        let mut call = Call { record, stream };
        let reply = self.answer(&mut call);
        call.stream
            .get_mut()
            .write_all(reply.line().as_bytes())
            .ok()?;
        line.clear();
        call.stream.read_line(&mut line).ok()?;
        Some(())
    }

    fn answer(&self, call: &mut Call) -> Reply {
        let reply = lock(&self.answers)
            .iter_mut()
            .rev()
            .find_map(|answer| answer(call));
        call.record.unanswered = reply.is_none();
        lock(&self.records).push(call.record.clone());
        reply.unwrap_or_else(|| Reply::fail(97, format!("no answer for: {}", call.line())))
    }
}

/// A test that panicked in an answer is reported by its own means.
fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
