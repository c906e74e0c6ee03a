output "environment" {
  description = "Name of this environment."
  value       = var.environment
}

output "location" {
  description = "Azure region of everything."
  value       = var.location
}

output "subscription_id" {
  description = "Subscription of everything."
  value       = var.subscription_id
}

output "tenant_id" {
  description = "Entra tenant that issues tokens to the workloads."
  value       = var.tenant_id
}

output "resource_group_name" {
  description = "Resource group of everything but the nodes."
  value       = module.resource_group.name
}

output "expires_at" {
  description = "When the environment may be reaped (RFC 3339), null if never."
  value       = module.resource_group.expires_at
}

output "cluster_name" {
  description = "Name of the AKS cluster."
  value       = module.cluster.name
}

output "cluster_id" {
  description = "Resource id of the AKS cluster."
  value       = module.cluster.id
}

output "kubernetes_version" {
  description = "Minor version of Kubernetes that was asked for."
  value       = var.kubernetes_version
}

output "oidc_issuer_url" {
  description = "Issuer of the cluster's service account tokens."
  value       = module.cluster.oidc_issuer_url
}

output "kubelet_principal_id" {
  description = "Principal that pulls images."
  value       = module.cluster.kubelet_principal_id
}

output "registry_name" {
  description = "Name of the container registry."
  value       = module.registry.name
}

output "registry_id" {
  description = "Resource id of the container registry."
  value       = module.registry.id
}

output "registry_login_server" {
  description = "Host of the container registry."
  value       = module.registry.login_server
}

output "registry_role_mode" {
  description = "How the registry reads role assignments: rbac or abac."
  value       = var.registry_role_mode
}

output "key_vault_name" {
  description = "Name of the Key Vault."
  value       = module.key_vault.name
}

output "key_vault_id" {
  description = "Resource id of the Key Vault."
  value       = module.key_vault.id
}

output "key_vault_url" {
  description = "KEYVAULT_URL of the workloads."
  value       = module.key_vault.url
}

output "payload_key_secret_name" {
  description = "KEYVAULT_SECRET_NAME of the workloads."
  value       = var.payload_key_secret_name
}

output "api_key_secret_name" {
  description = "KEYVAULT_API_KEY_SECRET_NAME of the workloads, null unless Temporal Cloud is used."
  value       = local.api_key_secret_name
}

output "blob_container_url" {
  description = "SEALANE_BLOB_CONTAINER_URL of the workloads, null unless large payloads are enabled."
  value       = var.large_payloads_enabled ? module.storage[0].container_url : null
}

output "identities" {
  description = "Identity of each workload, and KEDA's if it is enabled: client_id, principal_id, service_account, namespace, issuer, subject, credential_name."
  value       = module.identities.identities
}

output "pod_cidr" {
  description = "Addresses of pods, SEALANE_TRUSTED_PROXIES behind a gateway or an ingress."
  value       = var.pod_cidr
}

output "namespace" {
  description = "Kubernetes namespace of the workloads."
  value       = var.namespace
}

output "temporal_mode" {
  description = "self-hosted or cloud."
  value       = var.temporal_mode
}

output "temporal_address" {
  description = "TEMPORAL_ADDRESS of the workloads."
  value       = local.temporal_address
}

output "temporal_namespace" {
  description = "TEMPORAL_NAMESPACE of the workloads."
  value       = var.temporal_namespace
}

output "postgresql_fqdn" {
  description = "Host of the database, null with Temporal Cloud."
  value       = local.self_hosted ? module.postgresql[0].fqdn : null
}

output "postgresql_password_secret_name" {
  description = "Secret of the vault that holds the password of the database, null with Temporal Cloud."
  value       = local.self_hosted ? module.postgresql[0].password_secret_name : null
}

output "github_identities" {
  description = "Identities for GitHub's workflows, by what they may do: push, deploy. client_id, principal_id, subjects each."
  value       = module.github_identity.identities
}

output "keda_enabled" {
  description = "Whether AKS runs its KEDA add-on."
  value       = var.keda_enabled
}
