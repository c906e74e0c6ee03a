//! Connections over TLS: who has to show what to whom.

use sealane_client::connection::{self, ConnectError, Extras};
use sealane_tests::{
    World, server,
    tls::{Authority, SERVER_NAME},
};
use temporalio_client::Client;

/// Files of an authority in the world's folder, and a front with a certificate of it.
async fn world_behind_tls(mutual: bool) -> anyhow::Result<World> {
    let mut world = World::new().await;
    let authority = Authority::new()?;
    authority.write_client_files(world.folder())?;
    let front = authority.front(server().await.address(), mutual).await?;
    world.set("TEMPORAL_ADDRESS", front.to_string());
    world.set("TEMPORAL_TLS", "true");
    world.set("TEMPORAL_TLS_SERVER_NAME", SERVER_NAME);
    Ok(world)
}

fn with_file(world: &mut World, variable: &str, file: &str) {
    let path = world.folder().join(file).display().to_string();
    world.set(variable, path);
}

async fn connect(world: &World) -> Result<Client, ConnectError> {
    connection::connect(&world.settings().temporal, None, Extras::default()).await
}

#[tokio::test]
async fn a_server_is_trusted_by_the_authority_in_the_settings() -> anyhow::Result<()> {
    let mut world = world_behind_tls(false).await?;
    with_file(&mut world, "TEMPORAL_TLS_SERVER_CA_CERT_PATH", "ca.pem");

    connect(&world).await?;
    Ok(())
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_not_spoken_to() -> anyhow::Result<()> {
    let world = world_behind_tls(false).await?;

    let error = connect(&world).await.expect_err("nobody vouches for it");

    let text = error.to_string();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{text}");
    assert!(
        text.contains("certificate") && !text.contains('\n'),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn a_server_of_another_name_is_not_spoken_to() -> anyhow::Result<()> {
    let mut world = world_behind_tls(false).await?;
    with_file(&mut world, "TEMPORAL_TLS_SERVER_CA_CERT_PATH", "ca.pem");
    world.set("TEMPORAL_TLS_SERVER_NAME", "somebody.else");

    let error = connect(&world).await.expect_err("the name differs");

    assert!(error.to_string().contains("certificate"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_client_certificate_opens_a_server_that_asks_for_one() -> anyhow::Result<()> {
    let mut world = world_behind_tls(true).await?;
    with_file(&mut world, "TEMPORAL_TLS_SERVER_CA_CERT_PATH", "ca.pem");
    let refused = connect(&world).await;
    with_file(&mut world, "TEMPORAL_TLS_CLIENT_CERT_PATH", "client.pem");
    with_file(&mut world, "TEMPORAL_TLS_CLIENT_KEY_PATH", "client.key");

    connect(&world).await?;

    assert!(
        refused.is_err(),
        "without a certificate the door stays shut"
    );
    Ok(())
}
