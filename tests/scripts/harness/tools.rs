//! The programs that scripts find on their `PATH`.

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// What reaches beyond the machine, spends time, or is given secrets: always a stand-in.
pub(super) const STAND_INS: &[&str] = &[
    "az",
    "terraform",
    "kubectl",
    "kubelogin",
    "helm",
    "docker",
    "sealane",
    "cosign",
    "git",
    "curl",
    "openssl",
    "jq",
    "sleep",
];

/// Those of them that are real unless a test answers for them.
pub(super) const REAL_BY_DEFAULT: &[&str] = &["curl", "openssl", "jq"];

/// What is the same everywhere and harmless.
const TOOLS: &[&str] = &[
    "awk",
    "base64",
    "basename",
    "bash",
    "cat",
    "chmod",
    "cmp",
    "comm",
    "cp",
    "cut",
    "date",
    "diff",
    "dirname",
    "env",
    "expr",
    "find",
    "flock",
    "grep",
    "head",
    "id",
    "kill",
    "ln",
    "ls",
    "mkdir",
    "mkfifo",
    "mktemp",
    "mv",
    "od",
    "paste",
    "printf",
    "ps",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "sh",
    "sha256sum",
    "sort",
    "stat",
    "tail",
    "tar",
    "tee",
    "timeout",
    "touch",
    "tr",
    "uname",
    "uniq",
    "wc",
    "xargs",
];

/// Root of this repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where `program` really is.
///
/// # Panics
///
/// If it is not installed.
pub(super) fn real(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{program} is not installed; these tests run it"))
}

/// Fills `folder` with the stand-ins and links to the tools.
pub(super) fn install(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    for name in STAND_INS {
        symlink(env!("CARGO_BIN_EXE_stand-in"), folder.join(name))?;
    }
    for name in TOOLS {
        symlink(real(name), folder.join(name))?;
    }
    Ok(())
}

/// Copies a folder with its files; what is no file or folder is left out.
pub(super) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
