variable "name" {
  description = "Name of the cluster, and first part of the names of its identities."
  type        = string
}

variable "resource_group_name" {
  description = "Group in which to create."
  type        = string
}

variable "location" {
  description = "Azure region."
  type        = string
}

variable "tenant_id" {
  description = "Entra tenant whose people use the cluster."
  type        = string
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes."
  type        = string
}

variable "sku_tier" {
  description = "Tier of the control plane."
  type        = string
}

variable "private" {
  description = "Whether the API has a private address only."
  type        = bool
}

variable "authorized_ip_ranges" {
  description = "Ranges from which the API of a public cluster may be reached."
  type        = set(string)
}

variable "subnet_id" {
  description = "Subnet of the nodes."
  type        = string
}

variable "pod_cidr" {
  description = "Addresses of pods."
  type        = string
}

variable "service_cidr" {
  description = "Addresses of Services."
  type        = string
}

variable "zones" {
  description = "Availability zones of the nodes."
  type        = set(string)
}

variable "system_node_size" {
  description = "Virtual machines of the system pool."
  type        = string
}

variable "system_nodes" {
  description = "Least and most nodes of the system pool."
  type        = object({ min = number, max = number })
}

variable "worker_node_size" {
  description = "Virtual machines of the workload pool."
  type        = string
}

variable "worker_nodes" {
  description = "Least and most nodes of the workload pool."
  type        = object({ min = number, max = number })
}

variable "maintenance_day" {
  description = "Day of maintenance."
  type        = string
}

variable "maintenance_hour" {
  description = "UTC hour at which maintenance may begin."
  type        = number
}

variable "keda_enabled" {
  description = "Whether to run the KEDA add-on."
  type        = bool
}

variable "operators" {
  description = "Who administers the cluster."
  type        = map(object({ object_id = string, type = string }))
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
}
