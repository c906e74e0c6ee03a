# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# Terraform for one environment: its own data directory, its own state, a plan that is saved, shown and then applied as it is.
#
# The password of the database is a variable of this shell and goes to Terraform over standard input, as a variable file. It is in
# no argument, no environment and no file, and is not traced.

PLAN_FILE='' PLAN_CHANGES=false NEW_VAULT=false PASSWORD=''
declare -a VAR_FILE=()

# terraform_init: takes up the state that backend.hcl names.
terraform_init() {
    local backend=$ENVIRONMENT_DIR/backend.hcl
    [[ -f $backend ]] || usage_error backend-missing "infra/environments/$ENVIRONMENT/backend.hcl does not exist" \
        "run infra/terraform/bootstrap once and save what it prints there: docs/infrastructure.md"
    export TF_DATA_DIR=$STATE_DIR/terraform
    PLAN_FILE=$STATE_DIR/plan
    show 900 terraform -chdir="$ROOT/infra/terraform" init -input=false -no-color -backend-config="$backend" ||
        terraform_failed terraform-init "look at the provider's download and at backend.hcl; after a change of backend.hcl, remove .sealane/$ENVIRONMENT/terraform"
}

# Says why Terraform failed, and for a lock that somebody holds, how it is broken.
terraform_failed() {
    local slug=$1 remedy=$2 id='' pattern='ID:[[:space:]]+([0-9a-f-]{36})'
    if [[ $COMPLAINT == *"state lock"* || $COMPLAINT == *"state blob is already locked"* ]]; then
        [[ $COMPLAINT =~ $pattern ]] && id=${BASH_REMATCH[1]}
        fail state-locked "somebody else holds the lock of the state${id:+ ($id)}" \
            "wait; if nobody is at it any more: TF_DATA_DIR=$STATE_DIR/terraform terraform -chdir=infra/terraform force-unlock ${id:-ID}"
    fi
    fail "$slug" "terraform failed: $(complaint)" "$remedy"
}

# guard_state: leaves the state in state.json, and goes on only with one of this environment, whose group is there. An empty one may be
# anybody's.
guard_state() {
    ask 120 terraform -chdir="$ROOT/infra/terraform" show -json -no-color || terraform_failed terraform-state "run this again"
    mv -f -- "$WORK/answer" "$WORK/state.json"
    ask 60 jq '.values.outputs // {}' "$WORK/state.json" || fail terraform-state "the state cannot be read: $(complaint)" "run this again"
    mv -f -- "$WORK/answer" "$WORK/outputs.json"
    read_outputs
    compare_outputs
    rm -f -- "$WORK/outputs.json"
    ask 60 jq -r '[.values.root_module // {} | recurse(.child_modules[]?) | .resources[]?
        | select(.type == "azurerm_resource_group" and .mode == "managed").values.name] | first // ""' "$WORK/state.json" ||
        fail terraform-state "the state cannot be read: $(complaint)" "run this again"
    local group=$ANSWER
    # A new group would get the time to live of the old one, which is over, and the password of a database that is gone.
    [[ -z $group ]] || group_exists "$group" || refuse group-gone "the state knows resource group $group, and it is gone" \
        "infra/scripts/destroy $ENVIRONMENT takes the rest away, then run this again"
}

# refuse_expired DATE: goes on only if it is not over. An empty one never is.
refuse_expired() {
    local epoch now
    [[ -n $1 ]] || return 0
    printf -v now '%(%s)T' -1
    { epoch=$(epoch_of "$1") && ((now < epoch)); } || refuse expired "the environment expires at $1, which is over, and reap may delete it any night" \
        'raise ttl_hours in terraform.tfvars, or set it to null'
}

# terraform_plan: leaves a plan in PLAN_FILE, and in PLAN_CHANGES whether there is anything to do.
terraform_plan() {
    local status=0 lock=-lock-timeout=2m
    # A lock would be a change.
    ! $DRY_RUN || lock=-lock=false
    rm -f -- "$PLAN_FILE"
    choose_password
    with_password show 1800 terraform -chdir="$ROOT/infra/terraform" plan -input=false -no-color "$lock" -detailed-exitcode \
        -out="$PLAN_FILE" -var-file="$ENVIRONMENT_DIR/terraform.tfvars" "${VAR_FILE[@]}" || status=$?
    case $status in
        0) PLAN_CHANGES=false ;;
        2) PLAN_CHANGES=true ;;
        *) terraform_failed terraform-plan "correct what it names, then run this again" ;;
    esac
}

