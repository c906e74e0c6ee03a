//! A container that cannot be used for a while.

use futures_util::future::join_all;

use super::{
    super::{is_outage, transfer},
    *,
};

#[tokio::test(start_paused = true)]
async fn whoever_finds_no_seat_fails_in_time_and_readers_have_seats_of_their_own() {
    let scene = Scene::new();
    let (writer, reader) = (scene.codec(), scene.codec());
    let reference = scene.reference().await;
    scene.memory.hangs.store(true, Ordering::Relaxed);
    let stuck = async {
        join_all((0..8).map(|_| writer.encode_and_store(plain(5000)))).await;
    };
    let others = async {
        tokio::task::yield_now().await;
        let began = tokio::time::Instant::now();
        let refused = writer.encode_and_store(plain(5000)).await.unwrap_err();
        (refused, began.elapsed(), decode(&writer, reference).await)
    };

    let (refused, waited, read) = tokio::select! {
        () = stuck => panic!("the container hangs"),
        outcome = others => outcome,
    };

    let text = refused.to_string();
    assert!(
        text.starts_with("cannot store another blob in https://"),
        "{text}"
    );
    assert!(is_outage(&refused));
    assert_eq!(waited.as_secs(), 10);
    assert_eq!(read, Ok(plain(5000)));
    assert_eq!(stats(&reader).not_fetched, 0);
}

#[tokio::test(start_paused = true)]
async fn a_seat_is_free_again_after_a_transfer_however_it_ended() {
    let scene = Scene::new();
    let (writer, reader) = (scene.codec(), scene.codec());
    for _ in 0..20 {
        scene.memory.fail(&[Cause::Forbidden]);
        assert!(writer.encode_and_store(plain(5000)).await.is_err());
        let reference = writer.encode_and_store(plain(5000)).await.unwrap();

        scene.memory.fail(&[Cause::Forbidden]);
        assert!(reader.fetch(reference.clone()).await.is_err());
        assert_eq!(decode(&reader, reference).await, Ok(plain(5000)));
    }
    assert_eq!(scene.memory.gets.load(Ordering::Relaxed), 40);
}

#[test]
fn what_is_large_may_take_longer() {
    assert_eq!(transfer::limit(0), Duration::from_secs(10));
    assert_eq!(transfer::limit(60 << 20), Duration::from_secs(70));
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_from_what_does_not_pass() {
    let scene = Scene::new();
    let codec = scene.codec();
    let encode = || codec.encode(&SerializationContextData::None, vec![plain(5000)]);
    scene.memory.fail(&[Cause::Unavailable { status: 503 }; 3]);
    assert!(is_outage(&encode().await.unwrap_err()));
    scene.memory.fail(&[Cause::Forbidden]);
    assert!(!is_outage(&encode().await.unwrap_err()));

    let reference = scene.reference().await;
    let reader = scene.codec();
    let fetch = || reader.fetch(reference.clone());
    scene.memory.fail(&[Cause::Unreachable; 3]);
    assert!(is_outage(&fetch().await.unwrap_err()));
    scene.memory.blobs.lock().unwrap().clear();
    assert!(!is_outage(&fetch().await.unwrap_err()), "gone for good");
}

#[tokio::test]
async fn the_probe_looks_at_what_it_reads() {
    let scene = Scene::new();
    let codec = scene.codec();
    let large = codec.large_payloads().unwrap();
    assert!(large.probe().await.is_ok());
    let (name, _) = scene.memory.only();

    scene.memory.replace(&name, b"sealane proxy!".to_vec());

    let text = large.probe().await.unwrap_err().to_string();
    assert!(text.contains("it is not what was stored"), "{text}");
}
