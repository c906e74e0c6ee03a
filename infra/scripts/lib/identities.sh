# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# Workload identity is four things that have to agree: the service account that is rendered, the identity that Terraform made, the
# credential that is really there, and the issuer of the cluster. Where they do not, Entra says AADSTS70021 long after.

# Rows of what Terraform made: workload, account, namespace, client id, subject, credential. No column is empty.
readonly IDENTITIES_PROGRAM='.identities.value | to_entries[] | .value as $it
  | [.key, $it.service_account, $it.namespace, $it.client_id, $it.subject, $it.credential_name] | join(" ")'

# check_identities: compares all four, for each workload and for KEDA.
check_identities() {
    local rows row
    [[ $CLUSTER_ISSUER == "${OUTPUTS[oidc_issuer_url]}" ]] || fail issuer-mismatch \
        "the cluster's issuer is $CLUSTER_ISSUER, and the identities trust ${OUTPUTS[oidc_issuer_url]}" "let Terraform run (no --no-terraform): the cluster was made again"
    ask 20 jq -r "$IDENTITIES_PROGRAM" "$OUTPUTS_FILE" || fail outputs-unreadable "Terraform's output identities cannot be read: $(complaint)" "bring infra/terraform up to date and run this again"
    rows=$ANSWER
    list_identities
    while read -r -a row; do
        ((${#row[@]} == 6)) || fail outputs-unreadable "Terraform's output identities is incomplete: ${row[*]}" "let Terraform run (no --no-terraform)"
        check_account "${row[@]}"
        check_credential "${row[@]}"
    done <<<"$rows"
}

# Names of identities by client id: the credentials are listed by name.
declare -A IDENTITY_NAMES=()
list_identities() {
    local client name
    azure 60 identity list --resource-group "${OUTPUTS[resource_group_name]}" --query '[].[clientId, name]' --output tsv ||
        fail identity-unreadable "az cannot list identities: $(complaint)" "az role assignment create --role Reader on resource group ${OUTPUTS[resource_group_name]}"
    IDENTITY_NAMES=()
    while IFS=$'\t' read -r client name; do
        [[ -z $client ]] || IDENTITY_NAMES[$client]=$name
    done <<<"$ANSWER"
}

# The rendered account: there, with this identity, and what the subject says. KEDA's account is not rendered here.
check_account() {
    local workload=$1 account=$2 namespace=$3 client=$4 subject=$5 rendered
    [[ $subject == "system:serviceaccount:$namespace:$account" ]] || fail subject-mismatch \
        "the credential of $workload is for $subject, expected system:serviceaccount:$namespace:$account" "correct infra/terraform/workloads.json"
    [[ $workload != keda ]] || return 0
    [[ -v ACCOUNT_CLIENT[$namespace/$account] ]] || fail subject-mismatch \
        "no manifest has the service account $namespace/$account, which the credential of $workload is for" "compare infra/terraform/workloads.json and k8s/base/service-accounts.yaml"
    rendered=${ACCOUNT_CLIENT[$namespace/$account]}
    [[ $rendered == "$client" ]] || fail client-id-mismatch \
        "service account $namespace/$account names client id ${rendered:-none}, expected $client" "take azure.workload.identity/client-id out of infra/environments/$ENVIRONMENT/kustomization.yaml: deploy puts it there"
}

# The credential as Entra has it, not as Terraform remembers it.
check_credential() {
    local workload=$1 client=$4 subject=$5 credential=$6 name issuer live=()
    name=${IDENTITY_NAMES[$client]:-}
    [[ -n $name ]] || fail identity-missing "the identity of $workload ($client) is not in resource group ${OUTPUTS[resource_group_name]}" "let Terraform run (no --no-terraform)"
    azure 60 identity federated-credential list --identity-name "$name" --resource-group "${OUTPUTS[resource_group_name]}" \
        --query "[?subject=='$subject'].[issuer, join(',', audiences)]" --output tsv ||
        fail identity-unreadable "az cannot list the credentials of $name: $(complaint)" "az role assignment create --role Reader on resource group ${OUTPUTS[resource_group_name]}"
    [[ -n $ANSWER ]] || fail credential-missing "identity $name has no federated credential for $subject" \
        "az identity federated-credential create --name $credential --identity-name $name --resource-group ${OUTPUTS[resource_group_name]} --issuer $CLUSTER_ISSUER --subject $subject --audiences api://AzureADTokenExchange"
    while IFS=$'\t' read -r -a live; do
        issuer=${live[0]}
        [[ $issuer != "$CLUSTER_ISSUER" || ",${live[1]:-}," != *,api://AzureADTokenExchange,* ]] || return 0
    done <<<"$ANSWER"
    fail issuer-mismatch "the credential of $name trusts issuer $issuer with audience ${live[1]:-none}, expected $CLUSTER_ISSUER with api://AzureADTokenExchange" \
        "let Terraform run (no --no-terraform): the cluster was made again"
}
