# The database of a self-hosted Temporal, and its password, which is nowhere.

mock_provider "azurerm" {
  source = "./tests/mocks"
}

mock_provider "time" {
  mock_resource "time_static" {
    defaults = {
      unix = 1790000000
    }
  }
}

variables {
  name                = "sealane-test-abc123"
  resource_group_name = "sealane-test"
  location            = "westeurope"
  tenant_id           = "66666666-6666-4666-8666-666666666666"
  sku                 = "GP_Standard_D2ds_v5"
  server_version      = "17"
  storage_mb          = 32768
  zone_redundant      = false
  backup_days         = 14
  maintenance_day     = "Tuesday"
  maintenance_hour    = 3
  subnet_id           = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Network/virtualNetworks/sealane-test/subnets/database"
  vnet_id             = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Network/virtualNetworks/sealane-test"
  key_vault_id        = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.KeyVault/vaults/sealane-test"
  password            = "Correct-Horse-Battery-9"
  password_version    = 1
  operators           = { "ada@example.com" = { object_id = "77777777-7777-4777-8777-777777777777", type = "User" } }
  tags                = {}
}

run "private_and_encrypted" {
  module {
    source = "./modules/postgresql"
  }

  assert {
    condition     = !azurerm_postgresql_flexible_server.this.public_network_access_enabled && azurerm_postgresql_flexible_server.this.delegated_subnet_id == var.subnet_id && endswith(azurerm_private_dns_zone.this.name, ".private.postgres.database.azure.com")
    error_message = "the database has a public face"
  }

  assert {
    condition     = azurerm_postgresql_flexible_server.this.authentication[0].active_directory_auth_enabled && azurerm_postgresql_flexible_server_active_directory_administrator.this["ada@example.com"].principal_name == "ada@example.com"
    error_message = "people need the password"
  }

  assert {
    condition     = azurerm_postgresql_flexible_server.this.administrator_password == null && azurerm_postgresql_flexible_server.this.administrator_password_wo == null && azurerm_postgresql_flexible_server.this.administrator_password_wo_version == 1
    error_message = "the password is in the state of the server"
  }

  assert {
    condition     = azurerm_key_vault_secret.password.value_wo == null && azurerm_key_vault_secret.password.value_wo_version == 1 && azurerm_key_vault_secret.password.key_vault_id == var.key_vault_id
    error_message = "the password is in the state of the secret, or in another vault"
  }

  assert {
    condition     = output.password_secret_name == "postgresql-password-1790000000"
    error_message = "the secret's name is ${output.password_secret_name}, which a recovered vault may hold already"
  }

  assert {
    condition     = azurerm_postgresql_flexible_server_configuration.extensions.value == "BTREE_GIN" && keys(azurerm_postgresql_flexible_server_database.this) == ["temporal", "temporal_visibility"]
    error_message = "Temporal's schema cannot be made"
  }

  assert {
    condition     = azurerm_postgresql_flexible_server.this.maintenance_window[0].day_of_week == 2 && azurerm_postgresql_flexible_server.this.maintenance_window[0].start_hour == 3
    error_message = "Azure restarts the database on another day than Tuesday"
  }

  assert {
    condition     = length(azurerm_postgresql_flexible_server.this.high_availability) == 0
    error_message = "there is a standby that nobody asked for"
  }
}

run "with_a_standby" {
  module {
    source = "./modules/postgresql"
  }

  variables {
    zone_redundant = true
  }

  assert {
    condition     = azurerm_postgresql_flexible_server.this.high_availability[0].mode == "ZoneRedundant"
    error_message = "there is no standby in another zone"
  }
}

run "without_a_password" {
  command = plan

  module {
    source = "./modules/postgresql"
  }

  variables {
    password = null
  }

  expect_failures = [azurerm_key_vault_secret.password]
}
