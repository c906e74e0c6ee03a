# shellcheck shell=bash disable=SC2034,SC2154 # Variables are shared with the script that sources this.
# An environment: the directory infra/environments/NAME with its terraform.tfvars, and .sealane/NAME for what scripts make.

ENVIRONMENT='' ENVIRONMENT_DIR='' STATE_DIR=''

# use_environment NAME: checks the name, makes the directory of its state, and starts the summary.
use_environment() {
    local name=$1
    # As in infra/terraform/rules.json, which is read later: a name has to be safe before it becomes part of a path.
    [[ $name =~ ^[a-z][a-z0-9]*(-[a-z0-9]+)*$ && ${#name} -ge 2 && ${#name} -le 16 ]] || usage_error environment-name \
        "environment \"$name\" is no name: expected 2 to 16 of a-z, 0-9 and single dashes, a letter first" \
        "name a directory below infra/environments, without its path"
    ENVIRONMENT=$name ENVIRONMENT_DIR=$ROOT/infra/environments/$name STATE_DIR=$ROOT/.sealane/$name
    [[ -f $ENVIRONMENT_DIR/terraform.tfvars ]] || usage_error environment-missing \
        "infra/environments/$name/terraform.tfvars does not exist" \
        "copy infra/environments/example and write your values into it"
    mkdir -p -- "$STATE_DIR"
    [[ -O $STATE_DIR ]] || refuse state-directory ".sealane/$name belongs to somebody else" "look at what is in it, then remove it"
    chmod 700 -- "$ROOT/.sealane" "$STATE_DIR"
    lock_environment
    WORK=$(mktemp -d -- "$STATE_DIR/tmp.XXXXXXXX")
    begin_summary "$STATE_DIR/$SCRIPT.json"
    fact environment "$name"
}

# Two scripts at once would write each other's files. The lock is at the directory itself and goes with the process, however it ends.
lock_environment() {
    command -v flock >/dev/null || return 0
    exec 9<"$STATE_DIR"
    flock --nonblock 9 || refuse already-running "another script is at work on environment $ENVIRONMENT" "wait until it has ended"
    # Of runs that were killed: nobody else is at work here now.
    rm -rf -- "$STATE_DIR"/tmp.*
}
