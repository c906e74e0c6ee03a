output "container_url" {
  description = "URL of the container."
  value       = "${trimsuffix(azurerm_storage_account.this.primary_blob_endpoint, "/")}/${azurerm_storage_container.payloads.name}"

  depends_on = [azurerm_role_assignment.writers, azurerm_role_assignment.readers, azurerm_private_endpoint.this]
}
