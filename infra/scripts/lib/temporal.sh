# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# Temporal in the cluster: its own chart, pinned, with k8s/temporal/values.yaml, and the password of the database as a Secret.

readonly CHART_REPOSITORY=https://go.temporal.io/helm-charts CHART_VERSION=1.6.0

# ensure_temporal: installs or upgrades the chart if its version or values are not those that run.
ensure_temporal() {
    if [[ ${OUTPUTS[temporal_mode]} != self-hosted ]]; then note "not needed: Temporal Cloud"; return; fi
    if ! $TEMPORAL_CHART; then note "left alone"; return; fi
    require_outputs postgresql_fqdn postgresql_password_secret_name
    ensure_applied temporal-namespace --kustomize "$ROOT/k8s/temporal"
    ensure_password_secret
    choose_values
    if release_is_current; then note "chart $CHART_VERSION runs with these values already"; return; fi
    local words=(helm upgrade --install temporal temporal --repo "$CHART_REPOSITORY" --version "$CHART_VERSION" --namespace temporal
        --kubeconfig "$KUBECONFIG_FILE" --kube-context "${OUTPUTS[cluster_name]}" "${VALUES[@]}" --description "$VALUES_MARK" --wait --timeout 15m)
    ! would "${words[@]}" || return 0
    show 1200 "${words[@]}" || fail temporal-install "helm: $(complaint)" \
        "kubectl --kubeconfig .sealane/$ENVIRONMENT/kubeconfig --namespace temporal get pods,jobs shows what is not ready; after \"another operation\", helm rollback temporal"
}

# The values in the order in which they count: ours, the environment's, Terraform's. VALUES_MARK tells them apart from others.
declare -a VALUES=()
VALUES_MARK=''
choose_values() {
    local file host=${OUTPUTS[postgresql_fqdn]} sum
    local -a files=("$ROOT/k8s/temporal/values.yaml")
    [[ ! -f $ENVIRONMENT_DIR/temporal-values.yaml ]] || files+=("$ENVIRONMENT_DIR/temporal-values.yaml")
    VALUES=()
    for file in "${files[@]}"; do VALUES+=(--values "$file"); done
    for file in default visibility; do
        VALUES+=(--set "server.config.persistence.datastores.$file.sql.connectAddr=$host:5432")
    done
    sum=$(cat -- "${files[@]}" | sha256sum) || fail temporal-install "the values of Temporal's chart cannot be read" "look at k8s/temporal/values.yaml"
    VALUES_MARK="sealane ${sum:0:16} $host"
}

release_is_current() {
    ask 60 helm history temporal --namespace temporal --max 1 --output json --kubeconfig "$KUBECONFIG_FILE" --kube-context "${OUTPUTS[cluster_name]}" || {
        [[ $COMPLAINT == *"not found"* ]] || fail temporal-unreadable "helm: $(complaint)" "run this with the rights of an operator"
        return 1
    }
    mv -f -- "$WORK/answer" "$WORK/release.json"
    ask 20 jq -e --arg chart "temporal-$CHART_VERSION" --arg mark "$VALUES_MARK" \
        '.[-1] | .status == "deployed" and .chart == $chart and .description == $mark' "$WORK/release.json"
}

# ensure_password_secret: the chart reads the password from a Secret. It goes from vault to cluster through pipes.
ensure_password_secret() {
    ! would "write Secret temporal-postgresql from secret" "${OUTPUTS[postgresql_password_secret_name]}" || return 0
    untraced copy_password || fail temporal-secret "the password of the database cannot be written to the cluster: $(complaint)" "run this with the rights of an operator"
}

copy_password() {
    local encoded present
    recall_password "${OUTPUTS[key_vault_name]}" "${OUTPUTS[postgresql_password_secret_name]}"
    encoded=$(printf '%s' "$PASSWORD" | base64 | tr -d '\n')
    local where=(--kubeconfig "$KUBECONFIG_FILE" --context "${OUTPUTS[cluster_name]}" --namespace temporal)
    present=$(timeout 30 kubectl "${where[@]}" get secret temporal-postgresql --ignore-not-found --output jsonpath='{.data.password}' \
        </dev/null 2>"$WORK/complaint") || { COMPLAINT=$(<"$WORK/complaint"); return 1; }
    [[ $present != "$encoded" ]] || return 0
    printf '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"temporal-postgresql"},"data":{"password":"%s"}}' "$encoded" |
        timeout 30 kubectl "${where[@]}" apply --server-side --field-manager="$FIELD_MANAGER" --filename - >/dev/null 2>"$WORK/complaint" ||
        { COMPLAINT=$(<"$WORK/complaint"); return 1; }
}
