//! What a walk has counted so far, in a file from which another can go on.
//!
//! Holds ids and numbers, nothing of any payload.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tokio::time::{Duration, Instant};

use super::{AuditError, Counted, Needs, Scope};

/// A walk that is killed loses at most what it counted in this time.
const SAVE_EVERY: Duration = Duration::from_secs(5);

/// What has been counted, and where it is kept.
pub(super) struct Checkpoint {
    path: Option<PathBuf>,
    saved: Instant,
    content: Content,
    /// Runs and schedules that the server listed in this walk. What was counted earlier and is not
    /// among them has ended since.
    listed: BTreeSet<String>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Content {
    namespace: String,
    scope: Scope,
    /// By run id.
    workflows: BTreeMap<String, Counted>,
    /// By schedule id.
    schedules: BTreeMap<String, Counted>,
}

impl Checkpoint {
    /// Begins with what the file at `path` has, with nothing if there is none.
    ///
    /// # Errors
    ///
    /// [`AuditError::Checkpoint`] if it cannot be read, or was written by a walk through something
    /// else.
    pub(super) fn open(
        path: Option<&Path>,
        namespace: &str,
        scope: &Scope,
    ) -> Result<Self, AuditError> {
        let fresh = Content {
            namespace: namespace.to_owned(),
            scope: scope.clone(),
            ..Content::default()
        };
        let kept = path.map(read).transpose()?.flatten();
        if let (Some(path), Some(kept)) = (path, &kept)
            && (&kept.namespace, &kept.scope) != (&fresh.namespace, &fresh.scope)
        {
            return Err(AuditError::checkpoint(path, &another(kept)));
        }
        Ok(Self {
            path: path.map(Path::to_owned),
            saved: Instant::now(),
            content: kept.unwrap_or(fresh),
            listed: BTreeSet::new(),
        })
    }

    /// Returns whether the run was counted before, and remembers that it is still there.
    pub(super) fn has_workflow(&mut self, run_id: &str) -> bool {
        let counted = self.content.workflows.contains_key(run_id);
        if counted {
            self.listed.insert(run_id.to_owned());
        }
        counted
    }

    /// Returns whether the schedule was counted before, and remembers that it is still there.
    pub(super) fn has_schedule(&mut self, id: &str) -> bool {
        let counted = self.content.schedules.contains_key(id);
        if counted {
            self.listed.insert(id.to_owned());
        }
        counted
    }

    pub(super) fn workflow(&mut self, run_id: String, id: String, needs: Needs) {
        self.listed.insert(run_id.clone());
        let counted = Counted { id, needs };
        self.content.workflows.insert(run_id, counted);
    }

    pub(super) fn schedule(&mut self, id: String, needs: Needs) {
        self.listed.insert(id.clone());
        let counted = Counted {
            id: id.clone(),
            needs,
        };
        self.content.schedules.insert(id, counted);
    }

    /// Saves what has been counted, if that was not done a moment ago.
    pub(super) fn save_if_due(&mut self) -> Result<(), AuditError> {
        if self.saved.elapsed() < SAVE_EVERY {
            return Ok(());
        }
        self.save()
    }

    /// Saves what has been counted. The file is the old one or the new one, never half of it.
    pub(super) fn save(&mut self) -> Result<(), AuditError> {
        if let Some(path) = &self.path {
            write(path, &self.content).map_err(|error| AuditError::checkpoint(path, &error))?;
        }
        self.saved = Instant::now();
        Ok(())
    }

    /// Saves what has been counted, and leaves no file if that is nothing: it would only stand in the
    /// way of a walk through something else, such as one whose query is spelt right.
    pub(super) fn keep(&mut self) -> Result<(), AuditError> {
        if self.content.workflows.is_empty() && self.content.schedules.is_empty() {
            return self.remove();
        }
        self.save()
    }

    /// Removes the file: the walk has come to its end.
    pub(super) fn remove(&self) -> Result<(), AuditError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(AuditError::checkpoint(path, &error))
            }
            _ => Ok(()),
        }
    }

    /// Returns what is still there, workflows first.
    pub(super) fn into_counted(mut self) -> (Vec<Counted>, Vec<Counted>) {
        let listed = self.listed;
        self.content.workflows.retain(|id, _| listed.contains(id));
        self.content.schedules.retain(|id, _| listed.contains(id));
        (
            self.content.workflows.into_values().collect(),
            self.content.schedules.into_values().collect(),
        )
    }
}

fn read(path: &Path) -> Result<Option<Content>, AuditError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(AuditError::checkpoint(path, &error)),
    };
    let content = serde_json::from_slice(&text).map_err(|_| {
        AuditError::checkpoint(path, &"it was not written by `sealane keys audit --resume`")
    })?;
    Ok(Some(content))
}

fn write(path: &Path, content: &Content) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    fs::write(&new, serde_json::to_vec(content)?)?;
    fs::rename(new, path)
}

fn another(kept: &Content) -> String {
    let Scope { query, closed } = &kept.scope;
    format!(
        "it is of a walk through namespace {:?} with query {query:?} and {} closed workflows; \
         ask for the same, or remove it",
        kept.namespace,
        if *closed { "with" } else { "without" },
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Checkpoint, Needs, Scope};

    #[test]
    fn a_walk_goes_on_with_what_another_has_counted_and_is_still_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.json");
        let open = || Checkpoint::open(Some(&path), "default", &Scope::default()).unwrap();

        let mut first = open();
        first.workflow("run-1".to_owned(), "one".to_owned(), Needs::default());
        first.workflow("run-2".to_owned(), "two".to_owned(), Needs::default());
        first.schedule("daily".to_owned(), Needs::default());
        first.save().unwrap();
        let mut second = open();

        assert!(second.has_workflow("run-1"));
        assert!(!second.has_workflow("run-3"));
        assert!(second.has_schedule("daily"));
        second.remove().unwrap();
        let (workflows, schedules) = second.into_counted();
        assert_eq!(workflows.len(), 1, "run-2 is not listed any more");
        assert_eq!(workflows[0].id, "one");
        assert_eq!(schedules[0].id, "daily");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn a_walk_that_fails_before_it_counts_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.json");
        let mut walk = Checkpoint::open(Some(&path), "default", &Scope::default()).unwrap();
        walk.save().unwrap();

        walk.keep().unwrap();
        assert!(!path.exists());

        walk.schedule("daily".to_owned(), Needs::default());
        walk.keep().unwrap();
        assert!(path.exists());
    }

    #[test]
    fn a_file_of_another_walk_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.json");
        let scope = Scope {
            closed: true,
            ..Scope::default()
        };
        let mut other = Checkpoint::open(Some(&path), "payments", &scope).unwrap();
        other.save().unwrap();

        let error = Checkpoint::open(Some(&path), "payments", &Scope::default());

        let error = error.err().unwrap().to_string();
        assert!(error.contains("\"payments\""), "{error}");
        assert!(error.contains("with closed workflows"), "{error}");
        assert!(path.exists());
    }

    #[test]
    fn a_file_of_somebody_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        fs::write(&path, r#"{"active": "a", "keys": {"a": "c2VjcmV0"}}"#).unwrap();

        let error = Checkpoint::open(Some(&path), "default", &Scope::default());

        let error = error.err().unwrap().to_string();
        assert!(error.contains("keys.json"), "{error}");
        assert!(!error.contains("c2Vj"), "{error}");
    }
}
