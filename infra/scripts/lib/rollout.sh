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

# What is wrong in the findings of one pod, a line each: what failed, and what has to pass and did not. A check that was skipped, or is
# not there, proves nothing. Keys come from a vault or a file, or are data keys. The codec server does not talk to Temporal, and nothing
# lets it; that nobody polls is a warning in the doctor's own eyes, since before the first worker nobody can.
readonly DOCTOR_RULES='
  def row($pod): [$pod, .check, .detail // "", .remedy // "sealane doctor in the pod says more"] | map(gsub("[\\t\\n]"; " ")) | join("\t");
  def wanted($component):
    ["vault-get", "keys", "data-keys"],
    (select($component != "codec-server") | ["temporal-namespace"]),
    (select($component == "worker") | ["pollers-workflow"], ["pollers-activity"]);
  def wrong($pod; $component):
    . as $all
    | (.[] | select(.status == "fail" and ($component != "codec-server" or (.check | test("^(temporal|pollers)-") | not))) | row($pod)),
      (wanted($component) as $names | [$all[] | select(.check as $it | $names | index([$it]))] as $found
        | select(any($found[]; .status == "pass" or .status == "fail") | not)
        | $found[0] // {check: $names[0], detail: "it was not checked"} | row($pod));'

# check_pollers: the server itself says that somebody polls the task queue, asked by the doctor in a worker's pod.
check_pollers() {
    ! would kubectl exec sealane-worker -- sealane doctor || return 0
    if $SCALED_JOB; then note "workers are Jobs, and nobody polls while there is nothing to do"; return; fi
    again 12 10 workers_poll || tell_diagnosis
}

# Pods that stay, the new ones first: name, and whether it runs the image of this run.
readonly WORKERS_PROGRAM='
  if (.items | type) != "array" then error("no list") else . end
  | "pods", ([.items[] | select(.metadata.deletionTimestamp == null and (.status.phase == "Running" or .status.phase == "Pending"))
      | {name: .metadata.name, new: (.status.phase == "Running" and (.spec.containers[0].image | endswith("@" + $digest)))}]
    | sort_by(.new | not)[] | "\(.name) \(.new)")'

DIAGNOSIS=''
# The pod is chosen anew each time: one that was there a moment ago may be going.
workers_poll() {
    local pod new
    kube 30 get pods --namespace "$RENDERED_NAMESPACE" --selector app.kubernetes.io/name=sealane,app.kubernetes.io/component=worker --output json ||
        fail cluster-unreadable "kubectl get pods: $(complaint)" 'look at your role in the cluster'
    mv -f -- "$WORK/answer" "$WORK/workers.json"
    if ! ask 20 jq -r --arg digest "$IMAGE_DIGEST" "$WORKERS_PROGRAM" "$WORK/workers.json" || [[ $ANSWER != pods* ]]; then
        fail cluster-unreadable "kubectl printed no list of pods: $(complaint)" 'run this again with --debug'
    fi
    if [[ $ANSWER == pods ]]; then note "no worker runs: the autoscaler has none to spare"; return; fi
    read -r pod new <<<"${ANSWER#*$'\n'}"
    DIAGNOSIS=$'rollout\t'"no worker runs ${IMAGE_DIGEST:0:19}…, and $pod is there"$'\tkubectl get pods'
    [[ $new == true ]] && doctor_is_content "$pod"
}

doctor_is_content() {
    kube 60 exec "$1" --namespace "$RENDERED_NAMESPACE" --container worker -- sealane doctor --output json || true
    DIAGNOSIS=$COMPLAINT
    [[ $ANSWER == \[* ]] || return 1
    mv -f -- "$WORK/answer" "$WORK/doctor.json"
    ask 20 jq -r --arg pod "$1" "$DOCTOR_RULES"' [wrong($pod; "worker")] | first // empty' "$WORK/doctor.json" || return 1
    DIAGNOSIS=${ANSWER#*$'\t'}
    [[ -z $ANSWER ]]
}

tell_diagnosis() {
    local check detail remedy
    IFS=$'\t' read -r check detail remedy <<<"$DIAGNOSIS" || true
    case $check in
        rollout) fail rollout-failed "$detail" "$remedy" ;;
        pollers-*) fail no-pollers "the worker runs and the server lists no poller: $detail" "$remedy" ;;
        *) fail doctor-failed "sealane doctor in the worker's pod: ${check:-it printed no findings}${detail:+: $detail}" "${remedy:-kubectl exec deploy/sealane-worker -- sealane doctor}" ;;
    esac
}
