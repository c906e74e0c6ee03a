variable "kubernetes_version" {
  description = "Minor version of Kubernetes. Patches are applied by AKS, minor versions when you change this."
  type        = string
  default     = "1.36"
  nullable    = false

  validation {
    condition     = contains(local.rules.kubernetes_version.one_of, var.kubernetes_version)
    error_message = "kubernetes_version is \"${var.kubernetes_version}\", expected ${local.rules.kubernetes_version.expected}."
  }
}

variable "cluster_sku_tier" {
  description = "Tier of the control plane."
  type        = string
  default     = "Standard"
  nullable    = false

  validation {
    condition     = contains(local.rules.cluster_sku_tier.one_of, var.cluster_sku_tier)
    error_message = "cluster_sku_tier is \"${var.cluster_sku_tier}\", expected ${local.rules.cluster_sku_tier.expected}."
  }
}

variable "private_cluster" {
  description = "Whether the Kubernetes API has an address inside the virtual network only. Cannot be changed later."
  type        = bool
  default     = false
  nullable    = false
}

variable "authorized_ip_ranges" {
  description = "Ranges from which the Kubernetes API of a public cluster may be reached. [\"0.0.0.0/0\"] opens it, if that is what you want."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for it in var.authorized_ip_ranges : can(regex(local.rules.authorized_ip_ranges.pattern, it)) && can(cidrhost(it, 0))])
    error_message = "authorized_ip_ranges is ${jsonencode(var.authorized_ip_ranges)}, expected ${local.rules.authorized_ip_ranges.expected}."
  }

  # An empty list would mean everybody: Azure's default, and nobody's decision.
  validation {
    condition     = var.private_cluster == (length(var.authorized_ip_ranges) == 0)
    error_message = "authorized_ip_ranges has ${length(var.authorized_ip_ranges)} ranges and private_cluster is ${var.private_cluster}, expected ${local.rules.authorized_ip_ranges.expected}."
  }
}

variable "zones" {
  description = "Availability zones of the nodes."
  type        = set(string)
  default     = ["1", "2", "3"]
  nullable    = false

  validation {
    condition     = length(var.zones) >= local.rules.zones.minimum_length && alltrue([for it in var.zones : contains(local.rules.zones.one_of, it)])
    error_message = "zones is ${jsonencode(var.zones)}, expected ${local.rules.zones.expected}."
  }
}

variable "system_node_size" {
  description = "Virtual machines of the system pool, which runs what AKS itself needs and nothing else."
  type        = string
  default     = "Standard_D2s_v5"
  nullable    = false

  validation {
    condition     = can(regex(local.rules.system_node_size.pattern, var.system_node_size))
    error_message = "system_node_size is \"${var.system_node_size}\", expected ${local.rules.system_node_size.expected}."
  }
}

variable "system_nodes" {
  description = "Least and most nodes of the system pool."
  type        = object({ min = number, max = number })
  default     = { min = 2, max = 3 }
  nullable    = false

  validation {
    condition     = alltrue([for it in values(var.system_nodes) : floor(it) == it && it >= local.rules.system_nodes.minimum && it <= local.rules.system_nodes.maximum]) && var.system_nodes.min <= var.system_nodes.max
    error_message = "system_nodes is ${jsonencode(var.system_nodes)}, expected ${local.rules.system_nodes.expected}."
  }
}

variable "worker_node_size" {
  description = "Virtual machines of the pool on which the workloads run."
  type        = string
  default     = "Standard_D2s_v5"
  nullable    = false

  validation {
    condition     = can(regex(local.rules.worker_node_size.pattern, var.worker_node_size))
    error_message = "worker_node_size is \"${var.worker_node_size}\", expected ${local.rules.worker_node_size.expected}."
  }
}

variable "worker_nodes" {
  description = "Least and most nodes of the pool on which the workloads run."
  type        = object({ min = number, max = number })
  default     = { min = 2, max = 6 }
  nullable    = false

  validation {
    condition     = alltrue([for it in values(var.worker_nodes) : floor(it) == it && it >= local.rules.worker_nodes.minimum && it <= local.rules.worker_nodes.maximum]) && var.worker_nodes.min <= var.worker_nodes.max
    error_message = "worker_nodes is ${jsonencode(var.worker_nodes)}, expected ${local.rules.worker_nodes.expected}."
  }
}

variable "maintenance_day" {
  description = "Day on which AKS may upgrade nodes and patch version, and PostgreSQL may restart."
  type        = string
  default     = "Tuesday"
  nullable    = false

  validation {
    condition     = contains(local.rules.maintenance_day.one_of, var.maintenance_day)
    error_message = "maintenance_day is \"${var.maintenance_day}\", expected ${local.rules.maintenance_day.expected}."
  }
}

variable "maintenance_hour" {
  description = "Hour in UTC at which the maintenance window of four hours opens."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = floor(var.maintenance_hour) == var.maintenance_hour && var.maintenance_hour >= local.rules.maintenance_hour.minimum && var.maintenance_hour <= local.rules.maintenance_hour.maximum
    error_message = "maintenance_hour is ${var.maintenance_hour}, expected ${local.rules.maintenance_hour.expected}."
  }
}

variable "keda_enabled" {
  description = "Whether AKS runs its KEDA add-on, with an identity that may read Temporal's API key and nothing else."
  type        = bool
  default     = true
  nullable    = false
}

variable "vnet_cidr" {
  description = "Addresses of the virtual network: its first quarter for nodes, the rest for endpoints and the database."
  type        = string
  default     = "10.40.0.0/16"
  nullable    = false

  validation {
    condition     = can(regex(local.rules.vnet_cidr.pattern, var.vnet_cidr)) && can(cidrhost(var.vnet_cidr, 0))
    error_message = "vnet_cidr is \"${var.vnet_cidr}\", expected ${local.rules.vnet_cidr.expected}."
  }
}

variable "pod_cidr" {
  description = "Addresses of pods, which exist inside the cluster only."
  type        = string
  default     = "10.244.0.0/16"
  nullable    = false

  validation {
    condition     = can(regex(local.rules.pod_cidr.pattern, var.pod_cidr)) && can(cidrhost(var.pod_cidr, 0))
    error_message = "pod_cidr is \"${var.pod_cidr}\", expected ${local.rules.pod_cidr.expected}."
  }
}

variable "service_cidr" {
  description = "Addresses of Services, which exist inside the cluster only."
  type        = string
  default     = "10.41.0.0/16"
  nullable    = false

  validation {
    condition     = can(regex(local.rules.service_cidr.pattern, var.service_cidr)) && can(cidrhost(var.service_cidr, 0))
    error_message = "service_cidr is \"${var.service_cidr}\", expected ${local.rules.service_cidr.expected}."
  }

  # Azure would say so only after the network has been made.
  validation {
    condition = alltrue([for pair in [[var.vnet_cidr, var.pod_cidr], [var.vnet_cidr, var.service_cidr], [var.pod_cidr, var.service_cidr]] :
      # As seen from the wider one of the two. What is no range has a message of its own.
      try(length(distinct([for it in pair : cidrhost("${split("/", it)[0]}/${min([for other in pair : tonumber(split("/", other)[1])]...)}", 0)])) == 2, true)
    ])
    error_message = "vnet_cidr ${var.vnet_cidr}, pod_cidr ${var.pod_cidr} and service_cidr ${var.service_cidr} overlap, expected three ranges apart from each other."
  }
}
