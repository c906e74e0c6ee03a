variable "registry_sku" {
  description = "Tier of the container registry."
  type        = string
  default     = "Standard"
  nullable    = false

  validation {
    condition     = contains(local.rules.registry_sku.one_of, var.registry_sku)
    error_message = "registry_sku is \"${var.registry_sku}\", expected ${local.rules.registry_sku.expected}."
  }
}

variable "registry_role_mode" {
  description = "How the registry reads role assignments; decides which roles pull and push."
  type        = string
  default     = "rbac"
  nullable    = false

  validation {
    condition     = contains(local.rules.registry_role_mode.one_of, var.registry_role_mode)
    error_message = "registry_role_mode is \"${var.registry_role_mode}\", expected ${local.rules.registry_role_mode.expected}."
  }
}

variable "key_vault_ip_ranges" {
  description = "Public ranges from which operators reach the vault. Empty: the private endpoint is the only way in."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for it in var.key_vault_ip_ranges : can(regex(local.rules.key_vault_ip_ranges.pattern, it)) && can(cidrhost(it, 0)) && !endswith(it, "/0")])
    error_message = "key_vault_ip_ranges is ${jsonencode(var.key_vault_ip_ranges)}, expected ${local.rules.key_vault_ip_ranges.expected}."
  }
}

variable "key_vault_retention_days" {
  description = "Days for which a deleted vault or secret can be recovered, and the vault's name is taken."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = floor(var.key_vault_retention_days) == var.key_vault_retention_days && var.key_vault_retention_days >= local.rules.key_vault_retention_days.minimum && var.key_vault_retention_days <= local.rules.key_vault_retention_days.maximum
    error_message = "key_vault_retention_days is ${var.key_vault_retention_days}, expected ${local.rules.key_vault_retention_days.expected}."
  }
}

variable "payload_key_secret_name" {
  description = "Secret whose versions are the keys that encrypt payloads. Terraform gives access to it and never its value."
  type        = string
  default     = "payload-key"
  nullable    = false

  validation {
    condition     = can(regex(local.rules.payload_key_secret_name.pattern, var.payload_key_secret_name))
    error_message = "payload_key_secret_name is \"${var.payload_key_secret_name}\", expected ${local.rules.payload_key_secret_name.expected}."
  }
}

variable "api_key_secret_name" {
  description = "Secret that holds the API key of Temporal Cloud."
  type        = string
  default     = "temporal-api-key"
  nullable    = false

  validation {
    condition     = can(regex(local.rules.api_key_secret_name.pattern, var.api_key_secret_name)) && lower(var.api_key_secret_name) != lower(var.payload_key_secret_name)
    error_message = "api_key_secret_name is \"${var.api_key_secret_name}\", expected ${local.rules.api_key_secret_name.expected}."
  }
}

variable "large_payloads_enabled" {
  description = "Whether payloads too large for Temporal are kept in a storage account."
  type        = bool
  default     = false
  nullable    = false
}

variable "large_payloads_days" {
  description = "Days after which a stored payload is deleted: more than the longest run and the retention of its namespace together."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = floor(var.large_payloads_days) == var.large_payloads_days && var.large_payloads_days >= local.rules.large_payloads_days.minimum && var.large_payloads_days <= local.rules.large_payloads_days.maximum
    error_message = "large_payloads_days is ${var.large_payloads_days}, expected ${local.rules.large_payloads_days.expected}."
  }
}

variable "github_subjects" {
  description = "Subjects of GitHub's tokens that are trusted: branches push images, environments deploy."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.github_subjects) <= local.rules.github_subjects.maximum_length && alltrue([for it in var.github_subjects : can(regex(local.rules.github_subjects.pattern, it))])
    error_message = "github_subjects is ${jsonencode(var.github_subjects)}, expected ${local.rules.github_subjects.expected}."
  }
}

variable "temporal_mode" {
  description = "Which Temporal service the workloads use."
  type        = string
  nullable    = false

  validation {
    condition     = contains(local.rules.temporal_mode.one_of, var.temporal_mode)
    error_message = "temporal_mode is \"${var.temporal_mode}\", expected ${local.rules.temporal_mode.expected}."
  }
}

variable "temporal_address" {
  description = "Where the Temporal service answers. Without one, the frontend that k8s/temporal installs."
  type        = string
  default     = null

  validation {
    condition     = var.temporal_address == null ? var.temporal_mode != "cloud" : can(regex(local.rules.temporal_address.pattern, var.temporal_address))
    error_message = "temporal_address is \"${var.temporal_address == null ? "" : var.temporal_address}\", expected ${local.rules.temporal_address.expected}."
  }
}

