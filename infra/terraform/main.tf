# One environment: a cluster, what its workloads need, and nothing that two environments share.

locals {
  name = "${var.name_prefix}-${var.environment}"

  # Names of registries, vaults and database servers are unique in all of Azure.
  suffix = substr(sha256("${var.subscription_id}/${local.name}"), 0, 6)

  tags = merge(var.tags, { environment = var.environment, part-of = "sealane" })

  self_hosted         = var.temporal_mode == "self-hosted"
  api_key_secret_name = local.self_hosted ? null : var.api_key_secret_name
  temporal_address    = var.temporal_address == null ? "temporal-frontend.temporal.svc.cluster.local:7233" : var.temporal_address

  workloads = jsondecode(file("${path.module}/workloads.json"))
}

module "resource_group" {
  source = "./modules/resource-group"

  name      = local.name
  location  = var.location
  ttl_hours = var.ttl_hours
  tags      = local.tags
}

module "network" {
  source = "./modules/network"

  name                = local.name
  resource_group_name = module.resource_group.name
  location            = var.location
  vnet_cidr           = var.vnet_cidr
  tags                = local.tags
}

module "cluster" {
  source = "./modules/cluster"

  name                 = local.name
  resource_group_name  = module.resource_group.name
  location             = var.location
  tenant_id            = var.tenant_id
  kubernetes_version   = var.kubernetes_version
  sku_tier             = var.cluster_sku_tier
  private              = var.private_cluster
  authorized_ip_ranges = var.authorized_ip_ranges
  subnet_id            = module.network.nodes_subnet_id
  pod_cidr             = var.pod_cidr
  service_cidr         = var.service_cidr
  zones                = var.zones
  system_node_size     = var.system_node_size
  system_nodes         = var.system_nodes
  worker_node_size     = var.worker_node_size
  worker_nodes         = var.worker_nodes
  maintenance_day      = var.maintenance_day
  maintenance_hour     = var.maintenance_hour
  keda_enabled         = var.keda_enabled
  operators            = var.operators
  tags                 = local.tags
}

module "registry" {
  source = "./modules/registry"

  name                 = replace("${local.name}${local.suffix}", "-", "")
  resource_group_name  = module.resource_group.name
  location             = var.location
  sku                  = var.registry_sku
  role_mode            = var.registry_role_mode
  kubelet_principal_id = module.cluster.kubelet_principal_id
  operators            = var.operators
  tags                 = local.tags
}

module "key_vault" {
  source = "./modules/key-vault"

  # At most 24 characters, no two dashes in a row.
  name                = "${trimsuffix(substr(local.name, 0, 17), "-")}-${local.suffix}"
  resource_group_name = module.resource_group.name
  location            = var.location
  tenant_id           = var.tenant_id
  retention_days      = var.key_vault_retention_days
  ip_ranges           = var.key_vault_ip_ranges
  subnet_id           = module.network.endpoints_subnet_id
  vnet_id             = module.network.vnet_id
  operators           = var.operators
  tags                = local.tags
}

module "identities" {
  source = "./modules/identities"

  name                    = local.name
  resource_group_name     = module.resource_group.name
  location                = var.location
  issuer                  = module.cluster.oidc_issuer_url
  namespace               = var.namespace
  workloads               = local.workloads
  keda_enabled            = var.keda_enabled
  key_vault_id            = module.key_vault.id
  payload_key_secret_name = var.payload_key_secret_name
  api_key_secret_name     = local.api_key_secret_name
  tags                    = local.tags
}

module "storage" {
  source = "./modules/storage"
  count  = var.large_payloads_enabled ? 1 : 0

  # At most 24 lower-case letters and digits.
  name                = "${substr(replace(local.name, "-", ""), 0, 18)}${local.suffix}"
  resource_group_name = module.resource_group.name
  location            = var.location
  retention_days      = var.large_payloads_days
  undelete_days       = 14
  subnet_id           = module.network.endpoints_subnet_id
  vnet_id             = module.network.vnet_id
  # Who talks to Temporal stores; the codec server only reads.
  writers = { for name, it in local.workloads : name => module.identities.identities[name].principal_id if it.api_key }
  readers = { for name, it in local.workloads : name => module.identities.identities[name].principal_id if !it.api_key }
  tags    = local.tags
}

module "github_identity" {
  source = "./modules/github-identity"

  name                = local.name
  resource_group_name = module.resource_group.name
  resource_group_id   = module.resource_group.id
  location            = var.location
  subjects            = var.github_subjects
  registry_id         = module.registry.id
  pull_role           = module.registry.pull_role
  push_role           = module.registry.push_role
  cluster_id          = module.cluster.id
  namespace           = var.namespace
  tags                = local.tags
}

module "postgresql" {
  source = "./modules/postgresql"
  count  = local.self_hosted ? 1 : 0

  name                = "${local.name}-${local.suffix}"
  resource_group_name = module.resource_group.name
  location            = var.location
  tenant_id           = var.tenant_id
  sku                 = var.postgresql_sku
  server_version      = var.postgresql_version
  storage_mb          = var.postgresql_storage_mb
  zone_redundant      = var.postgresql_zone_redundant
  backup_days         = var.postgresql_backup_days
  maintenance_day     = var.maintenance_day
  maintenance_hour    = var.maintenance_hour
  subnet_id           = module.network.database_subnet_id
  vnet_id             = module.network.vnet_id
  key_vault_id        = module.key_vault.writable_id
  password            = var.postgresql_password
  password_version    = var.postgresql_password_version
  operators           = var.operators
  tags                = local.tags
}

module "monitoring" {
  source = "./modules/monitoring"

  name                = local.name
  resource_group_name = module.resource_group.name
  location            = var.location
  cluster_id          = module.cluster.id
  cluster_name        = module.cluster.name
  key_vault_id        = module.key_vault.id
  log_retention_days  = var.log_retention_days
  alert_emails        = var.alert_emails
  # The same rules as the Prometheus operator's, so that an alert means the same everywhere.
  rule_groups = yamldecode(file("${path.module}/../../k8s/components/monitoring/rules.yaml")).groups
  tags        = local.tags
}
