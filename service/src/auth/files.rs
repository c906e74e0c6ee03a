//! Files that are followed while the process runs.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock, Weak},
    time::Duration,
};

use super::error::{Fault, FileError};

/// How often a file is read. Kubernetes takes about a minute to bring a changed Secret to a pod anyway.
const EVERY: Duration = Duration::from_secs(2);

/// Longest file that is read, in bytes: thousands of entries, and an end to `/dev/zero`.
const MAX_LEN: usize = 1024 * 1024;

/// Turns the content of a file into what it means.
type Parse<T> = fn(&[u8]) -> Result<T, Fault>;

/// What a file said when it last made sense.
///
/// Polling sees what file notifications miss: Kubernetes updates a mounted volume by swapping a link two levels up.
pub(super) struct Followed<T>(Arc<RwLock<Arc<T>>>);

impl<T: Send + Sync + 'static> Followed<T> {
    /// Reads the file at `path`, and then again and again for as long as the result is kept.
    pub(super) async fn start(path: &Path, parse: Parse<T>) -> Result<Self, FileError> {
        let content = read(path).await?;
        let value = parse(&content).map_err(|fault| FileError::content(path, fault))?;
        warn_if_shared(path);
        let shared = Arc::new(RwLock::new(Arc::new(value)));
        let follower = Follower {
            path: path.to_owned(),
            parse,
            value: Arc::downgrade(&shared),
            seen: Ok(content),
        };
        tokio::spawn(follower.run());
        Ok(Self(shared))
    }

    /// Returns what holds now.
    pub(super) fn current(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Shows that there is something, not what.
impl<T> fmt::Debug for Followed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Followed").finish_non_exhaustive()
    }
}

struct Follower<T> {
    path: PathBuf,
    parse: Parse<T>,
    value: Weak<RwLock<Arc<T>>>,
    /// The last content, or why there was none: the same is not reported twice.
    seen: Result<Vec<u8>, String>,
}

impl<T: Send + Sync + 'static> Follower<T> {
    async fn run(mut self) {
        loop {
            tokio::time::sleep(EVERY).await;
            let found = read(&self.path).await;
            let Some(value) = self.value.upgrade() else {
                return;
            };
            self.follow(found, &value);
        }
    }

    /// Keeps the last good value while the content is bad.
    fn follow(&mut self, found: Result<Vec<u8>, FileError>, value: &RwLock<Arc<T>>) {
        let seen = found.map_err(|error| error.to_string());
        if seen == self.seen {
            return;
        }
        let file = self.path.display();
        let parsed = seen.as_deref().map_err(Clone::clone).and_then(|content| {
            let fault = |fault| FileError::content(&self.path, fault).to_string();
            (self.parse)(content).map_err(fault)
        });
        match parsed {
            Ok(parsed) => {
                *value.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(parsed);
                tracing::info!(auth.file = %file, "file changed, what it says is in force");
            }
            Err(reason) => {
                tracing::warn!(auth.file = %file, "file is unusable, what it said before stays in force: {reason}");
            }
        }
        self.seen = seen;
    }
}

/// Permission to write, for the group and for everybody.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Whoever can write one of these files can let anybody in.
fn warn_if_shared(path: &Path) {
    let mode = fs::metadata(path).map(|found| found.permissions().mode());
    if mode.is_ok_and(|mode| mode & WRITABLE_BY_OTHERS != 0) {
        tracing::warn!(auth.file = %path.display(), "others than its owner may write this file, and so let themselves in");
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let source = path.to_owned();
    let task = tokio::task::spawn_blocking(move || read_bounded(&source));
    // It fails only while the runtime shuts down.
    let content = task.await.map_err(io::Error::other);
    let content = content.flatten();
    content.map_err(|reason| FileError::read(path, reason))
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let limit = MAX_LEN as u64 + 1;
    File::open(path)?.take(limit).read_to_end(&mut content)?;
    if content.len() > MAX_LEN {
        let reason = "longer than 1 MiB";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::ErrorKind,
        os::unix::fs::symlink,
        path::Path,
        sync::{Arc, RwLock},
    };

    use super::{Fault, FileError, Followed, Follower, MAX_LEN, read};

    fn number(content: &[u8]) -> Result<u32, Fault> {
        let text = std::str::from_utf8(content).unwrap_or_default();
        text.parse().map_err(|_| Fault::new("line 1", "a number"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_link_is_followed_and_bad_content_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (link, next) = (folder.path().join("it"), folder.path().join("next"));
        let write = |name: &str, content: &str| {
            let target = folder.path().join(name);
            fs::write(&target, content).unwrap();
            symlink(&target, &next).unwrap();
            fs::rename(&next, &link).unwrap();
        };
        write("1", "1");
        let followed = Followed::start(&link, number).await.unwrap();

        write("2", "2");
        while *followed.current() != 2 {
            tokio::time::sleep(super::EVERY).await;
        }
        write("bad", "two");
        for _ in 0..3 {
            tokio::time::sleep(super::EVERY).await;
        }
        assert_eq!(*followed.current(), 2);
        write("4", "4");
        while *followed.current() != 4 {
            tokio::time::sleep(super::EVERY).await;
        }
    }

    #[test]
    fn the_same_bad_content_is_looked_at_once() {
        fn never(_: &[u8]) -> Result<u32, Fault> {
            unreachable!("the content was seen before")
        }
        let value = Arc::new(RwLock::new(Arc::new(1)));
        let mut follower = Follower {
            path: "tokens.json".into(),
            parse: never,
            value: Arc::downgrade(&value),
            seen: Ok(b"bad".to_vec()),
        };

        follower.follow(Ok(b"bad".to_vec()), &value);

        assert_eq!(**value.read().unwrap(), 1);
    }

    #[test]
    fn a_file_that_is_taken_away_changes_nothing() {
        let value = Arc::new(RwLock::new(Arc::new(1)));
        let mut follower = Follower {
            path: "tokens.json".into(),
            parse: number,
            value: Arc::downgrade(&value),
            seen: Ok(b"1".to_vec()),
        };
        let gone = FileError::read(&follower.path, ErrorKind::NotFound.into());

        follower.follow(Err(gone), &value);
        assert_eq!(**value.read().unwrap(), 1);
        follower.follow(Ok(b"2".to_vec()), &value);
        assert_eq!(**value.read().unwrap(), 2);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("long");
        fs::write(&long, vec![b'1'; MAX_LEN + 1]).unwrap();

        let error = read(&long).await.unwrap_err();
        assert!(error.to_string().contains("longer than 1 MiB"), "{error}");
        let missing = read(Path::new("/nowhere/tokens.json")).await.unwrap_err();
        assert!(matches!(missing, FileError::Read { .. }), "{missing}");
        assert!(missing.to_string().contains("/nowhere/tokens.json"));
    }
}
