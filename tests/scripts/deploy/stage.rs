//! What the stand-ins of a deployment keep: Azure, Terraform's state, a registry, a vault and a cluster, as far as the script asks.

mod azure;
mod kubernetes;
pub(super) mod objects;
mod terraform;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::{
    environment,
    harness::{Outcome, Reply, World},
};

pub(super) const DIGEST: &str =
    "sha256:1212121212121212121212121212121212121212121212121212121212121212";
pub(super) const REVISION: &str = "abcabcabcabcabcabcabcabcabcabcabcabcabca";
/// What openssl makes: the payload key, and the digits of the database's password.
pub(super) const KEY: &str = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY=";
pub(super) const DIGITS: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";

/// The password that is made of those digits, as a Secret has it.
pub(super) const ENCODED: &str =
    "QWExMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm";

/// What exists. A deployment changes it through the stand-ins only.
pub(super) struct Things {
    /// Whether Terraform has applied what it plans.
    pub(super) applied: bool,
    pub(super) plan: Value,
    pub(super) state: Value,
    pub(super) outputs: Value,
    /// The password of the database, once Terraform has set it.
    pub(super) password: Option<String>,
    pub(super) planned_password: Option<String>,
    /// Secrets of the vault by name: length of the value, and whether it is enabled.
    pub(super) secrets: Vec<(String, usize, bool)>,
    /// How often the vault says that a role is missing, before it knows better.
    pub(super) rbac_refusals: usize,
    pub(super) roles: Vec<&'static str>,
    pub(super) registry_mode: &'static str,
    pub(super) digest: Option<&'static str>,
    /// The cluster's, and the one that the live credentials trust.
    pub(super) issuer: String,
    pub(super) credential_issuer: String,
    /// What is rendered.
    pub(super) objects: Vec<Value>,
    /// What is in the cluster, with the managers of its fields.
    pub(super) live: Vec<Value>,
    pub(super) namespace: Option<&'static str>,
    pub(super) differs: bool,
    pub(super) temporal_differs: bool,
    /// The mark of the values that Temporal's release has.
    pub(super) release: Option<String>,
    pub(super) database_secret: Option<String>,
    pub(super) keda: Vec<(&'static str, &'static str)>,
    pub(super) doctor: Value,
}

/// Things that stand-ins and test share.
#[derive(Clone)]
pub(super) struct Stage(Arc<Mutex<Things>>);

impl Stage {
    /// A subscription in which nothing has been made.
    pub(super) fn empty() -> Self {
        let mut outputs = environment::outputs();
        outputs["postgresql_password_secret_name"] =
            json!({"value": "postgresql-password-1", "sensitive": false});
        Self(Arc::new(Mutex::new(Things {
            applied: false,
            plan: json!({"resource_changes": [{"mode": "managed", "type": "azurerm_key_vault", "address": "module.key_vault.azurerm_key_vault.this", "change": {"actions": ["create"]}}]}),
            state: json!({}),
            outputs,
            password: None,
            planned_password: None,
            secrets: Vec::new(),
            rbac_refusals: 0,
            roles: vec!["AcrPull", "Reader"],
            registry_mode: "LegacyRegistryPermissions",
            digest: None,
            issuer: environment::ISSUER.to_owned(),
            credential_issuer: environment::ISSUER.to_owned(),
            objects: objects::plain(),
            live: Vec::new(),
            namespace: None,
            differs: true,
            temporal_differs: true,
            release: None,
            database_secret: None,
            keda: vec![(
                "kube-system",
                "mcr.microsoft.com/oss/v2/kedacore/keda:2.19.0-6",
            )],
            doctor: objects::content_doctor(),
        })))
    }

    /// An environment that is there, and as it should be but for the release of Temporal.
    pub(super) fn deployed() -> Self {
        let stage = Self::empty();
        let mut things = stage.things();
        things.applied = true;
        things.state = terraform::state();
        things.password = Some(format!("Aa1{DIGITS}"));
        things.secrets = vec![("payload-key".to_owned(), KEY.len(), true)];
        things.database_secret = Some(ENCODED.to_owned());
        things.digest = Some(DIGEST);
        things.namespace = Some("restricted");
        things.differs = false;
        things.temporal_differs = false;
        drop(things);
        stage
    }

    pub(super) fn things(&self) -> MutexGuard<'_, Things> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// With Temporal Cloud instead of Temporal in the cluster.
    pub(super) fn on_cloud(self) -> Self {
        let mut things = self.things();
        let changes = [
            ("temporal_mode", json!("cloud")),
            ("temporal_address", json!("shop.f00ba.tmprl.cloud:7233")),
            ("temporal_namespace", json!("shop.f00ba")),
            ("api_key_secret_name", json!("temporal-api-key")),
            ("postgresql_fqdn", Value::Null),
            ("postgresql_password_secret_name", Value::Null),
        ];
        for (name, value) in changes {
            things.outputs[name]["value"] = value;
        }
        drop(things);
        self
    }

    /// A world that holds the environment `demo` and these things. Whatever openssl makes must not be found anywhere.
    pub(super) fn world(&self) -> World {
        let mut world = World::new();
        environment::write(&world);
        if self.things().outputs["temporal_mode"]["value"] == "cloud" {
            let file = "infra/environments/demo/terraform.tfvars";
            let text = world.read(file).unwrap_or_default();
            let cloud = "\"cloud\"\ntemporal_address = \"shop.f00ba.tmprl.cloud:7233\"\ntemporal_namespace = \"shop.f00ba\"";
            world.write(file, &text.replace("\"self-hosted\"", cloud));
        }
        environment::answer_versions_and_login(&world);
        world.answer("helm version", "v3.19.0");
        world.answer("openssl version", "OpenSSL 3.5.4");
        world.answer("openssl rand -base64 32", KEY);
        world.answer("openssl rand -hex 24", DIGITS);
        world.secret(KEY).secret(DIGITS);
        world.answer("sealane manifests check", Reply::ok(""));
        world.answer("kubelogin convert-kubeconfig", Reply::ok(""));
        sources(&world);
        let stage = self.clone();
        world.on(move |call| {
            let mut things = stage.things();
            match call.program.as_str() {
                "az" => azure::answer(call, &mut things),
                "terraform" => terraform::answer(call, &mut things),
                "kubectl" => kubernetes::kubectl(call, &mut things),
                "helm" => kubernetes::helm(call, &mut things),
                _ => None,
            }
        });
        world
    }

    /// Runs `deploy demo --yes` with more arguments.
    pub(super) fn deploys(&self, arguments: &[&str]) -> Outcome {
        let arguments: Vec<_> = ["demo", "--yes"].iter().chain(arguments).copied().collect();
        self.world().run("deploy", &arguments)
    }
}

/// A clone with as little in it as an image can be built from.
fn sources(world: &World) {
    world
        .write("Dockerfile", "FROM scratch\n")
        .write(".dockerignore", "*\n!Cargo.toml\n!*/src/**/*.rs\n")
        .write("Cargo.toml", "\n");
    world.answer(
        "git ls-files",
        Reply::ok(".dockerignore\0Cargo.toml\0Dockerfile\0"),
    );
    world.answer("git describe", REVISION);
}

/// The words of a failure of az.
pub(super) fn refusal(words: &str) -> Reply {
    Reply::fail(1, format!("ERROR: {words}"))
}
