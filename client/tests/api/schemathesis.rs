//! Schemathesis makes requests up from the OpenAPI document, sensible and senseless ones, and compares the answers with
//! it. With `SEALANE_SCHEMATHESIS_SEED=2` it makes up others.

use std::{env, path::Path, process::Stdio, time::Duration};

use sealane_tests::python::Python;
use tokio::time::timeout;

use crate::{
    access::{guarded, token},
    service::Service,
};

/// Requests per operation and phase. A run takes about a minute with them.
const EXAMPLES: &str = "10";

/// Whoever changes nothing gets the same requests again.
const SEED: &str = "19901";

/// With more, Python fails now and then: Hypothesis lets it parse code in several threads at once.
const WORKERS: &str = "1";

/// Waiting is bounded by 60 s, and everything else by less.
const LONGEST_ANSWER: &str = "75";

/// A run that takes longer hangs.
const LIMIT: Duration = Duration::from_mins(4);

/// The package has no module that `python -m` could run.
const MAIN: &str = "from schemathesis.cli import schemathesis; schemathesis()";

#[tokio::test]
async fn schemathesis_finds_nothing() -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api");
    let python = Python::with(&folder.join("requirements.txt")).await?;
    let service = Service::start_in(guarded().await?).await?;
    let seed = env::var("SEALANE_SCHEMATHESIS_SEED").unwrap_or_else(|_| SEED.to_owned());
    let authorization = format!("Authorization: Bearer {}", token("writer"));

    let run = python
        .command()
        .args(["-c", MAIN, "--config-file"])
        .arg(folder.join("schemathesis.toml"))
        .args(["run", &service.url("/openapi.json"), "--no-color"])
        .args(["--header", &authorization])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", EXAMPLES, "--seed", &seed])
        .args(["--workers", WORKERS])
        .args(["--request-timeout", LONGEST_ANSWER])
        .args(["--generation-database", "none"])
        .current_dir(service.world.folder())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(LIMIT, run).await??;

    let said = String::from_utf8_lossy(&output.stdout);
    let trouble = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{trouble}");
    assert!(said.contains("Tested: 16"), "not all was tested:\n{said}");
    Ok(())
}
