//! Following a key file while the process runs.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tracing::{info, warn};

use super::{FileSourceError, load};
use crate::{KeyRing, SharedKeyRing};

/// Keeps `ring` equal to what is at `path`, reading it anew after each `every`. Never returns.
///
/// Polling sees what file notifications miss: Kubernetes updates a mounted Secret by swapping a
/// link two levels up. Contents are compared, so touching a file changes nothing. While the
/// content is bad `ring` stays as it is; each new reason is logged once as a warning.
///
/// Writers should replace files by renaming: half of a key may look like a shorter key.
pub async fn watch(path: PathBuf, ring: SharedKeyRing, every: Duration) {
    let mut follower = Follower::new(ring);
    loop {
        let source = path.clone();
        // It fails only while the runtime shuts down, and then this future is dropped as well.
        if let Ok(loaded) = tokio::task::spawn_blocking(move || load(&source)).await {
            report(&path, follower.follow(loaded));
        }
        tokio::time::sleep(every).await;
    }
}

/// What one look at the source led to.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// As before, good or bad.
    Unchanged,
    /// New keys are in use.
    Replaced { active: String, ids: Vec<String> },
    /// The source is usable again and holds the keys already in use.
    Recovered,
    /// The source became unusable, or unusable for another reason.
    Failed { reason: String },
}

/// Applies one look at the source after the other to a ring.
struct Follower {
    ring: SharedKeyRing,
    failure: Option<String>,
}

impl Follower {
    fn new(ring: SharedKeyRing) -> Self {
        let failure = None;
        Self { ring, failure }
    }

    fn follow(&mut self, loaded: Result<KeyRing, FileSourceError>) -> Outcome {
        match loaded {
            Ok(ring) => self.accept(ring),
            Err(error) => self.reject(error.to_string()),
        }
    }

    fn accept(&mut self, ring: KeyRing) -> Outcome {
        let failure = self.failure.take();
        if self.ring.current().same_as(&ring) {
            return match failure {
                Some(_) => Outcome::Recovered,
                None => Outcome::Unchanged,
            };
        }
        let active = ring.active().to_string();
        let ids = ring.ids().map(ToString::to_string).collect();
        self.ring.replace(ring);
        Outcome::Replaced { active, ids }
    }

    fn reject(&mut self, reason: String) -> Outcome {
        if self.failure.as_ref() == Some(&reason) {
            return Outcome::Unchanged;
        }
        self.failure = Some(reason.clone());
        Outcome::Failed { reason }
    }
}

fn report(path: &Path, outcome: Outcome) {
    let file = path.display();
    match outcome {
        Outcome::Unchanged => {}
        Outcome::Replaced { active, ids } => {
            info!(key.file = %file, key.active = active, key.ids = ?ids, "key file changed, new keys are in use");
        }
        Outcome::Recovered => {
            info!(key.file = %file, "key file is readable again, keys are unchanged");
        }
        Outcome::Failed { reason } => {
            warn!(key.file = %file, "key file is unusable, keeping the keys already loaded: {reason}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{FileSourceError, Follower, Outcome};
    use crate::{KeyRing, SharedKeyRing};

    const OLD: &str = "AAECAwQFBgcICQoLDA0ODw==";
    const NEW: &str = "Dw4NDAsKCQgHBgUEAwIBAA==";

    fn ring(id: &str, key: &str) -> KeyRing {
        KeyRing::from_json(&format!(r#"{{"active":"{id}","keys":{{"{id}":"{key}"}}}}"#)).unwrap()
    }

    fn bad() -> Result<KeyRing, FileSourceError> {
        let reason = KeyRing::from_json("{").unwrap_err();
        Err(FileSourceError::ring(Path::new("keys.json"), reason))
    }

    #[test]
    fn the_same_keys_are_no_change() {
        let shared = SharedKeyRing::new(ring("a", OLD));
        let before = shared.current();

        let outcome = Follower::new(shared.clone()).follow(Ok(ring("a", OLD)));

        assert_eq!(outcome, Outcome::Unchanged);
        assert!(std::sync::Arc::ptr_eq(&before, &shared.current()));
    }

    #[test]
    fn another_key_under_the_same_id_is_a_change() {
        let shared = SharedKeyRing::new(ring("a", OLD));

        let outcome = Follower::new(shared.clone()).follow(Ok(ring("a", NEW)));

        let (active, ids) = ("a".to_owned(), vec!["a".to_owned()]);
        assert_eq!(outcome, Outcome::Replaced { active, ids });
        assert!(shared.current().same_as(&ring("a", NEW)));
    }

    #[test]
    fn bad_content_is_reported_once_and_keeps_the_keys() {
        let shared = SharedKeyRing::new(ring("a", OLD));
        let mut follower = Follower::new(shared.clone());

        let first = follower.follow(bad());
        let second = follower.follow(bad());

        assert!(
            matches!(&first, Outcome::Failed { reason } if reason.contains("keys.json")),
            "{first:?}"
        );
        assert_eq!(second, Outcome::Unchanged);
        assert!(shared.current().same_as(&ring("a", OLD)));
    }

    #[test]
    fn the_same_failure_is_reported_again_after_a_recovery() {
        let mut follower = Follower::new(SharedKeyRing::new(ring("a", OLD)));

        follower.follow(bad());
        let recovered = follower.follow(Ok(ring("a", OLD)));
        let again = follower.follow(bad());

        assert_eq!(recovered, Outcome::Recovered);
        assert!(matches!(again, Outcome::Failed { .. }));
    }
}
