# shellcheck shell=bash disable=SC2034,SC2154 # Variables are shared with the script that sources this.
# The programs a script needs, with the oldest version that will do. What is missing or too old is told all at once.

# PROGRAM=LEAST, in the order they are told. Why these: docs/aks.md, "What you need".
readonly -A LEAST_VERSION=(
    [az]=2.86.0 [terraform]=1.11.0 [kubectl]=1.34.0 [kubelogin]=0.1.4 [helm]=3.18.0 [jq]=1.6 [openssl]=1.1.1 [docker]=23.0.0
)

# require_programs PROGRAM…: ends with exit code 3 unless all of them are there and new enough.
require_programs() {
    local program problem problems=()
    if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then problems+=("bash is $BASH_VERSION, expected 4.4 or newer"); fi
    for program in timeout "$@"; do
        problem=$(program_problem "$program")
        [[ -z $problem ]] || problems+=("$problem")
    done
    ((${#problems[@]} == 0)) || lacking prerequisites "$(joined ', ' "${problems[@]}")" \
        "install them; docs/aks.md says where each comes from"
}

# Prints what is wrong with a program, or nothing. Does not use `ask`: nothing can be said of its time limit before `timeout` is there.
program_problem() {
    local program=$1 least=${LEAST_VERSION[$1]:-} said version
    if ! command -v "$program" >/dev/null; then
        printf '%s is missing%s' "$program" "${least:+ (expected $least or newer)}"
        return
    fi
    [[ -n $least ]] || return 0
    said=$(version_of "$program") || { printf '%s does not tell its version' "$program"; return; }
    [[ $said =~ ([0-9]+\.[0-9]+(\.[0-9]+)?) ]] || { printf '%s tells no version that can be read' "$program"; return; }
    version=${BASH_REMATCH[1]}
    at_least "$version" "$least" || printf '%s is %s, expected %s or newer' "$program" "$version" "$least"
}

# Prints what the program says about its version; where that is JSON, the part that matters.
version_of() {
    local said
    case $1 in
        az) said=$(timeout 60 az version --output tsv --query '"azure-cli"' </dev/null 2>/dev/null) ;;
        terraform) said=$(timeout 20 terraform version </dev/null 2>/dev/null) ;;
        kubectl) said=$(timeout 20 kubectl version --client </dev/null 2>/dev/null) ;;
        helm) said=$(timeout 20 helm version --template '{{.Version}}' </dev/null 2>/dev/null) ;;
        docker) said=$(timeout 20 docker version --format '{{.Client.Version}}' </dev/null 2>/dev/null || true) ;;
        openssl) said=$(timeout 20 openssl version </dev/null 2>/dev/null) ;;
        *) said=$(timeout 20 "$1" --version </dev/null 2>/dev/null) ;;
    esac || return 1
    printf '%s' "${said:0:1000}"
}

# at_least VERSION LEAST: compares up to three numbers.
at_least() {
    local -a version least
    local part
    IFS=. read -ra version <<<"${1%%[-+]*}"
    IFS=. read -ra least <<<"$2"
    for part in 0 1 2; do
        ((10#${version[part]:-0} == 10#${least[part]:-0})) || break
    done
    ((10#${version[part]:-0} >= 10#${least[part]:-0}))
}
