# shellcheck shell=bash disable=SC2153,SC2154 # Variables are shared with the script that sources this.
# What an environment leaves behind, unless somebody looks after it: disks of volumes, the group, a deleted vault, our own files.

# One line each: NAME POLICY of a volume that a claim in NAMESPACES holds.
declare -a VOLUMES=()

# delete_namespaces: while the cluster still runs its controllers, which take disks and load balancers away.
delete_namespaces() {
    if ! $CLUSTER_REACHED || ((${#NAMESPACES[@]} == 0)); then note 'there are none'; return; fi
    kube 30 get persistentvolumes --output jsonpath='{range .items[*]}{.spec.claimRef.namespace} {.metadata.name} {.spec.persistentVolumeReclaimPolicy}{"\n"}{end}' ||
        fail volumes-unknown "kubectl get persistentvolumes: $(complaint)" 'run this again'
    note_volumes <<<"$ANSWER"
    kube_change 120 delete namespace "${NAMESPACES[@]}" --ignore-not-found --wait=false ||
        fail namespaces-stuck "kubectl delete namespace: $(complaint)" 'run this again with the rights of an operator'
    if $DRY_RUN || again 60 10 namespaces_gone; then return; fi
    stuck namespaces-stuck "namespaces are still there after 10 minutes: $ANSWER" \
        "kubectl get namespace NAME --output yaml names the finalizer that waits; or give --force"
}

note_volumes() {
    local namespace name policy
    while read -r namespace name policy; do
        [[ -z $name || " ${NAMESPACES[*]} " != *" $namespace "* ]] || VOLUMES+=("$name $policy")
    done
}

namespaces_gone() {
    kube 30 get namespace "${NAMESPACES[@]}" --ignore-not-found --output name && [[ -z $ANSWER ]]
}

# stuck SLUG MESSAGE REMEDY: fails, or with --force goes on.
stuck() {
    $FORCE || fail "$@"
    warn "$2"
}

# prove_volumes_gone: every volume that was to be deleted with its claim. One that was to be kept is named: nobody else will.
prove_volumes_gone() {
    local it waiting=()
    for it in "${VOLUMES[@]}"; do
        case ${it#* } in
            Delete) waiting+=("${it% *}") ;;
            *) warn "volume ${it% *} has the policy ${it#* }: if its disk is outside the cluster's own group, it stays, and costs" ;;
        esac
    done
    if ((${#waiting[@]} == 0)) || $DRY_RUN; then note "${#waiting[@]} volume(s) to wait for"; return; fi
    again 60 5 volumes_gone "${waiting[@]}" ||
        stuck volumes-left "volumes are still there after 5 minutes: $ANSWER" 'kubectl describe persistentvolume NAME says why; or give --force'
    fact_json volumes "${#waiting[@]}"
}

volumes_gone() {
    kube 30 get persistentvolume "$@" --ignore-not-found --output name && [[ -z $ANSWER ]]
}

# prove_group_gone: what counts is what Azure says, not what Terraform says.
prove_group_gone() {
    if $DRY_RUN; then note 'a dry run destroys nothing'; return; fi
    local group
    for group in "$GROUP" "$NODE_GROUP"; do
        [[ -n $group ]] || continue
        again 40 15 group_gone "$group" || fail group-left "resource group $group is still there" \
            "az resource list --resource-group $group --subscription $SUBSCRIPTION shows what is in it; then run this again"
    done
    fact_json gone true
}

group_gone() { ! group_exists "$1"; }

# tell_recovery: the vault is deleted softly, and purge protection keeps it: payloads of exported histories need its keys.
tell_recovery() {
    local vault=${OUTPUTS[key_vault_name]} purge
    ! $DRY_RUN || return 0
    azure 60 keyvault list-deleted --resource-type vault --query "[?name=='$vault'].properties.scheduledPurgeDate" --output tsv ||
        { warn "az keyvault list-deleted: $(complaint)"; return; }
    purge=${ANSWER%%$'\n'*}
    if [[ -z $purge ]]; then warn "there is no deleted vault $vault: its keys are gone, or it was never made"; return; fi
    fact vault "$vault"
    fact vault_purged_at "$purge"
    note "vault $vault and its keys can be recovered until $purge, and its name is taken until then. \`infra/scripts/deploy $ENVIRONMENT\` does it, or, without the rest:"
    note "az keyvault recover --name $vault --location ${OUTPUTS[location]} --subscription $SUBSCRIPTION (its role assignments do not come back with it)"
}

# forget: what leads to nothing any more. outputs.json stays, so that this may be run again.
forget() {
    ! $DRY_RUN || return 0
    rm -rf -- "$PLAN_FILE" "$STATE_DIR/kubeconfig" "$STATE_DIR/instance" "$STATE_DIR/manifests.yaml" "$STATE_DIR/manifests.last-good.yaml" "$STATE_DIR/deploy.last-good.json"
    note "resource group $GROUP is gone; the state, empty, stays where infra/environments/$ENVIRONMENT/backend.hcl says"
}
