# One identity for each workload, so that each reads what it needs and nothing else, and each service account is trusted
# by one identity only. One credential each: nothing writes two to an identity at once, which Azure refuses.

locals {
  # KEDA's operator signs in as itself when it asks Temporal Cloud for the length of a queue; it never needs a payload.
  keda = var.keda_enabled ? {
    keda = { service_account = "keda-operator", namespace = "kube-system", payload_key = false, api_key = true }
  } : {}

  accounts = merge({ for name, it in var.workloads : name => merge(it, { namespace = var.namespace }) }, local.keda)

  secrets = merge([
    for name, it in local.accounts : merge(
      it.payload_key ? { "${name}/payload-key" = { account = name, secret = var.payload_key_secret_name } } : {},
      it.api_key && var.api_key_secret_name != null ? { "${name}/api-key" = { account = name, secret = var.api_key_secret_name } } : {},
    )
  ]...)
}

resource "azurerm_user_assigned_identity" "this" {
  for_each = local.accounts

  name                = "${var.name}-${each.key}"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
}

resource "azurerm_federated_identity_credential" "this" {
  for_each = local.accounts

  name                      = each.value.service_account
  user_assigned_identity_id = azurerm_user_assigned_identity.this[each.key].id
  issuer                    = var.issuer
  subject                   = "system:serviceaccount:${each.value.namespace}:${each.value.service_account}"
  audience                  = ["api://AzureADTokenExchange"]
}

# The scope is the secret, not the vault: a worker cannot read what else will be put there.
resource "azurerm_role_assignment" "secrets" {
  for_each = local.secrets

  scope                            = "${var.key_vault_id}/secrets/${each.value.secret}"
  role_definition_name             = "Key Vault Secrets User"
  principal_id                     = azurerm_user_assigned_identity.this[each.value.account].principal_id
  principal_type                   = "ServicePrincipal"
  skip_service_principal_aad_check = true
}

# Until the roles and credentials are known everywhere, a pod would be refused (ForbiddenByRbac, AADSTS70021).
resource "time_sleep" "propagation" {
  create_duration = "120s"
  triggers = merge(
    { for name, it in azurerm_role_assignment.secrets : "role/${name}" => it.id },
    { for name, it in azurerm_federated_identity_credential.this : "credential/${name}" => it.id },
  )
}
