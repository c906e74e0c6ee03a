//! Two tenants beside each other, as in two namespaces: two identities, two secrets, two task queues, one vault, one server.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use sealane_client::{
    audit::Needs,
    connection::{self, Extras},
    decode::Decoder,
    handles::Greeting,
    workflow::{Execution, Workflows},
};
use sealane_codec::{CodecOptions, EncryptionCodec, Key, KeyId, KeyRing, SharedKeyRing};
use sealane_tests::{
    World,
    azure::{FakeAzure, Tenant},
    orders::patiently,
    process::{Ended, Process},
    secrets::Secrets,
};
use temporalio_client::{Client, WorkflowStartOptions};
use temporalio_common::protos::temporal::api::{
    failure::v1::Failure, history::v1::history_event::Attributes,
};

use super::scene::{DAY, NAME, WORKER, Watched};

/// Far apart, so that no look for a key comes of itself.
const SELDOM: [(&str, &str); 3] = [
    ("SEALANE_KEY_REFRESH", "1h"),
    ("SEALANE_KEY_ACTIVATION_DELAY", "2h"),
    ("SEALANE_KEY_STALE_AFTER", "2h"),
];

/// The tasks of a workflow that nobody could open time out after this.
const TASK_TIMEOUT: Duration = Duration::from_secs(2);

/// A tenant, its world, and the key of its secret.
struct Party {
    tenant: Tenant,
    world: World,
    key_id: String,
    /// The key itself, which nobody may show.
    value: String,
    codec: EncryptionCodec,
    client: Client,
}

impl Party {
    async fn of(fake: &FakeAzure, name: &str) -> anyhow::Result<Self> {
        let tenant = Tenant::new(name);
        let version = fake.add_tenant(&tenant, SystemTime::now() - DAY);
        let value = fake.value(tenant.secret(), &version).context("no key")?;
        let key_id = format!("{}/{version}", tenant.secret());
        let mut world = World::new().await;
        world.set("SEALANE_KEY_FILE", "");
        for (name, value) in fake.environment_of(&tenant, world.folder()) {
            world.set(&name, value);
        }
        for (name, value) in SELDOM {
            world.set(name, value);
        }
        let id: KeyId = key_id.parse()?;
        let ring = KeyRing::new(id.clone(), [(id, Key::from_base64(&value)?)])?;
        let codec = EncryptionCodec::new(SharedKeyRing::new(ring), CodecOptions::default());
        let temporal = world.settings().temporal;
        let client = connection::connect(&temporal, Some(codec.clone()), Extras::default()).await?;
        Ok(Self {
            tenant,
            world,
            key_id,
            value,
            codec,
            client,
        })
    }

    /// Starts a worker of this tenant with further settings.
    fn start(&self, settings: &[(&str, &str)]) -> anyhow::Result<Process> {
        let mut variables: BTreeMap<_, _> = self.world.variables().clone();
        for (name, value) in settings {
            variables.insert((*name).to_owned(), (*value).to_owned());
        }
        Process::start(WORKER, &[], &variables)
    }

    /// Starts a worker of this tenant, and waits until it takes work.
    async fn worker(&self, settings: &[(&str, &str)]) -> anyhow::Result<Watched> {
        let process = self.start(settings)?;
        process.says("polling for tasks").await?;
        Watched::of(process, "probes and metrics are served").await
    }

    /// Starts greeting somebody on this tenant's task queue.
    async fn greet(&self, name: &str) -> anyhow::Result<Greeting> {
        let id = self.world.id(name);
        let mut options = WorkflowStartOptions::new(self.world.task_queue(), id).build();
        options.task_timeout = Some(TASK_TIMEOUT);
        Ok(Greeting::start(&self.client, format!("{NAME} {name}"), options).await?)
    }

    /// Every event so far of the greeting of `name`, as the server has it.
    async fn events(&self, name: &str) -> anyhow::Result<Vec<Attributes>> {
        let history = self
            .workflows()
            .encrypted_history(&self.execution(name))
            .await?;
        let events = history.events.into_iter();
        Ok(events.filter_map(|event| event.attributes).collect())
    }

    /// Waits until a workflow task of the greeting of `name` fails, and returns what `by` says about it.
    async fn complaint(&self, name: &str, by: &Self) -> anyhow::Result<String> {
        let failure = async {
            loop {
                let mut events = self.events(name).await?.into_iter();
                if let Some(failure) = events.find_map(failure_of_task) {
                    return anyhow::Ok(failure);
                }
                tokio::task::yield_now().await;
            }
        };
        let failure = patiently("a failed workflow task", failure).await?;
        let report = Decoder::new(Some(by.codec.clone()))
            .failure(failure)
            .await?;
        Ok(format!("{report:?}"))
    }

    fn workflows(&self) -> Workflows {
        Workflows::new(self.client.clone(), Some(self.codec.clone()))
    }

    fn execution(&self, name: &str) -> Execution {
        Execution {
            workflow_id: self.world.id(name),
            run_id: None,
        }
    }
}

