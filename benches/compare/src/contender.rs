//! Who is compared.

use anyhow::{bail, ensure};
use tokio::process::Command;

use crate::peers;

/// One worker: how to start it, and whether its payloads are encrypted.
pub(crate) struct Contender {
    /// Its name in tables and for `--only`.
    pub(crate) name: &'static str,
    /// What the other columns are compared with it.
    pub(crate) is_peer: bool,
    /// `required` or `off`, as `SEALANE_ENCRYPTION` has it.
    pub(crate) encryption: &'static str,
    make: fn() -> anyhow::Result<Command>,
}

impl Contender {
    /// Returns what starts the worker.
    pub(crate) fn command(&self) -> anyhow::Result<Command> {
        (self.make)()
    }
}

/// All there are. `plain` is ours without encryption, for what encryption costs.
const ALL: [Contender; 5] = [
    Contender {
        name: "sealane",
        is_peer: false,
        encryption: "required",
        make: peers::ours,
    },
    Contender {
        name: "plain",
        is_peer: false,
        encryption: "off",
        make: peers::ours,
    },
    Contender {
        name: "python",
        is_peer: true,
        encryption: "required",
        make: peers::python,
    },
    Contender {
        name: "typescript",
        is_peer: true,
        encryption: "required",
        make: peers::typescript,
    },
    Contender {
        name: "go",
        is_peer: true,
        encryption: "required",
        make: peers::go,
    },
];

/// Returns those that `names` has, or all, without those that cannot be built here.
///
/// # Errors
///
/// If a name is unknown, or ours is among those that cannot be built.
pub(crate) fn all(names: &[String]) -> anyhow::Result<Vec<Contender>> {
    if let Some(name) = names
        .iter()
        .find(|name| ALL.iter().all(|it| it.name != **name))
    {
        let known = ALL.map(|it| it.name).join(", ");
        bail!("--only {name:?} is nobody, expected some of {known}");
    }
    let mut contenders = Vec::new();
    for contender in ALL {
        if !names.is_empty() && !names.iter().any(|name| name == contender.name) {
            continue;
        }
        match contender.command() {
            Ok(_) => contenders.push(contender),
            Err(error) if contender.is_peer => {
                eprintln!("{} is left out: {error:#}", contender.name);
            }
            Err(error) => return Err(error),
        }
    }
    ensure!(!contenders.is_empty(), "nobody is left to compare");
    Ok(contenders)
}
