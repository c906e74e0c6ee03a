variable "name" {
  description = "Name of the server, unique in all of Azure."
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
  description = "Entra tenant whose people use the database."
  type        = string
}

variable "sku" {
  description = "Size of the server."
  type        = string
}

variable "server_version" {
  description = "Major version of PostgreSQL."
  type        = string
}

variable "storage_mb" {
  description = "Storage to begin with."
  type        = number
}

variable "zone_redundant" {
  description = "Whether a standby waits in another zone."
  type        = bool
}

variable "backup_days" {
  description = "Days of backups."
  type        = number
}

variable "maintenance_day" {
  description = "Day of maintenance."
  type        = string
}

variable "maintenance_hour" {
  description = "UTC hour at which maintenance may begin."
  type        = number
}

variable "subnet_id" {
  description = "Subnet delegated to the server."
  type        = string
}

variable "vnet_id" {
  description = "Network in which its name is resolved."
  type        = string
}

variable "key_vault_id" {
  description = "Vault that keeps the password, known once it can be written."
  type        = string
}

variable "password" {
  description = "Password of the administrator; in no plan and no state."
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "password_version" {
  description = "Raised to set the password anew."
  type        = number
}

variable "operators" {
  description = "Who administers the database, with Entra."
  type        = map(object({ object_id = string, type = string }))
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
}
