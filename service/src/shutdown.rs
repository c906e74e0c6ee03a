//! When to stop.
//!
//! The first SIGTERM or SIGINT asks the process to finish what it is doing. The second ends it at
//! once, with the exit code that a shell shows for a process killed by that signal: 143 for
//! SIGTERM, 130 for SIGINT.

use std::{process, thread};

use tokio::{
    runtime::{self, Runtime},
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

/// Returns a future that completes at the first SIGTERM or SIGINT.
///
/// Signals count from this call on, not from the first poll, and a second one ends the process
/// whatever the runtime is busy with: a thread of its own waits for them.
///
/// # Panics
///
/// If the operating system refuses the handlers or the thread, which means it is out of resources.
pub fn requested() -> impl Future<Output = ()> + Send + 'static {
    requested_after(|| ())
}

/// Like [`requested`], and calls `first` at the first signal, on the thread that waits for them: also if whoever would poll the
/// future is blocked.
///
/// # Panics
///
/// As [`requested`].
pub fn requested_after(
    first: impl FnOnce() + Send + 'static,
) -> impl Future<Output = ()> + Send + 'static {
    let signals = Signals::register();
    let (tell, requested) = oneshot::channel();
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || signals.wait(first, tell))
        .expect("a thread can be started");
    async move {
        // An error would mean that the thread is gone; then nobody can ask any more.
        if requested.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

struct Signals {
    runtime: Runtime,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn register() -> Self {
        let runtime = runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .expect("a single-threaded runtime can be started");
        let within = runtime.enter();
        let terminate = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
        let interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be handled");
        drop(within);
        Self {
            runtime,
            terminate,
            interrupt,
        }
    }

    fn wait(mut self, first: impl FnOnce(), tell: oneshot::Sender<()>) {
        let (name, _) = self.next();
        tracing::info!(
            signal.name = name,
            "asked to stop; a second signal ends the process at once"
        );
        first();
        // Nobody may be waiting any more; the second signal still counts.
        let _ = tell.send(());
        let (name, code) = self.next();
        tracing::warn!(signal.name = name, "asked a second time, stopping at once");
        process::exit(code);
    }

    /// Returns the name of the next signal and the exit code that tells it.
    fn next(&mut self) -> (&'static str, i32) {
        let Self {
            runtime,
            terminate,
            interrupt,
        } = self;
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => ("SIGTERM", 128 + SignalKind::terminate().as_raw_value()),
                _ = interrupt.recv() => ("SIGINT", 128 + SignalKind::interrupt().as_raw_value()),
            }
        })
    }
}
