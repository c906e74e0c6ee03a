//! Keys on disk: both layouts, changes under a running process, and new files.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    time::Duration,
};

use sealane_codec::{
    KeyRing, SharedKeyRing,
    file_source::{FileSourceError, load, watch, write_new},
};
use tempfile::{TempDir, tempdir};
use tokio::sync::mpsc;

use crate::{KEY, OTHER_KEY, json, payload, ring};

/// Longest wait for a watcher that polls every few milliseconds, before the test has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the watchers under test look.
const POLL: Duration = Duration::from_millis(2);

/// Sends what is logged to the test, line by line.
struct Lines(mpsc::UnboundedSender<String>);

impl io::Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line).into_owned();
        // A test that has stopped listening has no use for the rest.
        let _ = self.0.send(text);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn ids(ring: &KeyRing) -> Vec<&str> {
    ring.ids().map(|id| id.as_str()).collect()
}

/// What Kubernetes makes of a Secret: `name` -> `..data/name`, `..data` -> a dated directory.
fn mount(directory: &Path, revision: &str, keys: &[(&str, &str)]) {
    let target = directory.join(revision);
    fs::create_dir(&target).unwrap();
    for (name, key) in keys {
        fs::write(target.join(name), key).unwrap();
        let link = directory.join(name);
        if !link.is_symlink() {
            symlink(Path::new("..data").join(name), link).unwrap();
        }
    }
    let staged = directory.join("..data_tmp");
    symlink(revision, &staged).unwrap();
    fs::rename(staged, directory.join("..data")).unwrap();
}

/// Runs a watcher on `path` until it has replaced `shared` once.
async fn next_ring(path: &Path, shared: &SharedKeyRing) {
    let mut changes = shared.clone();
    let watching = watch(path.to_owned(), shared.clone(), POLL);
    tokio::select! {
        () = watching => unreachable!("watching never ends"),
        changed = tokio::time::timeout(PATIENCE, changes.changed()) => changed.unwrap(),
    }
}

fn directory_of(keys: &[(&str, &str)]) -> TempDir {
    let directory = tempdir().unwrap();
    for (name, key) in keys {
        fs::write(directory.path().join(name), key).unwrap();
    }
    directory
}

#[test]
fn a_written_ring_loads_again_and_only_its_owner_may_read_it() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("keys.json");

    write_new(&path, &ring("a", KEY)).unwrap();

    let sealed = load(&path).unwrap().seal(&payload("json/plain", b"1"));
    assert!(ring("a", KEY).open(&sealed.unwrap()).is_ok());
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        fs::read_dir(&directory).unwrap().count(),
        1,
        "nothing is left beside it"
    );
}

