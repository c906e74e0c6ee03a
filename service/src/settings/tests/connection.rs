//! How the connection to Temporal is secured, and profiles.

use super::{ApiKey, Env, Files, GrpcCompression, Settings, load, problems};

const CERT: (&str, &str) = (
    "TEMPORAL_TLS_CLIENT_CERT_DATA",
    "-----BEGIN CERTIFICATE-----",
);
const KEY: (&str, &str) = (
    "TEMPORAL_TLS_CLIENT_KEY_DATA",
    "-----BEGIN PRIVATE KEY-----",
);

fn uses_tls(settings: &Settings) -> bool {
    settings.temporal.tls.is_some()
}

#[test]
fn whatever_makes_no_sense_without_tls_turns_it_on() {
    let files = Files::new();
    let key_file = files.write("api-key", "abc\n");
    let ca = files.write("ca.pem", "-----BEGIN CERTIFICATE-----");
    let settings: [&[(&str, &str)]; 7] = [
        &[("TEMPORAL_TLS", "true")],
        &[("TEMPORAL_ADDRESS", "https://a:7233")],
        &[("TEMPORAL_API_KEY", "abc")],
        &[("TEMPORAL_API_KEY_FILE", &key_file)],
        &[CERT, KEY],
        &[("TEMPORAL_TLS_SERVER_CA_CERT_PATH", &ca)],
        &[("TEMPORAL_TLS_SERVER_NAME", "temporal.internal")],
    ];

    for variables in settings {
        assert!(uses_tls(&load(variables)), "{variables:?}");
    }
}

#[test]
fn tls_is_not_guessed_from_the_host_name() {
    for address in ["ns.acct.tmprl.cloud:7233", "http://a:7233", "a:443"] {
        assert!(
            !uses_tls(&load(&[("TEMPORAL_ADDRESS", address)])),
            "{address}"
        );
    }
}

#[test]
fn messages_are_compressed_unless_the_server_is_on_this_machine() {
    let compression = |variables: &[(&str, &str)]| load(variables).temporal.compression;
    for (address, expected) in [
        ("temporal-frontend.temporal:7233", GrpcCompression::Gzip),
        ("https://ns.acct.tmprl.cloud:7233", GrpcCompression::Gzip),
        ("10.0.0.7:7233", GrpcCompression::Gzip),
        ("localhost:7233", GrpcCompression::Off),
        ("http://127.0.0.1:7233", GrpcCompression::Off),
        ("[::1]:7233", GrpcCompression::Off),
    ] {
        let address = ("TEMPORAL_ADDRESS", address);
        assert_eq!(compression(&[address]), expected, "{address:?}");
        let asked = |value| compression(&[address, ("SEALANE_GRPC_COMPRESSION", value)]);
        assert_eq!(asked("auto"), expected, "{address:?}");
        assert_eq!(asked("gzip"), GrpcCompression::Gzip, "{address:?}");
        assert_eq!(asked("off"), GrpcCompression::Off, "{address:?}");
    }
}

#[test]
fn tls_that_is_switched_off_stays_off() {
    let settings = load(&[
        ("TEMPORAL_TLS", "0"),
        ("TEMPORAL_API_KEY", "abc"),
        CERT,
        KEY,
    ]);

    assert!(!uses_tls(&settings));
}

#[test]
fn an_address_that_contradicts_the_rest_is_refused() {
    let address = "http://a:7233";

    assert_eq!(
        problems(&[("TEMPORAL_ADDRESS", address), ("TEMPORAL_TLS", "true")]),
        ["TEMPORAL_ADDRESS is \"http://a:7233\" (env), \
          expected no http:// because TEMPORAL_TLS turns TLS on, or TEMPORAL_TLS=false"]
    );
    assert_eq!(
        problems(&[("TEMPORAL_ADDRESS", address), ("TEMPORAL_API_KEY", "abc")]).len(),
        1
    );
    assert_eq!(
        problems(&[
            ("TEMPORAL_ADDRESS", "https://a:7233"),
            ("TEMPORAL_TLS", "false")
        ]),
        ["TEMPORAL_TLS is \"false\" (env), \
          expected true because TEMPORAL_ADDRESS starts with https://"]
    );
}

#[test]
fn certificate_and_key_need_each_other() {
    let without_key = problems(&[CERT]);
    let without_certificate = problems(&[KEY]);

    assert!(without_key[0].starts_with("TEMPORAL_TLS_CLIENT_KEY_PATH is not set"));
    assert!(without_certificate[0].starts_with("TEMPORAL_TLS_CLIENT_CERT_PATH is not set"));
}

#[test]
fn settings_that_exclude_each_other_are_refused() {
    let files = Files::new();
    let key_file = files.write("api-key", "abc");

    let problems = problems(&[
        ("TEMPORAL_API_KEY", "abc"),
        ("TEMPORAL_API_KEY_FILE", &key_file),
    ]);

    assert_eq!(
        problems,
        ["TEMPORAL_API_KEY and TEMPORAL_API_KEY_FILE are both set, expected one of them"]
    );
}

