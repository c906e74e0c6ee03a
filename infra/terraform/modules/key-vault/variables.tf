variable "name" {
  description = "Name of the vault: at most 24 characters, unique in all of Azure."
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

variable "tenant_id" {
  description = "Entra tenant that the vault trusts."
  type        = string
}

variable "retention_days" {
  description = "Days for which deleted things can be recovered."
  type        = number
}

variable "ip_ranges" {
  description = "Public ranges let in; none closes the public address."
  type        = set(string)
}

variable "subnet_id" {
  description = "Subnet of the private endpoint."
  type        = string
}

variable "vnet_id" {
  description = "Network in which the private address is resolved."
  type        = string
}

variable "operators" {
  description = "Who may write secrets."
  type        = map(object({ object_id = string, type = string }))
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
}
