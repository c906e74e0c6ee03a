# Large payloads: nothing unless asked for, and then an account that only the workloads can reach.

mock_provider "azurerm" {
  source = "./tests/mocks"
}

mock_provider "time" {
  mock_resource "time_offset" {
    defaults = {
      rfc3339 = "2026-11-23T12:00:00Z"
    }
  }

  mock_resource "time_static" {
    defaults = {
      unix = 1790000000
    }
  }
}

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

run "off_by_default" {
  assert {
    condition     = length(module.storage) == 0 && output.blob_container_url == null
    error_message = "there is a storage account that nobody asked for"
  }
}

run "enabled" {
  variables {
    large_payloads_enabled = true
  }

  assert {
    condition     = output.blob_container_url == "https://sealanetf.blob.core.windows.net/payloads"
    error_message = "the container is ${output.blob_container_url}"
  }
}

run "account" {
  module {
    source = "./modules/storage"
  }

  variables {
    name                = "sealanetest1a2b3c"
    resource_group_name = "sealane-test"
    retention_days      = 120
    undelete_days       = 14
    subnet_id           = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Network/virtualNetworks/sealane-test/subnets/endpoints"
    vnet_id             = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Network/virtualNetworks/sealane-test"
    writers             = { worker = "33333333-3333-4333-8333-333333333333" }
    readers             = { codec-server = "44444444-4444-4444-8444-444444444444" }
    tags                = {}
  }

  assert {
    condition     = !azurerm_storage_account.this.shared_access_key_enabled && !azurerm_storage_account.this.public_network_access_enabled && !azurerm_storage_account.this.allow_nested_items_to_be_public && azurerm_storage_account.this.min_tls_version == "TLS1_2"
    error_message = "the account can be reached in other ways than with Entra's tokens through its private endpoint"
  }

  assert {
    condition     = azurerm_storage_container.payloads.container_access_type == "private"
    error_message = "the container is public"
  }

  assert {
    condition     = azurerm_storage_management_policy.this.rule[0].actions[0].base_blob[0].delete_after_days_since_creation_greater_than == 120 && azurerm_storage_management_policy.this.rule[0].filters[0].prefix_match == toset(["payloads/v0/"])
    error_message = "blobs are kept for another time, or others are deleted: ${jsonencode(azurerm_storage_management_policy.this.rule)}"
  }

  assert {
    condition     = azurerm_role_assignment.writers["worker"].role_definition_name == "Storage Blob Data Contributor" && azurerm_role_assignment.readers["codec-server"].role_definition_name == "Storage Blob Data Reader" && alltrue([for it in merge(azurerm_role_assignment.writers, azurerm_role_assignment.readers) : it.scope == azurerm_storage_container.payloads.id])
    error_message = "roles are others, or wider than the container"
  }
}
