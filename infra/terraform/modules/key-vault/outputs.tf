output "id" {
  description = "Resource id of the vault."
  value       = azurerm_key_vault.this.id
}

output "writable_id" {
  description = "The same, known once operators can write secrets."
  value       = azurerm_key_vault.this.id

  depends_on = [time_sleep.officers, azurerm_private_endpoint.this]
}

output "name" {
  description = "Name of the vault."
  value       = azurerm_key_vault.this.name
}

output "url" {
  description = "URL of the vault."
  value       = trimsuffix(azurerm_key_vault.this.vault_uri, "/")
}
