//! What people get wrong when they connect a worker to a vault: each is one line that names the
//! thing and what helps, and nothing reaches Temporal.

use std::fs;

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use sealane_tests::{
    azure::{Assertion, SECRET},
    tls::Authority,
};

use crate::vault_faults::{Pod, Row, Start};

/// Workers that start at the same time, on a machine with few processors.
const AT_ONCE: usize = 4;

/// A mistake, and what a worker says about it.
pub(crate) struct Input {
    name: &'static str,
    make: fn(&mut Pod),
    /// The words by which docs/troubleshooting-keys.md knows it.
    pub(crate) says: &'static str,
    /// The thing, and what helps.
    names: &'static [&'static str],
}

pub(crate) const INPUTS: &[Input] = &[
    Input {
        name: "a pod that the webhook did not touch, or without the label",
        make: |pod| {
            for name in INJECTED {
                pod.unset(name);
            }
            pod.set("KUBERNETES_SERVICE_HOST", "10.0.0.1");
        },
        says: "AZURE_FEDERATED_TOKEN_FILE is not set",
        names: &[
            "azure.workload.identity/use: \"true\"",
            "azure.workload.identity/client-id",
        ],
    },
    Input {
        name: "a token file that is gone",
        make: |pod| fs::remove_file(pod.azure.token_file()).expect("there is a token"),
        says: "AZURE_FEDERATED_TOKEN_FILE is \"",
        names: &["expected the path of a readable file", "No such file"],
    },
    Input {
        name: "the service account of another workload",
        make: |pod| {
            let subject = "system:serviceaccount:default:default".to_owned();
            let assertion = Assertion {
                subject,
                ..Assertion::default()
            };
            pod.azure
                .write_assertion(&pod.azure.token_file(), &assertion);
        },
        says: "AADSTS700213",
        names: &[
            "system:serviceaccount:default:default",
            "set the subject of the identity's federated credential",
        ],
    },
    Input {
        name: "the client id of nobody",
        make: |pod| pod.set("AZURE_CLIENT_ID", "3c9a6d0e-0000-4000-8000-5ea1a4e00009"),
        says: "AADSTS700016",
        names: &["AZURE_CLIENT_ID must be the client id (not the object id)"],
    },
    Input {
        name: "the id of no tenant",
        make: |pod| pod.set("AZURE_TENANT_ID", "3c9a6d0e-0000-4000-8000-5ea1a4e00009"),
        says: "AADSTS90002",
        names: &["AZURE_TENANT_ID must be the id of the tenant"],
    },
    Input {
        name: "a vault that no resolver knows",
        make: |pod| {
            pod.unset("HTTPS_PROXY");
            // RFC 6761: every resolver says that there is none.
            pod.set("KEYVAULT_URL", "https://untit.vault.invalid");
        },
        says: "there is no host of that name",
        names: &[
            "https://untit.vault.invalid/",
            "check the name in KEYVAULT_URL",
        ],
    },
    Input {
        name: "a vault that the proxy does not find",
        make: |pod| pod.set("KEYVAULT_URL", "https://untit.vault.azure.net"),
        says: "no connection, or one that broke",
        names: &[
            "https://untit.vault.azure.net/",
            "check the name of the host",
        ],
    },
    Input {
        name: "a secret that does not exist",
        make: |pod| pod.set("KEYVAULT_SECRET_NAME", "payload-kee"),
        says: "does not exist; check KEYVAULT_URL and KEYVAULT_SECRET_NAME",
        names: &[
            "payload-kee in https://unit.vault.azure.net/",
            "sealane keys rotate",
        ],
    },
    Input {
        name: "a secret without an enabled version",
        make: |pod| {
            let version = pod.azure.versions(SECRET).remove(0).version;
            pod.azure.set_enabled(SECRET, &version, false);
        },
        says: "all are disabled",
        names: &["payload-key in", "enable the one that was active last"],
    },
    Input {
        name: "a value that is a password",
        make: |pod| newest_value(pod, "correct horse battery staple"),
        says: "holds no key",
        names: &[
            "payload-key in",
            "base64 of 16, 24 or 32",
            "sealane keys rotate",
        ],
    },
    Input {
        name: "a value with one byte too few",
        make: |pod| {
            newest_value(pod, "NGC+MSAeaf7aoO7ouZl/XHwpmf2v5ZMlPNZUr0361w==");
        },
        says: "holds no key",
        names: &["31 bytes", "base64 of 16, 24 or 32"],
    },
    Input {
        name: "two key sources",
        make: |pod| {
            let file = pod.file("keys.json", "{}");
            pod.set("SEALANE_KEY_FILE", file);
        },
        says: "SEALANE_KEY_FILE and KEYVAULT_URL",
        names: &[],
    },
    Input {
        name: "an activation that comes before all have the key",
        make: |pod| {
            pod.set("SEALANE_KEY_REFRESH", "10m");
            pod.set("SEALANE_KEY_ACTIVATION_DELAY", "19m");
        },
        says: "SEALANE_KEY_ACTIVATION_DELAY is \"",
        names: &["at least 20m, twice SEALANE_KEY_REFRESH"],
    },
    Input {
        name: "keys that are called stale between two refreshes",
        make: |pod| {
            pod.set("SEALANE_KEY_REFRESH", "10m");
            pod.set("SEALANE_KEY_ACTIVATION_DELAY", "20m");
            pod.set("SEALANE_KEY_STALE_AFTER", "19m");
        },
        says: "SEALANE_KEY_STALE_AFTER is \"",
        names: &["at least 20m, twice SEALANE_KEY_REFRESH"],
    },
    Input {
        name: "a CA file that is not there",
        make: |pod| pod.set("KEYVAULT_CA_FILE", "/nowhere/root.pem"),
        says: "KEYVAULT_CA_FILE is \"",
        names: &["/nowhere/root.pem", "PEM"],
    },
    Input {
        name: "a CA file with no certificate in it",
        make: |pod| {
            let armour = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
            let file = pod.file("root.pem", armour);
            pod.set("KEYVAULT_CA_FILE", file);
        },
        says: "cannot load the root certificates",
        names: &["KEYVAULT_CA_FILE must hold certificates in PEM"],
    },
    Input {
        name: "the CA of somebody else",
        make: |pod| {
            let authority = Authority::new().expect("a certificate");
            let file = pod.file("root.pem", &authority.pem());
            pod.set("KEYVAULT_CA_FILE", file);
        },
        says: "the certificate is not trusted",
        names: &["https://unit.vault.azure.net/", "KEYVAULT_CA_FILE"],
    },
    Input {
        name: "an authority without TLS",
        make: |pod| pod.set("AZURE_AUTHORITY_HOST", "http://login.microsoftonline.com/"),
        says: "AZURE_AUTHORITY_HOST is \"",
        names: &["http://login.microsoftonline.com/", "the https URL"],
    },
];

/// What the webhook sets.
const INJECTED: [&str; 4] = [
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST",
];

#[tokio::test]
async fn every_mistake_is_one_line_that_names_the_thing_and_what_helps() -> anyhow::Result<()> {
    let refused = stream::iter(INPUTS).map(refused);
    refused.buffer_unordered(AT_ONCE).try_collect().await
}

async fn refused(input: &Input) -> anyhow::Result<()> {
    let mut pod = Pod::new().await?;
    pod.set("SEALANE_KEY_START_LIMIT", "1s");
    pod.set("SEALANE_LOG", "trace");
    (input.make)(&mut pod);

    let refusal = pod.refusal().await.context(input.name)?;

    let (Start::Waits(code) | Start::Ends(code)) = Row::of(input.says).start;
    refusal.assert_one_line(code, &[input.says]);
    refusal.assert_one_line(code, input.names);
    Ok(())
}

/// Adds a version with `value`, and leaves no other.
fn newest_value(pod: &Pod, value: &str) {
    for version in pod.azure.versions(SECRET) {
        pod.azure.set_enabled(SECRET, &version.version, false);
    }
    pod.azure.add_version(SECRET, value);
}
