# Every rule of rules.json, broken: each variable is refused by name.

mock_provider "azurerm" {
  source = "./tests/mocks"
}

mock_provider "time" {}

variables {
  subscription_id      = "11111111-1111-4111-8111-111111111111"
  tenant_id            = "66666666-6666-4666-8666-666666666666"
  environment          = "test"
  location             = "westeurope"
  authorized_ip_ranges = ["203.0.113.7/32"]
  operators            = { "ada@example.com" = { object_id = "77777777-7777-4777-8777-777777777777", type = "User" } }
  temporal_mode        = "self-hosted"
  postgresql_password  = "Correct-Horse-Battery-9"
}

run "subscription_id" {
  command = plan

  variables {
    subscription_id = "11111111-1111-4111-8111-11111111111A"
  }

  expect_failures = [var.subscription_id]
}

run "tenant_id" {
  command = plan

  variables {
    tenant_id = "contoso.onmicrosoft.com"
  }

  expect_failures = [var.tenant_id]
}

run "environment_1" {
  command = plan

  variables {
    environment = "a--b"
  }

  expect_failures = [var.environment]
}

run "environment_2" {
  command = plan

  variables {
    environment = "abcdefghijklmnopq"
  }

  expect_failures = [var.environment]
}

run "environment_3" {
  command = plan

  variables {
    environment = "a"
  }

  expect_failures = [var.environment]
}

run "name_prefix" {
  command = plan

  variables {
    name_prefix = "sea-lane"
  }

  expect_failures = [var.name_prefix]
}

run "location" {
  command = plan

  variables {
    location = "West Europe"
  }

  expect_failures = [var.location]
}

run "ttl_hours_1" {
  command = plan

  variables {
    ttl_hours = 169
  }

  expect_failures = [var.ttl_hours]
}

run "ttl_hours_2" {
  command = plan

  variables {
    ttl_hours = 0.5
  }

  expect_failures = [var.ttl_hours]
}

run "namespace_1" {
  command = plan

  variables {
    namespace = "Sealane"
  }

  expect_failures = [var.namespace]
}

run "namespace_2" {
  command = plan

  variables {
    namespace = "x"
  }

  expect_failures = [var.namespace]
}

run "namespace_3" {
  command = plan

  variables {
    namespace = "a123456789a123456789a123456789a123456789a"
  }

  expect_failures = [var.namespace]
}

run "kubernetes_version" {
  command = plan

  variables {
    kubernetes_version = "1.33"
  }

  expect_failures = [var.kubernetes_version]
}

run "cluster_sku_tier" {
  command = plan

  variables {
    cluster_sku_tier = "standard"
  }

  expect_failures = [var.cluster_sku_tier]
}

run "authorized_ip_ranges_1" {
  command = plan

  variables {
    authorized_ip_ranges = ["203.0.113.7"]
  }

  expect_failures = [var.authorized_ip_ranges]
}

run "authorized_ip_ranges_2" {
  command = plan

  variables {
    authorized_ip_ranges = ["203.0.113.300/32"]
  }

  expect_failures = [var.authorized_ip_ranges]
}

run "authorized_ip_ranges_3" {
  command = plan

  variables {
    authorized_ip_ranges = []
  }

  expect_failures = [var.authorized_ip_ranges]
}

run "authorized_ip_ranges_4" {
  command = plan

  variables {
    authorized_ip_ranges = ["203.0.113.7/32"]
    private_cluster      = true
  }

  expect_failures = [var.authorized_ip_ranges]
}

run "zones_1" {
  command = plan

  variables {
    zones = []
  }

  expect_failures = [var.zones]
}

run "zones_2" {
  command = plan

  variables {
    zones = ["4"]
  }

  expect_failures = [var.zones]
}

run "system_node_size" {
  command = plan

  variables {
    system_node_size = "D2s_v5"
  }

  expect_failures = [var.system_node_size]
}

run "system_nodes_1" {
  command = plan

  variables {
    system_nodes = { min = 3, max = 2 }
  }

  expect_failures = [var.system_nodes]
}

run "system_nodes_2" {
  command = plan

  variables {
    system_nodes = { min = 0, max = 2 }
  }

  expect_failures = [var.system_nodes]
}

run "system_nodes_3" {
  command = plan

  variables {
    system_nodes = { min = 1, max = 11 }
  }

  expect_failures = [var.system_nodes]
}

run "worker_node_size" {
  command = plan

  variables {
    worker_node_size = "D2s_v5"
  }

  expect_failures = [var.worker_node_size]
}

run "worker_nodes_1" {
  command = plan

  variables {
    worker_nodes = { min = 7, max = 6 }
  }

  expect_failures = [var.worker_nodes]
}

