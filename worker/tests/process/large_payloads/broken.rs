//! Blobs that are not what they should be: each one clear line, from the command line.

use std::path::Path;

use sealane_tests::{azurite, process::Ended};
use serde_json::json;

use super::stage::{CANARY, Stage, long_name};

/// Decodes the reference in `file`, and returns what is said about it.
async fn decode(stage: &Stage, file: &Path) -> anyhow::Result<Ended> {
    stage
        .sealane(&["keys", "decode", &file.display().to_string()])
        .await
}

/// Fails unless that was refused, in a line with all of `words`.
#[track_caller]
fn refused(ended: &Ended, words: &[&str]) {
    failed(ended, 78, words);
}

#[track_caller]
fn failed(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{:?}", ended.said);
    let last = ended.said.last().map(String::as_str).unwrap_or_default();
    assert!(words.iter().all(|word| last.contains(word)), "{last}");
    assert!(!ended.said.join("\n").contains(CANARY));
}

#[tokio::test]
async fn each_thing_that_can_be_wrong_with_a_blob_is_one_clear_line() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let (file, name, content) = stage.stored("default").await?;
    let decoded = decode(&stage, &file).await?;
    assert_eq!(decoded.code, Some(0), "{:?}", decoded.said);

    let mut tampered = content.clone();
    tampered[200_000] ^= 1;
    let shorter = content[..200_000].to_vec();
    for altered in [tampered, shorter] {
        stage.azurite.put(&name, altered).await?;
        let ended = decode(&stage, &file).await?;
        refused(&ended, &[&name, "was altered", "restore it"]);
    }
    let mut longer = content.clone();
    longer.push(0);
    stage.azurite.put(&name, longer).await?;
    // The JSON here has lost the size, so it is the hash that tells.
    refused(&decode(&stage, &file).await?, &[&name, "was altered"]);

    stage.azurite.delete(&name).await?;
    let gone = [
        "is not in https://sealaneunit",
        "lifecycle policy",
        "undelete",
    ];
    refused(
        &decode(&stage, &file).await?,
        &[&[name.as_str()], &gone[..]].concat(),
    );

    let (foreign, name, _) = stage.stored("payments").await?;
    let ended = decode(&stage, &foreign).await?;
    refused(&ended, &[&name, "another Temporal namespace"]);
    Ok(())
}

#[tokio::test]
async fn a_container_that_is_missing_or_down_says_so() -> anyhow::Result<()> {
    let mut stage = Stage::set().await?;
    let (file, name, _) = stage.stored("default").await?;

    let url = "https://sealaneunit.blob.core.windows.net/none";
    stage.world.set("SEALANE_BLOB_CONTAINER_URL", url);
    let ended = decode(&stage, &file).await?;
    refused(
        &ended,
        &[
            "cannot read blob",
            &name,
            url,
            "404",
            "create the container",
        ],
    );

    stage.fake.forward(azurite::HOST, None);
    let ended = decode(&stage, &file).await?;
    refused(&ended, &["cannot read blob", &name, "no connection"]);

    let input = stage.world.folder().join("large.json");
    std::fs::write(&input, json!(long_name(300_000)).to_string())?;
    let file = format!("@{}", input.display());
    let start = [
        "workflow",
        "start",
        "--type",
        "GreetingWorkflow",
        "--input",
        &file,
    ];
    let ended = stage.sealane(&start).await?;
    failed(
        &ended,
        69,
        &["nothing was sent", "cannot store blob", "no connection"],
    );
    Ok(())
}
