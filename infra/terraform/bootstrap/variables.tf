locals {
  rules = jsondecode(file("${path.module}/../rules.json"))
}

variable "subscription_id" {
  description = "Subscription in which the storage is created."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex(local.rules.subscription_id.pattern, var.subscription_id))
    error_message = "subscription_id is \"${var.subscription_id}\", expected ${local.rules.subscription_id.expected}."
  }
}

variable "tenant_id" {
  description = "Entra tenant of the subscription."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex(local.rules.tenant_id.pattern, var.tenant_id))
    error_message = "tenant_id is \"${var.tenant_id}\", expected ${local.rules.tenant_id.expected}."
  }
}

variable "location" {
  description = "Azure region of the storage."
  type        = string
  nullable    = false

  validation {
    condition     = contains(local.rules.location.one_of, var.location)
    error_message = "location is \"${var.location}\", expected ${local.rules.location.expected}."
  }
}

variable "name_prefix" {
  description = "First part of every name."
  type        = string
  default     = "sealane"
  nullable    = false

  validation {
    condition     = can(regex(local.rules.name_prefix.pattern, var.name_prefix))
    error_message = "name_prefix is \"${var.name_prefix}\", expected ${local.rules.name_prefix.expected}."
  }
}

variable "operators" {
  description = "Who may read and write states, by name."
  type = map(object({
    object_id = string
    type      = string
  }))
  nullable = false

  validation {
    condition     = length(var.operators) >= local.rules.operators.minimum_length && alltrue([for it in var.operators : can(regex(local.rules.operators.pattern, it.object_id)) && contains(local.rules.operators.one_of, it.type)])
    error_message = "operators is ${jsonencode(var.operators)}, expected ${local.rules.operators.expected}."
  }
}
