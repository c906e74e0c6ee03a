# The rules that run in Azure are those of the file, and the right things are logged.

mock_provider "azurerm" {
  source = "./tests/mocks"
}

variables {
  name                = "sealane-test"
  resource_group_name = "sealane-test"
  location            = "westeurope"
  cluster_id          = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.ContainerService/managedClusters/sealane-test"
  cluster_name        = "sealane-test"
  key_vault_id        = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/sealane-test/providers/Microsoft.KeyVault/vaults/sealane-test"
  log_retention_days  = 30
  alert_emails        = ["oncall@example.com"]
  rule_groups = [
    { name = "sealane.recorded", rules = [{ record = "a:b", expr = "sum(up)" }] },
    { name = "sealane.alerts", interval = "2m", rules = [
      { alert = "Bad", expr = "up == 0", for = "15m", labels = { severity = "critical" }, annotations = { summary = "it is bad" } },
      { alert = "Odd", expr = "up == 1", labels = { severity = "warning" }, annotations = { summary = "it is odd" } },
    ] },
  ]
  tags = {}
}

run "rules" {
  module {
    source = "./modules/monitoring"
  }

  assert {
    condition     = alltrue([for it in azurerm_monitor_alert_prometheus_rule_group.this : it.rule_group_enabled && alltrue([for rule in it.rule : rule.enabled])])
    error_message = "a group or a rule is switched off, which is azurerm's default"
  }

  assert {
    condition     = azurerm_monitor_alert_prometheus_rule_group.this["sealane.recorded"].interval == "PT1M" && azurerm_monitor_alert_prometheus_rule_group.this["sealane.recorded"].rule[0].record == "a:b" && azurerm_monitor_alert_prometheus_rule_group.this["sealane.recorded"].rule[0].severity == null
    error_message = "the recording rule is another one"
  }

  assert {
    condition     = azurerm_monitor_alert_prometheus_rule_group.this["sealane.alerts"].interval == "PT2M" && azurerm_monitor_alert_prometheus_rule_group.this["sealane.alerts"].rule[0].for == "PT15M" && azurerm_monitor_alert_prometheus_rule_group.this["sealane.alerts"].rule[1].for == null
    error_message = "durations are not what Azure reads"
  }

  assert {
    condition     = [for it in azurerm_monitor_alert_prometheus_rule_group.this["sealane.alerts"].rule : it.severity] == [1, 2]
    error_message = "severities are ${jsonencode([for it in azurerm_monitor_alert_prometheus_rule_group.this["sealane.alerts"].rule : it.severity])}"
  }

  assert {
    condition     = azurerm_monitor_alert_prometheus_rule_group.this["sealane.alerts"].rule[0].action[0].action_group_id == azurerm_monitor_action_group.this[0].id && length(azurerm_monitor_alert_prometheus_rule_group.this["sealane.recorded"].rule[0].action) == 0
    error_message = "nobody is told, or somebody is told of a recording rule"
  }

  assert {
    condition     = toset([for it in azurerm_monitor_diagnostic_setting.this["key-vault"].enabled_log : it.category]) == toset(["AuditEvent"]) && contains([for it in azurerm_monitor_diagnostic_setting.this["cluster"].enabled_log : it.category], "kube-audit-admin")
    error_message = "reads of keys or changes of the cluster are not logged"
  }

  assert {
    condition     = azurerm_monitor_data_collection_rule_association.this.target_resource_id == var.cluster_id && azurerm_monitor_data_collection_rule.this.destinations[0].monitor_account[0].monitor_account_id == azurerm_monitor_workspace.this.id
    error_message = "metrics go nowhere"
  }

  assert {
    condition     = !azurerm_log_analytics_workspace.this.local_authentication_enabled
    error_message = "logs can be read and written with a key"
  }
}

run "nobody_is_told" {
  module {
    source = "./modules/monitoring"
  }

  variables {
    alert_emails = []
  }

  assert {
    condition     = length(azurerm_monitor_action_group.this) == 0 && length(azurerm_monitor_alert_prometheus_rule_group.this["sealane.alerts"].rule[0].action) == 0
    error_message = "there is an action group without anybody in it"
  }
}
