# One identity and one credential for each workload, and what each may read.

mock_provider "azurerm" {
  source = "./tests/mocks"
}

mock_provider "time" {}

variables {
  name                = "sealane-test"
  resource_group_name = "sealane-test"
  location            = "westeurope"
  issuer              = "https://issuer.example/"
  namespace           = "sealane-tenant-a"
  workloads = {
    worker       = { service_account = "sealane-worker", payload_key = true, api_key = true }
    codec-server = { service_account = "sealane-codec-server", payload_key = true, api_key = false }
  }
  keda_enabled            = true
  key_vault_id            = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.KeyVault/vaults/sealane-test"
  payload_key_secret_name = "payload-key"
  api_key_secret_name     = "temporal-api-key"
  tags                    = {}
}

run "temporal_cloud" {
  module {
    source = "./modules/identities"
  }

  assert {
    condition     = { for name, it in azurerm_federated_identity_credential.this : name => it.subject } == { worker = "system:serviceaccount:sealane-tenant-a:sealane-worker", codec-server = "system:serviceaccount:sealane-tenant-a:sealane-codec-server", keda = "system:serviceaccount:kube-system:keda-operator" }
    error_message = "subjects are ${jsonencode({ for name, it in azurerm_federated_identity_credential.this : name => it.subject })}"
  }

  assert {
    condition     = alltrue([for it in azurerm_federated_identity_credential.this : it.issuer == "https://issuer.example/" && it.audience == tolist(["api://AzureADTokenExchange"])])
    error_message = "a credential trusts another issuer or audience than the cluster's"
  }

  assert {
    condition     = keys(azurerm_user_assigned_identity.this) == keys(azurerm_federated_identity_credential.this) && length(distinct([for it in azurerm_user_assigned_identity.this : it.name])) == 3
    error_message = "identities are shared: ${jsonencode([for it in azurerm_user_assigned_identity.this : it.name])}"
  }

  assert {
    condition = { for name, it in azurerm_role_assignment.secrets : name => it.scope } == {
      "codec-server/payload-key" = "${var.key_vault_id}/secrets/payload-key"
      "keda/api-key"             = "${var.key_vault_id}/secrets/temporal-api-key"
      "worker/api-key"           = "${var.key_vault_id}/secrets/temporal-api-key"
      "worker/payload-key"       = "${var.key_vault_id}/secrets/payload-key"
    }
    error_message = "who reads what: ${jsonencode({ for name, it in azurerm_role_assignment.secrets : name => it.scope })}"
  }

  assert {
    condition     = alltrue([for it in azurerm_role_assignment.secrets : it.role_definition_name == "Key Vault Secrets User" && it.principal_type == "ServicePrincipal"])
    error_message = "a workload has another role than the one that reads secrets"
  }

  assert {
    condition     = length(time_sleep.propagation.triggers) == length(azurerm_role_assignment.secrets) + length(azurerm_federated_identity_credential.this)
    error_message = "a new role or credential is not waited for"
  }

  # What `sealane manifests check --infrastructure` compares with the cluster's.
  assert {
    condition     = alltrue([for it in output.identities : it.issuer == "https://issuer.example/"])
    error_message = "the output names another issuer: ${jsonencode(output.identities)}"
  }

  assert {
    condition     = output.identities["worker"].service_account == "sealane-worker" && output.identities["worker"].namespace == "sealane-tenant-a" && output.identities["worker"].credential_name == "sealane-worker" && output.identities["worker"].subject == azurerm_federated_identity_credential.this["worker"].subject
    error_message = "the output says something else: ${jsonencode(output.identities)}"
  }
}

run "temporal_in_the_cluster" {
  module {
    source = "./modules/identities"
  }

  variables {
    api_key_secret_name = null
  }

  assert {
    condition     = keys(azurerm_role_assignment.secrets) == ["codec-server/payload-key", "worker/payload-key"]
    error_message = "roles are ${jsonencode(keys(azurerm_role_assignment.secrets))}, expected none for an API key that does not exist"
  }
}

run "without_keda" {
  module {
    source = "./modules/identities"
  }

  variables {
    keda_enabled = false
  }

  assert {
    condition     = !contains(keys(output.identities), "keda") && !contains(keys(azurerm_role_assignment.secrets), "keda/api-key")
    error_message = "KEDA has an identity though it does not run"
  }
}
