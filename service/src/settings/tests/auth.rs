//! Who may call, as the settings say it.

use super::{TokenHeader, load, problems};

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

#[test]
fn nobody_has_to_prove_anything_by_default() {
    assert!(load(&[]).auth.is_off());
}

#[test]
fn any_issuer_needs_a_name_and_an_audience() {
    let problems = problems(&[("SEALANE_AUTH", "tokens,oidc")]);

    let named = |name: &str| problems.iter().any(|line| line.starts_with(name));
    assert!(named("SEALANE_AUTH_TOKENS_FILE"), "{problems:?}");
    let auth = load(&[
        ("SEALANE_AUTH", "tokens, oidc"),
        ("SEALANE_AUTH_TOKENS_FILE", "tokens.json"),
        ("SEALANE_AUTH_ISSUER", "https://login.example.com/realms/a"),
        ("SEALANE_AUTH_AUDIENCE", "sealane, codec"),
        ("SEALANE_AUTH_TOKEN_HEADER", "authorization-extras"),
    ])
    .auth;
    let oidc = auth.oidc.unwrap();
    assert_eq!(oidc.issuer, "https://login.example.com/realms/a");
    assert_eq!(oidc.audiences, ["sealane", "codec"]);
    assert_eq!(oidc.algorithms, ["RS256", "ES256"]);
    assert_eq!(oidc.token_header, TokenHeader::AuthorizationExtras);
    assert!(auth.tokens_file.is_some());
}

#[test]
fn what_an_issuer_lacks_is_said_by_name() {
    for (method, missing) in [
        ("oidc", ["SEALANE_AUTH_ISSUER", "SEALANE_AUTH_AUDIENCE"]),
        ("entra-id", ["AZURE_TENANT_ID", "SEALANE_AUTH_AUDIENCE"]),
    ] {
        let problems = problems(&[("SEALANE_AUTH", method)]);

        for name in missing {
            let found = problems.iter().any(|line| line.starts_with(name));
            assert!(found, "{method} {name}: {problems:?}");
        }
    }
}

#[test]
fn entra_id_and_temporal_cloud_are_known() {
    let entra = load(&[
        ("SEALANE_AUTH", "entra-id"),
        ("AZURE_TENANT_ID", TENANT),
        ("SEALANE_AUTH_AUDIENCE", "a-client-id"),
    ]);
    let cloud = load(&[("SEALANE_AUTH", "temporal-cloud")]);

    let entra = entra.auth.oidc.unwrap();
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    assert_eq!((entra.issuer, entra.jwks), (issuer, None));
    let cloud = cloud.auth.oidc.unwrap();
    assert_eq!(cloud.issuer, "https://login.tmprl.cloud/");
    assert_eq!(cloud.audiences, ["https://saas-api.tmprl.cloud"]);
    assert!(cloud.jwks.is_some());
}

#[test]
fn what_no_method_reads_is_refused_by_both_names() {
    let of_issuers = [
        ("SEALANE_AUTH_AUDIENCE", "sealane"),
        ("SEALANE_AUTH_ALGORITHMS", "RS256"),
        ("SEALANE_AUTH_TOKEN_HEADER", "authorization"),
        ("SEALANE_AUTH_GRANTS_FILE", "grants.json"),
        ("SEALANE_AUTH_PERMISSIONS_CLAIM", "permissions"),
        ("SEALANE_AUTH_CA_FILE", "ca.pem"),
    ];
    let tokens = ("SEALANE_AUTH_TOKENS_FILE", "tokens.json");
    let issuer = ("SEALANE_AUTH_ISSUER", "https://login.example.com");
    let needed = [("AZURE_TENANT_ID", TENANT), ("SEALANE_AUTH_AUDIENCE", "a")];
    for (method, unused) in [
        ("off", [&of_issuers[..], &[tokens, issuer]].concat()),
        ("tokens", [&of_issuers[..], &[issuer]].concat()),
        ("oidc", vec![tokens]),
        ("entra-id", vec![tokens, issuer]),
        ("temporal-cloud", vec![tokens, issuer]),
        ("tokens,temporal-cloud", vec![issuer]),
    ] {
        for (name, value) in unused {
            let mut settings = vec![("SEALANE_AUTH", method), (name, value)];
            if method.contains("tokens") {
                settings.push(tokens);
            }
            match method {
                "oidc" => settings.extend([issuer, needed[1]]),
                "entra-id" => settings.extend(needed),
                _ => {}
            }
            let problems = problems(&settings);
            let told = problems.iter().any(|line| {
                line.starts_with(&format!("{name} is ")) && line.contains("SEALANE_AUTH with ")
            });
            assert!(told && problems.len() == 1, "{method}: {problems:?}");
        }
    }
}
