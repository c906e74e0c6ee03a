# shellcheck shell=bash disable=SC2034,SC2154 # Variables are shared with the script that sources this.
# The HTTP API as a caller sees it: through a gateway, or through a port-forward; with a token that stays out of arguments and traces.

FORWARD='' STATUS='' TOOK=0 AUTHORISED=true
declare -a CURL=()

# check_api: it answers whom it knows, and nobody else.
check_api() {
    local list='/api/v1/workflows?pageSize=1'
    open_api
    authorise
    [[ $SETTING_AUTH == off ]] || expect_api 200 'lists workflows' GET "$list"
    AUTHORISED=false
    call_api GET "$list" || api_failed 'refuses strangers'
    AUTHORISED=true
    [[ $STATUS == 401 && $SETTING_AUTH != off ]] || fail api-open "the API answers $STATUS to a stranger (SEALANE_AUTH: $SETTING_AUTH), expected 401" \
        'look at SEALANE_AUTH, and at whatever stands before the API'
}

# open_api: sets API_URL, unless it was given.
open_api() {
    CURL=(curl --disable --silent --show-error --globoff --proto '=http,https')
    # Without TLS a proxy would read the token.
    [[ $API_URL == https://* ]] || CURL+=(--noproxy '*')
    if [[ -n $API_URL ]]; then fact url "$API_URL"; return; fi
    : >"$WORK/forward"
    : >"$WORK/forward.complaint"
    kubectl --kubeconfig "$KUBECONFIG_FILE" --context "${OUTPUTS[cluster_name]}" port-forward --namespace "$RENDERED_NAMESPACE" --address 127.0.0.1 \
        service/sealane-api :8080 </dev/null >"$WORK/forward" 2>"$WORK/forward.complaint" 9>&- &
    FORWARD=$!
    again 30 1 forward_is_settled || true
    COMPLAINT=$(<"$WORK/forward.complaint")
    [[ -n $API_URL ]] || fail port-forward "the API cannot be forwarded: $(complaint)" 'look at the pods of sealane-api, or give --url'
    fact url port-forward
}

# Whether it forwards, or has ended.
forward_is_settled() {
    local line
    line=$(<"$WORK/forward")
    if [[ $line =~ Forwarding\ from\ 127\.0\.0\.1:([0-9]+) ]]; then API_URL=http://127.0.0.1:${BASH_REMATCH[1]}; fi
    [[ -n $API_URL ]] || ! kill -0 "$FORWARD" 2>/dev/null
}

# The end of every run, however it ends: `finish` calls it.
on_finish() {
    [[ -z $FORWARD ]] || kill "$FORWARD" 2>/dev/null || true
}

# authorise: leaves the caller's token in a file that only curl reads, and that goes with the run.
authorise() {
    local token=$TOKEN_FILE audience=${SETTING_AUDIENCE%%,*}
    : >"$WORK/authorised"
    : >"$WORK/stranger"
    [[ $SETTING_AUTH != off ]] || return 0
    if [[ -z $token ]]; then
        [[ $SETTING_AUTH == *entra-id* && $audience != none ]] || fail no-token "SEALANE_AUTH is $SETTING_AUTH, for which az has no token" 'give --token-file'
        token=$WORK/token
        timeout -k 10 60 az account get-access-token --tenant "$TENANT" --scope "api://${audience#api://}/.default" --query accessToken --output tsv \
            </dev/null >"$token" 2>"$WORK/complaint" || { COMPLAINT=$(<"$WORK/complaint"); fail no-token "az gets no token for the API: $(complaint)" \
            'give yourself a role of its application and allow the Azure CLI there (docs/auth.md), or give --token-file'; }
    fi
    sed -n '1s/^\([A-Za-z0-9._~+\/=-]\{1,\}\)[[:space:]]*$/header = "authorization: Bearer \1"/p' "$token" >"$WORK/authorised"
    [[ -s $WORK/authorised ]] || fail no-token 'what should be a token is none' 'look at --token-file, or at what az account get-access-token prints'
}

# call_api METHOD PATH [FILE]: sends FILE as JSON. The answer is in ANSWER, its status in STATUS, the milliseconds in TOOK.
call_api() {
    local config=$WORK/authorised more=() told
    $AUTHORISED || config=$WORK/stranger
    [[ -z ${3:-} ]] || more=(--header 'content-type: application/json' --data-binary "@$3")
    STATUS=''
    ask 90 "${CURL[@]}" --config "$config" --max-time 80 --request "$1" "${more[@]}" --write-out '\n%{http_code} %{time_total}' "$API_URL$2" || return 1
    told=${ANSWER##*$'\n'} ANSWER=${ANSWER%$'\n'*}
    [[ $told =~ ^([0-9]{3})\ ([0-9]+)[.,]([0-9]{3})[0-9]*$ ]] || return 1
    STATUS=${BASH_REMATCH[1]} TOOK=$((BASH_REMATCH[2] * 1000 + 10#${BASH_REMATCH[3]}))
}

# expect_api STATUS WHAT METHOD PATH [FILE]: goes on only with that status; WHAT is what the API does with it.
expect_api() {
    call_api "${@:3}" || api_failed "$2"
    [[ $STATUS == "$1" ]] || api_failed "$2"
}

# api_failed WHAT: says why the last call did not do that. Problems hold no payload: docs/http-api.md.
api_failed() {
    local problem=''
    case $STATUS in
        '') fail api-unreachable "the API cannot be reached at $API_URL: $(complaint)" 'look at the pods of sealane-api, and with --url at name, certificate and gateway' ;;
        401) fail api-unauthorized 'the API does not accept the token' "compare SEALANE_AUTH ($SETTING_AUTH) and SEALANE_AUTH_AUDIENCE with the token's issuer and audience: docs/auth.md" ;;
        403) fail api-forbidden 'the token has no role in this namespace' 'grant it writer: SEALANE_AUTH_GRANTS_FILE, docs/auth.md' ;;
    esac
    [[ ! $ANSWER =~ urn:sealane:problem:([a-z-]+) ]] || problem=${BASH_REMATCH[1]}
    fail api-failed "the API answers $STATUS${problem:+ ($problem)} where it $1" "docs/http-api.md explains ${problem:-the status}; its log says more"
}
