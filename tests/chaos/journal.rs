//! What was done, and when.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Lines with the time since the beginning. Shown when a run fails.
pub(crate) struct Journal {
    began: Instant,
    lines: Mutex<Vec<(Duration, String)>>,
}

impl Journal {
    pub(crate) fn begin() -> Self {
        Self {
            began: Instant::now(),
            lines: Mutex::default(),
        }
    }

    /// Puts down that something happens now.
    pub(crate) fn note(&self, line: impl Into<String>) {
        let now = self.began.elapsed();
        self.lines().push((now, line.into()));
    }

    /// Returns how long ago it began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn lines(&self) -> MutexGuard<'_, Vec<(Duration, String)>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (when, line) in self.lines().iter() {
            writeln!(f, "{:8.3} s  {line}", when.as_secs_f64())?;
        }
        Ok(())
    }
}