#[test]
fn an_existing_file_is_never_overwritten() {
    let directory = directory_of(&[("keys.json", "precious")]);
    let path = directory.path().join("keys.json");

    let error = write_new(&path, &ring("a", KEY)).unwrap_err();

    assert!(matches!(error, FileSourceError::Exists { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[test]
fn a_directory_that_does_not_exist_is_named() {
    let path = Path::new("/no-such-directory/keys.json");

    let write = write_new(path, &ring("a", KEY)).unwrap_err();
    let read = load(path).unwrap_err();

    assert!(matches!(write, FileSourceError::Write { .. }), "{write}");
    assert!(matches!(read, FileSourceError::Read { .. }), "{read}");
    assert!(write.to_string().contains("/no-such-directory/keys.json"));
    assert!(read.to_string().contains("/no-such-directory/keys.json"));
}

#[test]
fn in_a_directory_the_name_that_sorts_last_is_active() {
    let directory = directory_of(&[("2026-02", OTHER_KEY), ("2026-01", KEY), (".swp", "x")]);
    fs::create_dir(directory.path().join("lost+found")).unwrap();

    let ring = load(directory.path()).unwrap();

    assert_eq!(ids(&ring), ["2026-01", "2026-02"]);
    assert_eq!(ring.active().as_str(), "2026-02");
}

#[test]
fn a_bad_key_in_a_directory_is_named_by_its_file() {
    let directory = directory_of(&[("2026-01", KEY), ("2026-02", "hunter2")]);

    let error = load(directory.path()).unwrap_err();

    assert!(matches!(error, FileSourceError::Key { .. }));
    assert!(error.to_string().contains("2026-02"), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn a_directory_without_keys_is_an_error() {
    let error = load(directory_of(&[]).path()).unwrap_err();

    assert!(matches!(error, FileSourceError::Empty { .. }), "{error}");
}

#[test]
fn new_keys_are_offered_only_where_there_may_never_have_been_any() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let remedy = |json: &[u8]| {
        fs::write(&path, json).unwrap();
        load(&path).unwrap_err().remedy()
    };
    let truncated = remedy(br#"{"active": "a", "ke"#);
    let garbage = remedy(b"\xff\xfe\x00");
    let inactive = remedy(format!(r#"{{"active": "b", "keys": {{"a": "{KEY}"}}}}"#).as_bytes());
    let stray = directory_of(&[("a", KEY), ("notes", "abc")]);
    let stray = load(stray.path()).unwrap_err().remedy();

    assert!(truncated.contains("restore it from a copy"), "{truncated}");
    assert!(inactive.contains("make one of those active"), "{inactive}");
    assert!(stray.contains("remove it from the directory"), "{stray}");
    assert_eq!(garbage, truncated);
    for remedy in [truncated, inactive, stray] {
        assert!(!remedy.contains("keys generate"), "{remedy}");
    }
    for nothing in [&folder.path().join("none"), tempdir().unwrap().path()] {
        let remedy = load(nothing).unwrap_err().remedy();
        assert!(
            remedy.contains("only where there never were any"),
            "{remedy}"
        );
        assert!(remedy.contains("sealane keys generate"), "{remedy}");
    }
}

#[test]
fn endless_and_oversized_files_are_refused() {
    let directory = directory_of(&[("big", &" ".repeat(2 << 20))]);

    for path in [Path::new("/dev/zero"), &directory.path().join("big")] {
        let error = load(path).unwrap_err();
        assert!(matches!(error, FileSourceError::TooLong { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_changed_file_is_read_anew() {
    let directory = directory_of(&[("keys.json", &json("b", OTHER_KEY))]);
    let shared = SharedKeyRing::new(ring("a", KEY));

    next_ring(&directory.path().join("keys.json"), &shared).await;

    assert_eq!(ids(&shared.current()), ["b"]);
}

#[tokio::test]
async fn bad_content_is_warned_of_and_keeps_the_old_keys_until_it_is_mended() {
    let directory = directory_of(&[("keys.json", "{\"active\": ")]);
    let path = directory.path().join("keys.json");
    let shared = SharedKeyRing::new(ring("a", KEY));
    let (lines, mut logged) = mpsc::unbounded_channel();
    let log = tracing_subscriber::fmt().with_writer(move || Lines(lines.clone()));
    let _log = tracing::subscriber::set_default(log.finish());
    let watching = tokio::spawn(watch(path.clone(), shared.clone(), POLL));

    let warning = logged.recv().await.unwrap();
    assert!(warning.contains("WARN"), "{warning}");
    assert!(warning.contains("keys.json"), "{warning}");
    assert!(warning.contains("JSON that breaks off"), "{warning}");
    assert_eq!(ids(&shared.current()), ["a"]);

    fs::write(directory.path().join("new"), json("b", OTHER_KEY)).unwrap();
    fs::rename(directory.path().join("new"), &path).unwrap();
    let replaced = logged.recv().await.unwrap();
    assert!(replaced.contains("INFO"), "{replaced}");
    assert!(!replaced.contains(OTHER_KEY), "{replaced}");
    assert_eq!(ids(&shared.current()), ["b"]);
    watching.abort();
}

#[tokio::test]
async fn a_swapped_kubernetes_mount_is_followed() {
    let directory = tempdir().unwrap();
    mount(directory.path(), "..2026_11_21", &[("k1", KEY)]);
    let shared = SharedKeyRing::new(load(directory.path()).unwrap());
    assert_eq!(ids(&shared.current()), ["k1"]);

    mount(
        directory.path(),
        "..2026_11_22",
        &[("k1", KEY), ("k2", OTHER_KEY)],
    );
    next_ring(directory.path(), &shared).await;

    assert_eq!(ids(&shared.current()), ["k1", "k2"]);
    assert_eq!(shared.current().active().as_str(), "k2");
}
