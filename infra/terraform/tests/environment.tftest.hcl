# The whole of an environment, in both modes, as the scripts see it.

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
  postgresql_password  = "Correct-Horse-Battery-9"
}

run "self_hosted" {
  variables {
    temporal_mode = "self-hosted"
    ttl_hours     = 24
  }

  assert {
    condition     = output.temporal_address == "temporal-frontend.temporal.svc.cluster.local:7233" && output.temporal_namespace == "default" && output.api_key_secret_name == null
    error_message = "workloads would look for Temporal elsewhere"
  }

  assert {
    condition     = output.postgresql_fqdn == "sealane-test.postgres.database.azure.com" && output.postgresql_password_secret_name == "postgresql-password-1790000000"
    error_message = "the database is not in the outputs"
  }

  assert {
    condition     = keys(output.identities) == ["api", "codec-server", "keda", "trigger", "worker"] && output.identities["api"].subject == "system:serviceaccount:sealane:sealane-api"
    error_message = "identities are ${jsonencode(output.identities)}"
  }

  assert {
    condition     = alltrue([for it in output.identities : it.issuer == output.oidc_issuer_url])
    error_message = "a credential trusts another issuer than the cluster: ${jsonencode(output.identities)}"
  }

  assert {
    condition     = output.pod_cidr == "10.244.0.0/16"
    error_message = "pods are said to have ${output.pod_cidr}"
  }

  assert {
    condition     = output.expires_at == "2026-11-23T12:00:00Z" && output.resource_group_name == "sealane-test" && output.key_vault_url == "https://sealane-test.vault.azure.net" && output.registry_role_mode == "rbac"
    error_message = "outputs differ from what was made"
  }

  assert {
    condition     = length(output.github_identities) == 0
    error_message = "GitHub is trusted though nobody said so"
  }

  assert {
    condition     = length(local.rules) > 0 && alltrue([for it in local.workloads : it.payload_key])
    error_message = "a workload cannot read payloads"
  }
}

run "a_later_plan" {
  command = plan

  variables {
    temporal_mode = "self-hosted"
    ttl_hours     = 24
  }

  assert {
    condition     = output.expires_at == run.self_hosted.expires_at
    error_message = "a later plan moves expires_at"
  }
}

run "cloud" {
  variables {
    temporal_mode      = "cloud"
    temporal_address   = "my-namespace.a1b2c.tmprl.cloud:7233"
    temporal_namespace = "my-namespace.a1b2c"
    keda_enabled       = false
    private_cluster    = true
    registry_role_mode = "abac"
    github_subjects    = ["repo:o/r:ref:refs/heads/main", "repo:o/r:environment:production"]

    authorized_ip_ranges = []
  }

  assert {
    condition     = output.postgresql_fqdn == null && output.postgresql_password_secret_name == null && output.expires_at == null
    error_message = "there is a database nobody needs, or an end nobody set"
  }

  assert {
    condition     = output.temporal_address == "my-namespace.a1b2c.tmprl.cloud:7233" && output.api_key_secret_name == "temporal-api-key"
    error_message = "workloads would look for Temporal Cloud elsewhere"
  }

  assert {
    condition     = keys(output.identities) == ["api", "codec-server", "trigger", "worker"] && !output.keda_enabled
    error_message = "KEDA has an identity though it does not run"
  }

  assert {
    condition     = module.registry.pull_role == "Container Registry Repository Reader" && module.registry.push_role == "Container Registry Repository Writer"
    error_message = "roles of a registry in mode abac are ${module.registry.pull_role} and ${module.registry.push_role}"
  }

  assert {
    condition     = keys(output.github_identities) == ["deploy", "push"] && output.registry_role_mode == "abac"
    error_message = "GitHub's identities are ${jsonencode(output.github_identities)}"
  }
}
