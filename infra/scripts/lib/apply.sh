# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# Applying: server-side, under a name of our own, after the difference was shown; and taking away what was applied before and is no
# longer rendered.

readonly FIELD_MANAGER=sealane-deploy REPLICAS_MANAGER=sealane-replicas
# Everything that k8s/ can render, but the namespace. What autoscales comes first, since two must never look at one Deployment.
readonly PRUNABLE='horizontalpodautoscalers.autoscaling scaledobjects.keda.sh scaledjobs.keda.sh triggerauthentications.keda.sh
    deployments.apps services serviceaccounts configmaps poddisruptionbudgets.policy networkpolicies.networking.k8s.io
    ingresses.networking.k8s.io httproutes.gateway.networking.k8s.io podmonitors.monitoring.coreos.com
    prometheusrules.monitoring.coreos.com podmonitors.azmonitoring.coreos.com workerdeployments.temporal.io connections.temporal.io
    workerresourcetemplates.temporal.io secretproviderclasses.secrets-store.csi.x-k8s.io ciliumnetworkpolicies.cilium.io'

WORKLOADS_FILE='' LIVE_FILE='' DIFFERS=false
declare -a PRUNE_FIRST=() PRUNE_LAST=() HAND_OVER=() TAKE_BACK=()

# differs OPTION…: whether applying these would change anything. The difference is shown.
differs() {
    local status=0
    kube 120 diff --server-side --force-conflicts --field-manager="$FIELD_MANAGER" "$@" || status=$?
    ((status <= 1)) || fail diff-failed "kubectl diff: $(complaint)" "docs/aks.md explains what an API server refuses"
    ((status == 1)) || return 1
    printf '%s\n' "$ANSWER" >&2
}

# ensure_applied SLUG OPTION…: applies what is different.
ensure_applied() {
    local slug=$1
    shift
    if $DRY_RUN; then would kubectl apply --server-side "$@"; return; fi
    differs "$@" || return 0
    kube 60 apply --server-side --field-manager="$FIELD_MANAGER" "$@" ||
        fail "$slug" "kubectl apply: $(complaint)" "run this with the rights of an operator; for a conflict, look who else writes it"
}

# survey: what is in the cluster by our hand, what of it goes, and which number of replicas changes its owner.
survey() {
    local kinds='' kind known line
    ask 20 jq -cs '{apiVersion: "v1", kind: "List", items: [.[] | select(.kind != "Namespace")]}' "$OBJECTS_FILE" ||
        fail render "the manifests cannot be read: $(complaint)" "run this again"
    WORKLOADS_FILE=$STATE_DIR/workloads.json LIVE_FILE=$WORK/live.json
    mv -f -- "$WORK/answer" "$WORKLOADS_FILE"
    PRUNE_FIRST=() PRUNE_LAST=() HAND_OVER=() TAKE_BACK=()
    $NAMESPACE_EXISTS || return 0
    kube 60 api-resources --namespaced --verbs list,delete --output name || fail cluster-unreadable "kubectl api-resources: $(complaint)" "run this again"
    known=$'\n'$ANSWER$'\n'
    for kind in $PRUNABLE replicasets.apps jobs.batch; do
        [[ $known != *$'\n'"$kind"$'\n'* ]] || kinds+=${kinds:+,}$kind
    done
    [[ -n $kinds ]] || fail cluster-unreadable "kubectl api-resources lists nothing of ours" "run this again"
    kube 120 get "$kinds" --namespace "$RENDERED_NAMESPACE" --output json --show-managed-fields ||
        fail cluster-unreadable "kubectl get: $(complaint)" "run this with the rights of an operator"
    mv -f -- "$WORK/answer" "$LIVE_FILE"
    ask 30 jq -r --slurpfile rendered "$OBJECTS_FILE" --arg mine "$FIELD_MANAGER" "$SURVEY_PROGRAM" "$LIVE_FILE" ||
        fail cluster-unreadable "kubectl printed no list: $(complaint)" "run this again with --debug"
    while IFS= read -r line; do
        case $line in
            "first "*) PRUNE_FIRST+=("${line#first }") ;;
            "last "*) PRUNE_LAST+=("${line#last }") ;;
            "hand-over "*) HAND_OVER+=("${line#hand-over }") ;;
            "take-back "*) TAKE_BACK+=("${line#take-back }") ;;
        esac
    done <<<"$ANSWER"
}

