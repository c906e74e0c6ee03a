# shellcheck shell=bash disable=SC2034,SC2154 # Variables are shared with the script that sources this.
# Azure, as whoever is signed in: nothing here signs in, and nothing changes the default subscription. Each call names its own.

SUBSCRIPTION=${SUBSCRIPTION:-} TENANT=${TENANT:-} MANAGED_IDENTITY=none

is_uuid() { [[ $1 =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]]; }

# require_login: whoever is signed in can use SUBSCRIPTION, and it belongs to TENANT. Where one of them is empty it is taken from
# the account.
require_login() {
    local name value user='' state=''
    local -a which=()
    [[ -z $SUBSCRIPTION ]] || which=(--subscription "$SUBSCRIPTION")
    ask 60 az account show "${which[@]}" --output tsv \
        --query "[id, tenantId, state, user.name, user.assignedIdentityInfo || 'none']" || no_account
    {
        read -r name && read -r value && read -r state && read -r user && read -r MANAGED_IDENTITY
    } <<<"${ANSWER//$'\t'/$'\n'}" || true
    MANAGED_IDENTITY=${MANAGED_IDENTITY:-none}
    if ! { is_uuid "${name,,}" && is_uuid "${value:-}"; }; then
        fail az-unreadable "az account show did not print an account" "run \`az account show\` and look at it"
    fi
    if [[ -n $SUBSCRIPTION && ${name,,} != "$SUBSCRIPTION" ]]; then
        refuse wrong-subscription "az answers for subscription $name, expected $SUBSCRIPTION" \
            "az login --tenant ${TENANT:-TENANT}, with an account that may use it"
    fi
    if [[ -n $TENANT && $value != "$TENANT" ]]; then
        refuse wrong-tenant "subscription $name belongs to tenant $value, expected $TENANT" \
            "correct tenant_id, or az login --tenant $TENANT"
    fi
    [[ $state == Enabled ]] || refuse subscription-disabled "subscription $name is ${state:-in no known state}, expected Enabled" \
        "choose another one, or have it enabled"
    SUBSCRIPTION=${name,,} TENANT=$value
    require_same_surroundings
    # An account stays listed when its sign-in has run out. Only the time is asked for: the token stays in az.
    ask 60 az account get-access-token --subscription "$SUBSCRIPTION" --output tsv --query expiresOn ||
        refuse login-expired "az has no valid sign-in for tenant $TENANT: $(complaint)" "az login --tenant $TENANT (or --use-device-code)"
    note "signed in as ${user:-somebody} to subscription $SUBSCRIPTION"
}

no_account() {
    if [[ $COMPLAINT == *"az login"* ]]; then
        refuse not-logged-in "az is not signed in" "az login --tenant ${TENANT:-TENANT} (or --use-device-code)"
    fi
    refuse wrong-subscription "the account that is signed in cannot see subscription ${SUBSCRIPTION:-it wants}: $(complaint)" \
        "az login --tenant ${TENANT:-TENANT}, with an account that may use it"
}

# Terraform reads these before it reads our variables, in places where a variable cannot be given (the state's backend).
require_same_surroundings() {
    if [[ -n ${ARM_SUBSCRIPTION_ID:-} && ${ARM_SUBSCRIPTION_ID,,} != "$SUBSCRIPTION" ]]; then
        refuse wrong-subscription "ARM_SUBSCRIPTION_ID is $ARM_SUBSCRIPTION_ID, expected $SUBSCRIPTION" "unset ARM_SUBSCRIPTION_ID"
    fi
    if [[ -n ${ARM_TENANT_ID:-} && ${ARM_TENANT_ID,,} != "$TENANT" ]]; then
        refuse wrong-tenant "ARM_TENANT_ID is $ARM_TENANT_ID, expected $TENANT" "unset ARM_TENANT_ID"
    fi
}

# azure SECONDS ARGUMENT…: `ask`s az about our subscription. azure_change and azure_show are the same for `change` and `show`.
azure() { ask "$1" az "${@:2}" --subscription "$SUBSCRIPTION"; }
azure_change() { change "$1" az "${@:2}" --subscription "$SUBSCRIPTION"; }
azure_show() { show "$1" az "${@:2}" --subscription "$SUBSCRIPTION"; }

# group_exists NAME: whether the group exists. Anything but a plain answer is no answer.
group_exists() {
    azure 60 group exists --name "$1" || fail group-unreadable "az group exists: $(complaint)" 'run this again'
    [[ $ANSWER == true || $ANSWER == false ]] ||
        fail group-unreadable "az group exists answers \"$(one_line "${ANSWER:0:80}")\", expected true or false" 'run it by hand'
    [[ $ANSWER == true ]]
}
