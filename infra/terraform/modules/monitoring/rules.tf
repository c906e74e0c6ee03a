# Recording rules and alerts, from the file that the Prometheus operator uses too.

locals {
  groups = { for it in var.rule_groups : it.name => it }

  # Azure counts down to the worst, which is 0; azurerm leaves a 0 out, so 1 it is.
  severity = { critical = 1, warning = 2 }
}

resource "azurerm_monitor_alert_prometheus_rule_group" "this" {
  for_each = local.groups

  name                = "${var.name}-${each.key}"
  resource_group_name = var.resource_group_name
  location            = var.location
  cluster_name        = var.cluster_name
  scopes              = [azurerm_monitor_workspace.this.id]
  rule_group_enabled  = true
  # "2m" is "PT2M" to Azure.
  interval = "PT${upper(try(each.value.interval, "1m"))}"
  tags     = var.tags

  dynamic "rule" {
    for_each = each.value.rules

    content {
      enabled     = true
      expression  = rule.value.expr
      record      = try(rule.value.record, null)
      alert       = try(rule.value.alert, null)
      for         = try("PT${upper(rule.value.for)}", null)
      severity    = can(rule.value.alert) ? local.severity[rule.value.labels.severity] : null
      labels      = try(rule.value.labels, null)
      annotations = try(rule.value.annotations, null)

      dynamic "alert_resolution" {
        for_each = can(rule.value.alert) ? [true] : []

        content {
          auto_resolved   = true
          time_to_resolve = "PT10M"
        }
      }

      dynamic "action" {
        for_each = can(rule.value.alert) ? azurerm_monitor_action_group.this[*].id : []

        content {
          action_group_id = action.value
        }
      }
    }
  }
}
