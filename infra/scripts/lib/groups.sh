# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # jq has variables of its own; ours are shared with the script that sources this.
# What `reap` decides about resource groups, and a line in the audit log for each decision.

# One line each: NAME, ID, the tags part-of, auto-destroy and expires-at as infra/terraform sets them, who manages it, state. The separator
# cannot be in any of them.
GROUPS_FOUND=() EXPIRED=() LEAVING=() FAILED=() DELETED=0

readonly SEPARATOR=$'\x1f'

# Fills GROUPS_FOUND. An answer that is no list of groups is no empty list.
list_groups() {
    azure 120 group list --output json ||
        fail groups-unreadable "az group list: $(complaint)" 'look at the login and its role at the subscription'
    printf '%s' "$ANSWER" >"$WORK/groups.json"
    if ! ask 20 jq -er --arg prefix "$PREFIX" '
        if type != "array" or any(.[]; (.name | type) != "string" or (.id | type) != "string") then error("no list of groups") else . end
        | "groups", (.[] | select(.name | startswith($prefix))
            | [.name, .id, .tags["part-of"], .tags["auto-destroy"], .tags["expires-at"], .managedBy, .properties.provisioningState]
            | map(. // "" | tostring | gsub("[\u0000-\u001f]"; "?")) | join("\u001f"))' "$WORK/groups.json" || [[ $ANSWER != groups* ]]; then
        fail groups-unreadable "az group list does not answer with a list of groups: $(complaint)" 'look at what it prints, then run this again'
    fi
    mapfile -t -s 1 GROUPS_FOUND <<<"$ANSWER"
}

count_groups() { printf '%d group(s)' "${#GROUPS_FOUND[@]}"; }

# Decides about every group by its tags, and then, unless they are too many, deletes those that have expired.
reap_groups() {
    local line name id part_of destroy expires manager state now
    printf -v now '%(%s)T' -1
    for line in "${GROUPS_FOUND[@]}"; do
        IFS=$SEPARATOR read -r name id part_of destroy expires manager state <<<"$line"
        judge
    done
    ((${#EXPIRED[@]} <= MOST)) || refuse too-many-expired "${#EXPIRED[@]} groups have expired, expected $MOST at most: ${EXPIRED[*]%%"$SEPARATOR"*}" \
        'look whether they all should go, then give a higher --most'
    for line in "${EXPIRED[@]}"; do
        IFS=$SEPARATOR read -r name id part_of destroy expires manager state <<<"$line"
        reap_group
    done
}

# Sorts one group: it is kept, skipped, or joins EXPIRED.
judge() {
    local epoch
    if [[ $part_of != sealane ]]; then
        audit skip not-ours
    elif [[ -n $manager ]]; then
        audit skip managed-by-resource
    elif [[ $state == Deleting ]]; then
        audit skip leaving-already
    elif [[ $destroy != true || -z $expires ]]; then
        audit keep no-expiry
    elif ! epoch=$(epoch_of "$expires"); then
        warn "$name: expires-at \"$expires\" is no date like 2026-11-22T18:00:00Z; it stays until the tag is corrected"
        audit skip expiry-unreadable
    elif ((now < epoch)); then
        audit keep not-expired
    elif ((now < epoch + GRACE * 60)); then
        audit keep grace
    else
        EXPIRED+=("$line")
    fi
}

# Deletes one group, if it is still what it was and nobody holds it.
reap_group() {
    local why
    if ! still_expired; then
        audit skip changed-meanwhile
        return
    fi
    if ! azure 120 lock list --resource-group "$name" --query 'length(@)' --output tsv || [[ ! $ANSWER =~ ^[0-9]+$ ]]; then
        give_group_up locks-unknown
    elif ((ANSWER > 0)); then
        warn "$name has expired, and $ANSWER lock(s) hold it"
        audit skip locked
    elif $DRY_RUN; then
        audit would-delete expired
    elif delete_settings && azure 300 group delete --name "$name" --yes --no-wait --output none; then
        audit delete expired
        LEAVING+=("$line")
    else
        give_group_up not-deleted
    fi
}

# Diagnostic settings of a cluster and a vault outlive their group, and are in the way of the next ones of that name. Not being rid of
# them is no reason to keep a group that costs.
delete_settings() {
    local id setting resources
    azure 120 resource list --resource-group "$name" --output tsv \
        --query "[?type=='Microsoft.ContainerService/managedClusters' || type=='Microsoft.KeyVault/vaults'].id" || {
        warn "$name: its diagnostic settings stay: $(complaint)"
        return 0
    }
    resources=$ANSWER
    while IFS= read -r id; do
        [[ -n $id ]] || continue
        azure 60 monitor diagnostic-settings list --resource "$id" --query '(value || @)[].name' --output tsv || { settings_stay; ANSWER=''; }
        while IFS= read -r setting; do
            [[ -z $setting ]] || azure 60 monitor diagnostic-settings delete --name "$setting" --resource "$id" || settings_stay
        done <<<"$ANSWER"
    done <<<"$resources"
}

settings_stay() { warn "diagnostic settings of $id stay: $(complaint)"; }

# give_group_up REASON
give_group_up() {
    warn "$name: $(complaint)"
    audit failed "$1"
    FAILED+=("$name")
}

# Whether the group as it is now is that of the list, with the same tags: somebody may have prolonged it.
still_expired() {
    azure 60 group show --name "$name" --output json || return 1
    printf '%s' "$ANSWER" >"$WORK/group.json"
    ask 20 jq --arg id "$id" --arg expires "$expires" \
        '.id == $id and .tags["part-of"] == "sealane" and .tags["auto-destroy"] == "true" and .tags["expires-at"] == $expires' "$WORK/group.json" &&
        [[ $ANSWER == true ]]
}

# Waits for every group that was deleted. 45 minutes are longer than a cluster with its disks and its database takes.
prove_gone() {
    local line name id part_of destroy expires manager state
    for line in "${LEAVING[@]}"; do
        IFS=$SEPARATOR read -r name id part_of destroy expires manager state <<<"$line"
        if again 180 15 is_gone "$name"; then
            audit deleted expired
            DELETED=$((DELETED + 1))
        else
            give_group_up still-there
        fi
    done
}

is_gone() {
    azure 60 group exists --name "$1" && [[ $ANSWER == false ]]
}

# audit DECISION REASON: one line of JSON about the group at hand, for people and for whoever collects the log.
audit() {
    local line
    line=$(printf '{"time": "%s", "subscription": "%s", "group": %s, "expires_at": %s, "decision": "%s", "reason": "%s", "dry_run": %s}' \
        "$(utc_now)" "$SUBSCRIPTION" "$(json_string "$name")" "$(json_string "$expires")" "$1" "$2" "$DRY_RUN")
    printf '%s\n' "$line" | tee -a "$STATE_DIR/audit.jsonl"
}

tell_groups() {
    fact_json groups "${#GROUPS_FOUND[@]}"
    fact_json expired "${#EXPIRED[@]}"
    fact_json deleted "$DELETED"
    fact_json failed "${#FAILED[@]}"
    ((${#FAILED[@]} == 0)) || fail groups-left "expired and not gone: $(joined ', ' "${FAILED[@]}")" \
        "read .sealane/reap/audit.jsonl, delete them by hand or wait for the next night"
    note "$DELETED group(s) deleted; their key vaults can be recovered until the retention is over: \`az keyvault list-deleted\`"
}
