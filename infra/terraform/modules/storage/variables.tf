variable "name" {
  description = "Name of the storage account: 3 to 24 lower-case letters and digits, unique in all of Azure."
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

variable "retention_days" {
  description = "Days after which a blob is deleted."
  type        = number
}

variable "undelete_days" {
  description = "Days for which a deleted blob can be recovered."
  type        = number
}

variable "subnet_id" {
  description = "Subnet of the private endpoint."
  type        = string
}

variable "vnet_id" {
  description = "Network in which the private address is resolved."
  type        = string
}

variable "writers" {
  description = "Principals that store and read blobs, by workload."
  type        = map(string)
}

variable "readers" {
  description = "Principals that only read blobs, by workload."
  type        = map(string)
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
}
