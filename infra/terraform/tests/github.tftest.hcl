# What GitHub's workflows may do follows from where they run.

mock_provider "azurerm" {
  source = "./tests/mocks"
}

variables {
  name                = "sealane-test"
  resource_group_name = "sealane-test"
  resource_group_id   = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test"
  location            = "westeurope"
  subjects            = ["repo:o/r:ref:refs/heads/main", "repo:o/r:environment:production", "repo:o/r:environment:staging"]
  registry_id         = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.ContainerRegistry/registries/sealanetest"
  pull_role           = "AcrPull"
  push_role           = "AcrPush"
  cluster_id          = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.ContainerService/managedClusters/sealane-test"
  namespace           = "sealane"
  tags                = {}
}

run "branch_pushes_environment_deploys" {
  module {
    source = "./modules/github-identity"
  }

  assert {
    condition     = output.identities["push"].subjects == tolist(["repo:o/r:ref:refs/heads/main"]) && output.identities["deploy"].subjects == tolist(["repo:o/r:environment:production", "repo:o/r:environment:staging"])
    error_message = "identities are ${jsonencode(output.identities)}"
  }

  assert {
    condition     = alltrue([for it in azurerm_federated_identity_credential.this : it.issuer == "https://token.actions.githubusercontent.com"])
    error_message = "a credential trusts another issuer than GitHub"
  }

  assert {
    condition     = length(distinct([for it in azurerm_federated_identity_credential.this : it.name])) == 3
    error_message = "two subjects share a credential's name"
  }

  assert {
    condition = { for name, it in azurerm_role_assignment.this : name => "${it.role_definition_name} on ${it.scope}" } == {
      push        = "AcrPush on ${var.registry_id}"
      pull        = "AcrPull on ${var.registry_id}"
      read        = "Reader on ${var.resource_group_id}"
      credentials = "Azure Kubernetes Service Cluster User Role on ${var.cluster_id}"
      namespace   = "Azure Kubernetes Service RBAC Admin on ${var.cluster_id}/namespaces/sealane"
    }
    error_message = "roles are ${jsonencode({ for name, it in azurerm_role_assignment.this : name => "${it.role_definition_name} on ${it.scope}" })}"
  }

  assert {
    condition     = local.roles.push.identity == "push" && alltrue([for name, it in local.roles : it.identity == "deploy" if name != "push"])
    error_message = "an identity has a role of the other"
  }
}

run "a_branch_alone_cannot_deploy" {
  module {
    source = "./modules/github-identity"
  }

  variables {
    subjects = ["repo:o/r:ref:refs/heads/main"]
  }

  assert {
    condition     = keys(output.identities) == ["push"] && keys(azurerm_role_assignment.this) == ["push"]
    error_message = "identities are ${jsonencode(keys(output.identities))}, roles ${jsonencode(keys(azurerm_role_assignment.this))}"
  }
}

run "nobody" {
  module {
    source = "./modules/github-identity"
  }

  variables {
    subjects = []
  }

  assert {
    condition     = length(output.identities) == 0 && length(azurerm_user_assigned_identity.this) == 0
    error_message = "there is an identity though nobody is trusted"
  }
}
