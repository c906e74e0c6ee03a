output "id" {
  description = "Resource id of the group."
  value       = azurerm_resource_group.this.id
}

output "name" {
  description = "Name of the group, known once it exists."
  value       = azurerm_resource_group.this.name
}

output "expires_at" {
  description = "When the group expires (RFC 3339), null if it does not."
  value       = local.expires_at
}
