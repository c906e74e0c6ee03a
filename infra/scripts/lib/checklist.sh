# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# The checklist of docs/aks.md, executed. The lines are the same there; tests/scripts compares them.

# NAME: what is true. `line_NAME` proves it, with dashes as underscores.
readonly CHECKLIST=(
    'tags: The resource group carries the tags of its environment, and its time is not over'
    'cluster-identity: The cluster issues tokens for workload identity and has no local accounts'
    'upgrades: Kubernetes and the images of nodes are upgraded by themselves'
    'registry: The registry has no admin user and answers nobody without a name'
    'pull-role: The nodes, and only by their own identity, may pull from the registry'
    'vault-rbac: The vault decides by roles, and what is deleted there can be recovered'
    'vault-network: The vault refuses whoever is not let in'
    'identities: Each workload has an identity, a federated credential and a service account that agree'
    'kinds: The cluster knows every kind of object that was rendered'
    'keda: KEDA, where it is used, is there once and new enough'
    'namespace: The namespace enforces Pod Security `restricted`'
    'accounts: No two workloads share a service account, and none mounts its token'
    'network-policies: The network denies by default, in both directions'
    'budgets: Each disruption budget lets at least one pod go'
    'rollout: Every Deployment is rolled out'
    'digest: Every pod runs the image that was deployed, by its digest'
    'baseline: There are as many workers as the autoscaler keeps when there is nothing to do'
    'doctor: Every pod reaches its keys and Temporal, and workers poll'
    'api: The API answers those it knows and refuses all others'
    'workflow: A workflow completes with the right result, and its history in the server is ciphertext'
)

