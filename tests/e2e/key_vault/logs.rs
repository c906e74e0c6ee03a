//! What the log holds when everything is logged.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use sealane_codec::Key;
use sealane_tests::azure::{Endpoint, Fault, Role, SECRET, Trouble};
use tracing_subscriber::fmt::MakeWriter;

use super::{Following, KEY, secret};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_trace_of_everything_shows_no_key_and_no_token() -> anyhow::Result<()> {
    let log = Log::default();
    // The fake has a thread of its own, so this is what clients log.
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let following = Following::start().await?;
    let fake = &following.fake;
    fake.grant(Role::SecretsOfficer);
    let made = secret(&fake.azure(), fake)
        .create(&Key::generate()?, None, None)
        .await?;
    for trouble in [Trouble::Truncated, Trouble::Page, Trouble::ForbiddenByRbac] {
        fake.inject(Fault::at(Endpoint::GetSecret, trouble));
        fake.add_version(SECRET, KEY);
        following.failing().await;
        fake.clear();
        following.recovered().await;
    }
    let tokens = fake.tokens();
    fake.revoke_tokens();
    fake.asked(Endpoint::Token, 3).await;

    let text = log.text();
    assert!(text.contains("TRACE") && text.contains("typespec_client_core"));
    let shown = format!("{:?} {:?}", following.ring, following.status);
    let stored = fake.value(SECRET, &made.version).unwrap_or_default();
    let federated = std::fs::read_to_string(fake.token_file())?;
    let secrets = tokens
        .into_iter()
        .chain([KEY.trim().to_owned(), stored, federated]);
    for secret in secrets {
        assert!(secret.len() > 40);
        assert!(!text.contains(&secret), "{}", around(&text, &secret));
        assert!(!shown.contains(&secret));
    }
    let bytes = BASE64_STANDARD.decode(KEY.trim())?;
    let listed = format!("{:?}", &bytes[1..9]);
    assert!(!text.contains(listed.trim_matches(['[', ']'])));
    Ok(())
}

/// What was being logged, without the secret.
fn around(text: &str, secret: &str) -> String {
    let line = text.lines().find(|line| line.contains(secret));
    line.unwrap_or_default().replace(secret, "<secret>")
}
