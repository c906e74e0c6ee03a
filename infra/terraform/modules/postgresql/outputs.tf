output "fqdn" {
  description = "Host of the server."
  value       = azurerm_postgresql_flexible_server.this.fqdn
}

output "password_secret_name" {
  description = "Secret of the vault that holds the password."
  value       = azurerm_key_vault_secret.password.name
}
