# shellcheck shell=bash disable=SC2034,SC2154 # Variables are shared with the script that sources this.
# What every script here is made of: named steps, one line for each failure, programs with a time limit, signals, confirmation.
#
# A script sources this file, calls `begin NAME`, and then `step` before each thing it does. Programs are run by `ask` (they only
# look) and `change` (they change something, and are only named in a dry run), so that none can hang, and a signal ends them.

set -Eeuo pipefail
umask 077
# Messages of programs are matched and shown, so they have to be in one language.
export LC_ALL=C
# No program may ask, page or colour: nobody may be there to answer.
export AZURE_CORE_NO_COLOR=true AZURE_CORE_ONLY_SHOW_ERRORS=true AZURE_EXTENSION_USE_DYNAMIC_INSTALL=no
export TF_IN_AUTOMATION=1 TF_INPUT=0 TF_CLI_ARGS='' NO_COLOR=1 KUBECTL_EXTERNAL_DIFF=''
# What somebody set for their own work must not reach ours: another workspace is another state, a variable beats terraform.tfvars, a
# log holds secrets, and preferences of kubectl change what its options mean.
unset TF_WORKSPACE "${!TF_LOG@}" "${!TF_CLI_ARGS_@}" "${!TF_VAR_@}"
export KUBERC=off KUBECTL_KUBERC=false

readonly EXIT_FAILED=1 EXIT_USAGE=2 EXIT_PREREQUISITES=3 EXIT_REFUSED=4

SCRIPT='' STEP=arguments STEP_STARTED=0
DRY_RUN=false DEBUG=false ASSUME_YES=false
CHILD='' TELLER='' WORK=''
ANSWER='' COMPLAINT=''
ERROR_SLUG='' ERROR_MESSAGE='' ERROR_REMEDY=''
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd -P)

# begin NAME: names the script, and has every way to end reported.
begin() {
    SCRIPT=$1
    trap 'unexpected $? "$BASH_COMMAND"' ERR
    trap 'finish $?' EXIT
    trap 'interrupted INT 130' INT
    trap 'interrupted TERM 143' TERM
    trap 'interrupted HUP 129' HUP
}

# step NAME SENTENCE: what is done from here on; the name stands in every message and in the summary.
step() {
    end_step completed
    STEP=$1 STEP_STARTED=$SECONDS
    note "$2"
}

note() { printf '%s: %s: %s\n' "$SCRIPT" "$STEP" "$1" >&2; }
warn() { printf '%s: %s: warning: %s\n' "$SCRIPT" "$STEP" "$1" >&2; }

# The four ways to end early: SLUG MESSAGE [REMEDY]. The slug is a row of docs/aks.md.
fail() { give_up "$EXIT_FAILED" "$@"; }
usage_error() { give_up "$EXIT_USAGE" "$@"; }
lacking() { give_up "$EXIT_PREREQUISITES" "$@"; }
refuse() { give_up "$EXIT_REFUSED" "$@"; }

give_up() {
    local code=$1
    ERROR_SLUG=$2 ERROR_MESSAGE=$(one_line "$3") ERROR_REMEDY=$(one_line "${4:-}")
    printf '%s: %s: [%s] %s%s\n' "$SCRIPT" "$STEP" "$ERROR_SLUG" "$ERROR_MESSAGE" "${ERROR_REMEDY:+; $ERROR_REMEDY}" >&2
    # A subshell cannot hand its variables over, and its parent must not report the same failure again.
    if ((BASH_SUBSHELL > 0)) && [[ -n $WORK ]]; then
        printf '%s\n' "$ERROR_SLUG" "$ERROR_MESSAGE" "$ERROR_REMEDY" >"$WORK/failure"
    fi
    exit "$code"
}

