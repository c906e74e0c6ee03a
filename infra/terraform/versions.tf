terraform {
  # 1.11 has write-only arguments, without which the database's password would be in the state.
  required_version = ">= 1.11.0"

  required_providers {
    # Exactly: a new version of a provider is a change to review. 4.81 and later use Key Vault's API 2026-02-01;
    # all earlier ones retire on 27 February 2027.
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "5.2.0"
    }
    time = {
      source  = "hashicorp/time"
      version = "0.14.2"
    }
  }

  # The rest comes from infra/environments/NAME/backend.hcl (infra/terraform/bootstrap makes the storage and prints the file).
  backend "azurerm" {
    use_azuread_auth = true
  }
}

provider "azurerm" {
  subscription_id = var.subscription_id
  tenant_id       = var.tenant_id

  # Version 5 registers none by itself.
  resource_providers_to_register = [
    "Microsoft.AlertsManagement",
    "Microsoft.Authorization",
    "Microsoft.Compute",
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.DBforPostgreSQL",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.Monitor",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.PolicyInsights",
    "Microsoft.Storage",
  ]

  features {
    key_vault {
      # What encrypts payloads is never purged: without it their history is noise.
      purge_soft_delete_on_destroy          = false
      purge_soft_deleted_secrets_on_destroy = false
      recover_soft_deleted_key_vaults       = true
      recover_soft_deleted_secrets          = true
    }

    resource_group {
      # Azure puts things of its own into the group; they go with it.
      prevent_deletion_if_contains_resources = false
    }
  }
}