run "worker_nodes_2" {
  command = plan

  variables {
    worker_nodes = { min = 0, max = 6 }
  }

  expect_failures = [var.worker_nodes]
}

run "worker_nodes_3" {
  command = plan

  variables {
    worker_nodes = { min = 1, max = 101 }
  }

  expect_failures = [var.worker_nodes]
}

run "maintenance_day" {
  command = plan

  variables {
    maintenance_day = "Tue"
  }

  expect_failures = [var.maintenance_day]
}

run "maintenance_hour_1" {
  command = plan

  variables {
    maintenance_hour = 21
  }

  expect_failures = [var.maintenance_hour]
}

run "maintenance_hour_2" {
  command = plan

  variables {
    maintenance_hour = -1
  }

  expect_failures = [var.maintenance_hour]
}

run "maintenance_hour_3" {
  command = plan

  variables {
    maintenance_hour = 3.5
  }

  expect_failures = [var.maintenance_hour]
}

run "vnet_cidr_1" {
  command = plan

  variables {
    vnet_cidr = "10.40.0.0/24"
  }

  expect_failures = [var.vnet_cidr]
}

run "vnet_cidr_2" {
  command = plan

  variables {
    vnet_cidr = "10.40.0.300/16"
  }

  expect_failures = [var.vnet_cidr]
}

run "pod_cidr" {
  command = plan

  variables {
    pod_cidr = "10.244.0.0/24"
  }

  expect_failures = [var.pod_cidr]
}

run "service_cidr_1" {
  command = plan

  variables {
    service_cidr = "10.41.0.0/8"
  }

  expect_failures = [var.service_cidr]
}

run "service_cidr_2" {
  command = plan

  variables {
    service_cidr = "10.40.128.0/20"
  }

  expect_failures = [var.service_cidr]
}

run "service_cidr_3" {
  command = plan

  variables {
    service_cidr = "10.244.16.0/20"
  }

  expect_failures = [var.service_cidr]
}

run "registry_sku" {
  command = plan

  variables {
    registry_sku = "premium"
  }

  expect_failures = [var.registry_sku]
}

run "registry_role_mode" {
  command = plan

  variables {
    registry_role_mode = "AbacRepositoryPermissions"
  }

  expect_failures = [var.registry_role_mode]
}

run "key_vault_ip_ranges_1" {
  command = plan

  variables {
    key_vault_ip_ranges = ["0.0.0.0/0"]
  }

  expect_failures = [var.key_vault_ip_ranges]
}

run "key_vault_ip_ranges_2" {
  command = plan

  variables {
    key_vault_ip_ranges = ["203.0.113.7"]
  }

  expect_failures = [var.key_vault_ip_ranges]
}

run "key_vault_retention_days_1" {
  command = plan

  variables {
    key_vault_retention_days = 6
  }

  expect_failures = [var.key_vault_retention_days]
}

run "key_vault_retention_days_2" {
  command = plan

  variables {
    key_vault_retention_days = 91
  }

  expect_failures = [var.key_vault_retention_days]
}

run "payload_key_secret_name" {
  command = plan

  variables {
    payload_key_secret_name = "payload_key"
  }

  expect_failures = [var.payload_key_secret_name]
}

run "api_key_secret_name_1" {
  command = plan

  variables {
    api_key_secret_name = "temporal_api_key"
  }

  expect_failures = [var.api_key_secret_name]
}

run "api_key_secret_name_2" {
  command = plan

  variables {
    api_key_secret_name = "Payload-Key"
  }

  expect_failures = [var.api_key_secret_name]
}

run "operators_1" {
  command = plan

  variables {
    operators = {}
  }

  expect_failures = [var.operators]
}

run "operators_2" {
  command = plan

  variables {
    operators = { ada = { object_id = "ada@example.com", type = "User" } }
  }

  expect_failures = [var.operators]
}

run "operators_3" {
  command = plan

  variables {
    operators = { ada = { object_id = "77777777-7777-4777-8777-777777777777", type = "user" } }
  }

  expect_failures = [var.operators]
}

run "github_subjects_1" {
  command = plan

  variables {
    github_subjects = ["repo:o/r:pull_request"]
  }

  expect_failures = [var.github_subjects]
}

run "github_subjects_2" {
  command = plan

  variables {
    github_subjects = ["repo:o/r:ref:refs/heads/*"]
  }

  expect_failures = [var.github_subjects]
}

run "github_subjects_3" {
  command = plan

  variables {
    github_subjects = ["repo:o/*:environment:production"]
  }

  expect_failures = [var.github_subjects]
}

