use std::{
    io::{BufRead, BufReader},
    process::{Child, Command},
    thread,
    time::Duration,
};

use sealane_service::shutdown;

use crate::child;

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

/// A child process and what it says.
struct Process {
    child: Child,
    says: std::io::Lines<BufReader<std::process::ChildStderr>>,
}

impl Process {
    fn start(test: &str) -> Self {
        let mut child = child::command(test).spawn().unwrap();
        let says = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, says }
    }

    fn wait_until_it_says(&mut self, word: &str) {
        let found = self
            .says
            .by_ref()
            .map(Result::unwrap)
            .any(|line| line.ends_with(word));
        assert!(found, "ended before it said {word:?}");
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
        self.child.wait().unwrap().code()
    }
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
