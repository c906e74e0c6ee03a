# shellcheck shell=bash disable=SC2034,SC2154 # Variables are shared with the script that sources this.
# The summary: one JSON file that says how a run ended, however it ended. Written without jq, which may be what is missing.

SUMMARY_FILE='' SUMMARY_STARTED=''
declare -a SUMMARY_STEPS=() SUMMARY_FACTS=()

# begin_summary FILE: from here on the run leaves a summary. Until it ends the file says that it is running.
begin_summary() {
    SUMMARY_FILE=$1
    SUMMARY_STARTED=$(utc_now)
    put_summary running null
}

utc_now() { TZ=UTC printf '%(%Y-%m-%dT%H:%M:%SZ)T' -1; }

# fact NAME TEXT and fact_json NAME JSON: something the summary says beside its outcome. The last word counts.
fact() { fact_json "$1" "$(json_string "$2")"; }
fact_json() { SUMMARY_FACTS+=("$(json_string "$1"): $2"); }

# Notes how the current step ended.
end_step() {
    local took=$((SECONDS - STEP_STARTED))
    SUMMARY_STEPS+=("{\"step\": $(json_string "$STEP"), \"outcome\": \"$1\", \"seconds\": $took}")
}

write_summary() {
    local outcome
    case $1 in
        0) outcome=completed ;;
        "$EXIT_REFUSED") outcome=refused ;;
        129 | 130 | 143) outcome=interrupted ;;
        *) outcome=failed ;;
    esac
    put_summary "$outcome" "$1"
}

put_summary() {
    local outcome=$1 code=$2 finished
    [[ -n $SUMMARY_FILE ]] || return 0
    finished=$(utc_now)
    {
        printf '{\n  "script": %s,\n  "outcome": "%s",\n  "exit_code": %s,\n' "$(json_string "$SCRIPT")" "$outcome" "$code"
        printf '  "dry_run": %s,\n  "started_at": "%s",\n  "finished_at": "%s",\n' "$DRY_RUN" "$SUMMARY_STARTED" "$finished"
        printf '  "step": %s,\n  "error": %s,\n' "$(json_string "$STEP")" "$(json_error)"
        local line
        for line in "${SUMMARY_FACTS[@]}"; do printf '  %s,\n' "$line"; done
        printf '  "steps": [%s]\n}\n' "$(joined ', ' "${SUMMARY_STEPS[@]}")"
    } >"$SUMMARY_FILE.new"
    mv -f -- "$SUMMARY_FILE.new" "$SUMMARY_FILE"
}

json_error() {
    if [[ -z $ERROR_SLUG ]]; then printf null; return; fi
    printf '{"step": %s, "slug": %s, "message": %s, "remedy": %s}' \
        "$(json_string "$STEP")" "$(json_string "$ERROR_SLUG")" "$(json_string "$ERROR_MESSAGE")" "$(json_string "$ERROR_REMEDY")"
}

# json_string TEXT: prints it as a JSON string. Bytes beyond ASCII become "?": a message may be cut in the middle of a letter.
json_string() {
    local text=$1
    text=${text//\\/\\\\}
    text=${text//\"/\\\"}
    text=${text//$'\n'/\\n}
    text=${text//$'\t'/\\t}
    text=${text//[^[:print:]]/?}
    printf '"%s"' "$text"
}

# joined SEPARATOR ITEM…
joined() {
    local separator=$1 text=${2:-} item
    for item in "${@:3}"; do text+=$separator$item; done
    printf '%s' "$text"
}
