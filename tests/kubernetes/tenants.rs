//! Two tenants share a cluster and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use crate::{process, renderings, renderings::Rendering};

/// What has to differ. Everything else is the same, or one tenant would get what the other does not.
const DIFFERENT: [&str; 3] = [
    "KEYVAULT_SECRET_NAME",
    "TEMPORAL_NAMESPACE",
    "TEMPORAL_TASK_QUEUE",
];

fn tenants() -> [&'static Rendering; 2] {
    ["tenant-a", "tenant-b"].map(|overlay| renderings::with(overlay, &[]))
}

#[test]
fn tenants_differ_in_key_queue_and_namespace_and_in_nothing_else() {
    let [a, b] = tenants();
    let settings = |it: &Rendering| -> Vec<BTreeMap<String, String>> {
        process::all(it).map(|it| it.environment).collect()
    };
    for (of_a, of_b) in settings(a).iter().zip(settings(b)) {
        let names: BTreeSet<_> = of_a.keys().chain(of_b.keys()).collect();
        let differ: Vec<_> = names
            .into_iter()
            .filter(|name| of_a.get(*name) != of_b.get(*name))
            .collect();
        assert_eq!(differ, DIFFERENT);
    }
}

#[test]
fn tenants_share_no_namespace_of_the_cluster() {
    let [a, b] = tenants().map(|it| -> BTreeSet<&str> {
        let namespaces = it.objects.iter().filter_map(|it| it.namespace());
        namespaces.collect()
    });
    assert_eq!(a, BTreeSet::from(["sealane-tenant-a"]));
    assert_eq!(b, BTreeSet::from(["sealane-tenant-b"]));
}

/// The subject that an identity trusts holds the namespace, so one tenant's pods cannot be the other's.
#[test]
fn the_accounts_of_tenants_are_different_subjects() {
    let [a, b] = tenants().map(|it| -> BTreeSet<String> {
        let pods = it.pods();
        pods.map(|pod| {
            let namespace = pod.owner.namespace().unwrap_or_default();
            format!(
                "system:serviceaccount:{namespace}:{}",
                pod.service_account()
            )
        })
        .collect()
    });
    assert_eq!((a.len(), b.len()), (4, 4));
    assert!(a.is_disjoint(&b));
}

/// One registration in Entra may serve both: then the roles tell tenants apart.
#[test]
fn a_role_of_one_tenant_gives_nothing_at_the_other() -> anyhow::Result<()> {
    let [a, b] = tenants().map(grants);
    let (a, b) = (a?, b?);
    assert!(!a.is_empty() && !b.is_empty());
    assert!(a.is_disjoint(&b), "{a:?} and {b:?}");
    Ok(())
}

fn grants(tenant: &Rendering) -> anyhow::Result<BTreeSet<String>> {
    let mut maps = tenant
        .of_kind("ConfigMap")
        .filter(|it| it.name().starts_with("sealane-grants"));
    let map = maps.next().expect("a tenant has grants");
    let grants: serde_json::Value = serde_json::from_str(map.text("/data/grants.json"))?;
    let grants = grants["grants"].as_array().cloned().unwrap_or_default();
    Ok(grants
        .iter()
        .map(|it| format!("{}={}", it["claim"], it["value"]))
        .collect())
}
