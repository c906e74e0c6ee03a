# Temporal in the cluster, for a trial of a day. Copy this directory under the name of your environment and put your values in.
# docs/infrastructure.md has all variables.
environment     = "example"
subscription_id = "00000000-0000-0000-0000-000000000000" # az account show --query id
tenant_id       = "00000000-0000-0000-0000-000000000000" # az account show --query tenantId
location        = "westeurope"

# infra/scripts/reap may delete everything after so many hours. Without it the environment stays.
ttl_hours = 24

# You, and whoever else operates it: az ad signed-in-user show --query '{name: userPrincipalName, id: id}'
operators = {
  "ada@example.com" = { object_id = "00000000-0000-0000-0000-000000000000", type = "User" }
}

# From where you reach the cluster's API and the vault: your own address, as others see it.
authorized_ip_ranges = ["203.0.113.7/32"]
key_vault_ip_ranges  = ["203.0.113.7/32"]

# A deleted vault keeps its name for so long. Cannot be changed later.
key_vault_retention_days = 7

temporal_mode = "self-hosted"

# Enough for a trial; B_ sizes are for nothing else.
postgresql_sku = "B_Standard_B2s"
