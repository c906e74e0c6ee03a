//! The tasks that keep keys up to date.

use tokio::task::AbortHandle;

/// Tasks that end only if they panic. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Following(Vec<AbortHandle>);

impl Following {
    /// Runs `task` for as long as the runtime lives, and logs it should it end.
    pub(super) fn add(&mut self, task: impl Future<Output: Send> + Send + 'static) {
        let task = tokio::spawn(task);
        self.0.push(task.abort_handle());
        tokio::spawn(async move {
            // Cancelled tasks are those of a runtime that shuts down.
            if !task.await.is_err_and(|ended| ended.is_cancelled()) {
                tracing::error!(
                    "keys are not kept up to date any more, those already loaded stay in use: \
                     a task has ended; start this process anew"
                );
            }
        });
    }

    /// Whether all still run.
    pub(super) fn is_complete(&self) -> bool {
        !self.0.iter().any(AbortHandle::is_finished)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::Following;

    #[tokio::test]
    async fn a_task_that_panics_is_missed() {
        let mut following = Following::default();
        following.add(pending::<()>());
        assert!(following.is_complete());

        following.add(async { panic!("a fault of ours") });

        while following.is_complete() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_task_that_just_ends_is_missed_as_well() {
        let mut following = Following::default();

        following.add(ready(()));

        while following.is_complete() {
            tokio::task::yield_now().await;
        }
    }
}