# A line for each object to prune, and for each Deployment whose replicas get another owner. A ConfigMap stays as long as a revision
# uses it to which one could go back.
readonly SURVEY_PROGRAM='
  def group: .apiVersion | if contains("/") then split("/")[0] else "" end;
  def id: "\(.kind)\(group | if . == "" then "" else ".\(.)" end)/\(.metadata.name)";
  def owns_replicas: .fieldsV1["f:spec"]["f:replicas"] != null;
  ([$rendered[] | {key: id, value: .}] | from_entries) as $wanted
  | .items as $live
  | ([$live[] | select(.kind == "ReplicaSet" or .kind == "Job") | .. | objects | (.configMapRef?, .configMap?) | .name? // empty]) as $used
  | ($live[] | select(any(.metadata.managedFields[]?; .manager == $mine and .operation == "Apply"))
      | id as $id | select($wanted[$id] == null and (.metadata.deletionTimestamp == null))
      | select(.kind != "ConfigMap" or (.metadata.name as $name | $used | index([$name]) | not))
      | if .kind == "HorizontalPodAutoscaler" or .kind == "ScaledObject" then "first \($id)" else "last \($id)" end),
    ($live[] | select(.kind == "Deployment") | $wanted[id] as $new | select($new != null)
      | [.metadata.managedFields[]? | select(owns_replicas)] as $owners
      | if $new.spec.replicas == null then
          select(any($owners[]; .manager == $mine)) | "hand-over \(.metadata.name) \(.spec.replicas)"
        else
          select(any($owners[]; .manager != $mine)) | "take-back \(.metadata.name) \($new.spec.replicas)"
        end)'

# show_differences: what applying would change, and what would go. Sets DIFFERS.
show_differences() {
    DIFFERS=false
    if ! $NAMESPACE_EXISTS; then
        note "everything is new"
        DIFFERS=true
        return
    fi
    if differs --filename "$WORKLOADS_FILE"; then DIFFERS=true; fi
    local it
    for it in "${PRUNE_FIRST[@]}" "${PRUNE_LAST[@]}"; do note "to be deleted, since it is no longer rendered: $it"; done
    $DIFFERS || ((${#PRUNE_FIRST[@]} + ${#PRUNE_LAST[@]} > 0)) || note "nothing to change"
}

# apply_workloads: autoscalers that go, then numbers of replicas that change hands, then all the rest at once.
apply_workloads() {
    local force=()
    if ! $DIFFERS && ((${#PRUNE_FIRST[@]} == 0)); then note "nothing to apply"; return; fi
    ! would kubectl apply --server-side --filename "$WORKLOADS_FILE" || return 0
    confirm "Apply the differences above to ${OUTPUTS[cluster_name]}${PRUNE_FIRST[*]:+ and delete ${PRUNE_FIRST[*]}}?"
    prune "${PRUNE_FIRST[@]}"
    change_hands
    ! $FORCE_CONFLICTS || force=(--force-conflicts)
    if ! kube_change 180 apply --server-side --field-manager="$FIELD_MANAGER" "${force[@]}" --filename "$WORKLOADS_FILE"; then
        [[ $COMPLAINT != *conflict* ]] || fail apply-conflict "somebody else has written what this applies: $(complaint)" \
            "put the value into infra/environments/$ENVIRONMENT/kustomization.yaml, or give --force-conflicts to take it over"
        fail apply-failed "kubectl apply: $(complaint)" "docs/aks.md explains what an API server refuses; what was applied before it stays"
    fi
    if [[ $COMPLAINT == *Warning:* ]]; then warn "the API server says: $(one_line "$COMPLAINT")"; fi
    release_replicas
}

# Server-side apply sets a field that its owner no longer renders to its default: one replica. So before an autoscaler takes over,
# the number as it is gets another owner as well; and before it comes back, nobody else may own another number.
change_hands() {
    local it name number
    for it in "${HAND_OVER[@]}"; do
        read -r name number <<<"$it"
        apply_replicas "$name" "{\"replicas\": $number}"
    done
    for it in "${TAKE_BACK[@]}"; do
        read -r name number <<<"$it"
        apply_replicas "$name" "{\"replicas\": $number}" --force-conflicts
    done
}

# What was taken back belongs to the manifests alone from here on.
release_replicas() {
    local it
    for it in "${TAKE_BACK[@]}"; do apply_replicas "${it% *}" '{}'; done
}

apply_replicas() {
    local name=$1 spec=$2
    printf '{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "%s", "namespace": "%s"}, "spec": %s}\n' \
        "$name" "$RENDERED_NAMESPACE" "$spec" >"$WORK/replicas.json"
    kube_change 60 apply --server-side --validate=false --field-manager="$REPLICAS_MANAGER" "${@:3}" --filename "$WORK/replicas.json" ||
        fail replicas "the replicas of $name cannot change their owner: $(complaint)" "run this again"
}

# prune OBJECT…: deletes them, and waits until they are gone.
prune() {
    local it
    for it in "$@"; do
        kube_change 120 delete "$it" --namespace "$RENDERED_NAMESPACE" --ignore-not-found --timeout 90s ||
            fail prune-failed "$it cannot be deleted: $(complaint)" "look at its finalizers, then run this again"
    done
}

# prune_rest: after the new pods run, since until then the old ones need what is old.
prune_rest() {
    if ((${#PRUNE_LAST[@]} == 0)); then note "nothing to delete"; return; fi
    $DRY_RUN || confirm "Delete $(joined ', ' "${PRUNE_LAST[@]}") from ${OUTPUTS[cluster_name]}?"
    prune "${PRUNE_LAST[@]}"
}
