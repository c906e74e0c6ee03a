//! `validate --checklist`, line by line.

use std::fs;

use serde_json::{Value, json};

use super::cluster::{Cluster, TOKEN, validate};
use crate::{
    environment::{ISSUER, NODE_GROUP, identities},
    harness::{Reply, World, repository},
};

/// What az says where all is well, by call and the beginning of the query.
const AZURE: [(&str, &str); 8] = [
    (
        "az group show --query [tags*",
        "sealane\ndemo\n2099-11-22T18:00:00Z",
    ),
    (
        "az aks show --query [oidcIssuerProfile.enabled*",
        "true\ntrue\ntrue",
    ),
    ("az aks show --query [autoUpgrade*", "patch\nNodeImage"),
    ("az acr show --query [adminUser*", "false\nfalse"),
    (
        "az acr show --query roleAssignmentMode*",
        "LegacyRegistryPermissions",
    ),
    ("az role assignment list", "AcrPull"),
    (
        "az keyvault show --query properties.[enableRbac*",
        "True\nTrue",
    ),
    (
        "az keyvault show --query [properties.publicNetwork*",
        "Enabled\nDeny",
    ),
];

/// Azure and the cluster as the checklist wants them.
fn world(cluster: &Cluster) -> World {
    let world = cluster.world();
    for (pattern, answer) in AZURE {
        world.answer(pattern, answer);
    }
    let identities = identities();
    let rows = identities.as_object().unwrap().iter();
    let rows = rows.map(|(name, it)| format!("{}\t{name}\n", it["client_id"].as_str().unwrap()));
    world.answer("az identity list", Reply::ok(rows.collect::<String>()));
    let credential = format!("{ISSUER}\tapi://AzureADTokenExchange");
    world.answer("az identity federated-credential list", credential.as_str());
    world.answer(
        "kubectl get networkpolicies.networking.k8s.io",
        json!({"items": [
            {"spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}},
            {"spec": {"podSelector": {"matchLabels": {"a": "b"}}, "policyTypes": ["Egress"], "egress": [{"to": [{"podSelector": {}}]}, {"ports": [{"port": 53}]}]}},
        ]}),
    );
    world.answer(
        "kubectl get poddisruptionbudgets.policy",
        json!({"items": [{"metadata": {"name": "sealane-worker"}, "status": {"disruptionsAllowed": 1}}]}),
    );
    let live = cluster.clone();
    world.on(move |call| {
        call.is("kubectl get deployments.apps --selector")
            .then(|| json!({"items": live.things().live}).into())
    });
    world
}

/// The lines of the script, name and sentence.
fn lines() -> Vec<(String, String)> {
    let script = fs::read_to_string(repository().join("infra/scripts/lib/checklist.sh")).unwrap();
    let list = script
        .split("readonly CHECKLIST=(")
        .nth(1)
        .unwrap()
        .split("\n)")
        .next()
        .unwrap();
    let lines = list.lines().filter_map(|line| {
        line.trim()
            .strip_prefix('\'')?
            .strip_suffix('\'')?
            .split_once(": ")
    });
    lines
        .map(|(name, sentence)| (name.to_owned(), sentence.to_owned()))
        .collect()
}

#[test]
fn all_twenty_lines_are_fulfilled_where_all_is_well() {
    let cluster = Cluster::healthy();

    let outcome = validate(&world(&cluster), &["--checklist"]);

    outcome.succeeds();
    let expected: String = lines()
        .iter()
        .map(|(name, sentence)| format!("- [x] {name}: {sentence}\n"))
        .collect();
    assert_eq!(outcome.stdout, expected);
    let told = outcome.summary()["checklist"].clone();
    assert_eq!(told.as_array().map(Vec::len), Some(20));
    assert!(
        told.as_array()
            .unwrap()
            .iter()
            .all(|line| line["outcome"] == "fulfilled"),
        "{told}"
    );
    assert_eq!(cluster.api.started.lock().unwrap().len(), 1);
}

#[test]
fn the_page_has_the_same_lines() {
    let page = fs::read_to_string(repository().join("docs/aks.md")).expect("docs/aks.md is there");
    let missing: Vec<_> = lines()
        .into_iter()
        .filter(|(name, sentence)| !page.contains(&format!("- [ ] {name}: {sentence}\n")))
        .collect();

    assert_eq!(lines().len(), 20);
    assert!(missing.is_empty(), "docs/aks.md lacks {missing:#?}");
    assert_eq!(
        page.matches("\n- [ ] ").count(),
        20,
        "the page has no line that nobody executes"
    );
}

#[test]
fn a_dry_run_leaves_the_workflow_out() {
    let cluster = Cluster::healthy();

    let outcome = validate(&world(&cluster), &["--checklist", "--dry-run"]);

    outcome
        .succeeds()
        .says("- [ ] workflow:")
        .never("curl --request POST");
    assert_eq!(outcome.stdout.matches("- [x]").count(), 19);
}

/// Runs the checklist with one answer changed; exactly one line has to be open.
fn only_open(name: &str, slug: &str, pattern: &'static str, reply: impl Into<Reply>) {
    let cluster = Cluster::healthy();
    let world = world(&cluster);
    world.answer(pattern, reply);

    let outcome = validate(&world, &["--checklist", "--dry-run"]);

    outcome
        .ends_with(1)
        .says(&format!("[{slug}]"))
        .says("[checklist-open] 1 of 20");
    let open: Vec<_> = outcome
        .stdout
        .lines()
        .filter(|line| line.starts_with("- [ ]") && !line.contains("dry run"))
        .collect();
    assert_eq!(open.len(), 1, "{open:?}");
    assert!(open[0].contains(&format!("] {name}: ")), "{open:?}");
}

#[test]
fn a_group_without_its_tags_or_past_its_time_is_open() {
    only_open(
        "tags",
        "group-not-ours",
        "az group show",
        "shop\ndemo\nnone",
    );
    only_open(
        "tags",
        "expired",
        "az group show",
        "sealane\ndemo\n2026-01-01T00:00:00Z",
    );
    only_open("tags", "expired", "az group show", "sealane\ndemo\nsoon");
    only_open("tags", "azure-unreadable", "az group show", "sealane\ndemo");
}

#[test]
fn what_azure_has_open_is_open() {
    only_open(
        "registry",
        "registry-open",
        "az acr show --query [adminUser*",
        "true\tfalse",
    );
    only_open(
        "pull-role",
        "pull-role-missing",
        "az role assignment list",
        "Reader",
    );
    only_open(
        "vault-rbac",
        "vault-rbac",
        "az keyvault show --query properties.[enableRbac*",
        "true\tfalse",
    );
    only_open(
        "vault-network",
        "vault-network",
        "az keyvault show --query [properties.public*",
        "Enabled\tAllow",
    );
    only_open(
        "cluster-identity",
        "cluster-identity",
        "az aks show --query [oidcIssuerProfile.enabled*",
        "true\ttrue\tfalse",
    );
    only_open(
        "upgrades",
        "no-upgrades",
        "az aks show --query [autoUpgrade*",
        "patch\tnone",
    );
    only_open(
        "vault-rbac",
        "azure-unreadable",
        "az keyvault show --query properties.[enableRbac*",
        Reply::fail(1, "ERROR: (Forbidden)"),
    );
}

#[test]
fn identities_that_do_not_agree_are_open() {
    only_open(
        "identities",
        "credential-missing",
        "az identity federated-credential list --identity-name worker",
        Reply::ok(""),
    );
    only_open(
        "identities",
        "issuer-mismatch",
        "az identity federated-credential list",
        "https://other/\tapi://AzureADTokenExchange",
    );
}

#[test]
fn what_the_cluster_has_open_is_open() {
    only_open(
        "namespace",
        "namespace-unrestricted",
        "kubectl get namespace sealane",
        "privileged",
    );
    only_open(
        "network-policies",
        "network-open",
        "kubectl get networkpolicies.networking.k8s.io",
        json!({"items": [{"spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}]}),
    );
    let deny = json!({"metadata": {"name": "deny"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}});
    let allows = |direction: &str, selector: Value| json!({"metadata": {"name": "x"}, "spec": {"podSelector": selector, "policyTypes": ["Ingress", "Egress"], direction: [{}]}});
    for items in [
        json!([]),
        json!([allows("egress", json!({}))]),
        json!([deny, allows("ingress", json!({}))]),
        json!([deny, allows("egress", json!({"matchLabels": {"a": "b"}}))]),
        json!([{"metadata": {"name": "x"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{"ports": [{"port": 443}]}]}}]),
    ] {
        only_open(
            "network-policies",
            "network-open",
            "kubectl get networkpolicies.networking.k8s.io --selector",
            json!({"items": items}),
        );
    }
    only_open(
        "budgets",
        "budget-blocks",
        "kubectl get poddisruptionbudgets.policy",
        json!({"items": [{"metadata": {"name": "x"}, "status": {"disruptionsAllowed": 0}}]}),
    );
    let pod = |account: &str, mounts: bool| json!({"kind": "Deployment", "spec": {"template": {"spec": {"serviceAccountName": account, "automountServiceAccountToken": mounts}}}});
    for shared in [
        [pod("a", false), pod("a", false)],
        [pod("a", false), pod("b", true)],
        [pod("a", false), pod("default", false)],
    ] {
        only_open(
            "accounts",
            "account-shared",
            "kubectl get deployments.apps --selector",
            json!({"items": shared}),
        );
    }
}

#[test]
fn a_list_that_is_none_fulfils_nothing() {
    for nothing in ["", "{}", "null"] {
        only_open(
            "budgets",
            "cluster-unreadable",
            "kubectl get poddisruptionbudgets.policy",
            Reply::ok(nothing),
        );
    }
}

#[test]
fn every_line_goes_on_after_those_that_are_open() {
    let cluster = Cluster::healthy();
    cluster.things().findings =
        json!([{"check": "keys", "status": "fail", "detail": "none", "remedy": null}]);
    cluster
        .api
        .instead(|request| request.bearer.is_none().then_some((200, Value::Null)));
    cluster.things().spoil = |history, word| history["events"][1]["note"] = json!(word);

    let outcome = validate(&world(&cluster), &["--checklist"]);

    outcome
        .ends_with(1)
        .says("[doctor-failed]")
        .says("[api-open]")
        .says("[history-plaintext]")
        .says("3 of 20 lines are open: doctor, api, workflow");
    assert_eq!(outcome.summary()["error"]["slug"], "checklist-open");
    assert!(!outcome.stderr.contains(TOKEN) && !outcome.stderr.contains(NODE_GROUP));
}
