# shellcheck shell=bash disable=SC2016,SC2034,SC2153,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# What has to be true before an environment is destroyed, and the destruction by Terraform.

GROUP='' NODE_GROUP='' GROUP_EXISTS=false CLUSTER_REACHED=false NOTHING_IN_STATE=false DESTROYED=0 RUNNING=0
declare -a NAMESPACES=()

# take_outputs: those of the state, or, where a destruction has emptied it, the ones that were saved.
take_outputs() {
    ask 120 terraform -chdir="$ROOT/infra/terraform" output -json -no-color || terraform_failed terraform-output 'run this again'
    if [[ ${ANSWER//[[:space:]]/} != '{}' ]]; then
        mv -f -- "$WORK/answer" "$WORK/outputs.json"
    else
        NOTHING_IN_STATE=true
        note 'the state is empty'
    fi
    read_outputs
    require_outputs environment subscription_id tenant_id resource_group_name cluster_name namespace key_vault_name location
    compare_outputs
    keep_outputs
    GROUP=${OUTPUTS[resource_group_name]}
    fact resource_group "$GROUP"
    fact state "infra/environments/$ENVIRONMENT/backend.hcl"
}

# guard_group: it is the one that Terraform made for this environment, and it was made to go again.
guard_group() {
    group_exists "$GROUP" || { note "resource group $GROUP is gone already"; return; }
    GROUP_EXISTS=true
    azure 60 group show --name "$GROUP" --output tsv \
        --query "[id, tags.\"part-of\" || 'none', tags.environment || 'none', tags.\"auto-destroy\" || 'none', tags.\"expires-at\" || 'none']" ||
        fail group-unreadable "az cannot show resource group $GROUP: $(complaint)" 'run this again'
    local id part_of environment destroy expires
    {
        read -r id && read -r part_of && read -r environment && read -r destroy && read -r expires
    } <<<"${ANSWER//$'\t'/$'\n'}" || fail group-unreadable "az does not say what resource group $GROUP is like" "run \`az group show --name $GROUP\`"
    if [[ ${id,,} != "/subscriptions/$SUBSCRIPTION/resourcegroups/${GROUP,,}" || $part_of != sealane || $environment != "$ENVIRONMENT" ]]; then
        refuse group-not-ours "$id has the tags part-of=$part_of and environment=$environment, expected sealane and $ENVIRONMENT" \
            'Terraform sets them; look whose group it is before you correct them'
    fi
    if [[ $destroy != true || $expires == none ]]; then
        $PERMANENT || refuse meant-to-stay "resource group $GROUP has no time to live (tags auto-destroy, expires-at), so it is meant to stay" \
            'give --permanent if it is to go all the same'
    fi
    fact expires_at "$expires"
}

# guard_locks: a lock in the group or above would stop the destruction half way.
guard_locks() {
    $GROUP_EXISTS || return 0
    azure 120 lock list --resource-group "$GROUP" --query '[].name' --output tsv ||
        fail locks-unknown "az lock list: $(complaint)" 'ask somebody who may read locks at the group'
    [[ -z $ANSWER ]] || refuse locked "resource group $GROUP is held by ${ANSWER//$'\n'/, }" \
        "whoever set it has to remove it: az lock delete --resource-group $GROUP --name NAME"
}

# reach_cluster: credentials and context, unless the cluster is gone already. --force goes on without a cluster that does not answer.
reach_cluster() {
    $GROUP_EXISTS || return 0
    if ! azure 60 aks show --resource-group "$GROUP" --name "${OUTPUTS[cluster_name]}" --query nodeResourceGroup --output tsv; then
        [[ $COMPLAINT == *ResourceNotFound* ]] || fail cluster-unreadable "az aks show: $(complaint)" 'run this again'
        note "cluster ${OUTPUTS[cluster_name]} is gone already"
        return
    fi
    NODE_GROUP=$ANSWER
    isolate_kubectl
    if ! $FORCE; then
        fetch_kubeconfig
        guard_cluster
    elif ! (fetch_kubeconfig && guard_cluster); then
        # It was told, and is no failure of this run.
        rm -f -- "$WORK/failure"
        warn 'the cluster cannot be asked; it is destroyed with whatever runs in it'
        return
    fi
    CLUSTER_REACHED=true
    kube 30 get namespaces --output jsonpath='{range .items[*]}{.metadata.name} {.metadata.labels.app\.kubernetes\.io/part-of}{"\n"}{end}' ||
        fail cluster-unreachable "kubectl get namespaces: $(complaint)" 'run this again'
    # Every cluster has it. Without, this is no list, and says nothing of what runs.
    [[ $'\n'$ANSWER == *$'\nkube-system '* ]] || fail cluster-unreachable 'kubectl get namespaces lists no kube-system, so not all there is' 'run this again'
    mapfile -t NAMESPACES < <(ours <<<"$ANSWER")
}

# Prints the names of namespaces that are part of Sealane, its Temporal included.
ours() {
    local name part_of
    while read -r name part_of; do
        if [[ $part_of == sealane || $name == "${OUTPUTS[namespace]}" || $name == temporal ]]; then printf '%s\n' "$name"; fi
    done
}

# guard_workflows: none runs. The API of each namespace is asked, since it has the connection and the credentials.
guard_workflows() {
    local namespace asked=false
    if ! $CLUSTER_REACHED || ((${#NAMESPACES[@]} == 0)); then note 'nothing is there that could run one'; return; fi
    for namespace in "${NAMESPACES[@]}"; do
        kube 30 get deployment sealane-api --namespace "$namespace" --ignore-not-found --output name || { unknown "$namespace"; continue; }
        [[ -n $ANSWER ]] || continue
        asked=true
        count_workflows "$namespace"
    done
    $asked || { COMPLAINT='no namespace has a Deployment sealane-api'; unknown "${NAMESPACES[*]}"; }
    fact_json running_workflows "$RUNNING"
    ((RUNNING == 0)) || $FORCE || refuse workflows-running "$RUNNING workflow(s) run, and would be lost or left without a worker" \
        'let them end, or terminate them (sealane workflow list), or give --force'
}

# count_workflows NAMESPACE: adds to RUNNING. More than 1000 are enough to know.
count_workflows() {
    kube 120 exec --namespace "$1" deployment/sealane-api --container api -- \
        sealane workflow list --query "ExecutionStatus = 'Running'" --limit 1000 --output json || { unknown "$1"; return; }
    mv -f -- "$WORK/answer" "$WORK/running.json"
    if ! ask 20 jq -er 'if type == "array" then length else error("no list") end' "$WORK/running.json" || [[ ! $ANSWER =~ ^[0-9]+$ ]]; then
        COMPLAINT='sealane workflow list did not print a list'
        unknown "$1"
        return
    fi
    RUNNING=$((RUNNING + ANSWER))
}

# unknown WHERE: nobody can say whether workflows run.
unknown() {
    $FORCE || refuse workflows-unknown "nobody can say whether workflows run in $1: $(complaint)" \
        'bring the API back (sealane doctor), or give --force'
    warn "nobody can say whether workflows run in $1: $(complaint)"
}

# What the plan does: how much it destroys, then each thing that it does besides.
readonly DESTRUCTION_PROGRAM='
  [.resource_changes[]? | select(.mode == "managed" and .change.actions != ["no-op"])]
  | (map(select(.change.actions == ["delete"])) | length), (.[] | select(.change.actions != ["delete"]) | .address)'

# plan_destruction: leaves a plan that destroys, and does nothing else, in PLAN_FILE.
plan_destruction() {
    local lock=-lock-timeout=2m other
    ! $DRY_RUN || lock=-lock=false
    rm -f -- "$PLAN_FILE"
    show 1800 terraform -chdir="$ROOT/infra/terraform" plan -destroy -input=false -no-color "$lock" \
        -out="$PLAN_FILE" -var-file="$ENVIRONMENT_DIR/terraform.tfvars" || terraform_failed terraform-plan 'correct what it names, then run this again'
    ask 120 terraform -chdir="$ROOT/infra/terraform" show -json -no-color "$PLAN_FILE" || terraform_failed terraform-plan 'run this again'
    mv -f -- "$WORK/answer" "$WORK/plan.json"
    ask 60 jq -r "$DESTRUCTION_PROGRAM" "$WORK/plan.json" || fail terraform-plan "the plan cannot be read: $(complaint)" 'run this again'
    DESTROYED=${ANSWER%%$'\n'*} other=${ANSWER#"$DESTROYED"}
    [[ $DESTROYED =~ ^[0-9]+$ ]] || fail terraform-plan 'the plan does not say what it destroys' 'run this again'
    [[ -z $other ]] || fail plan-does-more "the plan to destroy also changes ${other//$'\n'/ }" 'look at the plan above'
    if ((DESTROYED == 0)) && $GROUP_EXISTS; then
        fail state-empty "resource group $GROUP exists, and the state knows nothing of it" \
            "look whether backend.hcl names the right state; what nobody manages any more: az group delete --name $GROUP --subscription $SUBSCRIPTION"
    fi
    fact_json planned "$DESTROYED"
}

# confirm_name: goes on only if somebody types the name.
confirm_name() {
    local answer=''
    if $ASSUME_YES || $DRY_RUN || { ! $GROUP_EXISTS && ((DESTROYED == 0)); }; then return; fi
    printf '%s: %s: %s resources of resource group %s in subscription %s are destroyed, and %s running workflow(s) lost. Type the name of the environment to go on: ' \
        "$SCRIPT" "$STEP" "$DESTROYED" "$GROUP" "$SUBSCRIPTION" "$RUNNING" >&2
    read -r answer || printf '\n' >&2
    [[ $answer == "$ENVIRONMENT" ]] || refuse not-confirmed "the answer was \"$(one_line "${answer:0:80}")\", expected $ENVIRONMENT" \
        'run it again and type the name, or give --yes'
}

# apply_destruction: applies the plan, and nothing but it.
apply_destruction() {
    if ((DESTROYED == 0)); then note 'nothing is left to destroy'; return; fi
    ! would terraform apply "$PLAN_FILE" || return 0
    show 7200 terraform -chdir="$ROOT/infra/terraform" apply -input=false -no-color "$PLAN_FILE" ||
        terraform_failed terraform-destroy 'run this again: it goes on with what is left'
}
