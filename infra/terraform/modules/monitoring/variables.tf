variable "name" {
  description = "First part of the names."
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

variable "cluster_id" {
  description = "Cluster that is watched."
  type        = string
}

variable "cluster_name" {
  description = "Its name, by which rules select its series."
  type        = string
}

variable "key_vault_id" {
  description = "Vault whose reads are logged."
  type        = string
}

variable "log_retention_days" {
  description = "Days for which logs are kept."
  type        = number
}

variable "alert_emails" {
  description = "Who is told."
  type        = set(string)
}

variable "rule_groups" {
  description = "Groups of recording rules and alerts, as in a rules file of Prometheus."
  type        = any
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
}
