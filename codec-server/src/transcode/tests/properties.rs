use proptest::{collection, prelude::*};
use sealane_codec::{CodecOptions, Compression};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::{super::Operation, Bench, bench};

fn any_payload() -> impl Strategy<Value = Payload> {
    let bytes = || collection::vec(any::<u8>(), 0..300);
    let encoding = prop_oneof![
        "json/plain",
        "binary/zlib",
        "binary/encrypted",
        "[a-z/]{0,9}"
    ];
    let metadata = collection::hash_map(any::<String>(), bytes(), 0..3);
    (metadata, encoding, bytes()).prop_map(|(mut metadata, encoding, data)| {
        metadata.insert("encoding".to_owned(), encoding.into());
        Payload {
            metadata,
            data,
            ..Payload::default()
        }
    })
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future)
}

proptest! {
    #[test]
    fn any_payloads_that_were_encoded_decode(
        payloads in collection::vec(any_payload(), 0..6), zlib in any::<bool>(),
    ) {
        let compression = if zlib { Compression::Zlib } else { Compression::Off };
        let bench = Bench::new(7, CodecOptions { compression, ..CodecOptions::default() });
        block_on(async {
            let encoded = bench.encode(&payloads).await.unwrap();
            prop_assert_eq!(bench.decode(&encoded).await.unwrap(), payloads);
            Ok(())
        })?;
    }

    #[test]
    fn garbage_gets_an_answer(garbage in collection::vec(any::<u8>(), 0..300)) {
        let bench = bench();
        block_on(async {
            let _ = bench.ask(Operation::Decode, garbage.clone()).await;
            let _ = bench.ask(Operation::Encode, garbage).await;
        });
    }
}
