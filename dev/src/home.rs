//! The folder in which a laptop keeps its key ring, and the ports it listens on.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use sealane_codec::{Key, KeyId, KeyRing, file_source};

/// Id of the generated key. It is visible on the server, like every key id.
const KEY_ID: &str = "laptop";

/// Creates the folder, for its owner only, and returns its full path.
///
/// # Errors
///
/// If it cannot be created.
pub(crate) fn prepare(folder: &Path) -> anyhow::Result<PathBuf> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("{} cannot be created", folder.display()))?;
    Ok(folder.canonicalize()?)
}

/// Returns the file of the key ring, generating it the first time.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn key_ring(home: &Path) -> anyhow::Result<PathBuf> {
    let path = home.join("keys.json");
    if !path.exists() {
        let id: KeyId = KEY_ID.parse()?;
        let ring = KeyRing::new(id.clone(), [(id, Key::generate()?)])?;
        file_source::write_new(&path, &ring)?;
    }
    Ok(path)
}

/// Returns `given`, else `usual` if it is free, else any free port of the loopback interface.
///
/// # Errors
///
/// If `given` is taken, or no port is free.
pub(crate) fn port(given: Option<u16>, usual: u16) -> anyhow::Result<u16> {
    if let Some(port) = given {
        free(port).with_context(|| format!("port {port} is taken"))?;
        return Ok(port);
    }
    free(usual).or_else(|_| free(0)).context("no port is free")
}

fn free(port: u16) -> std::io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, os::unix::fs::PermissionsExt};

    use super::{key_ring, port, prepare};

    #[test]
    fn the_key_ring_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let home = prepare(&folder.path().join("home")).unwrap();

        let first = std::fs::read(key_ring(&home).unwrap()).unwrap();
        let path = key_ring(&home).unwrap();

        assert_eq!(std::fs::read(&path).unwrap(), first);
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&home), mode(&path)), (0o700, 0o600));
    }

    #[test]
    fn a_port_that_is_asked_for_is_used_or_refused_but_never_replaced() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let number = taken.local_addr().unwrap().port();

        assert!(
            port(Some(number), number)
                .unwrap_err()
                .to_string()
                .contains(&number.to_string())
        );
        assert_ne!(port(None, number).unwrap(), number);
    }
}