# go_through_checklist: proves line after line, prints each, and fails at the end if one is open.
go_through_checklist() {
    local line name open=() lines=()
    for line in "${CHECKLIST[@]}"; do
        name=${line%%:*}
        step "$name" "${line#*: }"
        if $DRY_RUN && [[ $name == workflow ]]; then
            lines+=("$(told "$name" skipped)")
            printf '%s\n' "- [ ] $line (a dry run starts none)"
        elif ("line_${name//-/_}"); then
            lines+=("$(told "$name" fulfilled)")
            printf '%s\n' "- [x] $line"
        else
            lines+=("$(told "$name" open)") open+=("$name")
            printf '%s\n' "- [ ] $line"
        fi
        rm -f -- "$WORK/failure"
    done
    fact_json checklist "[$(joined ', ' "${lines[@]}")]"
    step checklist 'counting'
    ((${#open[@]} == 0)) || fail checklist-open "${#open[@]} of ${#CHECKLIST[@]} lines are open: $(joined ', ' "${open[@]}")" \
        'each says above what it found, and what helps'
}

told() { printf '{"line": "%s", "outcome": "%s"}' "$1" "$2"; }

line_pull_role() { check_pull_role; }
line_identities() { check_identities; }
line_kinds() { check_kinds; }
line_keda() { WORKLOADS_ONLY=false check_keda; }
line_namespace() { check_namespace; }
line_rollout() { check_rolled_out; }
line_digest() { check_digest; }
line_baseline() { check_idle; }
line_doctor() { check_doctor; }

# A subshell has no end of its own that would close what it opened.
line_api() {
    trap on_finish EXIT
    check_api
}

line_workflow() {
    trap on_finish EXIT
    open_api
    authorise
    start_flow
    await_flow
    check_result
    prove_ciphertext
    prove_others
}

# shows WHAT SECONDS ARGUMENT…: asks az for columns, each true or text, and leaves them in COLUMNS_SHOWN.
COLUMNS_SHOWN=()
shows() {
    azure "${@:2}" --output tsv || fail azure-unreadable "az cannot show $1: $(complaint)" 'az role assignment create --role Reader on the resource group'
    read -r -a COLUMNS_SHOWN <<<"${ANSWER//[$'\n\t']/ }"
}

# Columns are as many as were asked for, so that one that is missing does not pass for another.
columns() {
    ((${#COLUMNS_SHOWN[@]} == $1)) || fail azure-unreadable "az does not say all of what was asked: \"${COLUMNS_SHOWN[*]}\"" 'run this again with --debug'
}

line_tags() {
    local group=${OUTPUTS[resource_group_name]} epoch now
    shows "group $group" 60 group show --name "$group" --query "[tags.\"part-of\" || 'none', tags.environment || 'none', tags.\"expires-at\" || 'none']"
    columns 3
    [[ ${COLUMNS_SHOWN[*]:0:2} == "sealane $ENVIRONMENT" ]] || fail group-not-ours "group $group has the tags part-of=${COLUMNS_SHOWN[0]} and environment=${COLUMNS_SHOWN[1]}" \
        "run \`infra/scripts/deploy $ENVIRONMENT\`: Terraform sets them"
    [[ ${COLUMNS_SHOWN[2]} != none ]] || return 0
    epoch=$(epoch_of "${COLUMNS_SHOWN[2]}") || fail expired "group $group expires at \"${COLUMNS_SHOWN[2]}\", which is no date" 'correct the tag expires-at'
    printf -v now '%(%s)T' -1
    ((now < epoch)) || fail expired "group $group expired at ${COLUMNS_SHOWN[2]}, and reap may delete it any night" 'raise ttl_hours, or set it to null'
}

line_cluster_identity() {
    shows 'the cluster' 60 aks show --resource-group "${OUTPUTS[resource_group_name]}" --name "${OUTPUTS[cluster_name]}" \
        --query '[oidcIssuerProfile.enabled || `false`, securityProfile.workloadIdentity.enabled || `false`, disableLocalAccounts || `false`]'
    columns 3
    [[ ${COLUMNS_SHOWN[*],,} == 'true true true' ]] || fail cluster-identity "issuer, workload identity, no local accounts: ${COLUMNS_SHOWN[*]}; expected true three times" \
        "run \`infra/scripts/deploy $ENVIRONMENT\`: Terraform sets them"
}

line_upgrades() {
    shows 'the cluster' 60 aks show --resource-group "${OUTPUTS[resource_group_name]}" --name "${OUTPUTS[cluster_name]}" \
        --query "[autoUpgradeProfile.upgradeChannel || 'none', autoUpgradeProfile.nodeOsUpgradeChannel || 'none']"
    columns 2
    [[ ! " ${COLUMNS_SHOWN[*],,} " =~ \ (none|unmanaged)\  ]] || fail no-upgrades "channels for Kubernetes and node images are ${COLUMNS_SHOWN[*]}" \
        "run \`infra/scripts/deploy $ENVIRONMENT\`: Terraform sets them"
}

line_registry() {
    shows 'the registry' 60 acr show --name "${OUTPUTS[registry_name]}" --query '[adminUserEnabled || `false`, anonymousPullEnabled || `false`]'
    columns 2
    [[ ${COLUMNS_SHOWN[*],,} == 'false false' ]] || fail registry-open "admin user and anonymous pull are ${COLUMNS_SHOWN[*]}, expected false twice" \
        "az acr update --name ${OUTPUTS[registry_name]} --admin-enabled false --anonymous-pull-enabled false"
}

line_vault_rbac() {
    shows 'the vault' 60 keyvault show --name "${OUTPUTS[key_vault_name]}" --query 'properties.[enableRbacAuthorization || `false`, enablePurgeProtection || `false`]'
    columns 2
    [[ ${COLUMNS_SHOWN[*],,} == 'true true' ]] || fail vault-rbac "RBAC and purge protection are ${COLUMNS_SHOWN[*]}, expected true twice" \
        "az keyvault update --name ${OUTPUTS[key_vault_name]} --enable-rbac-authorization true --enable-purge-protection true, after the roles are there"
}

line_vault_network() {
    shows 'the vault' 60 keyvault show --name "${OUTPUTS[key_vault_name]}" --query "[properties.publicNetworkAccess || 'Enabled', properties.networkAcls.defaultAction || 'Allow']"
    columns 2
    [[ ${COLUMNS_SHOWN[0]} == Disabled || ${COLUMNS_SHOWN[1]} == Deny ]] || fail vault-network "the vault lets everybody in (${COLUMNS_SHOWN[*]})" \
        "az keyvault update --name ${OUTPUTS[key_vault_name]} --default-action Deny"
}

readonly ACCOUNTS_PROGRAM='
  [.items[] | select(.kind == "Deployment") | .spec.template.spec
    | {account: (.serviceAccountName // "default"), mounts: (.automountServiceAccountToken != false)}] as $all
  | if ($all | length) == 0 then "there are no Deployments" else empty end,
    ($all | group_by(.account)[] | select(length > 1) | "\(length) Deployments share service account \(.[0].account)"),
    ($all[] | select(.mounts) | "a pod of service account \(.account) mounts its token"),
    ($all[] | select(.account == "default") | "a Deployment runs under service account default")'

# WorkerDeployments and Jobs are not looked at: what they start is no Deployment of ours, and they are one each.
line_accounts() { live_says deployments.apps "$ACCOUNTS_PROGRAM" account-shared 'take k8s/base as it is'; }

readonly DENIED_PROGRAM='
  def all($peers): any(.[]?; ((.[$peers] // []) + (.ports // []) | length) == 0);
  [.items[].spec | select(.podSelector == {})
    | (select((.policyTypes // [] | index("Ingress")) and (.ingress // [] | length) == 0) | "Ingress"),
      (select((.policyTypes // [] | index("Egress")) and (.egress // [] | length) == 0) | "Egress")] as $denied
  | (["Ingress", "Egress"] - $denied | select(length > 0) | "nothing denies \(join(" and ")) of every pod"),
    (.items[] | select((.spec.ingress | all("from")) or (.spec.egress | all("to"))) | "network policy \(.metadata.name) has a rule that allows everything")'
# Policies add up, so those of others count too.
line_network_policies() { live_says networkpolicies.networking.k8s.io "$DENIED_PROGRAM" network-open "run \`infra/scripts/deploy $ENVIRONMENT\`, and remove what allows everything" ''; }

readonly BUDGETS_PROGRAM='
  if .items | length == 0 then "there is no disruption budget" else empty end,
  (.items[] | select((.status.disruptionsAllowed // 0) < 1) | "budget \(.metadata.name) lets no pod go (\(.status.currentHealthy // 0) healthy, \(.status.desiredHealthy // 0) wanted)")'
line_budgets() { live_says poddisruptionbudgets.policy "$BUDGETS_PROGRAM" budget-blocks 'wait until its pods are ready, or give its Deployment one replica more'; }

# live_says KIND PROGRAM SLUG REMEDY [SELECTOR]: fails with what the program finds wrong in the objects of our namespace; with an empty
# SELECTOR in all of them, else in ours.
live_says() {
    kube 30 get "$1" --namespace "$RENDERED_NAMESPACE" --selector "${5-app.kubernetes.io/part-of=sealane}" --output json ||
        fail cluster-unreadable "kubectl get $1: $(complaint)" 'look at your role in the cluster'
    mv -f -- "$WORK/answer" "$WORK/objects-live.json"
    # jq says nothing, and finds nothing wrong, where there is nothing to read.
    if ! ask 20 jq -r "if (.items | type) == \"array\" then \"found\" else error(\"no list\") end, ($2)" "$WORK/objects-live.json" || [[ $ANSWER != found* ]]; then
        fail cluster-unreadable "kubectl printed no list: $(complaint)" 'run this again with --debug'
    fi
    [[ $ANSWER == found ]] || fail "$3" "$(joined ', ' "${ANSWER#found$'\n'}")" "$4"
}
