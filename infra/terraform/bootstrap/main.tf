# Where the states of all environments are kept: versioned, locked against deletion, readable with Entra's tokens only. A state
# is locked while somebody writes it (by a lease on its blob). The state of this configuration itself stays with you.

locals {
  name = "${var.name_prefix}-terraform"

  # Names of storage accounts are unique in all of Azure: lower-case letters and digits, at most 24.
  account_name = "${var.name_prefix}tf${substr(sha256("${var.subscription_id}/${local.name}"), 0, 10)}"
}

# Without a tag expires-at, infra/scripts/reap leaves it alone.
resource "azurerm_resource_group" "this" {
  name     = local.name
  location = var.location
  tags     = { part-of = "sealane" }
}

resource "azurerm_storage_account" "this" {
  name                = local.account_name
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = azurerm_resource_group.this.tags

  account_tier             = "Standard"
  account_replication_type = "ZRS"

  shared_access_key_enabled         = false
  default_to_oauth_authentication   = true
  local_user_enabled                = false
  allow_nested_items_to_be_public   = false
  cross_tenant_replication_enabled  = false
  https_traffic_only_enabled        = true
  infrastructure_encryption_enabled = true
  min_tls_version                   = "TLS1_2"

  blob_properties {
    versioning_enabled  = true
    change_feed_enabled = true

    delete_retention_policy {
      days = 90
    }

    container_delete_retention_policy {
      days = 90
    }
  }
}

resource "azurerm_storage_container" "states" {
  name                  = "states"
  storage_account_id    = azurerm_storage_account.this.id
  container_access_type = "private"
}

resource "azurerm_role_assignment" "operators" {
  for_each = var.operators

  scope                = azurerm_storage_account.this.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = each.value.object_id
  principal_type       = each.value.type
}

resource "azurerm_management_lock" "this" {
  name       = "states"
  scope      = azurerm_storage_account.this.id
  lock_level = "CanNotDelete"
  notes      = "Terraform's states: without them nothing that it made can be managed."

  # Last to come, first to go.
  depends_on = [azurerm_storage_container.states, azurerm_role_assignment.operators]
}
