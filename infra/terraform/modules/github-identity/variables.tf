variable "name" {
  description = "First part of the names of the identities."
  type        = string
}

variable "resource_group_name" {
  description = "Group in which to create."
  type        = string
}

variable "resource_group_id" {
  description = "The same group, as a scope."
  type        = string
}

variable "location" {
  description = "Azure region."
  type        = string
}

variable "subjects" {
  description = "Subjects of GitHub's tokens that are trusted."
  type        = set(string)
}

variable "registry_id" {
  description = "Registry of the images."
  type        = string
}

variable "pull_role" {
  description = "Role that pulls from this registry."
  type        = string
}

variable "push_role" {
  description = "Role that pushes to this registry."
  type        = string
}

variable "cluster_id" {
  description = "Cluster to which is deployed."
  type        = string
}

variable "namespace" {
  description = "The one namespace to which is deployed."
  type        = string
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
}
