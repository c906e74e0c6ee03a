# shellcheck shell=bash disable=SC2034,SC2154 # Variables are shared with the script that sources this.
# Terraform's outputs, as they were after the last apply: .sealane/NAME/outputs.json and the array OUTPUTS.

declare -A OUTPUTS=()
OUTPUTS_FILE=''

# read_outputs: fills OUTPUTS with every output that is text, number or truth; null is ''. Takes those that this run has fetched, which
# replace the ones of before only once they have been compared.
read_outputs() {
    local name value
    OUTPUTS_FILE=$STATE_DIR/outputs.json
    [[ ! -f $WORK/outputs.json ]] || OUTPUTS_FILE=$WORK/outputs.json
    [[ -s $OUTPUTS_FILE ]] || fail outputs-missing ".sealane/$ENVIRONMENT/outputs.json does not exist" \
        "run \`infra/scripts/deploy $ENVIRONMENT\` first"
    ask 20 jq -r 'to_entries[] | select(.value.value | type | . != "object" and . != "array")
        | [.key, (.value.value // "" | tostring)] | @tsv' "$OUTPUTS_FILE" ||
        fail outputs-unreadable ".sealane/$ENVIRONMENT/outputs.json is not what \`terraform output -json\` prints" \
            "remove it and run \`infra/scripts/deploy $ENVIRONMENT\`"
    OUTPUTS=()
    while IFS=$'\t' read -r name value; do
        [[ -z $name ]] || OUTPUTS[$name]=$value
    done <<<"$ANSWER"
}

# compare_outputs: what there is of them is of this environment, and of the subscription and the tenant of its variables.
compare_outputs() {
    local pair found name
    for pair in environment:ENVIRONMENT subscription_id:SUBSCRIPTION tenant_id:TENANT; do
        found=${OUTPUTS[${pair%:*}]:-} name=${pair#*:}
        [[ -z $found || $found == "${!name}" ]] || refuse outputs-mismatch "Terraform's output ${pair%:*} is $found, expected ${!name}" \
            "look at infra/environments/$ENVIRONMENT/backend.hcl: this is the state of something else, and two environments never share one"
    done
}

# keep_outputs: those that were fetched are the ones of the environment from here on.
keep_outputs() {
    [[ ! -f $WORK/outputs.json ]] || mv -f -- "$WORK/outputs.json" "$STATE_DIR/outputs.json"
    OUTPUTS_FILE=$STATE_DIR/outputs.json
}

# require_outputs NAME…: goes on only if all of them are there, so that ${OUTPUTS[NAME]} can be used.
require_outputs() {
    local name absent=()
    for name in "$@"; do
        [[ -n ${OUTPUTS[$name]:-} ]] || absent+=("$name")
    done
    ((${#absent[@]} == 0)) || fail output-missing "Terraform's outputs lack $(joined ', ' "${absent[@]}")" \
        "bring infra/terraform up to date and run \`infra/scripts/deploy $ENVIRONMENT\`"
}
