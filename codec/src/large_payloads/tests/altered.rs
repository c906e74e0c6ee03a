//! Blobs and references that are not what was stored.

use super::*;

/// Alters the one blob there is, and returns why it is not read.
async fn refused(alter: impl FnOnce(&mut Vec<u8>)) -> String {
    let scene = Scene::new();
    let reference = scene.reference().await;
    let (name, mut bytes) = scene.memory.only();
    alter(&mut bytes);
    scene.memory.replace(&name, bytes);
    let error = decode(&scene.codec(), reference).await.unwrap_err();
    assert!(error.contains(&name), "{error}");
    error
}

#[tokio::test]
async fn an_altered_blob_is_not_used() {
    let text = refused(|bytes| bytes[4000] ^= 1).await;
    assert!(text.contains("was altered: length or SHA-256"), "{text}");

    let text = refused(|bytes| bytes.truncate(4000)).await;
    assert!(text.contains("of 4000 bytes was altered"), "{text}");

    let text = refused(Vec::clear).await;
    assert!(text.contains("of 0 bytes was altered"), "{text}");

    let text = refused(|bytes| bytes.push(0)).await;
    assert!(text.contains("has more than the 5"), "{text}");
}

#[tokio::test]
async fn a_blob_that_is_gone_says_where_it_was() {
    let scene = Scene::new();
    let reference = scene.reference().await;
    let (name, _) = scene.memory.only();
    scene.memory.blobs.lock().unwrap().clear();

    let text = decode(&scene.codec(), reference).await.unwrap_err();

    let expected = format!("blob {name} is not in https://unit.blob.core.windows.net/payloads");
    assert!(text.contains(&expected), "{text}");
    assert!(text.contains("lifecycle policy"), "{text}");
}

/// A reference to a blob that was put there by hand.
async fn planted(scene: &Scene, payload: &Payload) -> Payload {
    let name = super::super::BlobName::of("orders", &payload.encode_to_vec());
    scene
        .memory
        .replace(&name.to_string(), payload.encode_to_vec());
    let container = &options("orders").container;
    let reference = super::super::Reference::new(container, &name, payload.encoded_len());
    reference.payload(&[(KEY_ID.to_owned(), b"k".to_vec())].into())
}

#[tokio::test]
async fn a_blob_without_ciphertext_is_no_way_around_encryption() {
    let scene = Scene::new();
    let reference = planted(&scene, &plain(5000)).await;
    assert!(is_stored(&reference));

    let text = decode(&scene.codec(), reference.clone()).await.unwrap_err();
    assert!(text.contains("does not hold the ciphertext"), "{text}");

    let nested = planted(&scene, &reference).await;
    let text = decode(&scene.codec(), nested).await.unwrap_err();
    assert!(text.contains("does not hold the ciphertext"), "{text}");
}

#[tokio::test]
async fn a_reference_names_the_key_of_its_blob() {
    let scene = Scene::new();
    let mut reference = scene.reference().await;
    reference
        .metadata
        .insert(KEY_ID.to_owned(), b"other".to_vec());

    let text = decode(&scene.codec(), reference).await.unwrap_err();

    assert!(text.contains("does not hold the ciphertext"), "{text}");
}

#[tokio::test]
async fn a_reference_to_too_much_is_refused_before_anything_is_fetched() {
    let scene = Scene::new();
    let mut reference = scene.reference().await;
    reference.external_payloads[0].size_bytes = i64::try_from(MAX).unwrap() + 1;

    let text = decode(&scene.codec(), reference).await.unwrap_err();

    assert!(text.contains("expected at most 100000"), "{text}");
    assert_eq!(scene.memory.gets.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_reference_whose_size_got_lost_is_still_verified() {
    let scene = Scene::new();
    let mut reference = scene.reference().await;
    reference.external_payloads.clear();

    assert_eq!(decode(&scene.codec(), reference).await, Ok(plain(5000)));
}

#[tokio::test]
async fn only_what_holds_nothing_else_counts_as_ours() {
    let scene = Scene::new();
    let reference = scene.reference().await;
    let text = String::from_utf8(reference.data.clone()).unwrap();
    let with = |data: String| Payload {
        data: data.into_bytes(),
        ..reference.clone()
    };
    for data in [
        text.replace("sha256\"", "md5\""),
        text.replace("azure.blobdriver", "gcp.gcsdriver"),
        text.replace("https://unit", "card 4111 https://unit"),
        text.replace("/payloads", "/payloads?card=4111"),
        text.replace("{\"driverName", "{\"card\":\"4111\",\"driverName"),
        text.replace("\"container\"", "\"card\":\"4111\",\"container\""),
        text.replace("v0/ns/orders", "v0/ns/or/ders"),
        format!("{text}{}", " ".repeat(5000)),
        String::new(),
    ] {
        assert!(!is_stored(&with(data.clone())), "{data}");
    }
    let mut noted = reference.clone();
    noted.metadata.insert("card".to_owned(), b"4111".to_vec());
    assert!(!is_stored(&noted));
    assert!(is_stored(&reference));
}

/// Whoever asks for a blob sets aside as many bytes as its reference says.
#[tokio::test]
async fn a_size_that_is_not_true_is_refused_of_what_is_in_memory_too() {
    let scene = Scene::new();
    let reference = scene.reference().await;
    let (cold, warm) = (scene.codec(), scene.codec());
    assert!(decode(&warm, reference.clone()).await.is_ok());

    for size_bytes in [1, 90_000] {
        let mut lying = reference.clone();
        lying.external_payloads[0].size_bytes = size_bytes;
        for codec in [&cold, &warm] {
            let text = decode(codec, lying.clone()).await.unwrap_err();
            assert!(text.contains("was altered"), "{text}");
        }
    }

    let mut silent = reference;
    silent.external_payloads.clear();
    let large = warm.large_payloads().unwrap();
    let own = ["orders".to_owned()];
    let error = large.fetch_of(&own, 4000, &silent).await.unwrap_err();
    assert!(matches!(error, FetchError::TooLarge { .. }), "{error}");
}
