//! Versions of Kubernetes, and of the KEDA that AKS ships with each.

use std::{fmt, str::FromStr};

/// A version of Kubernetes 1, by its minor number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KubernetesVersion(u32);

/// Text that is no version of Kubernetes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no version of Kubernetes, expected one such as 1.36")]
pub struct VersionError(String);

impl Default for KubernetesVersion {
    /// The version that new clusters get here.
    fn default() -> Self {
        Self(36)
    }
}

impl KubernetesVersion {
    /// Returns the minor version of the KEDA 2 that the add-on of AKS installs
    /// (learn.microsoft.com/azure/aks/supported-kubernetes-versions, read in September 2026). For a version that is not
    /// listed there it is that of the last one before it.
    pub(crate) fn keda_minor(self) -> u32 {
        match self.0 {
            ..=32 => 14,
            33 | 34 => 16,
            35 => 17,
            36.. => 19,
        }
    }
}

impl FromStr for KubernetesVersion {
    type Err = VersionError;

    /// Accepts `1.36` and `1.36.2`, with or without a `v` before it.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let mut numbers = text
            .trim_start_matches('v')
            .split('.')
            .map(str::parse::<u32>);
        match (
            numbers.next(),
            numbers.next(),
            numbers.next(),
            numbers.next(),
        ) {
            (Some(Ok(1)), Some(Ok(minor)), None | Some(Ok(_)), None) => Ok(Self(minor)),
            _ => Err(VersionError(text.to_owned())),
        }
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::KubernetesVersion;

    #[test]
    fn a_version_is_one_and_a_minor_number() {
        for text in ["1.36", "v1.36", "1.36.2"] {
            assert_eq!(text.parse(), Ok(KubernetesVersion(36)), "{text}");
        }
        for text in ["", "1", "2.1", "1.x", "1.36.2.1", "latest"] {
            assert!(text.parse::<KubernetesVersion>().is_err(), "{text}");
        }
    }
}
