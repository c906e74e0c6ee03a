//! The wall clock of one process, which can be put off while it runs.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use tokio::time::timeout;

/// What does it, preloaded into the process.
const SHIM: &str = include_str!("clock.c");

/// How long a process may take to tell the time, should it be killed meanwhile.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Lets processes have clocks of their own.
pub(crate) struct Clocks {
    shim: PathBuf,
    folder: PathBuf,
}

/// The clock of one process.
#[derive(Clone)]
pub(crate) struct Clock {
    /// Eight bytes, mapped by the process.
    file: PathBuf,
    shim: PathBuf,
}

impl Clocks {
    /// Compiles what it takes into `folder`.
    ///
    /// # Errors
    ///
    /// If there is no C compiler, which Rust needs as well, or it does not like the text.
    pub(crate) fn prepare(folder: &Path) -> anyhow::Result<Self> {
        let (text, shim) = (folder.join("clock.c"), folder.join("clock.so"));
        fs::write(&text, SHIM)?;
        let compiled = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .args([&shim, &text])
            .arg("-ldl")
            .output()
            .context("cc could not be started; install a C compiler")?;
        if !compiled.status.success() {
            bail!("cc: {}", String::from_utf8_lossy(&compiled.stderr));
        }
        Ok(Self {
            shim,
            folder: folder.to_owned(),
        })
    }

    /// Returns a clock that is right.
    ///
    /// # Errors
    ///
    /// If its file cannot be written.
    pub(crate) fn clock(&self, name: &str) -> anyhow::Result<Clock> {
        let clock = Clock {
            file: self.folder.join(format!("{name}.clock")),
            shim: self.shim.clone(),
        };
        fs::write(&clock.file, 0_i64.to_ne_bytes())?;
        Ok(clock)
    }
}

impl Clock {
    /// Puts the clock ahead of the right time by so many seconds, or behind it.
    ///
    /// # Errors
    ///
    /// If its file cannot be written.
    pub(crate) fn set_ahead(&self, seconds: i64) -> anyhow::Result<()> {
        // In place: the process has this file mapped.
        let mut file = fs::OpenOptions::new().write(true).open(&self.file)?;
        Ok(file.write_all(&seconds.to_ne_bytes())?)
    }

    /// Returns what the environment of the process must have.
    pub(crate) fn variables(&self) -> [(String, String); 2] {
        [("LD_PRELOAD", &self.shim), ("CHAOS_CLOCK", &self.file)]
            .map(|(name, path)| (name.to_owned(), path.display().to_string()))
    }
}

/// Returns by how many seconds the clock of a server is ahead of ours, going by the header `Date` of its answer. None if
/// it does not answer.
///
/// # Errors
///
/// If it does not say.
pub(crate) async fn ahead_of_ours(url: &str) -> anyhow::Result<Option<i64>> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let Ok(Ok(answer)) = timeout(ANSWER_WITHIN, client.get(url).send()).await else {
        return Ok(None);
    };
    let date = answer.headers().get("date").context("no Date")?;
    let theirs = httpdate::parse_http_date(date.to_str()?)?;
    Ok(Some(seconds(theirs)? - seconds(SystemTime::now())?))
}

fn seconds(time: SystemTime) -> anyhow::Result<i64> {
    Ok(time.duration_since(UNIX_EPOCH)?.as_secs().try_into()?)
}

#[cfg(test)]
mod tests {
    use std::{process::Command, time::SystemTime};

    use super::{Clock, Clocks, seconds};

    /// What a process thinks the time is, in seconds.
    fn seen(clock: &Clock) -> anyhow::Result<i64> {
        let mut date = Command::new("date");
        let date = date.arg("+%s").envs(clock.variables()).output()?;
        Ok(String::from_utf8(date.stdout)?.trim().parse()?)
    }

    #[test]
    fn a_clock_is_right_until_it_is_put_off() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let clock = Clocks::prepare(folder.path())?.clock("one")?;
        for ahead in [0, 3600, -1800] {
            clock.set_ahead(ahead)?;
            let off = seen(&clock)? - seconds(SystemTime::now())?;
            assert!(
                (off - ahead).abs() <= 5,
                "off by {off} s, expected {ahead} s"
            );
        }
        Ok(())
    }
}
