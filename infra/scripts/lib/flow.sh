# shellcheck shell=bash disable=SC2016,SC2034,SC2153,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# One workflow from the API to the server and back. A word that is nowhere else goes in encrypted, and is then looked for where it
# must not be.

FLOW_ID='' WORD='' FLOW_TOOK=0

# random: prints 32 hexadecimal digits.
random() {
    local digits
    digits=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    [[ $digits =~ ^[0-9a-f]{32}$ ]] || fail no-random 'there are no random bytes at /dev/urandom' 'look at the machine this runs on'
    printf '%s' "$digits"
}

# start_flow: starts a workflow under an id of its own. The word is in its input, and nowhere else.
start_flow() {
    local path=/api/v1/workflows
    WORD=validate$(random)
    FLOW_ID=validate-$(random)
    if [[ $WORKFLOW == order ]]; then
        path=/orders
        printf '{"id": "%s", "customer": "validate", "items": [{"sku": "validate", "quantity": 1}], "amount": 1, "currency": "EUR",
            "card_token": "tok_validate", "address": {"name": "%s", "street": "-", "postal_code": "-", "city": "-", "country": "-"}}' \
            "$FLOW_ID" "$WORD" >"$WORK/request.json"
    else
        printf '{"type": "GreetingWorkflow", "workflowId": "%s", "input": ["%s"]}' "$FLOW_ID" "$WORD" >"$WORK/request.json"
    fi
    # 200 would say that it was started before.
    expect_api 202 'starts a workflow' POST "$path" "$WORK/request.json"
    FLOW_TOOK=$TOOK
}

# The id that Temporal knows: orders have one of their own.
workflow_id() { if [[ $WORKFLOW == order ]]; then printf 'order-%s' "$FLOW_ID"; else printf '%s' "$FLOW_ID"; fi; }

# await_flow: its answer is in ANSWER, and FLOW_TOOK says how long it took since its start. No workflow of ours takes two minutes,
# even where a node has to come up first.
await_flow() {
    if [[ $WORKFLOW == order ]]; then
        again 120 1 order_ended || no_result
    else
        again 3 1 greeting_ended || no_result
    fi
}

# The API itself waits, for 40 seconds at most.
greeting_ended() {
    call_api GET "/api/v1/workflows/$FLOW_ID/result?wait=40s" || api_failed 'waits for a result'
    FLOW_TOOK=$((FLOW_TOOK + TOOK))
    [[ $STATUS == 200 || $STATUS == 202 ]] || api_failed 'waits for a result'
    [[ $STATUS == 200 ]]
}

order_ended() {
    expect_api 200 'shows an order' GET "/orders/$FLOW_ID"
    [[ $ANSWER == *'"status":"RUNNING"'* ]] || return 0
    FLOW_TOOK=$((FLOW_TOOK + 1000))
    return 1
}

no_result() {
    fail no-result "workflow $(workflow_id) has no result after 120 seconds" \
        "sealane workflow describe --workflow-id $(workflow_id) says what is in its way; sealane doctor in a worker's pod why nobody works"
}

# check_result: the result is what this input makes, and of this workflow.
check_result() {
    printf '%s' "$ANSWER" >"$WORK/result.json"
    local program='.workflowId == $id and .status == "COMPLETED" and .result == "Final result: Processed: Hello, \($word)!"'
    [[ $WORKFLOW != order ]] || program='.order_id == $id and .status == "COMPLETED" and .receipt.status == "shipped" and .receipt.order_id == $id'
    ask 20 jq --arg id "$FLOW_ID" --arg word "$WORD" "$program" "$WORK/result.json" || ANSWER=''
    [[ $ANSWER == true ]] || fail wrong-result "workflow $(workflow_id) ended with something else than its input makes" \
        "sealane workflow result --workflow-id $(workflow_id) shows it; another worker may poll the task queue $SETTING_QUEUE"
}