# Prints text as one line that a terminal can show: messages of programs may hold anything.
one_line() {
    local text=${1//$'\n'/ }
    text=${text//[[:cntrl:]]/ }
    printf '%s' "${text:0:2000}"
}

# The trap of a command that nobody expected to fail.
unexpected() {
    local code=$1 command=$2
    if [[ -n $WORK && -s $WORK/failure ]]; then
        { read -r ERROR_SLUG; read -r ERROR_MESSAGE; read -r ERROR_REMEDY; } <"$WORK/failure" || true
        exit "$code"
    fi
    ((BASH_SUBSHELL == 0)) || exit "$code"
    fail unexpected "\`$command\` ended with $code (${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]})" \
        "run it again with --debug; nothing that was done before is done twice"
}

# Ends the program that runs, gives it time to clean up (Terraform releases its lock), and says where that was.
interrupted() {
    local signal=$1 code=$2
    trap '' INT TERM HUP
    trap - ERR
    if [[ -n $CHILD ]]; then
        kill -TERM "$CHILD" 2>/dev/null || true
        wait "$CHILD" 2>/dev/null || true
        [[ -z $TELLER ]] || wait "$TELLER" 2>/dev/null || true
    fi
    give_up "$code" interrupted "SIG$signal during this step" "run it again: it goes on where it stopped"
}

# The trap of the end, however it came: the last step's outcome, the summary, no temporary files.
finish() {
    local code=$1
    trap - ERR EXIT
    trap '' INT TERM HUP
    if ((code == 0)); then end_step completed; else end_step failed; fi
    if declare -F on_finish >/dev/null; then on_finish "$code" || true; fi
    write_summary "$code" || true
    if declare -F on_summary >/dev/null; then on_summary "$code" || true; fi
    if [[ -n $WORK ]]; then rm -rf -- "$WORK"; fi
    exit "$code"
}

# ask SECONDS PROGRAM ARGUMENT…: runs a program that only looks. Its output is in ANSWER, its complaint in COMPLAINT, and its
# status is returned. It reads nothing unless INPUT names a file. One that does not end in time ends the script.
ask() {
    local limit=${SEALANE_TIME_LIMIT:-$1} status=0 started=$SECONDS
    shift
    timeout -k 10 "$limit" "$@" <"${INPUT:-/dev/null}" >"$WORK/answer" 2>"$WORK/complaint" 9>&- &
    await_child || status=$?
    # What is no text does not get further: bash cannot hold a NUL.
    { ANSWER=$(<"$WORK/answer") COMPLAINT=$(<"$WORK/complaint"); } 2>/dev/null
    in_time "$status" "$limit" "$started" "$1"
    return "$status"
}

# change SECONDS PROGRAM ARGUMENT…: as `ask`, for a program that changes something. A dry run only names it.
change() {
    if would "${@:2}"; then
        ANSWER='' COMPLAINT=''
        return 0
    fi
    ask "$@"
}

# would PROGRAM ARGUMENT…: in a dry run, names the program and returns 0.
would() {
    local words
    $DRY_RUN || return 1
    printf -v words ' %q' "$@"
    note "would run:$words"
}

# show SECONDS PROGRAM ARGUMENT…: as `ask`, for long work that people follow: what it says is seen at once, on standard error,
# and is in COMPLAINT.
show() {
    local limit=${SEALANE_TIME_LIMIT:-$1} status=0 started=$SECONDS
    shift
    : >"$WORK/complaint"
    timeout -k 60 "$limit" "$@" <"${INPUT:-/dev/null}" >"$WORK/complaint" 2>&1 9>&- &
    CHILD=$!
    # Follows the file rather than a pipe, which a process that the program leaves behind could hold open.
    tail -n +1 -f -s 0.2 --pid="$CHILD" "$WORK/complaint" >&2 &
    TELLER=$!
    wait "$CHILD" || status=$?
    CHILD=''
    wait "$TELLER" || true
    ANSWER='' COMPLAINT=$(<"$WORK/complaint")
    in_time "$status" "$limit" "$started" "$1"
    return "$status"
}

# Waits for the program that was started last; a signal interrupts the waiting, and its trap ends the program.
await_child() {
    local status=0
    CHILD=$!
    wait "$CHILD" || status=$?
    CHILD=''
    return "$status"
}

in_time() {
    local status=$1 limit=$2 started=$3 program=$4
    if ((status == 124 || status == 137)) && ((SECONDS - started >= limit)); then
        fail timed-out "$program did not end within $limit seconds" "look at what it waits for, then run this again"
    fi
    if ((status == 126 || status == 127)); then
        fail program-missing "$program cannot be started: $(complaint)" "install it; \`infra/scripts/$SCRIPT --help\` names the versions"
    fi
}

# Prints the line of COMPLAINT that says most: the first that calls itself an error, or the first that is not empty.
complaint() {
    local line first='' found=''
    while IFS= read -r line; do
        line=${line#"${line%%[![:space:]│]*}"}
        [[ -n $line ]] || continue
        first=${first:-$line}
        if [[ -z $found && $line =~ ^(ERROR|Error|error) ]]; then found=$line; fi
    done <<<"$COMPLAINT"
    one_line "${found:-${first:-it said nothing}}"
}

# confirm QUESTION: goes on only with "yes". A dry run changes nothing, so it needs no answer.
confirm() {
    local answer=''
    if $ASSUME_YES || $DRY_RUN; then return 0; fi
    printf '%s: %s: %s Type "yes" to go on: ' "$SCRIPT" "$STEP" "$1" >&2
    read -r answer || printf '\n' >&2
    [[ $answer == yes ]] || refuse not-confirmed "the answer was not \"yes\"" "run it again and answer, or give --yes"
}

# again TIMES PAUSE FUNCTION ARGUMENT…: calls the function until it returns 0, so often at most, with a pause in seconds between.
again() {
    local times=$1 pause=$2
    shift 2
    until "$@"; do
        ((--times > 0)) || return 1
        sleep "$pause" 9>&- &
        await_child
    done
}

# untraced FUNCTION ARGUMENT…: calls it with tracing off, since it handles a secret.
untraced() {
    { set +x; } 2>/dev/null
    local status=0
    "$@" || status=$?
    if $DEBUG; then set -x; fi
    return "$status"
}

trace() {
    DEBUG=true
    PS4='+ ${STEP}:${BASH_SOURCE[0]##*/}:${LINENO}: '
    set -x
}
