# The database of a self-hosted Temporal: reachable from the nodes only, Entra for people, a password for Temporal, which
# cannot use Entra's tokens. The password passes through and stays in the vault; no state and no plan holds it.

locals {
  # azurerm wants one at each plan, also where it sends none: while the version stays, and when all is destroyed. What stands in
  # is no password that Azure would take, and the precondition below lets it through to a destruction only.
  password = var.password == null ? "unset" : var.password
}

resource "azurerm_private_dns_zone" "this" {
  name                = "${var.name}.private.postgres.database.azure.com"
  resource_group_name = var.resource_group_name
  tags                = var.tags
}

resource "azurerm_private_dns_zone_virtual_network_link" "this" {
  name                = var.name
  private_dns_zone_id = azurerm_private_dns_zone.this.id
  virtual_network_id  = var.vnet_id
  tags                = var.tags
}

resource "azurerm_postgresql_flexible_server" "this" {
  name                          = var.name
  resource_group_name           = var.resource_group_name
  location                      = var.location
  version                       = var.server_version
  sku_name                      = var.sku
  storage_mb                    = var.storage_mb
  auto_grow_enabled             = true
  backup_retention_days         = var.backup_days
  delegated_subnet_id           = var.subnet_id
  private_dns_zone_id           = azurerm_private_dns_zone.this.id
  public_network_access_enabled = false
  tags                          = var.tags

  administrator_login               = "temporal"
  administrator_password_wo         = local.password
  administrator_password_wo_version = var.password_version

  authentication {
    active_directory_auth_enabled = true
    password_auth_enabled         = true
    tenant_id                     = var.tenant_id
  }

  dynamic "high_availability" {
    for_each = var.zone_redundant ? [true] : []

    content {
      mode = "ZoneRedundant"
    }
  }

  maintenance_window {
    # A week begins on Sunday here.
    day_of_week = index(["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"], var.maintenance_day)
    start_hour  = var.maintenance_hour
  }

  lifecycle {
    # A failover swaps the zones; growing is Azure's business.
    ignore_changes = [zone, high_availability[0].standby_availability_zone, storage_mb]
  }

  # The password is kept before there is anything that it opens.
  depends_on = [azurerm_private_dns_zone_virtual_network_link.this, azurerm_key_vault_secret.password]
}

# Temporal's visibility schema creates this extension, and Azure allows none by default.
resource "azurerm_postgresql_flexible_server_configuration" "extensions" {
  name      = "azure.extensions"
  server_id = azurerm_postgresql_flexible_server.this.id
  value     = "BTREE_GIN"
}

resource "azurerm_postgresql_flexible_server_database" "this" {
  for_each = toset(["temporal", "temporal_visibility"])

  name      = each.key
  server_id = azurerm_postgresql_flexible_server.this.id
  charset   = "UTF8"
  collation = "en_US.utf8"
}

resource "azurerm_postgresql_flexible_server_active_directory_administrator" "this" {
  for_each = var.operators

  server_name         = azurerm_postgresql_flexible_server.this.name
  resource_group_name = var.resource_group_name
  tenant_id           = var.tenant_id
  object_id           = each.value.object_id
  principal_name      = each.key
  principal_type      = each.value.type
}

# A vault that is recovered brings its old secrets back, whose names are then taken: each life of this environment has
# a name of its own.
resource "time_static" "life" {}

resource "azurerm_key_vault_secret" "password" {
  name             = "postgresql-password-${time_static.life.unix}"
  key_vault_id     = var.key_vault_id
  value_wo         = local.password
  value_wo_version = var.password_version
  content_type     = "text/plain"
  tags             = var.tags

  lifecycle {
    precondition {
      condition     = var.password != null
      error_message = "postgresql_password is missing, expected it at every plan of a self-hosted environment; infra/scripts/deploy sees to it."
    }
  }
}