run "github_subjects_4" {
  command = plan

  variables {
    github_subjects = ["repo:o/r:ref:refs/pull/1/merge"]
  }

  expect_failures = [var.github_subjects]
}

run "github_subjects_5" {
  command = plan

  variables {
    github_subjects = [for number in range(21) : "repo:o/r:environment:e${number}"]
  }

  expect_failures = [var.github_subjects]
}

run "temporal_mode" {
  command = plan

  variables {
    temporal_mode = "Cloud"
  }

  expect_failures = [var.temporal_mode]
}

run "temporal_address_1" {
  command = plan

  variables {
    temporal_address   = null
    temporal_mode      = "cloud"
    temporal_namespace = "my-namespace.a1b2c"
  }

  expect_failures = [var.temporal_address]
}

run "temporal_address_2" {
  command = plan

  variables {
    temporal_address = "https://temporal.example"
  }

  expect_failures = [var.temporal_address]
}

run "temporal_namespace_1" {
  command = plan

  variables {
    temporal_namespace = "a b"
  }

  expect_failures = [var.temporal_namespace]
}

run "temporal_namespace_2" {
  command = plan

  variables {
    temporal_namespace = "default"
    temporal_mode      = "cloud"
    temporal_address   = "my-namespace.a1b2c.tmprl.cloud:7233"
  }

  expect_failures = [var.temporal_namespace]
}

run "temporal_namespace_3" {
  command = plan

  variables {
    temporal_namespace = join("", [for number in range(256) : "a"])
  }

  expect_failures = [var.temporal_namespace]
}

run "postgresql_sku" {
  command = plan

  variables {
    postgresql_sku = "Standard_D2ds_v5"
  }

  expect_failures = [var.postgresql_sku]
}

run "postgresql_version" {
  command = plan

  variables {
    postgresql_version = "13"
  }

  expect_failures = [var.postgresql_version]
}

run "postgresql_storage_mb" {
  command = plan

  variables {
    postgresql_storage_mb = 40000
  }

  expect_failures = [var.postgresql_storage_mb]
}

run "postgresql_zone_redundant" {
  command = plan

  variables {
    postgresql_zone_redundant = true
    postgresql_sku            = "B_Standard_B2s"
  }

  expect_failures = [var.postgresql_zone_redundant]
}

run "postgresql_backup_days_1" {
  command = plan

  variables {
    postgresql_backup_days = 6
  }

  expect_failures = [var.postgresql_backup_days]
}

run "postgresql_backup_days_2" {
  command = plan

  variables {
    postgresql_backup_days = 36
  }

  expect_failures = [var.postgresql_backup_days]
}

run "postgresql_password_1" {
  command = plan

  variables {
    postgresql_password = "short"
  }

  expect_failures = [var.postgresql_password]
}

run "postgresql_password_2" {
  command = plan

  variables {
    postgresql_password = "correct-horse-battery-nine"
  }

  expect_failures = [var.postgresql_password]
}

run "postgresql_password_3" {
  command = plan

  variables {
    postgresql_password = "Correct Horse Battery 9!"
  }

  expect_failures = [var.postgresql_password]
}

run "postgresql_password_version_1" {
  command = plan

  variables {
    postgresql_password_version = 0
  }

  expect_failures = [var.postgresql_password_version]
}

run "postgresql_password_version_2" {
  command = plan

  variables {
    postgresql_password_version = 1.5
  }

  expect_failures = [var.postgresql_password_version]
}

run "postgresql_password_version_3" {
  command = plan

  variables {
    postgresql_password_version = 1000001
  }

  expect_failures = [var.postgresql_password_version]
}

run "large_payloads_days_1" {
  command = plan

  variables {
    large_payloads_days = 6
  }

  expect_failures = [var.large_payloads_days]
}

run "large_payloads_days_2" {
  command = plan

  variables {
    large_payloads_days = 3651
  }

  expect_failures = [var.large_payloads_days]
}

run "log_retention_days_1" {
  command = plan

  variables {
    log_retention_days = 7
  }

  expect_failures = [var.log_retention_days]
}

run "log_retention_days_2" {
  command = plan

  variables {
    log_retention_days = 731
  }

  expect_failures = [var.log_retention_days]
}

run "alert_emails" {
  command = plan

  variables {
    alert_emails = ["oncall"]
  }

  expect_failures = [var.alert_emails]
}

run "tags_1" {
  command = plan

  variables {
    tags = { expires-at = "never" }
  }

  expect_failures = [var.tags]
}

run "tags_2" {
  command = plan

  variables {
    tags = { Owner = "ada" }
  }

  expect_failures = [var.tags]
}
