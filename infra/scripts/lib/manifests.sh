# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# The manifests of one environment: an overlay, the environment's own component, and what Terraform made. Rendered by kubectl's
# kustomize, checked by `sealane manifests check`, and read here as JSON.

declare -a SEALANE_COMMAND=() ACCEPTED=()
# What of the rendering the script has to know, by kind and name.
declare -A DEPLOYMENT_REPLICAS=() ACCOUNT_CLIENT=() API_GROUPS=()
declare -a HOSTS=()
RENDERED_NAMESPACE='' RENDERED_LEVEL='' KEDA_LEAST='' VERSIONED=false SCALED_JOB=false
RENDERED_FILE='' OBJECTS_FILE=''

# Stands for the digest of an image that is not built yet.
readonly NO_DIGEST=sha256:eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee

# find_sealane: SEALANE of the environment, or sealane of the PATH, or the one of this repository, which cargo builds first.
find_sealane() {
    if [[ -n ${SEALANE:-} ]]; then
        SEALANE_COMMAND=("$SEALANE")
    elif command -v sealane >/dev/null; then
        SEALANE_COMMAND=(sealane)
    elif command -v cargo >/dev/null; then
        SEALANE_COMMAND=(cargo run --quiet --locked --manifest-path "$ROOT/Cargo.toml" --package sealane-client --bin sealane --)
    else
        lacking sealane-missing "there is neither sealane nor cargo on the PATH, and SEALANE is not set" \
            "install one of the two, or set SEALANE to the program"
    fi
}

# Two kustomizations, a line each: the instance, and the component with what Terraform made, which comes before the environment's own,
# since components of k8s/ copy its values to where kustomize would not put them. JSON is YAML too, and no value can break out of it.
readonly INSTANCE_PROGRAM='
  map_values(.value) as $out
  | {
      apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization",
      # Said again, for what components add: the overlay gives it to its own objects only.
      namespace: $namespace,
      resources: ["../../../k8s/overlays/\($overlay)"],
      components: ["infrastructure", if $own == "true" then "../../../infra/environments/\($out.environment)" else empty end],
      images: [{name: "sealane", newName: $image, digest: $digest}],
      # Where nothing of these kinds is rendered, kustomize passes the patch over.
      patches: [
        ($out.identities.keda | select(. != null) | {
          target: {group: "keda.sh", kind: "TriggerAuthentication"},
          patch: ([{op: "replace", path: "/spec/azureKeyVault/podIdentity/identityId", value: .client_id}] | tojson)
        }),
        {target: {kind: "SecretProviderClass"}, patch: ([{op: "replace", path: "/spec/parameters/tenantId", value: $out.tenant_id}] | tojson)}
      ]
    },
    {
      apiVersion: "kustomize.config.k8s.io/v1alpha1", kind: "Component",
      configMapGenerator: [{name: "sealane-config", behavior: "merge", literals: [
        ["KEYVAULT_URL", $out.key_vault_url], ["KEYVAULT_SECRET_NAME", $out.payload_key_secret_name],
        ["SEALANE_BLOB_CONTAINER_URL", $out.blob_container_url], ["SEALANE_LARGE_PAYLOADS", if $out.blob_container_url then "blob" else null end],
        ["KEYVAULT_API_KEY_SECRET_NAME", $out.api_key_secret_name], ["TEMPORAL_ADDRESS", $out.temporal_address],
        ["TEMPORAL_NAMESPACE", $out.temporal_namespace] | select(.[1] != null) | join("=")
      ]}],
      patches: [$out.identities | to_entries[] | select(.key != "keda").value | {
        target: {kind: "ServiceAccount", name: .service_account},
        patch: ({apiVersion: "v1", kind: "ServiceAccount", metadata: {name: .service_account, annotations: {
          "azure.workload.identity/client-id": .client_id, "azure.workload.identity/tenant-id": $out.tenant_id}}} | tojson)
      }]
    }'

# render IMAGE DIGEST: writes the instance, renders it, and reads what it holds.
render() {
    local image=$1 digest=$2 own=false namespace folder=$STATE_DIR/instance
    [[ ! -f $ENVIRONMENT_DIR/kustomization.yaml ]] || own=true
    namespace=$(sed -n 's/^namespace: *//p' "$ROOT/k8s/overlays/$OVERLAY/kustomization.yaml") || namespace=''
    [[ -n $namespace ]] || fail render "k8s/overlays/$OVERLAY/kustomization.yaml names no namespace" "start from an overlay of k8s/overlays"
    ask 20 jq -c --arg overlay "$OVERLAY" --arg namespace "$namespace" --arg own "$own" --arg image "$image" --arg digest "$digest" "$INSTANCE_PROGRAM" "$OUTPUTS_FILE" ||
        fail render "the kustomization cannot be made of Terraform's outputs: $(complaint)" "look at .sealane/$ENVIRONMENT/outputs.json"
    mkdir -p -- "$folder/infrastructure"
    printf '%s\n' "${ANSWER%%$'\n'*}" >"$folder/kustomization.yaml"
    printf '%s\n' "${ANSWER#*$'\n'}" >"$folder/infrastructure/kustomization.yaml"
    RENDERED_FILE=$STATE_DIR/manifests.yaml OBJECTS_FILE=$WORK/objects.json
    ask 60 kubectl kustomize "$folder" ||
        fail render "kustomize: $(complaint)" "\`kubectl kustomize .sealane/$ENVIRONMENT/instance\` shows it again"
    mv -f -- "$WORK/answer" "$RENDERED_FILE"
    read_objects
}

