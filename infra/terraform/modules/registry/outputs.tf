output "id" {
  description = "Resource id of the registry."
  value       = azurerm_container_registry.this.id
}

output "name" {
  description = "Name of the registry."
  value       = azurerm_container_registry.this.name
}

output "login_server" {
  description = "Host of the registry."
  value       = azurerm_container_registry.this.login_server
}

output "pull_role" {
  description = "Role that pulls from a registry of this mode."
  value       = local.roles.pull
}

output "push_role" {
  description = "Role that pushes to a registry of this mode."
  value       = local.roles.push
}