# The plan as it is read by scripts: what it destroys, and whether the vault is made anew.
readonly PLAN_PROGRAM='
  [.resource_changes[]? | select(.mode == "managed")] as $all
  | ["azurerm_resource_group", "azurerm_kubernetes_cluster", "azurerm_key_vault", "azurerm_container_registry",
     "azurerm_postgresql_flexible_server", "azurerm_postgresql_flexible_server_database"] as $precious
  | ($all[] | select((.change.actions | index("delete")) and (.type as $it | $precious | index($it))) | "destroys \(.address)"),
    ($all[] | select(.type == "azurerm_key_vault" and .change.actions == ["create"]) | "new-vault"),
    (.planned_values.outputs.expires_at.value // empty | "expires \(.)")'

# check_plan: a plan that destroys what cannot be made again needs --allow-destroy, not only --yes.
check_plan() {
    local line destroyed=() expires=''
    $PLAN_CHANGES || return 0
    ask 120 terraform -chdir="$ROOT/infra/terraform" show -json -no-color "$PLAN_FILE" ||
        terraform_failed terraform-plan "run this again"
    mv -f -- "$WORK/answer" "$WORK/plan.json"
    ask 60 jq -r "$PLAN_PROGRAM" "$WORK/plan.json" || fail terraform-plan "the plan cannot be read: $(complaint)" "run this again"
    while IFS= read -r line; do
        case $line in
            "destroys "*) destroyed+=("${line#destroys }") ;;
            new-vault) NEW_VAULT=true ;;
            "expires "*) expires=${line#expires } ;;
        esac
    done <<<"$ANSWER"
    refuse_expired "$expires"
    ((${#destroyed[@]} == 0)) || $ALLOW_DESTROY || refuse plan-destroys "the plan destroys $(joined ', ' "${destroyed[@]}")" \
        "read the plan above; if that is what you want, give --allow-destroy"
}

# terraform_apply: applies the plan, and nothing but it.
terraform_apply() {
    if ! $PLAN_CHANGES; then note "nothing to change"; return; fi
    ! would terraform apply "$PLAN_FILE" || return 0
    confirm "Apply the plan above to subscription $SUBSCRIPTION?"
    with_password show 7200 terraform -chdir="$ROOT/infra/terraform" apply -input=false -no-color "${VAR_FILE[@]}" "$PLAN_FILE" ||
        terraform_failed terraform-apply "correct what it names, then run this again: what was made stays, the rest is made then"
    rm -f -- "$PLAN_FILE"
}

# fetch_outputs: writes outputs.json; in a dry run before anything was made, there are none, and 1 is returned.
fetch_outputs() {
    ask 120 terraform -chdir="$ROOT/infra/terraform" output -json -no-color ||
        terraform_failed terraform-output "run this again"
    if [[ ${ANSWER//[[:space:]]/} == '{}' ]]; then
        $DRY_RUN || fail outputs-missing "Terraform has no outputs" "let Terraform run (no --no-terraform)"
        return 1
    fi
    mv -f -- "$WORK/answer" "$WORK/outputs.json"
}

# What the state says about the password: vault, name of its secret, version; then whether there is a server.
readonly PASSWORD_PROGRAM='
  [.values.root_module | recurse(.child_modules[]?) | .resources[]?] as $all
  | ($all[] | select(.type == "azurerm_key_vault" and .mode == "managed") | "vault \(.values.name)"),
    ($all[] | select(.type == "azurerm_key_vault_secret" and .name == "password")
      | "secret \(.values.name) \(.values.value_wo_version)"),
    ($all[] | select(.type == "azurerm_postgresql_flexible_server") | "server \(.values.administrator_password_wo_version)")'

# choose_password: the one in the vault, or a new one where there is none yet or postgresql_password_version has been raised.
# Terraform takes it up only where the server or the secret is made, or that version differs.
choose_password() {
    local kind name version vault='' secret='' held='' server='' wanted=${VARIABLES[postgresql_password_version]:-1}
    [[ ${VARIABLES[temporal_mode]} == self-hosted ]] || return 0
    VAR_FILE=(-var-file=/dev/stdin)
    ask 60 jq -r "$PASSWORD_PROGRAM" "$WORK/state.json" || fail terraform-state "the state cannot be read: $(complaint)" "run this again"
    while read -r kind name version; do
        case $kind in
            vault) vault=$name ;;
            secret) secret=$name held=$version ;;
            server) server=$name ;;
        esac
    done <<<"$ANSWER"
    if [[ -n $server && -z $secret && $server == "$wanted" ]]; then
        fail password-lost "the database is there, and its password is not in the vault" \
            "raise postgresql_password_version in terraform.tfvars: that sets a new one"
    fi
    if [[ -n $secret && $held == "$wanted" ]]; then
        untraced recall_password "$vault" "$secret"
    else
        untraced make_password
    fi
}

# 48 hexadecimal digits, and one letter of each case, since Azure wants three kinds of characters.
make_password() {
    PASSWORD=$(timeout 20 openssl rand -hex 24) || true
    [[ $PASSWORD =~ ^[0-9a-f]{48}$ ]] || fail openssl-failed "openssl rand did not give 24 random bytes" "look at \`openssl rand -hex 24\`"
    PASSWORD=Aa1$PASSWORD
}

recall_password() {
    PASSWORD=$(timeout 60 az keyvault secret show --subscription "$SUBSCRIPTION" --vault-name "$1" --name "$2" \
        --query value --output tsv </dev/null 2>"$WORK/complaint") || PASSWORD=''
    COMPLAINT=$(<"$WORK/complaint")
    [[ -n $PASSWORD ]] || fail password-unreadable "the password of the database cannot be read from vault $1: $(complaint)" \
        "docs/aks.md tells ForbiddenByRbac from ForbiddenByFirewall"
}

# with_password COMMAND…: runs it with the password on standard input, if there is one. VAR_FILE is the option that reads it.
with_password() {
    if ((${#VAR_FILE[@]} == 0)); then "$@"; else INPUT=<(tell_password) "$@"; fi
}

tell_password() {
    { set +x; } 2>/dev/null
    printf 'postgresql_password = "%s"\n' "$PASSWORD"
}
