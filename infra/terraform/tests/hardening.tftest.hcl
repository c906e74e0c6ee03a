# What must not be weakened, module by module.

mock_provider "azurerm" {
  source = "./tests/mocks"
}

mock_provider "time" {}

variables {
  name                 = "sealane-test"
  resource_group_name  = "sealane-test"
  location             = "westeurope"
  tenant_id            = "66666666-6666-4666-8666-666666666666"
  kubernetes_version   = "1.36"
  sku_tier             = "Standard"
  private              = false
  authorized_ip_ranges = ["203.0.113.7/32"]
  subnet_id            = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Network/virtualNetworks/sealane-test/subnets/nodes"
  vnet_id              = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Network/virtualNetworks/sealane-test"
  vnet_cidr            = "10.40.0.0/16"
  pod_cidr             = "10.244.0.0/16"
  service_cidr         = "10.41.0.0/16"
  zones                = ["1", "2", "3"]
  system_node_size     = "Standard_D2s_v5"
  system_nodes         = { min = 2, max = 3 }
  worker_node_size     = "Standard_D2s_v5"
  worker_nodes         = { min = 2, max = 6 }
  maintenance_day      = "Tuesday"
  maintenance_hour     = 3
  keda_enabled         = true
  sku                  = "Standard"
  role_mode            = "rbac"
  kubelet_principal_id = "33333333-3333-4333-8333-333333333333"
  retention_days       = 90
  ip_ranges            = []
  operators            = { "ada@example.com" = { object_id = "77777777-7777-4777-8777-777777777777", type = "User" } }
  tags                 = {}
}

run "cluster" {
  module {
    source = "./modules/cluster"
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.local_account_disabled && !azurerm_kubernetes_cluster.this.run_command_enabled && azurerm_kubernetes_cluster.this.azure_policy_enabled
    error_message = "there is a way around Entra, or Azure Policy is off"
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.azure_active_directory_role_based_access_control[0].azure_rbac_enabled && azurerm_kubernetes_cluster.this.azure_active_directory_role_based_access_control[0].tenant_id == var.tenant_id
    error_message = "roles of Azure do not decide who may do what in the cluster"
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.oidc_issuer_enabled && azurerm_kubernetes_cluster.this.workload_identity_enabled
    error_message = "pods cannot get tokens of their own"
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.network_profile[0].network_data_plane == "cilium" && azurerm_kubernetes_cluster.this.network_profile[0].network_policy == "cilium" && azurerm_kubernetes_cluster.this.network_profile[0].network_plugin_mode == "overlay"
    error_message = "NetworkPolicies are not enforced by Cilium"
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.api_server_access_profile[0].authorized_ip_ranges == toset(["203.0.113.7/32"]) && !azurerm_kubernetes_cluster.this.private_cluster_enabled
    error_message = "the API is reachable from elsewhere than authorized_ip_ranges"
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.automatic_upgrade_channel == "patch" && azurerm_kubernetes_cluster.this.node_os_upgrade_channel == "NodeImage" && azurerm_kubernetes_cluster.this.image_cleaner_enabled
    error_message = "patches are not applied by themselves"
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.maintenance_window_auto_upgrade[0].start_time == "03:00" && azurerm_kubernetes_cluster.this.maintenance_window_node_os[0].day_of_week == "Tuesday"
    error_message = "patches are applied at any time"
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.default_node_pool[0].only_critical_addons_enabled && azurerm_kubernetes_cluster_node_pool.workers.mode == "User"
    error_message = "workloads share nodes with what the cluster itself needs"
  }

  assert {
    condition     = alltrue([for it in [azurerm_kubernetes_cluster.this.default_node_pool[0], azurerm_kubernetes_cluster_node_pool.workers] : it.os_sku == "AzureLinux" && it.zones == toset(["1", "2", "3"]) && it.upgrade_settings[0].max_surge == "33%" && it.orchestrator_version == "1.36"])
    error_message = "a pool is in too few zones, of another system, or is upgraded otherwise"
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.workload_autoscaler_profile[0].keda_enabled
    error_message = "KEDA does not run"
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.node_provisioning_profile[0].mode == "Manual"
    error_message = "AKS would make pools of its own"
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.kubelet_identity[0].object_id == output.kubelet_principal_id && azurerm_kubernetes_cluster.this.identity[0].type == "UserAssigned"
    error_message = "nodes pull with another identity than the one that gets the role"
  }

  assert {
    condition = { for it in azurerm_role_assignment.operators : it.role_definition_name => it.principal_id } == {
      "Azure Kubernetes Service Cluster User Role"  = "77777777-7777-4777-8777-777777777777"
      "Azure Kubernetes Service RBAC Cluster Admin" = "77777777-7777-4777-8777-777777777777"
    }
    error_message = "operators cannot use the cluster"
  }

  assert {
    condition     = azurerm_role_assignment.itself["subnet"].scope == var.subnet_id && azurerm_role_assignment.itself["subnet"].role_definition_name == "Network Contributor"
    error_message = "the control plane may change more than the nodes' subnet, or not that"
  }
}

