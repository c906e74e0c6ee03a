# Lets time pass between two runs of a test.

terraform {
  required_providers {
    time = {
      source = "hashicorp/time"
    }
  }
}

resource "time_sleep" "this" {
  create_duration = "2s"
}
