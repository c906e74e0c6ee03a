# One virtual network: nodes, private endpoints, the database. Pods and Services have addresses of their own, inside the cluster.

resource "azurerm_virtual_network" "this" {
  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  address_space       = [var.vnet_cidr]
  tags                = var.tags
}

# AKS guards the nodes with a security group of its own, and opens it for each Service of type LoadBalancer. A second
# one here would have to be opened by hand.
resource "azurerm_subnet" "nodes" {
  name                 = "nodes"
  resource_group_name  = var.resource_group_name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = [cidrsubnet(var.vnet_cidr, 2, 0)]
}

resource "azurerm_subnet" "endpoints" {
  name                              = "endpoints"
  resource_group_name               = var.resource_group_name
  virtual_network_name              = azurerm_virtual_network.this.name
  address_prefixes                  = [cidrsubnet(var.vnet_cidr, 8, 64)]
  private_endpoint_network_policies = "NetworkSecurityGroupEnabled"
}

resource "azurerm_subnet" "database" {
  name                 = "database"
  resource_group_name  = var.resource_group_name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = [cidrsubnet(var.vnet_cidr, 8, 65)]

  delegation {
    name = "postgresql"

    service_delegation {
      name    = "Microsoft.DBforPostgreSQL/flexibleServers"
      actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
    }
  }
}

locals {
  # Who may connect to what; everything else that comes from the network or its peers is refused.
  inbound = {
    endpoints = { subnet = azurerm_subnet.endpoints, sources = ["VirtualNetwork"], ports = ["443"] }
    database  = { subnet = azurerm_subnet.database, sources = azurerm_subnet.nodes.address_prefixes, ports = ["5432", "6432"] }
  }
}

resource "azurerm_network_security_group" "this" {
  for_each = local.inbound

  name                = "${var.name}-${each.key}"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags

  security_rule {
    name                       = "clients"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = one(each.value.sources)
    source_port_range          = "*"
    destination_address_prefix = one(each.value.subnet.address_prefixes)
    destination_port_ranges    = each.value.ports
  }

  # A server and its standby replicate inside their subnet.
  security_rule {
    name                       = "itself"
    priority                   = 110
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "*"
    source_address_prefix      = one(each.value.subnet.address_prefixes)
    source_port_range          = "*"
    destination_address_prefix = one(each.value.subnet.address_prefixes)
    destination_port_range     = "*"
  }

  security_rule {
    name                       = "nobody-else"
    priority                   = 4096
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_address_prefix      = "*"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }
}

resource "azurerm_subnet_network_security_group_association" "endpoints" {
  subnet_id                 = azurerm_subnet.endpoints.id
  network_security_group_id = azurerm_network_security_group.this["endpoints"].id
}

resource "azurerm_subnet_network_security_group_association" "database" {
  subnet_id                 = azurerm_subnet.database.id
  network_security_group_id = azurerm_network_security_group.this["database"].id
}
