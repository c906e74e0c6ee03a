# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# After applying: whether the new pods run, whether they poll, and if not, why.

# check_rollout: waits for every Deployment, and for the workers that no Deployment of ours makes.
check_rollout() {
    local name
    ! would kubectl rollout status || return 0
    for name in "${!DEPLOYMENT_REPLICAS[@]}"; do
        kube 330 rollout status "deployment/$name" --namespace "$RENDERED_NAMESPACE" --timeout 300s ||
            rollout_failed "$name" "${name#sealane-}"
    done
    if $VERSIONED; then again 60 5 worker_pod_is_ready || rollout_failed sealane-worker worker; fi
    if $SCALED_JOB; then note "workers are Jobs: they start when there is work"; fi
}

# Whether a pod of the worker runs the new image and is ready.
worker_pod_is_ready() {
    kube 30 get pods --namespace "$RENDERED_NAMESPACE" --selector app.kubernetes.io/name=sealane,app.kubernetes.io/component=worker \
        --output jsonpath='{range .items[*]}{.spec.containers[0].image} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' || return 1
    [[ $'\n'$ANSWER$'\n' == *"@$IMAGE_DIGEST True"$'\n'* ]]
}

# Why pods of a component do not run: what their containers wait for or ended with, or why they have no node.
readonly PODS_PROGRAM='
  [.items[] | .metadata.name as $pod
    | (.status.conditions[]? | select(.type == "PodScheduled" and .status == "False") | [$pod, "Unschedulable", .message // ""]),
      (.status.containerStatuses[]? | (.state.waiting // empty | select(.reason != "ContainerCreating") | [$pod, .reason, .message // ""]),
        (.lastState.terminated // .state.terminated // empty | select(.exitCode != 0) | [$pod, "ended with \(.exitCode)", .message // ""]))]
  | unique[] | map(gsub("[\\t\\n]"; " ")) | join("\t")'

# rollout_failed DEPLOYMENT COMPONENT: prints reasons and events, and ends.
rollout_failed() {
    local name=$1 component=$2 said reason pods=''
    said=$(complaint)
    if kube 30 get pods --namespace "$RENDERED_NAMESPACE" --selector "app.kubernetes.io/name=sealane,app.kubernetes.io/component=$component" --output json; then
        mv -f -- "$WORK/answer" "$WORK/pods.json"
        ask 20 jq -r "$PODS_PROGRAM" "$WORK/pods.json" && pods=$ANSWER
    fi
    [[ -z $pods ]] || printf '%s\n' "$pods" >&2
    if kube 30 get events --namespace "$RENDERED_NAMESPACE" --field-selector type=Warning --sort-by .lastTimestamp --no-headers; then
        tail -n 15 <<<"$ANSWER" >&2
    fi
    IFS=$'\t' read -r _ reason _ <<<"$pods" || true
    fail rollout-failed "$name is not rolled out: ${reason:-$said}" "$(rollout_remedy "$pods" "$component")"
}

rollout_remedy() {
    local logs="kubectl --kubeconfig .sealane/$ENVIRONMENT/kubeconfig --namespace $RENDERED_NAMESPACE logs --selector app.kubernetes.io/component=$2 --tail 20"
    case $1 in
        *ImagePull* | *ErrImage*) printf 'the nodes cannot pull %s: see "pull" in docs/aks.md' "$IMAGE_NAME@$IMAGE_DIGEST" ;;
        *"ended with 78"*) printf 'a setting is wrong, and the pod says which: %s' "$logs" ;;
        *"ended with 77"*) printf 'Azure or Temporal refuses it, and the pod says who: %s' "$logs" ;;
        *OOMKilled* | *"ended with 137"*) printf 'raise its memory limit in infra/environments/%s/kustomization.yaml' "$ENVIRONMENT" ;;
        *Unschedulable*) printf 'raise worker_nodes in terraform.tfvars, or wait for the node that is being added' ;;
        *) printf '%s' "$logs" ;;
    esac
}

# check_pollers: the server itself says that somebody polls the task queue, asked by the doctor in a worker's pod.
check_pollers() {
    local pod
    ! would kubectl exec sealane-worker -- sealane doctor || return 0
    if $SCALED_JOB; then note "workers are Jobs, and nobody polls while there is nothing to do"; return; fi
    find_worker_pod || { note "no worker runs: the autoscaler has none to spare"; return; }
    pod=$ANSWER
    again 12 10 doctor_is_content "$pod" || tell_diagnosis
}

find_worker_pod() {
    kube 30 get pods --namespace "$RENDERED_NAMESPACE" --selector app.kubernetes.io/name=sealane,app.kubernetes.io/component=worker \
        --field-selector status.phase=Running --output jsonpath='{.items[0].metadata.name}' && [[ -n $ANSWER ]]
}

DIAGNOSIS=''
# The checks of pollers only warn in the doctor's own eyes, since before the first worker nobody can poll.
doctor_is_content() {
    kube 60 exec "$1" --namespace "$RENDERED_NAMESPACE" --container worker -- sealane doctor --output json || true
    DIAGNOSIS=$COMPLAINT
    [[ $ANSWER == \[* ]] || return 1
    mv -f -- "$WORK/answer" "$WORK/doctor.json"
    ask 20 jq -r '[.[] | select(.status == "fail" or (.status != "pass" and (.check | startswith("pollers-"))))] | sort_by(.status) | first // empty
        | [.check, .detail, .remedy // "sealane doctor in the pod says more"] | map(gsub("[\\t\\n]"; " ")) | join("\t")' "$WORK/doctor.json" || return 1
    DIAGNOSIS=$ANSWER
    [[ -z $ANSWER ]]
}

tell_diagnosis() {
    local check detail remedy
    IFS=$'\t' read -r check detail remedy <<<"$DIAGNOSIS" || true
    case $check in
        pollers-*) fail no-pollers "the worker runs and the server lists no poller: $detail" "$remedy" ;;
        *) fail doctor-failed "sealane doctor in the worker's pod: ${check:-it printed no findings}${detail:+: $detail}" "${remedy:-kubectl exec deploy/sealane-worker -- sealane doctor}" ;;
    esac
}
