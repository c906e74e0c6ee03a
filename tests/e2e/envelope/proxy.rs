//! What temporal-proxy does to a payload, step by step as its source has it (pkg/codec/encryptor.go,
//! pkg/crypto, and gocloud.dev/secrets/azurekeyvault below it), without any of our own code: another
//! AES-GCM, and Key Vault's `encrypt` and `decrypt` where we wrap and unwrap.

use anyhow::{Context, ensure};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    rand,
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use prost::Message;
use sealane_tests::azure::{Assertion, CLIENT_ID, FakeAzure, TENANT_ID};
use serde_json::{Value, json};
use temporalio_common::protos::temporal::api::common::v1::Payload;

/// A temporal-proxy whose one key is `uri`.
pub(super) struct Proxy {
    http: reqwest::Client,
    token: String,
    uri: String,
}

impl Proxy {
    pub(super) async fn new(fake: &FakeAzure, uri: &str) -> anyhow::Result<Self> {
        let http = fake.http_client();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT_ID),
            ("scope", "https://vault.azure.net/.default"),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", &Assertion::default().token()),
        ];
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let url = format!("{}{TENANT_ID}/oauth2/v2.0/token", fake.authority_host());
        let answer: Value = http.post(url).body(form).send().await?.json().await?;
        let token = answer["access_token"].as_str().context("a token")?;
        Ok(Self {
            http,
            token: token.to_owned(),
            uri: uri.to_owned(),
        })
    }

    pub(super) async fn seal(&self, payload: &Payload) -> anyhow::Result<Payload> {
        let (mut key, mut nonce) = ([0; 32], [0; 12]);
        rand::fill(&mut key)?;
        rand::fill(&mut nonce)?;
        let mut text = payload.encode_to_vec();
        let tag = aes(&key)?.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::empty(),
            &mut text,
        )?;
        let wrapped = self.ask("encrypt", &key).await?;
        let metadata = [
            ("encoding", "binary/encrypted".to_owned()),
            ("encryption-key-id", self.uri.clone()),
            ("encryption-dek", BASE64_STANDARD.encode(wrapped)),
        ];
        Ok(Payload {
            metadata: metadata
                .map(|(name, value)| (name.to_owned(), value.into_bytes()))
                .into(),
            data: [&nonce, text.as_slice(), tag.as_ref()].concat(),
            ..Payload::default()
        })
    }

    pub(super) async fn open(&self, sealed: &Payload) -> anyhow::Result<Payload> {
        ensure!(sealed.metadata["encoding"] == b"binary/encrypted");
        ensure!(
            sealed.metadata["encryption-key-id"] == self.uri.as_bytes(),
            "it compares the text"
        );
        let wrapped = BASE64_STANDARD.decode(&sealed.metadata["encryption-dek"])?;
        let key = self.ask("decrypt", &wrapped).await?;
        ensure!(key.len() == 32, "it accepts no other length");
        let (nonce, text) = sealed.data.split_at(12);
        let mut text = text.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let opened = aes(&key)?.open_in_place(nonce, Aad::empty(), &mut text)?;
        Ok(Payload::decode(&*opened)?)
    }

    async fn ask(&self, operation: &str, value: &[u8]) -> anyhow::Result<Vec<u8>> {
        let key = self.uri.replace("azurekeyvault:", "https:");
        let url = format!("{key}/{operation}?api-version=7.5");
        let body = json!({ "alg": "RSA-OAEP-256", "value": BASE64_URL_SAFE_NO_PAD.encode(value) });
        let request = self.http.post(url).bearer_auth(&self.token).json(&body);
        let answer: Value = request.send().await?.error_for_status()?.json().await?;
        let value = answer["value"].as_str().context("a value")?;
        Ok(BASE64_URL_SAFE_NO_PAD.decode(value)?)
    }
}

fn aes(key: &[u8]) -> anyhow::Result<LessSafeKey> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key)?))
}
