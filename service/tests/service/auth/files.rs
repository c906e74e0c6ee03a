//! Static tokens, alone and beside an issuer; files that change.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use sealane_service::{
    auth::{AuthError, Authenticator, Denied, Grants, IssuedToken, Role},
    exit::{self, ExitStatus},
    probes::Metrics,
    settings::Auth,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Authority, LOOPBACK, oidc};
use crate::issuer::Issuer;

const PATIENCE: Duration = Duration::from_secs(60);

fn issued(name: &str, namespace: &str, role: Role) -> IssuedToken {
    let mut grants = Grants::default();
    grants.add(namespace, role);
    IssuedToken::generate(name, grants).unwrap()
}

fn write(file: &Path, tokens: &[&IssuedToken]) {
    let entries: Vec<_> = tokens.iter().map(|token| json!(token.entry())).collect();
    let next = file.with_extension("next");
    fs::write(&next, json!({ "tokens": entries }).to_string()).unwrap();
    fs::rename(&next, file).unwrap();
}

#[tokio::test]
async fn tokens_come_and_go_with_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.json");
    let old = issued("old", "orders", Role::Writer);
    let new = issued("new", "*", Role::Reader);
    write(&file, &[&old]);
    let settings = Auth {
        tokens_file: Some(file.clone()),
        oidc: None,
    };
    let authority = Authority::start(&settings, folder).await;

    let seen = authority.sees(old.secret()).await.unwrap();
    assert!(seen.name() == "old" && seen.may("orders", Role::Writer));
    assert!(!seen.may("billing", Role::Reader));
    authority.refuses(new.secret(), "unknown_token").await;

    write(&file, &[&new]);
    let begun = Instant::now();
    while authority
        .sees_from(
            [198, 51, 100, 4].into(),
            &[("authorization", &format!("Bearer {}", old.secret()))],
        )
        .await
        .is_ok()
    {
        assert!(begun.elapsed() < PATIENCE, "the file is not followed");
        sleep(Duration::from_millis(50)).await;
    }
    assert!(authority.sees(new.secret()).await.is_ok());
}

#[tokio::test]
async fn the_prefix_tells_static_tokens_from_others() {
    let issuer = Issuer::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.json");
    let token = issued("ci", "orders", Role::Writer);
    write(&file, &[&token]);
    let settings = Auth {
        oidc: Some(oidc(&issuer, folder.path())),
        tokens_file: Some(file),
    };
    let authority = Authority::start(&settings, folder).await;

    assert_eq!(authority.sees(token.secret()).await.unwrap().name(), "ci");
    let ada = issuer.token(&Value::Null);
    assert_eq!(authority.sees(&ada).await.unwrap().name(), "ada");
    authority.refuses("sealane_AAAA", "unknown_token").await;
    authority.refuses("AAAA", "malformed").await;

    issuer.stop();
    assert_eq!(authority.sees(token.secret()).await.unwrap().name(), "ci");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn files_that_others_may_write_are_warned_of() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    for (mode, is_shared) in [
        (0o600, false),
        (0o644, false),
        (0o620, true),
        (0o602, true),
        (0o666, true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.json");
        write(&file, &[]);
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let settings = Auth {
            tokens_file: Some(file.clone()),
            oidc: None,
        };

        Authority::start(&settings, folder).await;

        let said = String::from_utf8(std::mem::take(&mut *log.0.lock().unwrap())).unwrap();
        let is_warned = said.contains("WARN") && said.contains(&file.display().to_string());
        assert_eq!(is_warned, is_shared, "{mode:o}: {said}");
    }
}

#[tokio::test]
async fn an_empty_list_withdraws_all_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.json");
    let token = issued("ci", "*", Role::Reader);
    write(&file, &[&token]);
    let settings = Auth {
        tokens_file: Some(file.clone()),
        oidc: None,
    };
    let authority = Authority::start(&settings, folder).await;
    assert!(authority.sees(token.secret()).await.is_ok());

    fs::write(&file, r#"{"tokens":[]}"#).unwrap();

    let begun = Instant::now();
    while authority.sees(token.secret()).await.is_ok() {
        assert!(begun.elapsed() < PATIENCE, "the file is not followed");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn start_error(settings: &Auth) -> AuthError {
    let started = Authenticator::start(settings, LOOPBACK, &Metrics::new()).await;
    started.unwrap_err()
}

#[tokio::test]
async fn bad_files_keep_a_process_from_starting_and_are_not_quoted() {
    let issuer = Issuer::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("odd.json");
    let path = file.display().to_string();
    let mut trusting = oidc(&issuer, folder.path());
    for content in [None, Some("swordfish"), Some(r#"{"swordfish":1}"#)] {
        if let Some(content) = content {
            fs::write(&file, content).unwrap();
        }
        let tokens = Auth {
            tokens_file: Some(file.clone()),
            oidc: None,
        };
        trusting.grants_file = Some(file.clone());
        let grants = Auth {
            tokens_file: None,
            oidc: Some(trusting.clone()),
        };
        for (settings, name) in [(tokens, "TOKENS_FILE"), (grants, "GRANTS_FILE")] {
            let error = start_error(&settings).await;
            assert_eq!(error.exit_code(), exit::SETTINGS);
            let text = error.to_string();
            assert!(text.contains(name) && text.contains(&path), "{text}");
            assert!(!text.contains("swordfish"), "{text}");
        }
    }
    assert_eq!(issuer.discoveries(), 0);
}

#[tokio::test]
async fn an_authority_that_is_none_keeps_a_process_from_starting() {
    let issuer = Issuer::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let mut oidc = oidc(&issuer, folder.path());
    oidc.ca_file = Some(file.clone());
    let settings = Auth {
        tokens_file: None,
        oidc: Some(oidc),
    };
    for content in [None, Some("no certificate")] {
        if let Some(content) = content {
            fs::write(&file, content).unwrap();
        }
        let error = start_error(&settings).await;
        assert!(matches!(error, AuthError::CaFile { .. }), "{error}");
        assert_eq!(error.exit_code(), exit::SETTINGS);
    }
}

#[tokio::test]
async fn grants_change_with_their_file() {
    let issuer = Issuer::start().await.unwrap();
    let mut grants = None;
    let authority = Authority::with(&issuer, |oidc| grants.clone_from(&oidc.grants_file)).await;
    let token = issuer.token(&Value::Null);
    let before = authority.sees(&token).await.unwrap();
    assert!(before.may("orders", Role::Reader));

    fs::write(grants.unwrap(), r#"{"grants":[]}"#).unwrap();

    let begun = Instant::now();
    loop {
        let now = authority.sees(&token).await.unwrap();
        let judged = authority
            .authenticator
            .authorize(&now, "orders", Role::Reader);
        if judged == Err(Denied::Forbidden) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the file is not followed");
        sleep(Duration::from_millis(50)).await;
    }
}
