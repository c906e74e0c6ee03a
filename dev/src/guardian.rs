//! Guardians: processes that start another one, and end it when their standard input ends. That happens too when this
//! process is killed, so nothing is left behind.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

/// How long a guardian may take to end once it is told. The one of the dev server gives the server 10 s.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long a process may take that was killed; longer only if the kernel does not let go of it.
const DEATH: Duration = Duration::from_secs(5);

/// How often a process is asked whether it has ended.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// A running guardian. Dropping it ends it and all that it guards, or gives up after 20 s.
#[derive(Debug)]
pub struct Guardian(Child);

impl Guardian {
    /// Starts `command` as a guardian, in a process group of its own: Ctrl-C is for us, who stop it last.
    ///
    /// It cannot write to our standard error: who reads that to its end would wait for everything that holds it open.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self(child))
    }

    /// Returns what it writes, the first time.
    pub fn output(&mut self) -> Option<ChildStdout> {
        self.0.stdout.take()
    }

    /// Ends it, in peace if that takes no longer than `patience`.
    fn end(&mut self, patience: Duration) {
        drop(self.0.stdin.take());
        if !ends_within(&mut self.0, patience) {
            kill_process_group(Pid::from_child(&self.0), Signal::KILL).ok();
            ends_within(&mut self.0, DEATH);
        }
    }

    /// Returns how it ended, if it has.
    ///
    /// # Errors
    ///
    /// If the operating system does not tell.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        self.end(PATIENCE);
    }
}

/// Waits for the end of `child`, but not for longer than `limit`, and returns whether it has come.
pub fn ends_within(child: &mut Child, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < deadline => thread::sleep(ASK_EVERY),
            // An error means that there is nobody to wait for.
            outcome => return !matches!(outcome, Ok(None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader},
        process::Command,
        time::Duration,
    };

    use super::{Guardian, ends_within};

    #[test]
    fn a_guardian_that_does_not_end_is_killed_with_its_group() {
        let deaf = "trap '' TERM; sleep 600 & echo ready; wait";
        let mut guardian = Guardian::start(Command::new("sh").args(["-c", deaf])).unwrap();
        let mut output = BufReader::new(guardian.output().unwrap());
        output.read_line(&mut String::new()).unwrap();

        guardian.end(Duration::from_millis(20));

        assert!(guardian.ended().unwrap().is_some());
        // The end of its output: nobody of the group is there to write more.
        assert_eq!(output.read_line(&mut String::new()).unwrap(), 0);
    }

    #[test]
    fn a_process_that_goes_on_is_not_waited_for() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();

        assert!(!ends_within(&mut child, Duration::from_millis(20)));
        child.kill().unwrap();
        assert!(ends_within(&mut child, Duration::from_secs(60)));
    }
}
