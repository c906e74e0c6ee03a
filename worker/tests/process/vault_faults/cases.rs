//! The faults, one by one.

use std::time::{Duration, SystemTime};

use sealane_tests::azure::{
    Assertion, Endpoint, FakeAzure, Fault, NewVersion, RetryAfter, Role, SECRET, Trouble,
};

use super::pod::KEY;

/// A fault, how it comes and goes, and what a worker says about it.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) make: fn(&FakeAzure),
    pub(crate) cure: fn(&FakeAzure),
    /// The words by which the document knows it.
    pub(crate) says: &'static str,
}

const fn case(name: &'static str, says: &'static str, make: fn(&FakeAzure)) -> Case {
    Case {
        name,
        make,
        cure: FakeAzure::clear,
        says,
    }
}

const fn cured_by(cure: fn(&FakeAzure), case: Case) -> Case {
    Case { cure, ..case }
}

/// All that a worker notices within seconds.
pub(crate) const CASES: &[Case] = &[
    case(
        "401 without a challenge",
        "the token was not accepted (401)",
        |azure| {
            list(azure, Trouble::BareUnauthorized);
        },
    ),
    case(
        "challenge of another resource",
        "what answers there is not the Key Vault of that name",
        |azure| azure.inject(Fault::of_vault(Trouble::WrongResource)),
    ),
    case(
        "403 ForbiddenByRbac",
        "the identity has no role for it (ForbiddenByRbac)",
        |azure| {
            list(azure, Trouble::ForbiddenByRbac);
        },
    ),
    cured_by(
        |azure| azure.grant(Role::SecretsUser),
        case(
            "no role",
            "the identity has no role for it (ForbiddenByRbac)",
            |azure| {
                azure.revoke(Role::SecretsUser);
            },
        ),
    ),
    case(
        "403 ForbiddenByFirewall",
        "firewall refused it (ForbiddenByFirewall)",
        |azure| {
            list(azure, Trouble::ForbiddenByFirewall);
        },
    ),
    case(
        "403 SecretDisabled",
        "this version of the secret is disabled (SecretDisabled)",
        |azure| {
            get(azure, Trouble::SecretDisabled);
        },
    ),
    case("404", "it does not exist (404)", |azure| {
        list(azure, Trouble::NotFound);
    }),
    case("403 without a reason", "it is forbidden (403)", |azure| {
        list(azure, Trouble::Status(403));
    }),
    case("400", "the request was rejected (", |azure| {
        list(azure, Trouble::Status(400));
    }),
    case("429, Retry-After: 1", "too many requests (429)", |azure| {
        list(azure, Trouble::Throttled(RetryAfter::Seconds(1)));
    }),
    case(
        "429, Retry-After: 3600",
        "too many requests (429)",
        |azure| get(azure, Trouble::Throttled(RetryAfter::Seconds(3600))),
    ),
    case(
        "429, Retry-After with a date",
        "too many requests (429)",
        |azure| {
            let in_an_hour = SystemTime::now() + HOUR;
            list(azure, Trouble::Throttled(RetryAfter::Date(in_an_hour)));
        },
    ),
    case("burst of 500", "the service is failing", |azure| {
        list(azure, Trouble::Status(500));
    }),
    case("503 for a value", "the service is failing", |azure| {
        get(azure, Trouble::Status(503));
    }),
    case("page of a proxy", "the answer makes no sense", |azure| {
        list(azure, Trouble::Page);
    }),
    case("no value", "the answer makes no sense", |azure| {
        get(azure, Trouble::Status(200));
    }),
    case(
        "truncated list",
        "no connection, or one that broke",
        |azure| {
            list(azure, Trouble::Truncated);
        },
    ),
    case(
        "truncated value",
        "no connection, or one that broke",
        |azure| {
            get(azure, Trouble::Truncated);
        },
    ),
    case(
        "reset in a list",
        "no connection, or one that broke",
        |azure| {
            list(azure, Trouble::Reset);
        },
    ),
    case("AADSTS70021", "AADSTS70021", |azure| aadsts(azure, 70_021)),
    cured_by(
        renew_token,
        case("AADSTS700213", "AADSTS700213", |azure| {
            show(azure, |token| token.subject.push_str("-2"));
        }),
    ),
    cured_by(
        renew_token,
        case("AADSTS700211", "AADSTS700211", |azure| {
            show(azure, |token| token.issuer.push_str("other/"));
        }),
    ),
    cured_by(
        renew_token,
        case("AADSTS700212", "AADSTS700212", |azure| {
            show(azure, |token| token.audience.push('s'));
        }),
    ),
    // Until the kubelet rewrites the file.
    cured_by(
        renew_token,
        case("expired token file", "AADSTS700024", |azure| {
            show(azure, |token| token.expires = SystemTime::now() - HOUR);
        }),
    ),
    case("AADSTS700024", "AADSTS700024", |azure| {
        aadsts(azure, 700_024);
    }),
    case("AADSTS700027", "AADSTS700027", |azure| {
        aadsts(azure, 700_027);
    }),
    case("AADSTS700016", "AADSTS700016", |azure| {
        aadsts(azure, 700_016);
    }),
    case("AADSTS90002", "AADSTS90002", |azure| aadsts(azure, 90_002)),
    case("AADSTS500011", "AADSTS500011", |azure| {
        aadsts(azure, 500_011);
    }),
    case("500 of Entra", "the service is failing", |azure| {
        token(azure, Trouble::Status(500));
    }),
    case(
        "429 of Entra, Retry-After: 3600",
        "too many requests (429)",
        |azure| token(azure, Trouble::Throttled(RetryAfter::Seconds(3600))),
    ),
    cured_by(
        disable_newest,
        case("value of 25 KB", "holds no key", |azure| {
            put(azure, &"c2VhbGFuZS1rZXkt".repeat(25 * 1024 / 16));
        }),
    ),
    cured_by(
        disable_newest,
        case("value that is no base64", "holds no key", |azure| {
            put(azure, "correct horse battery staple");
        }),
    ),
    cured_by(
        disable_newest,
        case("key of 31 bytes", "holds no key", |azure| {
            put(azure, "NGC+MSAeaf7aoO7ouZl/XHwpmf2v5ZMlPNZUr0361w==");
        }),
    ),
    cured_by(
        enable_oldest,
        case("all disabled", "all are disabled", disable_all),
    ),
];

