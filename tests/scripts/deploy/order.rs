//! What is done, in which order, and that nothing is done twice.

use serde_json::json;

use super::stage::{DIGEST, Stage};
use crate::{environment::ISSUER, harness::Outcome};

/// Calls that change something, in any program.
const CHANGES: [&str; 10] = [
    "terraform apply",
    "az keyvault secret set",
    "az acr run",
    "kubectl apply",
    "kubectl delete",
    "helm upgrade",
    "docker build",
    "docker push",
    "az acr login",
    "az role assignment create",
];

fn changes(outcome: &Outcome) -> Vec<String> {
    let changing = |line: &&String| {
        CHANGES.iter().any(|it| {
            outcome
                .calls
                .iter()
                .any(|call| call.line() == **line && call.is(it))
        })
    };
    let lines: Vec<_> = outcome
        .calls
        .iter()
        .map(crate::harness::Record::line)
        .collect();
    lines.iter().filter(changing).cloned().collect()
}

#[test]
fn an_empty_subscription_becomes_running_workers() {
    let stage = Stage::empty();

    let outcome = stage.deploys(&[]);

    outcome.succeeds().in_order(&[
        "az account show",
        "az account get-access-token",
        "terraform init -backend-config=*",
        "terraform plan -var-file=*",
        "terraform show -json",
        "terraform apply",
        "terraform output -json",
        "kubectl kustomize",
        "sealane manifests check",
        "az aks get-credentials --file",
        "kubelogin convert-kubeconfig --login azurecli",
        "az aks show",
        "kubectl config view",
        "kubectl get --raw /readyz",
        "kubectl apply --server-side --filename",
        "az role assignment list",
        "az identity federated-credential list",
        "az keyvault secret show --name payload-key",
        "openssl rand -base64 32",
        "az keyvault secret set --file /dev/stdin",
        "az keyvault secret show --name payload-key",
        "az acr repository show",
        "az acr run",
        "az acr repository show",
        "kubectl apply --kustomize",
        "kubectl apply --filename -",
        "helm upgrade --install",
        "kubectl kustomize",
        "sealane manifests check",
        "kubectl diff",
        "kubectl apply --server-side",
        "kubectl rollout status",
        "kubectl exec --container worker -- sealane doctor",
    ]);
    outcome.says("Next         infra/scripts/validate demo");
}

#[test]
fn a_second_run_changes_nothing() {
    let stage = Stage::empty();
    stage.deploys(&[]).succeeds();

    let outcome = stage.deploys(&[]);

    outcome.succeeds().says("nothing to change");
    assert_eq!(changes(&outcome), Vec::<String>::new());
}

#[test]
fn a_dry_run_changes_nothing_in_an_empty_subscription() {
    let outcome = Stage::empty().world().run("deploy", &["demo", "--dry-run"]);

    outcome.succeeds().called("terraform plan -lock=false");
    assert_eq!(changes(&outcome), Vec::<String>::new());
    assert_eq!(outcome.summary()["dry_run"], true);
}

#[test]
fn a_dry_run_shows_what_has_changed_and_leaves_it() {
    let stage = Stage::deployed();
    stage.things().differs = true;
    stage.things().digest = None;
    stage.things().secrets.clear();

    let outcome = stage.world().run("deploy", &["demo", "--dry-run"]);

    outcome
        .succeeds()
        .says("+ something: new")
        .says("would run: az keyvault secret set")
        .says("would run: kubectl apply");
    assert_eq!(changes(&outcome), Vec::<String>::new());
}

#[test]
fn the_instance_holds_what_terraform_made_and_the_digest() {
    let stage = Stage::empty();
    let world = stage.world();
    world.write(
        "infra/environments/demo/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
    );

    world.run("deploy", &["demo", "--yes"]).succeeds();

    let instance = world.document(".sealane/demo/instance/kustomization.yaml");
    assert_eq!(instance["resources"], json!(["../../../k8s/overlays/aks"]));
    assert_eq!(
        instance["components"],
        json!(["infrastructure", "../../../infra/environments/demo"])
    );
    assert_eq!(
        instance["images"],
        json!([{"name": "sealane", "newName": "sealanedemoa1b2c3.azurecr.io/sealane", "digest": DIGEST}])
    );
    let made = world.document(".sealane/demo/instance/infrastructure/kustomization.yaml");
    assert_eq!(
        made["configMapGenerator"][0]["literals"],
        json!([
            "KEYVAULT_URL=https://sealane-demo-a1b2c3.vault.azure.net/",
            "KEYVAULT_SECRET_NAME=payload-key",
            "TEMPORAL_ADDRESS=temporal-frontend.temporal.svc.cluster.local:7233",
            "TEMPORAL_NAMESPACE=default",
        ])
    );
    assert_eq!(made["patches"].as_array().map(Vec::len), Some(4));
}

#[test]
fn the_summary_is_for_programs() {
    let stage = Stage::empty();
    stage.things().issuer = ISSUER.to_owned();

    let summary = stage.deploys(&[]).succeeds().summary();

    assert_eq!(summary["script"], "deploy");
    assert_eq!(summary["outcome"], "completed");
    assert_eq!(summary["exit_code"], 0);
    assert_eq!(summary["error"], json!(null));
    assert_eq!(summary["expires_at"], "2099-11-22T18:00:00Z");
    assert_eq!(
        summary["image"],
        format!("sealanedemoa1b2c3.azurecr.io/sealane@{DIGEST}")
    );
    assert_eq!(
        summary["next"],
        json!(["infra/scripts/validate demo", "infra/scripts/destroy demo"])
    );
    let steps = summary["steps"].as_array().unwrap();
    assert!(
        steps.len() > 24 && steps.iter().all(|it| it["outcome"] == "completed"),
        "{steps:?}"
    );
}

#[test]
fn on_temporal_cloud_nothing_is_installed_and_the_api_key_is_looked_for() {
    let stage = Stage::empty().on_cloud();
    stage
        .things()
        .secrets
        .push(("temporal-api-key".to_owned(), 200, true));

    let outcome = stage.deploys(&[]);

    outcome
        .succeeds()
        .never("helm")
        .called("az keyvault secret show --name temporal-api-key");
    outcome.never("terraform plan -var-file=/dev/stdin");
}