#[test]
fn certificates_are_read_from_their_files() {
    let files = Files::new();
    let cert = files.write("cert.pem", "-----BEGIN CERTIFICATE-----c");
    let key = files.write("key.pem", "-----BEGIN PRIVATE KEY-----k");

    let tls = load(&[
        ("TEMPORAL_TLS_CLIENT_CERT_PATH", &cert),
        ("TEMPORAL_TLS_CLIENT_KEY_PATH", &key),
    ])
    .temporal
    .tls
    .unwrap();

    assert_eq!(tls.client_cert.unwrap(), b"-----BEGIN CERTIFICATE-----c");
    assert_eq!(
        tls.client_key.unwrap().expose(),
        "-----BEGIN PRIVATE KEY-----k"
    );
}

#[test]
fn what_the_sdk_would_ignore_is_refused_wherever_it_is_set() {
    let files = Files::new();
    let profile = files.write(
        "temporal.toml",
        "[profile.default.codec]\nendpoint = \"http://codec\"\n\
         [profile.default.tls]\ndisable_host_verification = true\n",
    );

    let from_env = problems(&[("TEMPORAL_CODEC_ENDPOINT", "http://codec")]);
    let from_profile = problems(&[("TEMPORAL_CONFIG_FILE", &profile)]);

    assert!(
        from_env[0].starts_with("TEMPORAL_CODEC_ENDPOINT is set (env), "),
        "{from_env:?}"
    );
    assert!(from_env[0].contains("plaintext"), "{from_env:?}");
    assert!(from_profile[0].starts_with("TEMPORAL_CODEC_ENDPOINT is set (profile default), "));
    assert!(from_profile[1].starts_with("TEMPORAL_TLS_DISABLE_HOST_VERIFICATION is set"));
    load(&[("TEMPORAL_TLS_DISABLE_HOST_VERIFICATION", "false")]);
}

#[test]
fn a_profile_supplies_what_nothing_else_sets() {
    let files = Files::new();
    let toml = "[profile.cloud]\naddress = \"cloud:7233\"\nnamespace = \"profile\"\n\
                api_key = \"s3cret\"\n[profile.cloud.grpc_meta]\nX_Route = \"a\"\nother = \"b\"\n";
    let profile = files.write("temporal.toml", toml);
    let config = files.write(
        "config.env",
        "TEMPORAL_GRPC_META_OTHER=c\nTEMPORAL_PROFILE=cloud",
    );

    let temporal = load(&[
        ("SEALANE_CONFIG", &config),
        ("TEMPORAL_CONFIG_FILE", &profile),
        ("TEMPORAL_NAMESPACE", "env"),
    ])
    .temporal;

    assert_eq!(temporal.address, "cloud:7233");
    assert_eq!(temporal.namespace, "env");
    assert!(matches!(&temporal.api_key, ApiKey::Value(key) if key.expose() == "s3cret"));
    assert!(temporal.tls.is_some());
    let headers: Vec<_> = temporal
        .headers
        .iter()
        .map(|(k, v)| (k.as_str(), v.expose()))
        .collect();
    assert_eq!(headers, [("other", "c"), ("x-route", "a")]);
}

#[test]
fn a_broken_profile_is_named_without_quoting_the_file() {
    let files = Files::new();
    let broken = files.write("temporal.toml", "[profile.default]\napi_key = s3cret\n");
    let other = files.write("other.toml", "[profile.other]\n");

    let syntax = problems(&[("TEMPORAL_CONFIG_FILE", &broken)]);
    let missing = problems(&[("TEMPORAL_CONFIG_FILE", &other)]);

    assert_eq!(syntax.len(), 1);
    assert!(
        syntax[0].starts_with("TEMPORAL_CONFIG_FILE: "),
        "{syntax:?}"
    );
    assert!(
        syntax[0].contains("line 2") && !syntax[0].contains("s3cret"),
        "{syntax:?}"
    );
    assert!(
        missing[0].contains("to have a profile \"default\""),
        "{missing:?}"
    );
}

#[test]
fn a_header_that_cannot_be_sent_is_named_without_its_value() {
    let files = Files::new();
    let config = files.write("config.env", "TEMPORAL_GRPC_META_AUTHORIZATION=s3cr\u{e9}t");

    let problems = problems(&[("SEALANE_CONFIG", &config)]);

    assert!(
        problems[0].starts_with("gRPC header \"authorization\" is <redacted>"),
        "{problems:?}"
    );
}

#[test]
fn an_environment_that_cannot_be_enumerated_still_overrides_headers_of_the_file() {
    let files = Files::new();
    let config = files.write("config.env", "TEMPORAL_GRPC_META_X=file");
    let env = Env::new(&[("SEALANE_CONFIG", &config), ("TEMPORAL_GRPC_META_X", "env")]);

    let headers = env.load().unwrap().temporal.headers;

    assert_eq!(headers["x"].expose(), "env");
}