run "private_cluster" {
  module {
    source = "./modules/cluster"
  }

  variables {
    private              = true
    authorized_ip_ranges = []
    keda_enabled         = false
    name                 = "sealane-private"
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.private_cluster_enabled && azurerm_kubernetes_cluster.this.private_dns_zone_id == "System" && !azurerm_kubernetes_cluster.this.private_cluster_public_fqdn_enabled && length(azurerm_kubernetes_cluster.this.api_server_access_profile) == 0
    error_message = "the API of a private cluster has a public face"
  }

  assert {
    condition     = length(azurerm_kubernetes_cluster.this.workload_autoscaler_profile) == 0
    error_message = "KEDA runs though it is off"
  }
}

run "registry" {
  module {
    source = "./modules/registry"
  }

  variables {
    name = "sealanetest"
  }

  assert {
    condition     = !azurerm_container_registry.this.admin_enabled && !azurerm_container_registry.this.anonymous_pull_enabled
    error_message = "the registry lets in who has no identity"
  }

  assert {
    condition     = azurerm_container_registry.this.role_assignment_mode == "LegacyRegistryPermissions" && azurerm_role_assignment.pull.role_definition_name == "AcrPull" && azurerm_role_assignment.push["ada@example.com"].role_definition_name == "AcrPush" && output.push_role == "AcrPush"
    error_message = "roles do not fit the mode rbac"
  }

  assert {
    condition     = azurerm_role_assignment.pull.principal_id == var.kubelet_principal_id && azurerm_role_assignment.pull.scope == azurerm_container_registry.this.id
    error_message = "nodes cannot pull"
  }
}

run "registry_with_roles_by_repository" {
  module {
    source = "./modules/registry"
  }

  variables {
    name      = "sealanetest"
    role_mode = "abac"
  }

  assert {
    condition     = azurerm_container_registry.this.role_assignment_mode == "AbacRepositoryPermissions" && azurerm_role_assignment.pull.role_definition_name == "Container Registry Repository Reader" && azurerm_role_assignment.push["ada@example.com"].role_definition_name == "Container Registry Repository Writer" && output.push_role == "Container Registry Repository Writer"
    error_message = "roles do not fit the mode abac, in which AcrPull and AcrPush mean nothing"
  }
}

run "key_vault" {
  module {
    source = "./modules/key-vault"
  }

  assert {
    condition     = azurerm_key_vault.this.rbac_authorization_enabled && azurerm_key_vault.this.purge_protection_enabled && azurerm_key_vault.this.soft_delete_retention_days == 90
    error_message = "keys can be lost for good, or access policies decide who reads them"
  }

  assert {
    condition     = !azurerm_key_vault.this.public_network_access_enabled && azurerm_key_vault.this.network_acls[0].default_action == "Deny" && azurerm_key_vault.this.network_acls[0].bypass == "None"
    error_message = "the vault has a public face"
  }

  assert {
    condition     = azurerm_private_endpoint.this.private_service_connection[0].subresource_names == tolist(["vault"]) && azurerm_private_dns_zone.this.name == "privatelink.vaultcore.azure.net" && azurerm_private_dns_zone_virtual_network_link.this.virtual_network_id == var.vnet_id
    error_message = "pods cannot reach the vault"
  }

  assert {
    condition     = azurerm_role_assignment.officers["ada@example.com"].role_definition_name == "Key Vault Secrets Officer" && keys(time_sleep.officers.triggers) == tolist(["ada@example.com"])
    error_message = "operators cannot write the first key"
  }

  assert {
    condition     = output.url == "https://sealane-test.vault.azure.net"
    error_message = "url is ${output.url}, expected no slash at its end, as KEYVAULT_URL has none"
  }
}

run "key_vault_for_some" {
  module {
    source = "./modules/key-vault"
  }

  variables {
    ip_ranges = ["203.0.113.7/32"]
  }

  assert {
    condition     = azurerm_key_vault.this.public_network_access_enabled && azurerm_key_vault.this.network_acls[0].default_action == "Deny" && azurerm_key_vault.this.network_acls[0].ip_rules == toset(["203.0.113.7/32"])
    error_message = "the vault lets in others than ip_ranges"
  }
}

run "network" {
  module {
    source = "./modules/network"
  }

  assert {
    condition     = azurerm_subnet.nodes.address_prefixes == tolist(["10.40.0.0/18"]) && azurerm_subnet.endpoints.address_prefixes == tolist(["10.40.64.0/24"]) && azurerm_subnet.database.address_prefixes == tolist(["10.40.65.0/24"])
    error_message = "subnets are elsewhere"
  }

  assert {
    condition     = alltrue([for it in azurerm_network_security_group.this : one([for rule in it.security_rule : rule.access if rule.priority == 4096]) == "Deny"])
    error_message = "what is not allowed is not refused"
  }

  assert {
    condition     = one([for rule in azurerm_network_security_group.this["database"].security_rule : rule if rule.name == "clients"]).source_address_prefix == "10.40.0.0/18" && one([for rule in azurerm_network_security_group.this["database"].security_rule : rule if rule.name == "clients"]).destination_port_ranges == toset(["5432", "6432"])
    error_message = "others than the nodes reach the database"
  }

  assert {
    condition     = azurerm_subnet.endpoints.private_endpoint_network_policies == "NetworkSecurityGroupEnabled"
    error_message = "the security group does not apply to private endpoints"
  }
}
