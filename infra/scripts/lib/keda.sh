# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# KEDA, where the manifests use it: one operator, new enough for their triggers, and its metrics adapter in charge.

readonly KEDA_PROGRAM='
  .items[] | select(.metadata.name == "keda-operator") | [.metadata.namespace,
    ([.spec.template.spec.containers[].image | capture("/keda(-operator)?:v?(?<version>[0-9]+\\.[0-9]+\\.[0-9]+)").version] | first // "unknown")]
  | join(" ")'

# check_keda: the version is read from the image that runs, since AKS chooses it by its own version.
check_keda() {
    local found
    if [[ -z $KEDA_LEAST ]]; then note "not used"; return; fi
    if ! kube 60 get deployments --all-namespaces --field-selector metadata.name=keda-operator --output json; then
        if $WORKLOADS_ONLY && forbidden; then warn "KEDA's operator cannot be seen from here; whoever made the environment has checked it"; return; fi
        fail keda-unreadable "KEDA's operator cannot be looked for: $(complaint)" "run this with the rights of an operator"
    fi
    mv -f -- "$WORK/answer" "$WORK/keda.json"
    ask 20 jq -r "$KEDA_PROGRAM" "$WORK/keda.json" || fail keda-unreadable "kubectl printed no list of Deployments: $(complaint)" "run this again with --debug"
    found=$ANSWER
    [[ -n $found ]] || fail keda-missing "there is no KEDA in the cluster, and the manifests use it" \
        "keda_enabled = true in terraform.tfvars; or take component hpa"
    [[ $found != *$'\n'* ]] || fail keda-duplicate "there are several KEDA operators, in ${found//$'\n'/ and }" \
        "remove all but AKS's own: only one can serve external metrics"
    check_keda_version "${found% *}" "${found#* }"
    check_metrics_adapter "${found% *}"
    fact keda_version "${found#* }"
}

check_keda_version() {
    local namespace=$1 version=$2
    [[ $version != unknown ]] || fail keda-unreadable "the image of keda-operator in $namespace does not tell its version" "see \`kubectl get deployment keda-operator --namespace $namespace -o yaml\`"
    at_least "$version" "$KEDA_LEAST" || fail keda-too-old "KEDA in $namespace is $version, and the manifests need $KEDA_LEAST" \
        "raise kubernetes_version in terraform.tfvars (1.35 has KEDA 2.17, 1.36 has 2.19); or take component hpa"
}

# Kubernetes asks one server for external metrics. Where that is not KEDA's, nothing scales, and nothing says so.
check_metrics_adapter() {
    local service available
    kube 30 get apiservice v1beta1.external.metrics.k8s.io \
        --output jsonpath='{.spec.service.namespace}/{.spec.service.name} {.status.conditions[?(@.type=="Available")].status}' ||
        fail keda-metrics "nobody serves external metrics: $(complaint)" "look at keda-operator-metrics-apiserver in $1"
    read -r service available <<<"$ANSWER"
    [[ $service == "$1"/keda-* ]] || fail keda-metrics "external metrics are served by $service, expected KEDA's in $1" "remove the other metrics adapter: there can be one"
    [[ ${available:-} == True ]] || fail keda-metrics "KEDA's metrics adapter $service is not available" "kubectl get apiservice v1beta1.external.metrics.k8s.io -o yaml"
}