# Reads a history as the server has it. First line: how many payloads are encrypted under the active key. Then what is wrong, by name.
# Headers hold the trace context and search attributes are for the server: both are plain by design, and must not hold the word either.
readonly HISTORY_PROGRAM='
  def text: try @base64d catch "";
  def ends: ["WorkflowExecutionStartedEventAttributes", "WorkflowExecutionCompletedEventAttributes"];
  ($keys[0] | map(select(.stage == "active").keyId)) as $active
  | . as $history
  | [.events[]?.attributes | keys[]] as $kinds
  | if $history.events[0].attributes.WorkflowExecutionStartedEventAttributes.workflow_id != $id or (ends - $kinds | length > 0)
    then "0", "history-unreadable this is not the whole history of \($id)"
    else
      ([paths(type == "object" and has("metadata") and has("data"))
        | select(any(.[]; . == "header" or . == "search_attributes") | not)] | map(. as $path | {path: $path, payload: ($history | getpath($path))})) as $all
      | ($all | map(select((.payload.metadata.encoding // "" | text) == "binary/encrypted" and ((.payload.data // "") | length) >= 40))) as $sealed
      | ($sealed | map(.payload.metadata["encryption-key-id"] // "" | text)) as $used
      | ($sealed | length | tostring),
        ($all - $sealed | .[] | "history-plaintext a payload is not encrypted: \(.path | map(tostring) | join("."))"),
        (if any($history | ..; (type == "string" and (contains($word) or (text | contains($word)))) or (type == "object" and (keys | any(contains($word)))))
          then "history-plaintext the word that went in encrypted stands in the history" else empty end),
        ($used - $active | unique[] | "history-key payloads are encrypted under \(.), expected \($active | join(", "))"),
        (if ($active | length) != 1 then "history-key \($active | length) keys are active, expected 1" else empty end)
    end
  | gsub("[\u0000-\u001f]"; "?")'

# prove_ciphertext: reads the history back, and goes on only if all of it that people send is ciphertext under the active key.
prove_ciphertext() {
    # Arguments and results: of the workflow, and of the three activities of a greeting.
    local id count problem least=8
    [[ $WORKFLOW == greeting ]] || least=2
    id=$(workflow_id)
    in_api keys list || fail keys-unreadable "sealane keys list in the API's pod: $(complaint)" 'sealane doctor there says more'
    mv -f -- "$WORK/answer" "$WORK/keys.json"
    in_api workflow history --workflow-id "$id" --encrypted || fail history-unreadable "the history of $id cannot be read: $(complaint)" 'sealane doctor in the pod of the API says more'
    mv -f -- "$WORK/answer" "$WORK/history.json"
    ask 30 jq -r --arg id "$id" --arg word "$WORD" --slurpfile keys "$WORK/keys.json" "$HISTORY_PROGRAM" "$WORK/history.json" ||
        fail history-unreadable "the history of $id is no history: $(complaint)" 'run this again'
    count=${ANSWER%%$'\n'*}
    problem=${ANSWER#"$count"}
    problem=${problem#$'\n'}
    [[ -z $problem ]] || tell_leak "${problem%%$'\n'*}"
    if [[ ! $count =~ ^[0-9]+$ ]] || ((count < least)); then
        fail history-unreadable "the history of $id has ${count:-no} encrypted payloads, expected $least or more" 'run this again'
    fi
    fact_json encrypted_payloads "$count"
    note "$count payloads, all of them ciphertext"
}

# What of an audit is plaintext: how many payloads, and of which workflows. Schedules are not counted: they may be of another queue.
readonly AUDIT_PROGRAM='
  if (.workflows | type) != "number" or (.keys | type) != "array" then error("no audit") else . end
  | .workflows, (.keys[] | select(.kind == "plaintext" and .workflows > 0) | "\(.payloads) payload(s) of \(.examples | join(", "))")'

# prove_others: nothing that somebody else started on our task queue lately is plaintext either.
prove_others() {
    # What was just started is among it, once the server lists it, which takes it seconds.
    again 12 5 audit_queue || fail history-unreadable "the audit of task queue $SETTING_QUEUE found no workflow, not even $(workflow_id)" \
        'compare TEMPORAL_TASK_QUEUE with the queue that workers poll; where only the list lags behind, run this again'
}

# Whether there was anything to look at. Plaintext ends the script.
audit_queue() {
    local since count queue=${SETTING_QUEUE//\'/\'\'}
    TZ=UTC printf -v since '%(%Y-%m-%dT%H:%M:%SZ)T' $(($(printf '%(%s)T' -1) - 600))
    kube 300 exec deployment/sealane-api --namespace "$RENDERED_NAMESPACE" --container api -- \
        sealane keys audit --closed --query "TaskQueue = '$queue' AND StartTime > '$since'" --output json ||
        fail history-unreadable "sealane keys audit in the API's pod: $(complaint)" 'sealane doctor there says more'
    mv -f -- "$WORK/answer" "$WORK/audit.json"
    # jq says nothing, and finds nothing wrong, where there is nothing to read.
    if ! ask 20 jq -r "$AUDIT_PROGRAM" "$WORK/audit.json" || [[ ! $ANSWER =~ ^[0-9]+ ]]; then
        fail history-unreadable "sealane keys audit did not print an audit: $(complaint)" 'run this again'
    fi
    count=${ANSWER%%$'\n'*}
    [[ $ANSWER != *$'\n'* ]] || tell_leak "history-plaintext the server holds ${ANSWER#*$'\n'} not encrypted"
    ((count > 0)) && fact_json audited_workflows "$count"
}

# in_api ARGUMENT…: asks sealane in the pod of the API, which has the connection, the credentials and the keys.
in_api() {
    kube 60 exec deployment/sealane-api --namespace "$RENDERED_NAMESPACE" --container api -- sealane "$@" --output json
}

# tell_leak "SLUG WORDS"
tell_leak() {
    case ${1%% *} in
        history-plaintext) fail history-plaintext "${1#* }" 'stop whatever sends it: a worker or a client without SEALANE_ENCRYPTION=required; the payloads stay in the server until their retention is over' ;;
        history-key) fail history-key "${1#* }" 'wait until a rotation has ended (docs/key-rotation.md), or look for a process with other keys' ;;
        *) fail history-unreadable "${1#* }" 'run this again' ;;
    esac
}