# As JSON, one document for each object, without asking a cluster: a patch that changes nothing, made locally.
read_objects() {
    ask 60 kubectl patch --local --type json --patch '[]' --output json --filename "$RENDERED_FILE" ||
        fail render "kubectl cannot read the manifests: $(complaint)" "look at .sealane/$ENVIRONMENT/manifests.yaml"
    mv -f -- "$WORK/answer" "$OBJECTS_FILE"
    ask 20 jq -rs "$OBJECTS_PROGRAM" "$OBJECTS_FILE" || fail render "the manifests cannot be read: $(complaint)" "look at .sealane/$ENVIRONMENT/manifests.yaml"
    note_objects
    [[ -n $RENDERED_NAMESPACE ]] || fail render "the manifests hold no Namespace" "start from an overlay of k8s/overlays"
}

# One line for each thing worth knowing.
readonly OBJECTS_PROGRAM='
  (.[] | select(.kind == "Namespace") | ["namespace", .metadata.name, (.metadata.labels["pod-security.kubernetes.io/enforce"] // "")]),
  (.[] | select(.kind == "Deployment") | ["deployment", .metadata.name, (.spec.replicas // "" | tostring)]),
  (.[] | select(.kind == "ServiceAccount") | ["account", "\(.metadata.namespace)/\(.metadata.name)",
    (.metadata.annotations["azure.workload.identity/client-id"] // "")]),
  (.[] | select(.kind == "ScaledJob") | ["scaledjob", .metadata.name, ""]),
  (.[] | select(.kind == "WorkerDeployment") | ["versioned", .metadata.name, ""]),
  ([.[] | select(.apiVersion | startswith("keda.sh/")) | .spec.triggers[]? | select(.type == "temporal")
    | if .metadata | has("includeRunningWorkflowCount") then "2.21.0"
      elif .metadata | has("workerDeploymentName") or has("workerDeploymentBuildId") then "2.20.0"
      # Before, it did not speak TLS to Temporal Cloud with an API key.
      elif has("authenticationRef") then "2.19.0" else "2.17.0" end] | max // empty | ["keda", ., ""]),
  ([.[] | select(.kind == "ScaledObject" or .kind == "ScaledJob")] | select(length > 0) | ["keda", "2.0.0", ""]),
  ([.[] | select(.kind == "Ingress") | .spec.rules[]?.host] + [.[] | select(.kind == "HTTPRoute") | .spec.hostnames[]?]
    | unique[] | ["host", ., ""]),
  ([.[] | "\(.apiVersion) \(.kind)"] | unique[] | ["api", ., ""])
  | @tsv'

# Fills what is declared above from the lines in ANSWER.
note_objects() {
    local what name value
    DEPLOYMENT_REPLICAS=() ACCOUNT_CLIENT=() API_GROUPS=() HOSTS=()
    RENDERED_NAMESPACE='' RENDERED_LEVEL='' KEDA_LEAST='' VERSIONED=false SCALED_JOB=false
    while IFS=$'\t' read -r what name value; do
        case $what in
            namespace) RENDERED_NAMESPACE=$name RENDERED_LEVEL=$value ;;
            deployment) DEPLOYMENT_REPLICAS[$name]=$value ;;
            account) ACCOUNT_CLIENT[$name]=$value ;;
            scaledjob) SCALED_JOB=true ;;
            versioned) VERSIONED=true ;;
            # The higher one comes first.
            keda) KEDA_LEAST=${KEDA_LEAST:-$name} ;;
            host) HOSTS+=("$name") ;;
            api) API_GROUPS[${name% *}]+="${name#* } " ;;
        esac
    done <<<"$ANSWER"
}

# check_manifests: the namespace is that of the identities, and the lint finds nothing.
check_manifests() {
    local it accepted=() status=0
    if [[ $RENDERED_NAMESPACE != "${OUTPUTS[namespace]}" ]]; then
        refuse namespace-mismatch "overlay $OVERLAY renders namespace $RENDERED_NAMESPACE, and the identities belong to ${OUTPUTS[namespace]}" \
            "give the overlay of that namespace with --overlay, or correct namespace in terraform.tfvars"
    fi
    for it in "${ACCEPTED[@]}"; do accepted+=(--accept "$it"); done
    INPUT=$RENDERED_FILE ask 900 "${SEALANE_COMMAND[@]}" manifests check - --infrastructure "$OUTPUTS_FILE" \
        --kubernetes-version "${OUTPUTS[kubernetes_version]}" "${accepted[@]}" || status=$?
    ((status != 0)) || return 0
    printf '%s\n' "$ANSWER" >&2
    ((status == 1)) || fail lint-failed "sealane manifests check ended with $status: $(complaint)" \
        "\`${SEALANE_COMMAND[*]} manifests check --help\`"
    refuse manifests-refused "sealane manifests check has findings, which stand above" \
        "do what they say, or give --accept SLUG for each that you know better; docs/aks.md explains all"
}
