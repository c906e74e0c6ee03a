# Two identities for GitHub's workflows: a branch pushes images, an environment (with its reviewers) deploys. Neither can
# do what the other can, and a pull request is neither. Who may deploy can read the payload keys, by starting a pod as
# the worker: guard the environment like the keys.

locals {
  subjects = {
    push   = toset([for it in var.subjects : it if strcontains(it, ":ref:")])
    deploy = toset([for it in var.subjects : it if strcontains(it, ":environment:")])
  }

  used = { for name, subjects in local.subjects : name => subjects if length(subjects) > 0 }

  credentials = merge([
    for name, subjects in local.used : { for it in subjects : "${name}/${it}" => { identity = name, subject = it } }
  ]...)

  roles = merge(
    contains(keys(local.used), "push") ? {
      push = { identity = "push", role = var.push_role, scope = var.registry_id }
    } : {},
    contains(keys(local.used), "deploy") ? {
      # The signature and the program of what it deploys.
      pull = { identity = "deploy", role = var.pull_role, scope = var.registry_id }
      # To look at what it deploys to: roles, credentials, tags.
      read        = { identity = "deploy", role = "Reader", scope = var.resource_group_id }
      credentials = { identity = "deploy", role = "Azure Kubernetes Service Cluster User Role", scope = var.cluster_id }
      namespace   = { identity = "deploy", role = "Azure Kubernetes Service RBAC Admin", scope = "${var.cluster_id}/namespaces/${var.namespace}" }
    } : {},
  )
}

resource "azurerm_user_assigned_identity" "this" {
  for_each = local.used

  name                = "${var.name}-github-${each.key}"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
}

# Several for one identity are safe: the provider itself writes them one after another.
resource "azurerm_federated_identity_credential" "this" {
  for_each = local.credentials

  # A subject has characters that a name may not have.
  name                      = "github-${substr(sha256(each.value.subject), 0, 16)}"
  user_assigned_identity_id = azurerm_user_assigned_identity.this[each.value.identity].id
  issuer                    = "https://token.actions.githubusercontent.com"
  subject                   = each.value.subject
  audience                  = ["api://AzureADTokenExchange"]
}

resource "azurerm_role_assignment" "this" {
  for_each = local.roles

  scope                            = each.value.scope
  role_definition_name             = each.value.role
  principal_id                     = azurerm_user_assigned_identity.this[each.value.identity].principal_id
  principal_type                   = "ServicePrincipal"
  skip_service_principal_aad_check = true
}