fn failure_of_task(event: Attributes) -> Option<Failure> {
    match event {
        Attributes::WorkflowTaskFailedEventAttributes(failed) => failed.failure,
        _ => None,
    }
}

async fn both() -> anyhow::Result<(FakeAzure, Party, Party)> {
    let fake = FakeAzure::start().await?;
    let (a, b) = (Party::of(&fake, "a").await?, Party::of(&fake, "b").await?);
    Ok((fake, a, b))
}

async fn greeted(greeting: &Greeting, name: &str) -> anyhow::Result<()> {
    let result = patiently(name, greeting.result()).await?;
    assert_eq!(
        result,
        format!("Final result: Processed: Hello, {NAME} {name}!")
    );
    Ok(())
}

#[tokio::test]
async fn each_tenant_works_with_its_own_key_beside_the_other() -> anyhow::Result<()> {
    let (fake, a, b) = both().await?;
    let workers = (a.worker(&[]).await?, b.worker(&[]).await?);

    for party in [&a, &b] {
        greeted(&party.greet("own").await?, "own").await?;
    }

    for (party, other) in [(&a, &b), (&b, &a)] {
        let mut history = party
            .workflows()
            .encrypted_history(&party.execution("own"))
            .await?;
        let mut needs = Needs::default();
        needs.count(&mut history).await;
        let needs: Vec<_> = needs.iter().map(|(need, _)| format!("{need:?}")).collect();
        assert!(
            needs.iter().all(|need| need.contains(&party.key_id)),
            "{needs:?}"
        );
        assert!(!needs.is_empty(), "no payload was found");
        // Nor would the other make sense of it.
        let by_other = Workflows::new(party.client.clone(), Some(other.codec.clone()));
        let refused = by_other.history(&party.execution("own")).await;
        let refused = refused
            .expect_err("the other has no key for it")
            .to_string();
        assert!(refused.contains(&party.key_id), "{refused}");
    }
    let secrets = Secrets::of(&fake);
    let secrets = secrets.and_key(&a.value).and_key(&b.value);
    workers.0.close(&secrets).await?;
    workers.1.close(&secrets).await?;
    Ok(())
}

#[tokio::test]
async fn a_tenant_is_refused_the_others_secret_and_told_which() -> anyhow::Result<()> {
    let (fake, a, b) = both().await?;
    let settings = [
        ("KEYVAULT_SECRET_NAME", b.tenant.secret()),
        ("SEALANE_KEY_START_LIMIT", "1s"),
    ];

    let Ended { code, said } = a.start(&settings)?.ends().await?;

    assert_eq!(code, Some(77), "{said:#?}");
    let last = said.last().context("it said nothing")?;
    assert!(last.starts_with("sealane-worker: "), "{said:#?}");
    for part in [
        "ForbiddenByRbac",
        b.tenant.secret(),
        "Key Vault Secrets User",
    ] {
        assert!(last.contains(part), "no {part:?} in {last}");
    }
    Secrets::of(&fake)
        .and_key(&b.value)
        .assert_absent("the log", &said.join("\n"));
    Ok(())
}

#[tokio::test]
async fn a_tenants_worker_on_the_others_queue_only_says_which_key_it_lacks() -> anyhow::Result<()> {
    let (fake, a, b) = both().await?;
    let astray = b
        .worker(&[("TEMPORAL_TASK_QUEUE", a.world.task_queue())])
        .await?;

    let greeting = a.greet("astray").await?;
    let complaint = a.complaint("astray", &b).await?;
    astray
        .reaches("sealane_key_unknown_total", |unknown| unknown >= 1.0)
        .await?;

    assert!(
        complaint.contains(&a.key_id) && complaint.contains(&b.key_id),
        "{complaint}"
    );
    assert!(!complaint.contains(NAME), "{complaint}");
    let events = a.events("astray").await?;
    let did = events
        .iter()
        .any(|event| matches!(event, Attributes::ActivityTaskScheduledEventAttributes(_)));
    assert!(!did, "it did something: {events:#?}");
    astray.close(&Secrets::of(&fake)).await?;
    // Nothing is lost: the right worker goes on.
    let worker = a.worker(&[]).await?;
    greeted(&greeting, "astray").await?;
    worker.close(&Secrets::of(&fake)).await?;
    Ok(())
}

#[tokio::test]
async fn a_federated_token_of_one_tenant_is_no_token_of_the_other() -> anyhow::Result<()> {
    let (_fake, a, b) = both().await?;
    let settings = [
        ("AZURE_CLIENT_ID", b.tenant.client_id.as_str()),
        ("KEYVAULT_SECRET_NAME", b.tenant.secret()),
        ("SEALANE_KEY_START_LIMIT", "1s"),
    ];

    let Ended { code, said } = a.start(&settings)?.ends().await?;

    assert_eq!(code, Some(77), "{said:#?}");
    let last = said.last().context("it said nothing")?;
    assert!(last.contains("AADSTS700213"), "{last}");
    Ok(())
}
