output "vnet_id" {
  description = "Resource id of the network."
  value       = azurerm_virtual_network.this.id
}

output "nodes_subnet_id" {
  description = "Subnet of the nodes."
  value       = azurerm_subnet.nodes.id
}

# Each is known once its guard is in place.
output "endpoints_subnet_id" {
  description = "Subnet of private endpoints."
  value       = azurerm_subnet_network_security_group_association.endpoints.subnet_id
}

output "database_subnet_id" {
  description = "Subnet of the database."
  value       = azurerm_subnet_network_security_group_association.database.subnet_id
}
