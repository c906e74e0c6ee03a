# Where the state is kept: `terraform -chdir=infra/terraform/bootstrap output -raw backend` prints these lines.
subscription_id      = "00000000-0000-0000-0000-000000000000"
tenant_id            = "00000000-0000-0000-0000-000000000000"
resource_group_name  = "sealane-terraform"
storage_account_name = "sealanetf0000000000"
container_name       = "states"
key                  = "example.tfstate"
