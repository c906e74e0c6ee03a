# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# What was deployed, and whether it runs, and is idle: the cluster as it is, in one look.

# What deploy says it put there, and the settings that were rendered.
SETTING_AUTH='' SETTING_AUDIENCE='' SETTING_QUEUE=''

# read_deployed: image and objects of the last deploy that went through. One that failed, or looked only, leaves both as they are.
read_deployed() {
    local file=$STATE_DIR/deploy.last-good.json image='' outcome='' dry=''
    [[ -s $file && -s $STATE_DIR/manifests.last-good.yaml ]] || fail not-deployed "nothing was deployed from here to $ENVIRONMENT" \
        "run \`infra/scripts/deploy $ENVIRONMENT\` first"
    read_outputs
    require_outputs environment resource_group_name cluster_name cluster_id namespace subscription_id tenant_id registry_name registry_id key_vault_name
    compare_outputs
    RENDERED_FILE=$STATE_DIR/manifests.last-good.yaml OBJECTS_FILE=$WORK/objects.json
    read_objects
    ask 20 jq -rs --slurpfile deploy "$file" "$DEPLOYED_PROGRAM" "$OBJECTS_FILE" ||
        fail not-deployed "deploy.last-good.json or the manifests cannot be read: $(complaint)" "run \`infra/scripts/deploy $ENVIRONMENT\`"
    {
        read -r image && read -r outcome && read -r dry && read -r SETTING_AUTH && read -r SETTING_AUDIENCE && IFS= read -r SETTING_QUEUE
    } <<<"$ANSWER" || fail not-deployed 'deploy.last-good.json says nothing' "run \`infra/scripts/deploy $ENVIRONMENT\`"
    IMAGE_NAME=${image%@*} IMAGE_DIGEST=${image#*@}
    [[ $outcome == completed && $dry == false && $IMAGE_DIGEST =~ $DIGEST_PATTERN ]] || fail not-deployed \
        "deploy.last-good.json is of a run that ended with \"$outcome\" (dry run: $dry, image: $image)" "run \`infra/scripts/deploy $ENVIRONMENT\`"
    fact namespace "$RENDERED_NAMESPACE"
}

readonly DEPLOYED_PROGRAM='
  ([.[] | select(.kind == "ConfigMap" and (.metadata.name | startswith("sealane-config"))) | .data] | first // {}) as $settings
  | $deploy[0].image // "none", $deploy[0].outcome // "unknown", ($deploy[0].dry_run | tostring), $settings.SEALANE_AUTH // "off",
    $settings.SEALANE_AUTH_AUDIENCE // "none", $settings.TEMPORAL_TASK_QUEUE // "sealane"
  | gsub("\n"; " ")'

# check_namespace: Pod Security is enforced, as it was rendered.
check_namespace() {
    kube 30 get namespace "$RENDERED_NAMESPACE" --output jsonpath='{.metadata.labels.pod-security\.kubernetes\.io/enforce}' ||
        fail namespace "namespace $RENDERED_NAMESPACE cannot be read: $(complaint)" "run \`infra/scripts/deploy $ENVIRONMENT\`"
    [[ $ANSWER == restricted ]] || fail namespace-unrestricted "namespace $RENDERED_NAMESPACE has Pod Security \"$ANSWER\", expected restricted" \
        "kubectl label namespace $RENDERED_NAMESPACE pod-security.kubernetes.io/enforce=restricted --overwrite"
}

# The Deployments of Sealane by name, and their pods, each a line of columns; and the minimum of each autoscaler by its target.
declare -A LIVE=() LEAST=()
declare -a PODS=()

readonly LIVE_PROGRAM='
  def ours: .metadata.labels["app.kubernetes.io/name"] == "sealane";
  def component: .metadata.labels["app.kubernetes.io/component"] // "none";
  if .kind != "List" then error("no list") else .items[] end
  | if .kind == "Deployment" and (.spec.template | ours) then
      ["deployment", .metadata.name, (.spec.template | component), .spec.replicas // 1, .status.readyReplicas // 0, .status.updatedReplicas // 0,
        .status.replicas // 0, (if (.status.observedGeneration // 0) >= (.metadata.generation // 0) then "seen" else "unseen" end),
        .spec.template.spec.containers[0].image]
    elif .kind == "Pod" and ours and .metadata.deletionTimestamp == null and (.status.phase == "Running" or .status.phase == "Pending") then
      ["pod", .metadata.name, component, ([.status.conditions[]? | select(.type == "Ready").status] | first // "False"),
        .spec.containers[0].image, (.status.containerStatuses[0].imageID | if . == null or . == "" then "none" else . end)]
    elif .kind == "HorizontalPodAutoscaler" then ["least", .spec.scaleTargetRef.name, .spec.minReplicas // 1]
    else empty end
  | map(tostring) | join(" ")'

# look: fills LIVE, PODS and LEAST.
look() {
    local kind name rest
    LIVE=() PODS=() LEAST=()
    kube 60 get deployments.apps,pods,horizontalpodautoscalers.autoscaling --namespace "$RENDERED_NAMESPACE" --output json ||
        fail cluster-unreadable "kubectl get: $(complaint)" 'look at your role in the cluster'
    mv -f -- "$WORK/answer" "$WORK/live.json"
    ask 20 jq -r "$LIVE_PROGRAM" "$WORK/live.json" || fail cluster-unreadable "kubectl printed no list: $(complaint)" 'run this again with --debug'
    while read -r kind name rest; do
        case $kind in
            deployment) LIVE[$name]=$rest ;;
            pod) PODS+=("$name $rest") ;;
            least) LEAST[$name]=$rest ;;
        esac
    done <<<"$ANSWER"
}

# check_rolled_out: every Deployment that was rendered is there, and all its pods are new and ready.
check_rolled_out() {
    local name
    # What an autoscaler is about is a pod that has just been added: seconds.
    again 12 5 rolled_out && return
    name=$UNFINISHED
    [[ -v LIVE[$name] ]] || fail deployment-missing "Deployment $name is not in namespace $RENDERED_NAMESPACE" "run \`infra/scripts/deploy $ENVIRONMENT\`"
    COMPLAINT="its pods: $(pods_in_words "$name")"
    rollout_failed "$name" "${name#sealane-}"
}

UNFINISHED=''
rolled_out() {
    local name component wanted ready updated all seen image
    look
    for name in "${!DEPLOYMENT_REPLICAS[@]}"; do
        UNFINISHED=$name
        [[ -v LIVE[$name] ]] || return 1
        read -r component wanted ready updated all seen image <<<"${LIVE[$name]}"
        [[ $seen == seen ]] && ((ready == wanted && updated == wanted && all == wanted)) || return 1
    done
}

# pods_in_words DEPLOYMENT
pods_in_words() {
    local component wanted ready updated all rest
    read -r component wanted ready updated all rest <<<"${LIVE[$1]}"
    printf '%s wanted, %s there, %s new, %s ready' "$wanted" "$all" "$updated" "$ready"
}

# check_digest: Deployments and pods run the image of the last deploy, and no other.
check_digest() {
    local it name component ready image running wanted new=false
    look
    wanted=$IMAGE_NAME@$IMAGE_DIGEST
    for name in "${!LIVE[@]}"; do
        read -r component _ <<<"${LIVE[$name]}"
        image=${LIVE[$name]##* }
        ! may_be_older "$component" || continue
        [[ $image == "$wanted" ]] || fail wrong-image "Deployment $name runs $image, expected $wanted" \
            "somebody changed it; \`infra/scripts/deploy $ENVIRONMENT\` brings it back"
    done
    ((${#PODS[@]} > 0)) || fail no-pods "no pod of Sealane runs in namespace $RENDERED_NAMESPACE" "run \`infra/scripts/deploy $ENVIRONMENT\`"
    for it in "${PODS[@]}"; do
        read -r name component ready image running <<<"$it"
        if [[ $component == worker && $ready == True && $image == "$wanted" ]]; then new=true; fi
        ! may_be_older "$component" || [[ $image == "$wanted" ]] || continue
        [[ $image == "$wanted" ]] || fail wrong-image "pod $name runs $image, expected $wanted" 'wait until the rollout has ended; see kubectl get pods'
        [[ $running == *"$IMAGE_DIGEST" ]] || warn "pod $name says it runs $running: expected ${IMAGE_DIGEST}, unless that is an index of several platforms"
    done
    ! $VERSIONED || $new || fail wrong-image "no worker that is ready runs $wanted" 'kubectl get workerdeployments says how far the new version is'
    fact image "$wanted"
    fact_json pods "${#PODS[@]}"
}

# may_be_older COMPONENT: whether the worker controller keeps versions of it that were deployed before, for the workflows that began there.
may_be_older() { $VERSIONED && [[ $1 == worker ]]; }

# check_idle: no more workers than the autoscaler's minimum, which is where every measurement begins.
check_idle() {
    again 12 10 idle || fail not-idle "$BUSY" 'wait until work and the last scale-down are over, or look at the autoscaler'
    fact_json idle_workers "$IDLE_WORKERS"
}

# Autoscalers wait five minutes before they take a worker away.
check_scaled_down() {
    again 60 10 idle || fail scale-not-restored "after 10 minutes $BUSY" 'kubectl describe horizontalpodautoscaler says what it sees'
}

BUSY='' IDLE_WORKERS=0
idle() {
    local name component wanted ready rest found=0
    IDLE_WORKERS=0
    look
    for name in "${!LIVE[@]}"; do
        read -r component wanted ready rest <<<"${LIVE[$name]}"
        [[ $component == worker ]] || continue
        found=$((found + 1)) IDLE_WORKERS=$((IDLE_WORKERS + ready))
        BUSY="$name has $ready ready worker(s), expected ${LEAST[$name]:-$wanted}"
        ((ready == ${LEAST[$name]:-$wanted})) || return 1
    done
    if $SCALED_JOB; then
        found=$(count_pods worker)
        BUSY="$found Job(s) of the worker run, expected none"
        return "$((found > 0))"
    fi
    BUSY='there is no Deployment of a worker'
    ((found > 0))
}

# count_pods COMPONENT: prints how many there are.
count_pods() {
    local it count=0
    for it in "${PODS[@]}"; do
        if [[ $it == *" $1 "* ]]; then count=$((count + 1)); fi
    done
    printf '%s' "$count"
}

# check_doctor: each pod reaches its keys and Temporal, with its own identity, and the server knows the workers.
check_doctor() {
    local it name component rest findings=''
    look
    ((${#PODS[@]} > 0)) || fail no-pods "no pod of Sealane runs in namespace $RENDERED_NAMESPACE" "run \`infra/scripts/deploy $ENVIRONMENT\`"
    # Where nobody wants a worker just now, none can be asked whether it polls.
    $SCALED_JOB || [[ ${LIVE[sealane-worker]:-} == 'worker 0 '* ]] || (($(count_pods worker) > 0)) ||
        fail no-pods "no worker runs in namespace $RENDERED_NAMESPACE" 'look at the autoscaler'
    for it in "${PODS[@]}"; do
        read -r name component rest <<<"$it"
        # Findings come with an exit code of their own.
        kube 60 exec "$name" --namespace "$RENDERED_NAMESPACE" --container "$component" -- sealane doctor --output json || true
        [[ $ANSWER == \[* ]] || fail doctor-failed "sealane doctor in pod $name printed no findings: $(complaint)" "kubectl exec $name --container $component -- sealane doctor"
        findings+="${findings:+,}{\"pod\": \"$name\", \"component\": \"$component\", \"findings\": $ANSWER}"
    done
    printf '[%s]' "$findings" >"$WORK/doctor.json"
    ask 20 jq -r "$DOCTOR_RULES"' .[] | .pod as $pod | .component as $component | .findings | wrong($pod; $component)' "$WORK/doctor.json" || fail doctor-failed "what the doctors printed cannot be read: $(complaint)" 'run this again'
    [[ -n $ANSWER ]] || return 0
    local pod check detail remedy
    IFS=$'\t' read -r pod check detail remedy <<<"$ANSWER"
    printf '%s\n' "$ANSWER" >&2
    case $check in
        pollers-*) fail no-pollers "$pod: $detail" "$remedy" ;;
        *) fail doctor-failed "$pod: $check: $detail" "$remedy" ;;
    esac
}
