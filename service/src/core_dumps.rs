//! Core dumps, which would hold every key that the process holds.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Has no memory of this process written to a disk when it crashes, nor read by another process of
/// the same user. To be called first in every program that holds keys.
///
/// Both are needed: the limit passes on to programs that this one starts, but the kernel ignores it
/// where dumps are piped to a program, as systemd has it.
///
/// A kernel that refuses is no reason not to work; `program` says so on standard error.
pub fn prevent(program: &str) {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let limited = setrlimit(Resource::Core, none);
    let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if let Err(error) = limited.and(hidden) {
        eprintln!("{program}: warning: core dumps cannot be switched off: {error}");
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    use super::prevent;

    #[test]
    fn a_process_that_asks_for_it_leaves_no_core_dump() {
        prevent("test");

        assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    }
}
