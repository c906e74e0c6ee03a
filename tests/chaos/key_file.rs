//! The vault's keys in a file, as a volume of the secrets store would have them, and a disk that can be full.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use sealane_codec::{Key, KeyId, KeyRing};
use sealane_tests::azure::{FakeAzure, SECRET};
use tokio::time::{interval, sleep};

/// How often the file is brought up to date.
const EVERY: Duration = Duration::from_millis(250);

/// After this time, a process that starts has met the whole file.
const SETTLED: Duration = Duration::from_secs(3);

/// The file.
pub(crate) struct KeyFile {
    disk: Arc<Disk>,
    delay: Duration,
}

struct Disk {
    path: PathBuf,
    /// How much of a file still gets there, in percent, while the disk is full.
    full: Mutex<Option<u64>>,
    /// Whether the file is or was just now not whole.
    broken: AtomicBool,
}

impl KeyFile {
    /// Writes the keys of `fake` to `path`. A new key encrypts once it is as old as `delay`.
    ///
    /// # Errors
    ///
    /// If there is no key, or no file can be written.
    pub(crate) fn write(path: &Path, fake: &FakeAzure, delay: Duration) -> anyhow::Result<Self> {
        let disk = Arc::new(Disk {
            path: path.to_owned(),
            full: Mutex::default(),
            broken: AtomicBool::new(false),
        });
        disk.write(&ring(fake, delay)?)?;
        Ok(Self { disk, delay })
    }

    /// Writes the file again whenever the keys of `fake` have changed.
    pub(crate) async fn follow(&self, fake: &FakeAzure) {
        let mut ticks = interval(EVERY);
        let mut written = String::new();
        loop {
            ticks.tick().await;
            let Ok(now) = ring(fake, self.delay) else {
                continue;
            };
            if now != written && self.disk.write(&now).is_ok() {
                written = now;
            }
        }
    }

    /// Returns a question: whether a process that reads the file may have met a broken one.
    pub(crate) fn is_broken(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let disk = Arc::clone(&self.disk);
        move || disk.broken.load(Ordering::Relaxed)
    }

    /// Fills the disk: what is written from now on stops after so many percent. The writer begins with the file at hand.
    ///
    /// # Errors
    ///
    /// If the file cannot be written at all.
    pub(crate) fn fill_disk(&self, kept_percent: u64) -> anyhow::Result<()> {
        self.disk.broken.store(true, Ordering::Relaxed);
        let whole = fs::read_to_string(&self.disk.path)?;
        *self.full() = Some(kept_percent);
        self.disk.write(&whole)
    }

    /// Makes room again.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(crate) async fn free_disk(&self, fake: &FakeAzure) -> anyhow::Result<()> {
        *self.full() = None;
        self.disk.write(&ring(fake, self.delay)?)?;
        sleep(SETTLED).await;
        self.disk.broken.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn full(&self) -> MutexGuard<'_, Option<u64>> {
        self.disk
            .full
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    /// Writes a new file and renames it, or what gets there of it in place while the disk is full.
    fn write(&self, ring: &str) -> anyhow::Result<()> {
        let full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        match *full {
            None => {
                let beside = self.path.with_extension("new");
                fs::write(&beside, ring)?;
                fs::rename(&beside, &self.path)?;
            }
            Some(percent) => {
                let kept = ring.len() * usize::try_from(percent)? / 100;
                fs::write(&self.path, &ring[..kept])?;
            }
        }
        Ok(())
    }
}

/// The ring of all keys of the vault. The newest that is old enough encrypts.
fn ring(fake: &FakeAzure, delay: Duration) -> anyhow::Result<String> {
    let mut keys = Vec::new();
    let mut active = None;
    for version in fake.versions(SECRET) {
        let id: KeyId = format!("{SECRET}/{}", version.version).parse()?;
        keys.push((id.clone(), Key::from_base64(&version.value)?));
        if active.is_none() || version.attributes.created + delay < SystemTime::now() {
            active = Some(id);
        }
    }
    let active = active.ok_or_else(|| anyhow::anyhow!("there is no key"))?;
    Ok(KeyRing::new(active, keys)?.to_json().to_string())
}
