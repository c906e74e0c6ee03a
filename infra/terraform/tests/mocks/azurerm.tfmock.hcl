# What Azure would answer, where the form matters: the provider refuses ids that are none.

mock_resource "azurerm_resource_group" {
  defaults = {
    id = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test"
  }
}

mock_resource "azurerm_virtual_network" {
  defaults = {
    id = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Network/virtualNetworks/sealane-test"
  }
}

mock_resource "azurerm_subnet" {
  defaults = {
    id = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Network/virtualNetworks/sealane-test/subnets/nodes"
  }
}

mock_resource "azurerm_network_security_group" {
  defaults = {
    id = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Network/networkSecurityGroups/sealane-test"
  }
}

mock_resource "azurerm_subnet_network_security_group_association" {
  defaults = {
    id = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Network/virtualNetworks/sealane-test/subnets/nodes"
  }
}

mock_resource "azurerm_private_dns_zone" {
  defaults = {
    id = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Network/privateDnsZones/example.invalid"
  }
}

mock_resource "azurerm_user_assigned_identity" {
  defaults = {
    id           = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.ManagedIdentity/userAssignedIdentities/sealane-test"
    client_id    = "22222222-2222-4222-8222-222222222222"
    principal_id = "33333333-3333-4333-8333-333333333333"
  }
}

mock_resource "azurerm_kubernetes_cluster" {
  defaults = {
    id              = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.ContainerService/managedClusters/sealane-test"
    oidc_issuer_url = "https://westeurope.oic.prod-aks.azure.com/44444444-4444-4444-8444-444444444444/55555555-5555-4555-8555-555555555555/"
  }
}

mock_resource "azurerm_container_registry" {
  defaults = {
    id           = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.ContainerRegistry/registries/sealanetest"
    login_server = "sealanetest.azurecr.io"
  }
}

mock_resource "azurerm_key_vault" {
  defaults = {
    id        = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.KeyVault/vaults/sealane-test"
    vault_uri = "https://sealane-test.vault.azure.net/"
  }
}

mock_resource "azurerm_postgresql_flexible_server" {
  defaults = {
    id   = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.DBforPostgreSQL/flexibleServers/sealane-test"
    fqdn = "sealane-test.postgres.database.azure.com"
  }
}

mock_resource "azurerm_log_analytics_workspace" {
  defaults = {
    id = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.OperationalInsights/workspaces/sealane-test"
  }
}

mock_resource "azurerm_monitor_workspace" {
  defaults = {
    id = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Monitor/accounts/sealane-test"
  }
}

mock_resource "azurerm_monitor_data_collection_endpoint" {
  defaults = {
    id = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Insights/dataCollectionEndpoints/sealane-test"
  }
}

mock_resource "azurerm_monitor_data_collection_rule" {
  defaults = {
    id = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Insights/dataCollectionRules/sealane-test"
  }
}

mock_resource "azurerm_monitor_action_group" {
  defaults = {
    id = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.Insights/actionGroups/sealane-test"
  }
}

mock_resource "azurerm_storage_account" {
  defaults = {
    id                    = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-terraform/providers/Microsoft.Storage/storageAccounts/sealanetf"
    primary_blob_endpoint = "https://sealanetf.blob.core.windows.net/"
  }
}

mock_resource "azurerm_storage_container" {
  defaults = {
    id = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-terraform/providers/Microsoft.Storage/storageAccounts/sealanetf/blobServices/default/containers/payloads"
  }
}
