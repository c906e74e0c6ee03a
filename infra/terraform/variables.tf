# The rules themselves are in rules.json, which infra/scripts/deploy reads too: what is refused there is what is refused here.
locals {
  rules = jsondecode(file("${path.module}/rules.json"))
}

variable "subscription_id" {
  description = "Subscription in which everything is created."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex(local.rules.subscription_id.pattern, var.subscription_id))
    error_message = "subscription_id is \"${var.subscription_id}\", expected ${local.rules.subscription_id.expected}."
  }
}

variable "tenant_id" {
  description = "Entra tenant of the subscription. Being signed in to another one is an error, not a surprise."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex(local.rules.tenant_id.pattern, var.tenant_id))
    error_message = "tenant_id is \"${var.tenant_id}\", expected ${local.rules.tenant_id.expected}."
  }
}

variable "environment" {
  description = "Name of this environment, part of every name. The same as its directory in infra/environments."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex(local.rules.environment.pattern, var.environment)) && length(var.environment) >= local.rules.environment.minimum_length && length(var.environment) <= local.rules.environment.maximum_length
    error_message = "environment is \"${var.environment}\", expected ${local.rules.environment.expected}."
  }
}

variable "name_prefix" {
  description = "First part of every name; infra/scripts/reap looks at nothing else."
  type        = string
  default     = "sealane"
  nullable    = false

  validation {
    condition     = can(regex(local.rules.name_prefix.pattern, var.name_prefix))
    error_message = "name_prefix is \"${var.name_prefix}\", expected ${local.rules.name_prefix.expected}."
  }
}

variable "location" {
  description = "Azure region of everything."
  type        = string
  nullable    = false

  validation {
    condition     = contains(local.rules.location.one_of, var.location)
    error_message = "location is \"${var.location}\", expected ${local.rules.location.expected}."
  }
}

variable "ttl_hours" {
  description = "Hours after creation from which infra/scripts/reap may delete the resource group; null keeps it."
  type        = number
  default     = null

  validation {
    condition     = var.ttl_hours == null ? true : floor(var.ttl_hours) == var.ttl_hours && var.ttl_hours >= local.rules.ttl_hours.minimum && var.ttl_hours <= local.rules.ttl_hours.maximum
    error_message = "ttl_hours is ${coalesce(var.ttl_hours, 0)}, expected ${local.rules.ttl_hours.expected}."
  }
}

variable "tags" {
  description = "Further tags of every resource."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.tags) : can(regex(local.rules.tags.pattern, name)) && !contains(local.rules.tags.reserved, name)])
    error_message = "tags are named ${join(", ", keys(var.tags))}, expected ${local.rules.tags.expected}."
  }
}

variable "operators" {
  description = "Who may operate the environment, by name as Entra shows it: administers the cluster, writes secrets, pushes images, administers the database."
  type = map(object({
    object_id = string
    type      = string
  }))
  nullable = false

  # Without anybody here nobody could enter the cluster: local accounts are off.
  validation {
    condition     = length(var.operators) >= local.rules.operators.minimum_length && alltrue([for it in var.operators : can(regex(local.rules.operators.pattern, it.object_id)) && contains(local.rules.operators.one_of, it.type)])
    error_message = "operators is ${jsonencode(var.operators)}, expected ${local.rules.operators.expected}."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the workloads; federated credentials name it."
  type        = string
  default     = "sealane"
  nullable    = false

  validation {
    condition     = can(regex(local.rules.namespace.pattern, var.namespace)) && length(var.namespace) >= local.rules.namespace.minimum_length && length(var.namespace) <= local.rules.namespace.maximum_length
    error_message = "namespace is \"${var.namespace}\", expected ${local.rules.namespace.expected}."
  }
}
