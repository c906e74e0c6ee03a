# The pool on which the workloads run.

locals {
  # A third of the nodes at once: an upgrade is done in three steps whatever the size.
  max_surge = "33%"
  # Far above the longest terminationGracePeriodSeconds in k8s/.
  drain_timeout_in_minutes = 30
  # Pods have addresses of their own, so they cost none of the subnet's.
  max_pods = 110
}

resource "azurerm_kubernetes_cluster_node_pool" "workers" {
  name                  = "workers"
  kubernetes_cluster_id = azurerm_kubernetes_cluster.this.id
  mode                  = "User"
  vm_size               = var.worker_node_size
  auto_scaling_enabled  = true
  min_count             = var.worker_nodes.min
  max_count             = var.worker_nodes.max
  orchestrator_version  = var.kubernetes_version
  os_sku                = "AzureLinux"
  max_pods              = local.max_pods
  # At most twelve characters.
  temporary_name_for_rotation = "workerstmp"
  vnet_subnet_id              = var.subnet_id
  zones                       = var.zones
  tags                        = var.tags

  upgrade_settings {
    max_surge                = local.max_surge
    drain_timeout_in_minutes = local.drain_timeout_in_minutes
  }
}
