//! The manifests as kustomize renders them, compared with Kubernetes' schemas, with the binaries they start, with the
//! infrastructure they run in, and with the pages about them.

mod azure;
mod combinations;
mod commands;
mod configuration;
mod environments;
mod exposure;
mod grace;
mod hash;
mod instance;
mod metrics;
mod names;
mod network;
mod object;
mod pages;
mod pod;
mod pod_rules;
mod policy;
mod probes;
mod process;
mod programs;
mod quantity;
mod refusals;
mod renderings;
mod roles;
mod schemas;
mod selector;
mod standards;
mod tenants;
mod yaml_blocks;
