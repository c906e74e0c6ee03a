//! Records the histories in `tests/histories` anew. See `docs/changing-a-workflow.md` for when that is right.

use std::fs;

use anyhow::Context;
use sealane_tests::histories::{SHAPES, files, folder};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // All of them are recorded before the first is replaced: half a set would mix two versions of the code.
    let mut recorded = Vec::new();
    for shape in SHAPES {
        let history = shape.record().await;
        let history = history.with_context(|| format!("cannot record {}", shape.name))?;
        recorded.push((shape.file(), serde_json::to_string_pretty(&history)?));
    }

    fs::create_dir_all(folder())?;
    for path in files()? {
        fs::remove_file(path)?;
    }
    for (path, history) in recorded {
        fs::write(&path, history + "\n")?;
        eprintln!("recorded {}", path.display());
    }
    Ok(())
}
