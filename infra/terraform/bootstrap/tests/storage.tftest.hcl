# The storage of states: locked, versioned, without keys.

mock_provider "azurerm" {
  source = "../tests/mocks"
}

variables {
  subscription_id = "11111111-1111-4111-8111-111111111111"
  tenant_id       = "66666666-6666-4666-8666-666666666666"
  location        = "westeurope"
  operators       = { "ada@example.com" = { object_id = "77777777-7777-4777-8777-777777777777", type = "User" } }
}

run "storage" {
  assert {
    condition     = !azurerm_storage_account.this.shared_access_key_enabled && azurerm_storage_account.this.default_to_oauth_authentication && !azurerm_storage_account.this.local_user_enabled && !azurerm_storage_account.this.allow_nested_items_to_be_public
    error_message = "states can be read without a token of Entra"
  }

  assert {
    condition     = azurerm_storage_account.this.blob_properties[0].versioning_enabled && azurerm_storage_account.this.blob_properties[0].delete_retention_policy[0].days == 90 && azurerm_storage_account.this.account_replication_type == "ZRS"
    error_message = "a state that was overwritten is gone"
  }

  assert {
    condition     = azurerm_management_lock.this.lock_level == "CanNotDelete" && azurerm_management_lock.this.scope == azurerm_storage_account.this.id
    error_message = "the storage can be deleted by mistake"
  }

  assert {
    condition     = azurerm_role_assignment.operators["ada@example.com"].role_definition_name == "Storage Blob Data Contributor"
    error_message = "operators cannot write states"
  }

  assert {
    condition     = can(regex("^[a-z0-9]{3,24}$", azurerm_storage_account.this.name)) && strcontains(output.backend, "storage_account_name = \"${azurerm_storage_account.this.name}\"")
    error_message = "the output is no backend.hcl: ${output.backend}"
  }

  assert {
    condition     = !contains(keys(azurerm_resource_group.this.tags), "expires-at")
    error_message = "states would be reaped"
  }
}

run "subscription_id" {
  command = plan

  variables {
    subscription_id = "mine"
  }

  expect_failures = [var.subscription_id]
}

run "tenant_id" {
  command = plan

  variables {
    tenant_id = "mine"
  }

  expect_failures = [var.tenant_id]
}

run "location" {
  command = plan

  variables {
    location = "West Europe"
  }

  expect_failures = [var.location]
}

run "name_prefix" {
  command = plan

  variables {
    name_prefix = "Sea-Lane"
  }

  expect_failures = [var.name_prefix]
}

run "operators" {
  command = plan

  variables {
    operators = {}
  }

  expect_failures = [var.operators]
}
