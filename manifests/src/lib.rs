//! Finds mistakes in rendered Kubernetes manifests before the cluster sees them.
//!
//! [`parse`] reads what `kubectl kustomize` prints, [`check`] says what is wrong with it. Both work offline. Settings are read with
//! the code of the processes themselves ([`sealane_service::settings`]), so a value that a process would refuse is found here
//! first. [`rules`] lists everything that can be found; docs/aks.md has a row for each.

#![forbid(unsafe_code)]

mod accepted;
mod check;
mod environment;
mod infrastructure;
mod mount;
mod network;
mod object;
mod parse;
mod peers;
mod quantity;
mod rule;
mod rules;
mod scaler;
mod scene;
mod selector;
mod version;
mod workload;
mod yaml;

pub use self::{
    accepted::{Accepted, AcceptedError},
    check::{ArgumentsCheck, Finding, Options, check},
    infrastructure::{Infrastructure, InfrastructureError},
    object::Object,
    parse::{ParseError, parse},
    rule::Rule,
    rules::rules,
    version::{KubernetesVersion, VersionError},
};
