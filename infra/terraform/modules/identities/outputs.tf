output "identities" {
  description = "Each workload's identity, known once it can be used."
  value = {
    for name, it in local.accounts : name => {
      client_id       = azurerm_user_assigned_identity.this[name].client_id
      principal_id    = azurerm_user_assigned_identity.this[name].principal_id
      service_account = it.service_account
      namespace       = it.namespace
      issuer          = azurerm_federated_identity_credential.this[name].issuer
      subject         = azurerm_federated_identity_credential.this[name].subject
      credential_name = azurerm_federated_identity_credential.this[name].name
    }
  }

  depends_on = [time_sleep.propagation]
}
