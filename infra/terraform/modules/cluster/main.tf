# The cluster: no local accounts, no run-command, Entra for people, federated tokens for pods, Cilium between them.

resource "azurerm_kubernetes_cluster" "this" {
  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  dns_prefix          = var.name
  node_resource_group = "${var.name}-nodes"
  tags                = var.tags

  kubernetes_version        = var.kubernetes_version
  sku_tier                  = var.sku_tier
  automatic_upgrade_channel = "patch"
  node_os_upgrade_channel   = "NodeImage"
  cost_analysis_enabled     = var.sku_tier != "Free"

  oidc_issuer_enabled       = true
  workload_identity_enabled = true

  local_account_disabled = true
  run_command_enabled    = false
  azure_policy_enabled   = true

  image_cleaner_enabled        = true
  image_cleaner_interval_hours = 48

  private_cluster_enabled             = var.private
  private_cluster_public_fqdn_enabled = false
  private_dns_zone_id                 = var.private ? "System" : null

  azure_active_directory_role_based_access_control {
    azure_rbac_enabled = true
    tenant_id          = var.tenant_id
  }

  dynamic "api_server_access_profile" {
    for_each = var.private ? [] : [var.authorized_ip_ranges]

    content {
      authorized_ip_ranges = api_server_access_profile.value
    }
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.this["control-plane"].id]
  }

  kubelet_identity {
    client_id                 = azurerm_user_assigned_identity.this["kubelet"].client_id
    object_id                 = azurerm_user_assigned_identity.this["kubelet"].principal_id
    user_assigned_identity_id = azurerm_user_assigned_identity.this["kubelet"].id
  }

  network_profile {
    network_plugin      = "azure"
    network_plugin_mode = "overlay"
    network_data_plane  = "cilium"
    network_policy      = "cilium"
    outbound_type       = "loadBalancer"
    load_balancer_sku   = "standard"
    pod_cidr            = var.pod_cidr
    service_cidr        = var.service_cidr
    dns_service_ip      = cidrhost(var.service_cidr, 10)
  }

  # Taints itself, so that a busy worker never starves DNS.
  default_node_pool {
    name                         = "system"
    vm_size                      = var.system_node_size
    auto_scaling_enabled         = true
    min_count                    = var.system_nodes.min
    max_count                    = var.system_nodes.max
    only_critical_addons_enabled = true
    orchestrator_version         = var.kubernetes_version
    os_sku                       = "AzureLinux"
    max_pods                     = local.max_pods
    temporary_name_for_rotation  = "systemtmp"
    vnet_subnet_id               = var.subnet_id
    zones                        = var.zones
    tags                         = var.tags

    upgrade_settings {
      max_surge                = local.max_surge
      drain_timeout_in_minutes = local.drain_timeout_in_minutes
    }
  }

  # Pools are ours; AKS makes none.
  node_provisioning_profile {
    mode               = "Manual"
    default_node_pools = "None"
  }

  dynamic "workload_autoscaler_profile" {
    for_each = var.keda_enabled ? [true] : []

    content {
      keda_enabled = true
    }
  }

  # For k8s/components/csi-keys; the default key source does not use it.
  key_vault_secrets_provider {
    secret_rotation_enabled  = true
    secret_rotation_interval = "2m"
  }

  # Managed Prometheus; modules/monitoring says where to.
  monitor_metrics {}

  maintenance_window_auto_upgrade {
    frequency   = "Weekly"
    interval    = 1
    duration    = 4
    day_of_week = var.maintenance_day
    start_time  = format("%02d:00", var.maintenance_hour)
    utc_offset  = "+00:00"
  }

  maintenance_window_node_os {
    frequency   = "Weekly"
    interval    = 1
    duration    = 4
    day_of_week = var.maintenance_day
    start_time  = format("%02d:00", var.maintenance_hour)
    utc_offset  = "+00:00"
  }

  # Without them AKS could neither attach nodes to the subnet nor give them their identity.
  depends_on = [azurerm_role_assignment.itself]
}
