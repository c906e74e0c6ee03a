# The group, and the tags by which it may be reaped. time_offset remembers when it was made: a plan made later is the same.

resource "time_offset" "expiry" {
  count = var.ttl_hours == null ? 0 : 1

  offset_hours = var.ttl_hours
}

locals {
  expires_at = one(time_offset.expiry[*].rfc3339)
  ttl_tags   = var.ttl_hours == null ? {} : { auto-destroy = "true", expires-at = local.expires_at }
}

resource "azurerm_resource_group" "this" {
  name     = var.name
  location = var.location
  tags     = merge(var.tags, local.ttl_tags)
}
