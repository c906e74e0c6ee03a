use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use sealane_service::shutdown;

use crate::child;

/// Bounds every wait for a process, so that a signal which is not heeded fails a test instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a process is asked whether it has ended.
const ASK_EVERY: Duration = Duration::from_millis(10);

#[test]
#[ignore = "a process for the tests below"]
fn stops_when_asked() {
    if !child::is_child() {
        return;
    }
    let requested = shutdown::requested();
    eprintln!("registered");

    runtime().block_on(requested);

    eprintln!("requested");
}

#[test]
#[ignore = "a process for the tests below"]
fn ignores_the_first_signal() {
    if !child::is_child() {
        return;
    }
    let requested = shutdown::requested();
    eprintln!("registered");
    runtime().block_on(requested);
    eprintln!("requested");

    // A blocked runtime, longer than any test waits.
    thread::sleep(Duration::from_secs(600));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

/// A child process and the lines that it says. Dropping it kills it.
struct Process {
    child: Child,
    says: mpsc::Receiver<String>,
}

impl Process {
    fn start(test: &str) -> Self {
        let mut child = child::command(test).spawn().unwrap();
        let says = lines(child.stderr.take().unwrap());
        Self { child, says }
    }

    fn wait_until_it_says(&self, word: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.says.recv_timeout(left) {
                Ok(line) if line.ends_with(word) => return,
                Ok(_) => {}
                Err(error) => panic!("did not say {word:?}: {error}"),
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("sh")
            .args(["-c", "kill -s $0 $1", name, &pid])
            .status()
            .unwrap();
        assert!(status.success());
    }

    fn exit_code(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return status.code(),
                None => assert!(Instant::now() < deadline, "does not end"),
            }
            thread::sleep(ASK_EVERY);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Reads on a thread of its own: a pipe cannot be read with a time limit.
fn lines(pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            // Nobody may want to know any more.
            sender.send(line.unwrap()).ok();
        }
    });
    lines
}

#[test]
fn either_signal_asks_to_stop_from_registration_on() {
    for signal in ["TERM", "INT"] {
        let mut process = Process::start("shutdown::stops_when_asked");
        process.wait_until_it_says("registered");

        process.signal(signal);

        process.wait_until_it_says("requested");
        assert_eq!(process.exit_code(), Some(0), "{signal}");
    }
}

#[test]
fn a_second_signal_ends_even_a_blocked_process_at_once() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let mut process = Process::start("shutdown::ignores_the_first_signal");
        process.wait_until_it_says("registered");
        process.signal("TERM");
        process.wait_until_it_says("requested");

        process.signal(signal);

        assert_eq!(process.exit_code(), Some(code), "{signal}");
    }
}
