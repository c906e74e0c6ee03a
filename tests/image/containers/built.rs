//! The image, built once for all tests of this run.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, anyhow, ensure};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{
    gate::{self, Bases},
    sandbox::{Sandbox, say, script},
};
use crate::{context::copied_to, dockerfile::recipe, repository::root};

/// Name of the image, as the overlay `local` has it.
pub(crate) const IMAGE: &str = "localhost/sealane:dev";

/// What the build is told to be of. Always the same, so that nothing is compiled twice.
pub(crate) const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

/// The image, and the sandbox in which it is.
pub(crate) struct Built {
    pub(crate) sandbox: Sandbox,
    /// The base of the last stage, as it is called in the sandbox.
    pub(crate) base: String,
}

/// Returns the image, after building it if nobody has; or nothing, after saying why `test` is skipped.
pub(crate) async fn built(test: &str) -> anyhow::Result<Option<&'static Built>> {
    static BUILT: OnceCell<Result<Built, String>> = OnceCell::const_new();
    let Some(bases) = gate::wanted(test) else {
        return Ok(None);
    };
    let building = || async { build(bases).await.map_err(|error| format!("{error:#}")) };
    let built = BUILT.get_or_init(building).await;
    built
        .as_ref()
        .map(Some)
        .map_err(|error| anyhow!(error.clone()))
}

async fn build(bases: Bases) -> anyhow::Result<Built> {
    let sandbox = Sandbox::open("image")?;
    let recipe = recipe()?;
    let [compiler, base] = recipe.base_images()[..] else {
        anyhow::bail!("expected two base images");
    };
    let options = match bases {
        Bases::Pulled => vec!["--pull=true".to_owned()],
        Bases::StandIns => stand_ins(&sandbox, [compiler, base])?,
    };
    // buildah passes over whole folders where .dockerignore admits files in them, which BuildKit does not; so it gets what BuildKit
    // would get.
    let context = sandbox.place().join("context");
    fs::remove_dir_all(&context).ok();
    fs::create_dir(&context)?;
    copied_to(&context).await?;
    let begun = Instant::now();
    let log = run(&sandbox, &context, &options)?;
    say(&format!(
        "image: built in {} s ({})",
        begun.elapsed().as_secs(),
        log.display()
    ));
    let base = match bases {
        Bases::Pulled => base.to_owned(),
        Bases::StandIns => tagged(base)?.to_owned(),
    };
    Ok(Built { sandbox, base })
}

/// Builds, and returns the file with what was said.
fn run(sandbox: &Sandbox, context: &Path, options: &[String]) -> anyhow::Result<PathBuf> {
    let log = sandbox.place().join("build.log");
    let file = fs::File::create(&log)?;
    let build = ["buildah", "build", "--layers", "--network", "host"];
    let status = sandbox
        .command("nice")
        .args(["-n", "15"])
        .args(build)
        .args(["--ignorefile", "/dev/null", "--tag", IMAGE, "--file"])
        .arg(root().join("Dockerfile"))
        .args(["--build-arg", &format!("SEALANE_REVISION={REVISION}")])
        .args(options)
        .arg(context)
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()?;
    ensure!(status.success(), "the build failed: {}", log.display());
    Ok(log)
}

/// Makes stand-ins, and returns the options that put them in the place of the digests.
fn stand_ins(sandbox: &Sandbox, images: [&str; 2]) -> anyhow::Result<Vec<String>> {
    let [compiler, base] = images;
    let place = sandbox.place().display().to_string();
    let script = script("bases.sh").display().to_string();
    sandbox.run(&script, &[&place, tagged(compiler)?, tagged(base)?])?;
    let mut options = vec!["--pull=never".to_owned()];
    for image in images {
        options.push(format!(
            "--build-context={image}=container-image://{}",
            tagged(image)?
        ));
    }
    Ok(options)
}

/// Returns name and tag of a name with tag and digest.
fn tagged(image: &str) -> anyhow::Result<&str> {
    Ok(image.split_once('@').context("no digest")?.0)
}

impl Built {
    /// Returns what the image says about itself.
    pub(crate) fn config(&self) -> anyhow::Result<Value> {
        let inspected = self
            .sandbox
            .run("buildah", &["inspect", "--type", "image", IMAGE])?;
        let inspected: Value = serde_json::from_str(&inspected)?;
        Ok(inspected["OCIv1"]["config"].clone())
    }

    /// Runs `command` in a container as locked up as the manifests want it, and returns what it writes.
    pub(crate) fn runs(&self, command: &[&str]) -> anyhow::Result<String> {
        let mut arguments = vec![
            "run",
            "--rm",
            "--network=host",
            "--read-only",
            "--cap-drop=all",
        ];
        arguments.extend(["--security-opt=no-new-privileges", IMAGE]);
        arguments.extend(command);
        self.sandbox.run("podman", &arguments)
    }
}
