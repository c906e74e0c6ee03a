# The time at which an environment expires is set once. Time is real here, Azure is not.

mock_provider "azurerm" {
  source = "./tests/mocks"
}

variables {
  name      = "sealane-test"
  location  = "westeurope"
  ttl_hours = 24
  tags      = { environment = "test" }
}

run "made" {
  module {
    source = "./modules/resource-group"
  }

  assert {
    condition     = azurerm_resource_group.this.tags["expires-at"] == output.expires_at && azurerm_resource_group.this.tags["auto-destroy"] == "true"
    error_message = "the group has no tags by which it can be reaped"
  }

  assert {
    condition     = can(regex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", output.expires_at))
    error_message = "expires_at is ${output.expires_at}, expected RFC 3339 in UTC, which is all that reap accepts"
  }

  assert {
    condition     = timecmp(output.expires_at, timeadd(plantimestamp(), "24h5m")) < 0 && timecmp(output.expires_at, timeadd(plantimestamp(), "23h55m")) > 0
    error_message = "expires_at is ${output.expires_at}, expected 24 hours from now"
  }
}

run "time_passes" {
  module {
    source = "./tests/wait"
  }
}

run "planned_again" {
  command = plan

  module {
    source = "./modules/resource-group"
  }

  assert {
    condition     = azurerm_resource_group.this.tags["expires-at"] == run.made.expires_at
    error_message = "a later plan moves expires-at from ${run.made.expires_at} to ${azurerm_resource_group.this.tags["expires-at"]}"
  }
}

run "applied_again" {
  module {
    source = "./modules/resource-group"
  }

  assert {
    condition     = output.expires_at == run.made.expires_at
    error_message = "a later apply moves expires_at from ${run.made.expires_at} to ${output.expires_at}"
  }
}

run "prolonged_from_the_beginning" {
  module {
    source = "./modules/resource-group"
  }

  variables {
    ttl_hours = 48
  }

  assert {
    condition     = output.expires_at == timeadd(run.made.expires_at, "24h")
    error_message = "expires_at is ${output.expires_at}, expected 24 hours after ${run.made.expires_at}"
  }
}

run "kept" {
  module {
    source = "./modules/resource-group"
  }

  variables {
    ttl_hours = null
  }

  assert {
    condition     = output.expires_at == null && keys(azurerm_resource_group.this.tags) == tolist(["environment"])
    error_message = "a group without ttl_hours has tags of one that expires: ${jsonencode(azurerm_resource_group.this.tags)}"
  }
}
