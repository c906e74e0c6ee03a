//! Time on the processor, which others on the same machine do not blur.

use std::fs;

/// Clock ticks of `/proc/PID/stat` in a second: 100 on every Linux that AKS has.
const TICKS: f64 = 100.0;

/// User and system time of all threads of a process so far ([proc_pid_stat(5)], fields 14 and 15).
///
/// [proc_pid_stat(5)]: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    // The name before the bracket may hold spaces.
    let (_, fields) = stat.rsplit_once(") ").expect("a name in brackets");
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks: f64 = ticks
        .map(|field| field.parse::<f64>().expect("a count"))
        .sum();
    ticks / TICKS
}
