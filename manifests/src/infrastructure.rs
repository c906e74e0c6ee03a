//! What Terraform made, as `terraform output -json` prints it.

use serde_json::Value;

use crate::{version::KubernetesVersion, yaml::Yaml};

/// What the manifests have to fit.
#[derive(Clone, Debug)]
pub struct Infrastructure(Value);

/// A file that holds no outputs of ours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InfrastructureError {
    /// The text is not JSON.
    #[error("expected what `terraform output -json` prints: {0}")]
    Json(#[from] serde_json::Error),
    /// An output is not there.
    #[error(
        "the output {0} is missing, expected what `terraform output -json` prints in infra/terraform"
    )]
    Missing(&'static str),
}

/// Outputs without which there is nothing to compare. Null is a value.
const REQUIRED: &[&str] = &["identities", "namespace", "oidc_issuer_url"];

/// One managed identity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity<'a> {
    /// Name of the workload it is for.
    pub(crate) workload: &'a str,
    value: &'a Value,
}

impl<'a> Identity<'a> {
    /// Returns `client_id`, `subject` or whatever else is known about it.
    pub(crate) fn text(self, key: &str) -> Option<&'a str> {
        self.value.entry("", key)
    }
}

impl Infrastructure {
    /// Reads outputs.
    ///
    /// # Errors
    ///
    /// If the text is not JSON, or lacks an output that can only be missing in another file.
    pub fn parse(text: &str) -> Result<Self, InfrastructureError> {
        let outputs: Value = serde_json::from_str(text)?;
        let missing = REQUIRED
            .iter()
            .find(|name| outputs.at(&format!("/{name}")).get("value").is_none());
        match missing {
            Some(name) => Err(InfrastructureError::Missing(name)),
            None => Ok(Self(outputs)),
        }
    }

    /// Returns an output that is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.output(name).as_str()
    }

    /// Returns whether an output is `false`, which absence is not.
    pub(crate) fn is_false(&self, name: &str) -> bool {
        self.output(name) == false
    }

    pub(crate) fn identities(&self) -> impl Iterator<Item = Identity<'_>> {
        let identities = self.output("identities").entries("");
        identities.map(|(workload, value)| Identity { workload, value })
    }

    pub(crate) fn kubernetes_version(&self) -> Option<KubernetesVersion> {
        self.text("kubernetes_version")?.parse().ok()
    }

    fn output(&self, name: &str) -> &Value {
        self.0.at(&format!("/{name}/value"))
    }
}

#[cfg(test)]
mod tests {
    use super::Infrastructure;

    fn refusal(text: &str) -> String {
        Infrastructure::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_file_that_holds_other_things_is_refused() {
        assert!(
            refusal("resource_group").starts_with("expected what `terraform output -json` prints")
        );
        assert!(refusal("{}").starts_with("the output identities is missing"));
        let without_namespace = r#"{"identities": {"value": {}}}"#;
        assert!(refusal(without_namespace).starts_with("the output namespace is missing"));
    }

    #[test]
    fn an_output_that_does_not_apply_is_null() {
        let text = r#"{"identities": {"value": {"worker": {"client_id": "a"}}}, "namespace": {"value": null}, "oidc_issuer_url": {"value": null}}"#;

        let infrastructure = Infrastructure::parse(text).unwrap();

        assert_eq!(infrastructure.text("namespace"), None);
        assert!(!infrastructure.is_false("keda_enabled"));
        let identities: Vec<_> = infrastructure
            .identities()
            .map(|it| (it.workload, it.text("client_id")))
            .collect();
        assert_eq!(identities, [("worker", Some("a"))]);
    }
}
