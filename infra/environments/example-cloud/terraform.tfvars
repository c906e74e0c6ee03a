# Temporal Cloud, to stay. Copy this directory under the name of your environment and put your values in.
# docs/infrastructure.md has all variables.
environment     = "example-cloud"
subscription_id = "00000000-0000-0000-0000-000000000000" # az account show --query id
tenant_id       = "00000000-0000-0000-0000-000000000000" # az account show --query tenantId
location        = "westeurope"

# Better a group than people: az ad group show --group NAME --query id
operators = {
  "sealane-operators" = { object_id = "00000000-0000-0000-0000-000000000000", type = "Group" }
}

# From where you reach the cluster's API and the vault: your office, your runners.
authorized_ip_ranges = ["203.0.113.0/24"]
key_vault_ip_ranges  = ["203.0.113.0/24"]

temporal_mode      = "cloud"
temporal_address   = "my-namespace.a1b2c.tmprl.cloud:7233"
temporal_namespace = "my-namespace.a1b2c"

# Who is told when an alert fires.
alert_emails = ["oncall@example.com"]

# Workflows of GitHub: the branch main pushes images, the environment production (protect it with reviewers) deploys.
github_subjects = [
  "repo:my-organisation/my-repository:ref:refs/heads/main",
  "repo:my-organisation/my-repository:environment:production",
]
