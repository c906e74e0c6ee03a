# Who the cluster is, and who may use it.

resource "azurerm_user_assigned_identity" "this" {
  for_each = toset(["control-plane", "kubelet"])

  name                = "${var.name}-${each.key}"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
}

locals {
  # What the control plane may do: use the nodes' subnet, and give nodes the kubelet's identity.
  own_roles = {
    subnet  = { role = "Network Contributor", scope = var.subnet_id }
    kubelet = { role = "Managed Identity Operator", scope = azurerm_user_assigned_identity.this["kubelet"].id }
  }

  # Operators fetch credentials by the first role; what those may do is the second one.
  operator_roles = merge([
    for name, it in var.operators : {
      for role in ["Azure Kubernetes Service Cluster User Role", "Azure Kubernetes Service RBAC Cluster Admin"] :
      "${name}/${role}" => { operator = it, role = role }
    }
  ]...)
}

resource "azurerm_role_assignment" "itself" {
  for_each = local.own_roles

  scope                            = each.value.scope
  role_definition_name             = each.value.role
  principal_id                     = azurerm_user_assigned_identity.this["control-plane"].principal_id
  principal_type                   = "ServicePrincipal"
  skip_service_principal_aad_check = true
}

resource "azurerm_role_assignment" "operators" {
  for_each = local.operator_roles

  scope                = azurerm_kubernetes_cluster.this.id
  role_definition_name = each.value.role
  principal_id         = each.value.operator.object_id
  principal_type       = each.value.operator.type
}
