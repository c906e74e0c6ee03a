variable "name" {
  description = "First part of the names of the identities."
  type        = string
}

variable "resource_group_name" {
  description = "Group in which to create."
  type        = string
}

variable "location" {
  description = "Azure region."
  type        = string
}

variable "issuer" {
  description = "Issuer of the service account tokens."
  type        = string
}

variable "namespace" {
  description = "Kubernetes namespace of the service accounts."
  type        = string
}

variable "workloads" {
  description = "Workloads, and which secrets each may read."
  type        = map(object({ service_account = string, payload_key = bool, api_key = bool }))
}

variable "keda_enabled" {
  description = "Whether KEDA gets an identity."
  type        = bool
}

variable "key_vault_id" {
  description = "Vault that holds the secrets."
  type        = string
}

variable "payload_key_secret_name" {
  description = "Secret of the keys that encrypt payloads."
  type        = string
}

variable "api_key_secret_name" {
  description = "Secret of the API key of Temporal Cloud, null without it."
  type        = string
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
}
