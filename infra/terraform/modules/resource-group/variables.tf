variable "name" {
  description = "Name of the group."
  type        = string
}

variable "location" {
  description = "Azure region."
  type        = string
}

variable "ttl_hours" {
  description = "Hours after creation at which the group expires, null if it does not."
  type        = number
}

variable "tags" {
  description = "Further tags."
  type        = map(string)
}
