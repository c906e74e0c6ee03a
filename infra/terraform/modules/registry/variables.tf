variable "name" {
  description = "Name of the registry: letters and digits, unique in all of Azure."
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

variable "sku" {
  description = "Tier of the registry."
  type        = string
}

variable "role_mode" {
  description = "rbac or abac."
  type        = string
}

variable "kubelet_principal_id" {
  description = "Principal that pulls."
  type        = string
}

variable "operators" {
  description = "Who else may push."
  type        = map(object({ object_id = string, type = string }))
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
}
