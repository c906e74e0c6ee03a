//! The end of a worker whose memory is nearly used up, before the kernel ends it in the middle of its work.
//!
//! What is kept by mistake adds up, whoever made it: version 1.1.1 of Temporal's SDK keeps about 320 bytes
//! of every activity (docs/reliability.md). A drain loses nothing, and Kubernetes starts the worker anew.

use std::{fs, num::NonZeroU64, time::Duration};

/// Share of the limit, in percent, at which a worker drains. The rest is for what the drain itself takes, and for what the kernel
/// counts beside a process's own memory.
const DRAIN_AT: u64 = 85;

/// How often the kernel is asked. It takes microseconds.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Completes when this process has used up [`DRAIN_AT`] percent of `limit`, in bytes; never if there is no limit, or no `/proc` to
/// read from.
pub(crate) async fn nearly_used_up(limit: Option<NonZeroU64>) {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    let mark = mark(limit.get());
    loop {
        let used = fs::read_to_string("/proc/self/status")
            .ok()
            .and_then(|status| anonymous(&status));
        if let Some(used) = used.filter(|used| *used >= mark) {
            tracing::warn!(
                memory.used_bytes = used,
                memory.limit_bytes = limit.get(),
                "memory is nearly used up; draining, and ending to be started anew"
            );
            return;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn mark(limit: u64) -> u64 {
    limit / 100 * DRAIN_AT
}

/// Returns the bytes of memory that nobody but this process can give back: `RssAnon` of [proc_pid_status(5)]. What is mapped from files,
/// such as the program, the kernel takes away by itself when it has to.
///
/// [proc_pid_status(5)]: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
fn anonymous(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::{anonymous, mark, nearly_used_up};

    #[test]
    fn the_mark_is_below_the_limit_by_a_share_of_it() {
        assert_eq!(mark(512 * 1024 * 1024), 456_340_265);
        assert_eq!(mark(u64::MAX), u64::MAX / 100 * 85);
    }

    #[test]
    fn what_is_mapped_from_files_does_not_count() {
        let status = "Name:\tsealane-worker\nVmRSS:\t   34000 kB\nRssAnon:\t   16000 kB\nRssFile:\t   18000 kB\n";
        assert_eq!(anonymous(status), Some(16_384_000));
        assert_eq!(anonymous("Name:\tsealane-worker\n"), None);
        assert_eq!(anonymous("RssAnon:\tmuch\n"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_noticed_when_memory_is_used_up_and_not_before() {
        let kibibytes = |count: u64| std::num::NonZeroU64::new(count << 10);
        let hours = std::time::Duration::from_hours(2);

        tokio::time::timeout(hours, nearly_used_up(kibibytes(100)))
            .await
            .unwrap();
        for enough in [None, kibibytes(1 << 30)] {
            let ended = tokio::time::timeout(hours, nearly_used_up(enough)).await;
            assert!(ended.is_err(), "{enough:?}");
        }
    }
}
