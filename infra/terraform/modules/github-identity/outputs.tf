output "identities" {
  description = "What GitHub's workflows sign in as, by what they may do."
  value = {
    for name, subjects in local.used : name => {
      client_id    = azurerm_user_assigned_identity.this[name].client_id
      principal_id = azurerm_user_assigned_identity.this[name].principal_id
      subjects     = sort(subjects)
    }
  }

  depends_on = [azurerm_federated_identity_credential.this, azurerm_role_assignment.this]
}
