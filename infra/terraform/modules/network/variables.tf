variable "name" {
  description = "Name of the network, and first part of the names of what is in it."
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

variable "vnet_cidr" {
  description = "Addresses of the network, /16 to /20."
  type        = string
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
}