variable "temporal_namespace" {
  description = "Namespace of Temporal in which the workflows run."
  type        = string
  default     = "default"
  nullable    = false

  validation {
    condition     = can(regex(local.rules.temporal_namespace.pattern, var.temporal_namespace)) && length(var.temporal_namespace) <= local.rules.temporal_namespace.maximum_length && (var.temporal_mode != "cloud" || strcontains(var.temporal_namespace, "."))
    error_message = "temporal_namespace is \"${var.temporal_namespace}\", expected ${local.rules.temporal_namespace.expected}."
  }
}

variable "postgresql_sku" {
  description = "Size of the database of a self-hosted Temporal."
  type        = string
  default     = "GP_Standard_D2ds_v5"
  nullable    = false

  validation {
    condition     = can(regex(local.rules.postgresql_sku.pattern, var.postgresql_sku))
    error_message = "postgresql_sku is \"${var.postgresql_sku}\", expected ${local.rules.postgresql_sku.expected}."
  }
}

variable "postgresql_version" {
  description = "Major version of PostgreSQL. A higher one upgrades in place, with downtime and no way back."
  type        = string
  default     = "17"
  nullable    = false

  validation {
    condition     = contains(local.rules.postgresql_version.one_of, var.postgresql_version)
    error_message = "postgresql_version is \"${var.postgresql_version}\", expected ${local.rules.postgresql_version.expected}."
  }
}

variable "postgresql_storage_mb" {
  description = "Storage of the database to begin with; it grows by itself."
  type        = number
  default     = 32768
  nullable    = false

  validation {
    condition     = contains(local.rules.postgresql_storage_mb.one_of, var.postgresql_storage_mb)
    error_message = "postgresql_storage_mb is ${var.postgresql_storage_mb}, expected ${local.rules.postgresql_storage_mb.expected}."
  }
}

variable "postgresql_zone_redundant" {
  description = "Whether a standby waits in another zone. Doubles the price of the database; not for sizes that begin with B_."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !(var.postgresql_zone_redundant && startswith(var.postgresql_sku, "B_"))
    error_message = "postgresql_zone_redundant is true and postgresql_sku is ${var.postgresql_sku}, expected a size that begins with GP_ or MO_: burstable servers have no standby."
  }
}

variable "postgresql_backup_days" {
  description = "Days of backups from which the database can be restored."
  type        = number
  default     = 14
  nullable    = false

  validation {
    condition     = floor(var.postgresql_backup_days) == var.postgresql_backup_days && var.postgresql_backup_days >= local.rules.postgresql_backup_days.minimum && var.postgresql_backup_days <= local.rules.postgresql_backup_days.maximum
    error_message = "postgresql_backup_days is ${var.postgresql_backup_days}, expected ${local.rules.postgresql_backup_days.expected}."
  }
}

variable "postgresql_password" {
  description = "Password of the database's administrator. Needed at every plan of a self-hosted environment, sent when the database is made or postgresql_password_version changes; in no plan, no state and no file."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = var.postgresql_password == null ? true : can(regex(local.rules.postgresql_password.pattern, var.postgresql_password)) && can(regex("[A-Z]", var.postgresql_password)) && can(regex("[a-z]", var.postgresql_password)) && can(regex("[0-9]", var.postgresql_password))
    error_message = "postgresql_password is unfit (its value is not shown), expected ${local.rules.postgresql_password.expected}."
  }
}

variable "postgresql_password_version" {
  description = "Raise it, with a new postgresql_password, to change the password of the database."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = floor(var.postgresql_password_version) == var.postgresql_password_version && var.postgresql_password_version >= local.rules.postgresql_password_version.minimum && var.postgresql_password_version <= local.rules.postgresql_password_version.maximum
    error_message = "postgresql_password_version is ${var.postgresql_password_version}, expected ${local.rules.postgresql_password_version.expected}."
  }
}

variable "log_retention_days" {
  description = "Days for which logs of the control plane and of the vault are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = floor(var.log_retention_days) == var.log_retention_days && var.log_retention_days >= local.rules.log_retention_days.minimum && var.log_retention_days <= local.rules.log_retention_days.maximum
    error_message = "log_retention_days is ${var.log_retention_days}, expected ${local.rules.log_retention_days.expected}."
  }
}

variable "alert_emails" {
  description = "Who is told when an alert fires."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for it in var.alert_emails : can(regex(local.rules.alert_emails.pattern, it))])
    error_message = "alert_emails is ${jsonencode(var.alert_emails)}, expected ${local.rules.alert_emails.expected}."
  }
}
