output "backend" {
  description = "What belongs into infra/environments/NAME/backend.hcl, with the environment's own name as the key."
  value       = <<-EOT
    subscription_id      = "${var.subscription_id}"
    tenant_id            = "${var.tenant_id}"
    resource_group_name  = "${azurerm_resource_group.this.name}"
    storage_account_name = "${azurerm_storage_account.this.name}"
    container_name       = "${azurerm_storage_container.states.name}"
    key                  = "NAME.tfstate"
  EOT
}