/// What settings would not let a worker start with.
pub(crate) const LATER: &[Case] = &[
    cured_by(
        renew_token,
        case(
            "no token file",
            "there is no service account token",
            |azure| {
                std::fs::remove_file(azure.token_file()).expect("there was a token");
                azure.revoke_tokens();
            },
        ),
    ),
    cured_by(
        renew_token,
        case(
            "empty token file",
            "there is no service account token",
            |azure| {
                std::fs::write(azure.token_file(), "\n").expect("there is a folder");
                azure.revoke_tokens();
            },
        ),
    ),
];

/// For workers that need a data key before they can do anything.
pub(crate) const WRAPPING: Case = case(
    "no role for wrapping",
    "the identity has no role for it (ForbiddenByRbac)",
    |azure| azure.inject(Fault::at(Endpoint::Wrap, Trouble::ForbiddenByRbac)),
);

/// What takes as long as a call may take.
pub(crate) const SLOW: &[Case] = &[
    case("slow loris", "no answer in time", |azure| {
        list(azure, Trouble::Dripping);
    }),
    case("silence of the vault", "no answer in time", |azure| {
        get(azure, Trouble::Silence);
    }),
    case("silence of Entra", "no answer in time", |azure| {
        token(azure, Trouble::Silence);
    }),
];

const HOUR: Duration = Duration::from_secs(3600);

/// Made so long ago that it is in use.
pub(crate) fn long_ago() -> NewVersion {
    made(48 * HOUR)
}

fn made(ago: Duration) -> NewVersion {
    NewVersion {
        created: Some(SystemTime::now() - ago),
        ..NewVersion::default()
    }
}

fn list(azure: &FakeAzure, trouble: Trouble) {
    azure.inject(Fault::at(Endpoint::ListVersions, trouble));
}

/// Values are fetched once, so there has to be a new one.
fn get(azure: &FakeAzure, trouble: Trouble) {
    azure.inject(Fault::at(Endpoint::GetSecret, trouble));
    azure.add_version(SECRET, KEY);
}

/// Tokens are kept, so a new one has to be needed.
fn token(azure: &FakeAzure, trouble: Trouble) {
    azure.inject(Fault::at(Endpoint::Token, trouble));
    azure.revoke_tokens();
}

fn aadsts(azure: &FakeAzure, code: u32) {
    token(azure, Trouble::Aadsts(code));
}

/// Lets the pod have another token than Entra expects.
fn show(azure: &FakeAzure, change: fn(&mut Assertion)) {
    let mut assertion = Assertion::default();
    change(&mut assertion);
    azure.write_assertion(&azure.token_file(), &assertion);
    azure.revoke_tokens();
}

/// What the kubelet does.
fn renew_token(azure: &FakeAzure) {
    azure.write_token(&azure.token_file());
}

/// Adds a version that should encrypt at once.
fn put(azure: &FakeAzure, value: &str) {
    azure.add_version_with(SECRET, value, made(HOUR));
}

fn disable_newest(azure: &FakeAzure) {
    if let Some(newest) = azure.versions(SECRET).last() {
        azure.set_enabled(SECRET, &newest.version, false);
    }
}

fn disable_all(azure: &FakeAzure) {
    for version in azure.versions(SECRET) {
        azure.set_enabled(SECRET, &version.version, false);
    }
}

fn enable_oldest(azure: &FakeAzure) {
    if let Some(oldest) = azure.versions(SECRET).first() {
        azure.set_enabled(SECRET, &oldest.version, true);
    }
}
