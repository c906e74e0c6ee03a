# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# The cluster, by a kubeconfig of our own: the user's is neither read nor written. Each call names file and context, and before the
# first one the context has to lead to the API server that Azure says is this cluster's.

KUBECONFIG_FILE='' CLUSTER_ISSUER='' CLUSTER_VERSION='' NAMESPACE_EXISTS=false
# Whether the rights are those of a pipeline, in the namespace only.
WORKLOADS_ONLY=false

# isolate_kubectl: from here on no program finds the user's kubeconfig.
isolate_kubectl() {
    KUBECONFIG_FILE=$STATE_DIR/kubeconfig
    # One that an earlier run left half written would stop what asks no cluster, too.
    rm -f -- "$KUBECONFIG_FILE"
    export KUBECONFIG=$KUBECONFIG_FILE HELM_CACHE_HOME=$STATE_DIR/helm HELM_CONFIG_HOME=$STATE_DIR/helm HELM_DATA_HOME=$STATE_DIR/helm
}

# fetch_kubeconfig: gets it anew each time, since a cluster of the same name may have been made again, and has kubelogin use az.
fetch_kubeconfig() {
    local group=${OUTPUTS[resource_group_name]} name=${OUTPUTS[cluster_name]}
    # The tenant of az's default account may be another one; a managed identity has one only, and refuses to be told.
    local -a tenant=(--tenant-id "$TENANT")
    [[ $MANAGED_IDENTITY == none ]] || tenant=()
    rm -f -- "$KUBECONFIG_FILE"
    azure 120 aks get-credentials --resource-group "$group" --name "$name" --context "$name" --file "$KUBECONFIG_FILE" --format azure ||
        fail credentials "az gives no credentials for cluster $name: $(complaint)" \
            "az role assignment create --role \"Azure Kubernetes Service Cluster User Role\" --scope ${OUTPUTS[cluster_id]} --assignee-object-id YOUR_OBJECT_ID"
    ask 30 kubelogin convert-kubeconfig --login azurecli "${tenant[@]}" --kubeconfig "$KUBECONFIG_FILE" ||
        fail kubelogin-failed "kubelogin: $(complaint)" "look at \`kubelogin convert-kubeconfig --help\`"
    [[ -s $KUBECONFIG_FILE ]] || fail credentials "az wrote no kubeconfig for cluster $name" "run this again with --debug"
    chmod 600 -- "$KUBECONFIG_FILE"
}

