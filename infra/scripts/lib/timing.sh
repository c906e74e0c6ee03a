# shellcheck shell=bash disable=SC2034,SC2154 # Variables are shared with the script that sources this.
# How long things take: the middle, the slowest of twenty, the slowest.

# percentile P VALUE…: prints the smallest value that P of a hundred values do not exceed.
percentile() {
    local rank=$(((${1} * ($# - 1) + 99) / 100))
    printf '%s\n' "${@:2}" | sort -n | sed -n "${rank}p"
}

# tell_times NAME UNIT VALUE…: as a fact and a note.
tell_times() {
    local name=$1 unit=$2 p50 p95 most
    shift 2
    p50=$(percentile 50 "$@") p95=$(percentile 95 "$@") most=$(percentile 100 "$@")
    fact_json "$name" "{\"count\": $#, \"p50_$unit\": $p50, \"p95_$unit\": $p95, \"max_$unit\": $most}"
    note "$name: p50 $p50 $unit, p95 $p95 $unit, slowest $most $unit, of $#"
}

# time_flows: one after another, each from the request that starts it to the answer that holds its result.
time_flows() {
    local run times=()
    for ((run = 0; run < RUNS; run++)); do
        start_flow
        await_flow
        [[ $WORKFLOW == order || $ANSWER == *"\"Final result: Processed: Hello, $WORD!\""* ]] ||
            fail wrong-result "workflow $FLOW_ID ended with something else than its input makes" "sealane workflow result --workflow-id $FLOW_ID shows it"
        times+=("$FLOW_TOOK")
    done
    tell_times latency ms "${times[@]}"
}

# Name, creation, start of the container, readiness and since when, and when it is to go, of each worker's pod.
readonly POD_TIMES='{range .items[*]}{.metadata.name}|{.metadata.creationTimestamp}|{.status.containerStatuses[0].state.running.startedAt}|{.status.conditions[?(@.type=="Ready")].status}|{.status.conditions[?(@.type=="Ready")].lastTransitionTime}|{.metadata.deletionTimestamp}{"\n"}{end}'

# time_cold_starts: replaces one worker after another. Kubernetes tells times in whole seconds.
time_cold_starts() {
    local run whole=() processes=()
    if $SCALED_JOB; then note 'workers are Jobs, which start with the work'; return; fi
    if ((COLD == 0)); then note 'not asked for'; return; fi
    for ((run = 0; run < COLD; run++)); do
        replace_worker
        whole+=("$WHOLE_START") processes+=("$PROCESS_START")
    done
    tell_times cold_start s "${whole[@]}"
    tell_times process_start s "${processes[@]}"
}

KNOWN_PODS='' WHOLE_START=0 PROCESS_START=0
replace_worker() {
    local oldest
    worker_pods || fail cluster-unreadable "kubectl get pods: $(complaint)" 'run this again'
    KNOWN_PODS=$'\n'$ANSWER
    # One that is draining ends by itself, and nothing replaces it any more.
    oldest=$(sort -t '|' -k 2 <<<"$ANSWER" | sed -n '/|$/{s/|.*//p;q}')
    [[ -n $oldest ]] || fail no-pods "no worker runs in namespace $RENDERED_NAMESPACE" 'look at the autoscaler'
    kube_change 60 delete pod "$oldest" --namespace "$RENDERED_NAMESPACE" --wait=false ||
        fail worker-not-replaced "pod $oldest cannot be deleted: $(complaint)" 'look at your role in the cluster, or give --cold 0'
    # Twice the five minutes in which a node comes up.
    again 300 2 new_worker_is_ready || fail worker-not-replaced "no new worker is ready 10 minutes after $oldest was deleted" \
        'kubectl get pods, kubectl get events; or give --cold 0'
}

worker_pods() {
    kube 30 get pods --namespace "$RENDERED_NAMESPACE" --selector app.kubernetes.io/name=sealane,app.kubernetes.io/component=worker \
        --field-selector status.phase=Running --output jsonpath="$POD_TIMES"
}

# Whether there is a worker that was not there before, and is ready; and how long that took.
new_worker_is_ready() {
    local name created started ready since going
    worker_pods || return 1
    while IFS='|' read -r name created started ready since going; do
        [[ -n $name && $KNOWN_PODS != *$'\n'"$name|"* && $ready == True && -z $going ]] || continue
        created=$(epoch_of "$created") && started=$(epoch_of "$started") && since=$(epoch_of "$since") || return 1
        WHOLE_START=$((since - created)) PROCESS_START=$((since - started))
        return 0
    done <<<"$ANSWER"
    return 1
}
