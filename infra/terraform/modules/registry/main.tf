# Images. Nobody signs in with a password: nodes, people and pipelines have roles, and which roles depends on the mode.

locals {
  roles = {
    rbac = { pull = "AcrPull", push = "AcrPush" }
    # AcrPull and AcrPush mean nothing to a registry in this mode.
    abac = { pull = "Container Registry Repository Reader", push = "Container Registry Repository Writer" }
  }[var.role_mode]
}

resource "azurerm_container_registry" "this" {
  name                   = var.name
  resource_group_name    = var.resource_group_name
  location               = var.location
  sku                    = var.sku
  admin_enabled          = false
  anonymous_pull_enabled = false
  role_assignment_mode   = var.role_mode == "abac" ? "AbacRepositoryPermissions" : "LegacyRegistryPermissions"
  tags                   = var.tags
}

resource "azurerm_role_assignment" "pull" {
  scope                            = azurerm_container_registry.this.id
  role_definition_name             = local.roles.pull
  principal_id                     = var.kubelet_principal_id
  principal_type                   = "ServicePrincipal"
  skip_service_principal_aad_check = true
}

resource "azurerm_role_assignment" "push" {
  for_each = var.operators

  scope                = azurerm_container_registry.this.id
  role_definition_name = local.roles.push
  principal_id         = each.value.object_id
  principal_type       = each.value.type
}
