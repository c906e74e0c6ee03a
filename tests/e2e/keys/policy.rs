use std::{future::pending, time::Duration};

use sealane_client::{
    connection::{self, Extras},
    workflow::Workflows,
};
use sealane_service::exit::{self, ExitStatus};
use sealane_tests::{World, orders::patiently};
use sealane_worker::{WorkerError, flows};
use tokio::net::TcpListener;

use super::scene::{BLUE, Scene, assert_harmless};

/// Returns a client that encrypts nothing.
async fn plain(scene: &Scene) -> anyhow::Result<Workflows> {
    let settings = scene.world().settings();
    let client = connection::connect(&settings.temporal, None, Extras::default()).await?;
    Ok(Workflows::new(client, None))
}

#[tokio::test]
async fn a_strict_worker_refuses_what_is_not_encrypted() -> anyhow::Result<()> {
    let mut world = World::new().await;
    world.set("SEALANE_DECODE", "strict");
    let scene = Scene::in_world(world, &[BLUE]).await;
    let worker = scene.worker_with("worker.json", &[BLUE]);

    let greeting = scene.greet_through(&plain(&scene).await?, "plain").await?;
    let complaint = scene.complaint(&greeting, &[BLUE]).await?;

    assert!(
        complaint.contains("json/plain") && complaint.contains("SEALANE_DECODE"),
        "{complaint}"
    );
    assert_harmless(&complaint);
    worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_permissive_worker_accepts_plaintext_and_answers_encrypted() -> anyhow::Result<()> {
    let scene = Scene::of_client_with(&[BLUE]).await;
    let worker = scene.worker_with("worker.json", &[BLUE]);
    let plain = plain(&scene).await?;

    let greeting = scene.greet_through(&plain, "plain").await?;

    assert_eq!(scene.result(&greeting).await?, scene.greeted());
    let unread = plain.outcome(&greeting).await;
    assert!(unread.is_err(), "the result is encrypted: {unread:?}");
    worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn without_its_key_file_a_worker_does_not_even_connect() -> anyhow::Result<()> {
    let server = TcpListener::bind(("127.0.0.1", 0)).await?;
    let mut world = World::new().await;
    world.set("TEMPORAL_ADDRESS", server.local_addr()?.to_string());
    let settings = world.settings();
    std::fs::remove_file(world.key_file())?;

    let worker = Box::pin(sealane_worker::run(settings, flows::register, pending()));
    let error = patiently("the end of the worker", worker)
        .await
        .expect_err("there is no key");

    assert!(matches!(error, WorkerError::Encryption(_)), "{error}");
    assert_eq!(error.exit_code(), exit::SETTINGS);
    let key_file = world.key_file().display().to_string();
    assert!(error.to_string().contains(&key_file), "{error}");
    let connected = tokio::time::timeout(Duration::ZERO, server.accept()).await;
    assert!(connected.is_err(), "somebody connected");
    Ok(())
}