# guard_cluster: the context's name and the host of its API server are those of the cluster in Terraform's outputs, and it runs.
guard_cluster() {
    local name=${OUTPUTS[cluster_name]} public private power state context host
    azure 60 aks show --resource-group "${OUTPUTS[resource_group_name]}" --name "$name" --output tsv \
        --query "[fqdn || 'none', privateFqdn || 'none', powerState.code, provisioningState, currentKubernetesVersion, oidcIssuerProfile.issuerUrl || 'none', id]" ||
        fail cluster-unreadable "az cannot show cluster $name: $(complaint)" "az role assignment create --role Reader on its resource group, or look whether it exists"
    {
        read -r public && read -r private && read -r power && read -r state && read -r CLUSTER_VERSION && read -r CLUSTER_ISSUER
    } <<<"${ANSWER//$'\t'/$'\n'}" || fail cluster-unreadable "az does not say what cluster $name is like" "run \`az aks show\` and look at it"
    [[ $power == Running ]] || refuse cluster-stopped "cluster $name is $power, expected Running" \
        "az aks start --resource-group ${OUTPUTS[resource_group_name]} --name $name --subscription $SUBSCRIPTION"
    [[ $state == Succeeded || $state == Updating || $state == Upgrading ]] ||
        warn "the last change of cluster $name ended with $state"
    ask 20 kubectl config view --minify --kubeconfig "$KUBECONFIG_FILE" --output jsonpath='{.current-context} {.clusters[0].cluster.server}' ||
        fail credentials "kubectl cannot read .sealane/$ENVIRONMENT/kubeconfig: $(complaint)" "run this again with --debug"
    read -r context host <<<"$ANSWER"
    [[ $context == "$name" ]] || refuse wrong-context "the context is \"$context\", expected $name" "remove .sealane/$ENVIRONMENT/kubeconfig and run this again"
    host=${host#https://}
    host=${host%%[:/]*}
    [[ $host != none && ($host == "$public" || $host == "$private") ]] || refuse wrong-cluster \
        "context $context leads to $host, and the API server of cluster $name is ${public/none/$private}" "remove .sealane/$ENVIRONMENT/kubeconfig and run this again"
    # A cluster that was just made may not answer yet.
    again 24 5 cluster_answers || fail cluster-unreachable "the API server of $name does not answer: $(complaint)" \
        "run this from authorized_ip_ranges, or for a private cluster from its network; for Forbidden, see docs/aks.md"
}

cluster_answers() { kube 30 get --raw /readyz; }

# kube SECONDS ARGUMENT…: `ask`s kubectl about our cluster. kube_change is the same for `change`.
kube() { ask "$1" kubectl --kubeconfig "$KUBECONFIG_FILE" --context "${OUTPUTS[cluster_name]}" "${@:2}"; }
kube_change() { change "$1" kubectl --kubeconfig "$KUBECONFIG_FILE" --context "${OUTPUTS[cluster_name]}" "${@:2}"; }

# forbidden: whether the last call was refused for want of a role, rather than failed.
forbidden() { [[ $COMPLAINT == *Forbidden* || $COMPLAINT == *forbidden* ]]; }

# check_permission: whoever runs this may apply to the namespace.
check_permission() {
    kube 30 auth can-i patch deployments.apps --namespace "$RENDERED_NAMESPACE" --quiet && return 0
    refuse cluster-forbidden "you may not change Deployments in namespace $RENDERED_NAMESPACE of ${OUTPUTS[cluster_name]}" \
        "az role assignment create --role \"Azure Kubernetes Service RBAC Admin\" --scope ${OUTPUTS[cluster_id]}/namespaces/$RENDERED_NAMESPACE --assignee-object-id YOUR_OBJECT_ID"
}

# ensure_namespace: applies the Namespace alone, since everything else is in it, and goes on only under Pod Security `restricted`.
ensure_namespace() {
    local level
    [[ $RENDERED_LEVEL == restricted ]] || refuse namespace-unrestricted \
        "namespace $RENDERED_NAMESPACE is rendered with Pod Security \"$RENDERED_LEVEL\", expected restricted" "take the label of k8s/base/namespace.yaml back"
    if ! $WORKLOADS_ONLY; then
        ask 20 jq -c 'select(.kind == "Namespace")' "$OBJECTS_FILE" || fail render "the Namespace is lost: $(complaint)" "run this again"
        mv -f -- "$WORK/answer" "$WORK/namespace.json"
        ensure_applied namespace --filename "$WORK/namespace.json"
    fi
    if ! kube 30 get namespace "$RENDERED_NAMESPACE" --output jsonpath='{.metadata.labels.pod-security\.kubernetes\.io/enforce}'; then
        if $DRY_RUN && [[ $COMPLAINT == *NotFound* ]]; then note "namespace $RENDERED_NAMESPACE does not exist yet"; return; fi
        if $WORKLOADS_ONLY && forbidden; then NAMESPACE_EXISTS=true; warn "its Pod Security label cannot be read from here"; return; fi
        fail namespace "namespace $RENDERED_NAMESPACE cannot be read: $(complaint)" "run this again with the rights of an operator"
    fi
    NAMESPACE_EXISTS=true level=$ANSWER
    $DRY_RUN || [[ $level == restricted ]] || refuse namespace-unrestricted \
        "namespace $RENDERED_NAMESPACE has Pod Security \"$level\", expected restricted" "kubectl label namespace $RENDERED_NAMESPACE pod-security.kubernetes.io/enforce=restricted --overwrite"
}

# check_kinds: the cluster knows every kind that is rendered. All that are missing are told at once.
check_kinds() {
    local api kind absent=() remedy=''
    for api in "${!API_GROUPS[@]}"; do
        [[ $api != v1 ]] || continue
        [[ $api == *.*/* ]] || continue
        [[ $api != *.k8s.io/* || $api == gateway.networking.k8s.io/* || $api == secrets-store.csi.x-k8s.io/* ]] || continue
        ANSWER=''
        kube 30 get --raw "/apis/$api" || true
        for kind in ${API_GROUPS[$api]}; do
            [[ $ANSWER == *"\"kind\":\"$kind\""* ]] || absent+=("$kind ($api)")
        done
        [[ ${#absent[@]} -eq 0 || -n $remedy ]] || remedy=$(kind_remedy "$api")
    done
    ((${#absent[@]} == 0)) || fail kind-missing "the cluster does not know $(joined ', ' "${absent[@]}")" "$remedy; or leave the component out"
}

kind_remedy() {
    local cluster="--resource-group ${OUTPUTS[resource_group_name]} --name ${OUTPUTS[cluster_name]}"
    case $1 in
        keda.sh/*) printf 'keda_enabled = true in terraform.tfvars' ;;
        gateway.networking.k8s.io/*) printf 'az aks update %s --enable-gateway-api --enable-app-routing-istio' "$cluster" ;;
        azmonitoring.coreos.com/*) printf 'az aks update %s --enable-azure-monitor-metrics' "$cluster" ;;
        monitoring.coreos.com/*) printf 'install the Prometheus operator, or take component monitoring-azure' ;;
        temporal.io/*) printf "install Temporal's worker controller with its resources: docs/kubernetes.md" ;;
        secrets-store.csi.x-k8s.io/*) printf 'az aks enable-addons %s --addons azure-keyvault-secrets-provider' "$cluster" ;;
        cilium.io/*) printf 'the cluster needs the Cilium data plane, which Terraform gives it' ;;
        *) printf 'install what serves %s' "$1" ;;
    esac
}
