# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# The secrets of the vault. The first payload key is made here, from openssl through a variable to the standard input of az: it is in no
# argument, no environment, no file and no trace. What is there is never replaced; `sealane keys rotate` does that.

SECRET_LENGTH='' SECRET_ENABLED='' FOUND='' PAYLOAD_KEY=''

# ensure_payload_key: goes on once the vault holds a key.
ensure_payload_key() {
    local name=${OUTPUTS[payload_key_secret_name]} vault=${OUTPUTS[key_vault_name]}
    if find_secret "$name"; then
        check_payload_key "$name"
        if $NEW_VAULT; then note "the vault was deleted before and has been recovered with its keys; none is made"; fi
        fact payload_key present
        return
    fi
    if would az keyvault secret set --vault-name "$vault" --name "$name" --file /dev/stdin; then fact payload_key missing; return; fi
    again 18 10 make_key "$name" || vault_failed "the payload key cannot be written" "Key Vault Secrets Officer" "$name"
    find_secret "$name" || fail key-missing "secret $name was written to vault $vault and is not there" "run this again"
    check_payload_key "$name"
    fact payload_key created
    note "a first payload key was made; keep the vault, without it what is encrypted cannot be read"
}

# A key is 16, 24 or 32 bytes in base64. Its length is computed by az, so that the value does not come here.
check_payload_key() {
    [[ $SECRET_ENABLED == true ]] || fail key-disabled "the newest version of secret $1 is disabled" "docs/key-rotation.md, \"The active version was disabled\""
    [[ $SECRET_LENGTH =~ ^(24|32|44)$ ]] || fail key-invalid "secret $1 is ${SECRET_LENGTH:-no} characters long, expected 44: 32 bytes in base64" \
        "sealane keys rotate makes a good version; then disable this one"
}

# ensure_api_key: the API key of Temporal Cloud is made there and put into the vault by a person, never by this.
ensure_api_key() {
    local name=${OUTPUTS[api_key_secret_name]:-} vault=${OUTPUTS[key_vault_name]} remedy
    if [[ ${OUTPUTS[temporal_mode]} != cloud ]]; then note "not needed: Temporal is in the cluster"; return; fi
    [[ -n $name ]] || fail output-missing "Terraform's output api_key_secret_name is empty, and Temporal Cloud needs one" "bring infra/terraform up to date and run this again"
    remedy="save the key from Temporal Cloud in a file and run: az keyvault secret set --vault-name $vault --name $name --file FILE --encoding utf-8 --output none; then delete the file"
    if ! find_secret "$name"; then
        if $DRY_RUN; then note "secret $name is not in vault $vault yet"; return; fi
        fail api-key-missing "vault $vault has no secret $name with the API key of Temporal Cloud" "$remedy"
    fi
    [[ $SECRET_ENABLED == true && ${SECRET_LENGTH:-0} -ge 20 ]] ||
        fail api-key-missing "secret $name of vault $vault holds no API key (enabled: $SECRET_ENABLED, ${SECRET_LENGTH:-0} characters)" "$remedy"
}

# find_secret NAME: whether it is there, waiting for a role that was just assigned. Only its length and state are printed.
find_secret() {
    local name=$1
    FOUND=unknown
    again 18 10 look_for_secret "$name" || vault_failed "secret $name cannot be looked for" "Key Vault Secrets User" "$name"
    [[ $FOUND == yes ]]
}

look_for_secret() {
    if azure 60 keyvault secret show --vault-name "${OUTPUTS[key_vault_name]}" --name "$1" \
        --query '[length(value), attributes.enabled]' --output tsv; then
        { read -r SECRET_LENGTH && read -r SECRET_ENABLED; } <<<"${ANSWER//$'\t'/$'\n'}" || true
        FOUND=yes
    elif [[ $COMPLAINT == *SecretNotFound* || $COMPLAINT == *"was not found in this key vault"* ]]; then
        FOUND=no
    elif [[ $COMPLAINT == *SecretDisabled* || $COMPLAINT == *"disabled secret"* ]]; then
        SECRET_ENABLED=false SECRET_LENGTH=0 FOUND=yes
    else
        # A role that was just assigned is worth waiting for, and nothing else.
        [[ $COMPLAINT == *ForbiddenByRbac* ]] || vault_failed "secret $1 cannot be looked for" "Key Vault Secrets User" "$1"
        return 1
    fi
    SECRET_ENABLED=${SECRET_ENABLED,,}
}

# vault_failed WHAT ROLE SECRET: ends with what the vault's refusal means.
vault_failed() {
    local what=$1 role=$2 scope=${OUTPUTS[key_vault_id]}/secrets/$3 vault=${OUTPUTS[key_vault_name]}
    case $COMPLAINT in
        *ForbiddenByRbac*) fail vault-role-missing "$what: you have no role at vault $vault (ForbiddenByRbac, for three minutes)" \
            "az role assignment create --role \"$role\" --scope $scope --assignee-object-id YOUR_OBJECT_ID, or add yourself to operators in terraform.tfvars" ;;
        *ForbiddenByFirewall* | *"not authorized by the vault"* | *"Public network access is disabled"* | *"client address is not authorized"*)
            fail vault-firewall "$what: vault $vault does not admit your address (ForbiddenByFirewall)" \
                "add it to key_vault_ip_ranges in terraform.tfvars, or run this from the vault's network" ;;
        *ObjectIsDeletedButRecoverable* | *"deleted but recoverable"*) fail key-deleted "$what: it is deleted and can be recovered" \
            "az keyvault secret recover --vault-name $vault --name $3; a new key could not read what the old one encrypted" ;;
        *) fail vault-failed "$what in vault $vault: $(complaint)" "run \`az keyvault secret list --vault-name $vault\` and look at it" ;;
    esac
}

# make_key NAME: returns 1 if the vault does not know our role yet, and ends the script on any other failure.
make_key() {
    local status=0
    untraced draw_key || fail openssl-failed "openssl rand did not give 32 random bytes" "look at \`openssl rand -base64 32\`"
    # Without --query, az would print the value it was given.
    INPUT=<(tell_key) azure 60 keyvault secret set --vault-name "${OUTPUTS[key_vault_name]}" --name "$1" --file /dev/stdin \
        --encoding utf-8 --content-type 'AES key in base64' --query id --output tsv || status=$?
    PAYLOAD_KEY=''
    ((status == 0)) || [[ $COMPLAINT == *ForbiddenByRbac* ]] || vault_failed "the payload key cannot be written" "Key Vault Secrets Officer" "$1"
    return "$status"
}

# The length is looked at before anything is stored: a vault keeps what it was once given.
draw_key() {
    PAYLOAD_KEY=$(timeout 20 openssl rand -base64 32) || return 1
    ((${#PAYLOAD_KEY} == 44))
}

tell_key() {
    { set +x; } 2>/dev/null
    printf '%s' "$PAYLOAD_KEY"
}
