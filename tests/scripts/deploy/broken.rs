//! Programs that fail, hang and print garbage: one line that names the step, and never a further step.

use super::stage::Stage;
use crate::harness::Reply;

/// Calls, and the slug that a failure of each ends with.
const CALLS: [(&str, &str); 22] = [
    ("az account show", "wrong-subscription"),
    ("terraform init", "terraform-init"),
    ("terraform show -json", "terraform-state"),
    ("terraform plan", "terraform-plan"),
    ("terraform apply", "terraform-apply"),
    ("terraform output", "terraform-output"),
    ("kubectl kustomize", "render"),
    ("kubectl patch --local", "render"),
    ("az aks get-credentials", "credentials"),
    ("kubelogin convert-kubeconfig", "kubelogin-failed"),
    ("az aks show", "cluster-unreadable"),
    ("kubectl config view", "credentials"),
    ("kubectl diff --filename", "diff-failed"),
    ("az acr show", "registry-unreadable"),
    ("az role assignment list", "registry-unreadable"),
    ("az identity list", "identity-unreadable"),
    (
        "az identity federated-credential list",
        "identity-unreadable",
    ),
    ("az keyvault secret show --name payload-key", "vault-failed"),
    ("helm history", "temporal-unreadable"),
    ("helm upgrade", "temporal-install"),
    ("kubectl api-resources", "cluster-unreadable"),
    (
        "kubectl get horizontalpodautoscalers*",
        "cluster-unreadable",
    ),
];

#[test]
fn a_program_that_fails_ends_the_run_with_its_own_words() {
    for (call, slug) in CALLS {
        let world = Stage::empty().world();
        world.answer(
            call,
            Reply::fail(9, "noise\nError: the disk is on fire\nmore noise"),
        );

        let outcome = world.run("deploy", &["demo", "--yes"]);

        let code = if slug == "wrong-subscription" { 4 } else { 1 };
        outcome
            .fails(code, slug)
            .says("the disk is on fire")
            .never("kubectl rollout status");
        let summary = outcome.summary();
        assert_eq!(summary["error"]["slug"], slug);
        assert_eq!(
            summary["steps"].as_array().unwrap().last().unwrap()["outcome"],
            "failed"
        );
    }
}

#[test]
fn a_program_that_prints_garbage_is_not_believed() {
    let garbage = "\u{1}\u{7f} <html>502 Bad Gateway</html>\t[}\n";
    let answers = [
        "az account show",
        "terraform show -json",
        "terraform output",
        "kubectl patch --local",
        "az aks show",
        "kubectl config view",
        "kubectl get namespace",
        "az acr show",
        "az role assignment list",
        "az identity list",
        "az identity federated-credential list",
        "az keyvault secret show --name payload-key",
        "az acr repository show",
        "kubectl api-resources",
        "kubectl get horizontalpodautoscalers*",
        "kubectl exec",
        "helm history",
    ];
    for call in answers {
        let world = Stage::empty().world();
        world.answer(call, Reply::ok(garbage));

        let outcome = world.run("deploy", &["demo", "--yes"]);

        // A release that cannot be read is not the one that is wanted, so it is installed.
        if call == "helm history" {
            outcome.succeeds().called("helm upgrade");
            continue;
        }
        assert!([1, 4].contains(&outcome.code), "{call}: {outcome}");
        assert!(
            outcome.summary()["error"]["slug"]
                .as_str()
                .is_some_and(|slug| slug != "unexpected"),
            "{call}: {outcome}"
        );
    }
}

#[test]
fn a_program_that_hangs_is_ended() {
    for call in [
        "az account show",
        "terraform plan",
        "kubectl kustomize",
        "az keyvault secret set",
        "sealane manifests check",
        "kubectl diff --filename",
        "helm upgrade",
    ] {
        let stage = Stage::empty();
        let mut world = stage.world();
        world.hurried().answer(call, Reply::hang("working\n"));

        let outcome = world.run("deploy", &["demo", "--yes"]);

        outcome
            .fails(1, "timed-out")
            .says("did not end within 1 seconds")
            .never("kubectl rollout status");
    }
}
