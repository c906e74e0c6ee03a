//! The infrastructure as Terraform reads it, judged without a provider: references, contracts, roles, secrets, costs, pages.
//! What only Terraform with its providers can judge is in infra/terraform/tests; see `provider`.

mod checkov;
mod contract;
mod costs;
mod directory;
mod docs;
mod environments;
mod format;
mod provider;
mod references;
mod roles;
mod rules;
mod secrets;
mod terraform;
