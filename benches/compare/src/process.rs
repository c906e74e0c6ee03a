//! What the operating system says of a process.

use std::fs;

use anyhow::Context;

/// Clock ticks of `/proc/PID/stat` in a second: 100 on every Linux that AKS has.
const TICKS: f64 = 100.0;

/// Returns user and system time of all threads so far, in seconds ([proc_pid_stat(5)], fields 14 and 15).
///
/// [proc_pid_stat(5)]: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
pub(crate) fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the worker has ended")?;
    // The name before the bracket may hold spaces.
    let (_, fields) = stat.rsplit_once(") ").context("a name in brackets")?;
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks = ticks.map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS)
}

/// Returns how much memory is resident, in megabytes (`VmRSS` of [proc_pid_status(5)]).
///
/// [proc_pid_status(5)]: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
pub(crate) fn resident_megabytes(pid: u32) -> anyhow::Result<f64> {
    let status =
        fs::read_to_string(format!("/proc/{pid}/status")).context("the worker has ended")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|it| it.split_whitespace().next());
    let kibibytes: f64 = kibibytes.context("no VmRSS")?.parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::{cpu_seconds, resident_megabytes};

    #[test]
    fn this_process_uses_the_processor_and_memory() {
        let pid = std::process::id();
        let before = cpu_seconds(pid).unwrap();
        let mut sum = 0_u64;
        while cpu_seconds(pid).unwrap() < before + 0.02 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }

        assert!(resident_megabytes(pid).unwrap() > 1.0);
    }
}
