# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# The registry: whether the nodes may pull, and the image by digest, built where it is not there yet.

IMAGE_NAME='' IMAGE_DIGEST='' IMAGE_TAG=''
readonly DIGEST_PATTERN='^sha256:[0-9a-f]{64}$'

# check_pull_role: the kubelet's identity has the role that lets it pull, which depends on the registry's mode.
check_pull_role() {
    local mode role id=${OUTPUTS[registry_id]} kubelet=${OUTPUTS[kubelet_principal_id]}
    azure 60 acr show --name "${OUTPUTS[registry_name]}" --output tsv --query "roleAssignmentMode || 'LegacyRegistryPermissions'" ||
        fail registry-unreadable "az cannot show registry ${OUTPUTS[registry_name]}: $(complaint)" "az role assignment create --role Reader --scope $id --assignee-object-id YOUR_OBJECT_ID"
    case $ANSWER in
        AbacRepositoryPermissions) mode=abac role='Container Registry Repository Reader' ;;
        LegacyRegistryPermissions) mode=rbac role=AcrPull ;;
        *) fail registry-unreadable "registry ${OUTPUTS[registry_name]} has role mode \"$(one_line "$ANSWER")\", which nothing here knows" "look at \`az acr show\`" ;;
    esac
    [[ $mode == "${OUTPUTS[registry_role_mode]}" ]] || refuse registry-mode \
        "registry ${OUTPUTS[registry_name]} is in mode $mode, and Terraform gave roles for ${OUTPUTS[registry_role_mode]}" \
        "set registry_role_mode = \"$mode\" in terraform.tfvars and run this again: no other role lets nodes pull"
    # By the id of the principal: a look-up of its name would need rights in Entra.
    azure 60 role assignment list --scope "$id" --include-inherited --fill-principal-name false --output tsv \
        --query "[?principalId=='$kubelet'].roleDefinitionName" ||
        fail registry-unreadable "az cannot list the roles at registry ${OUTPUTS[registry_name]}: $(complaint)" "az role assignment create --role Reader --scope $id --assignee-object-id YOUR_OBJECT_ID"
    [[ $'\n'$ANSWER$'\n' == *$'\n'"$role"$'\n'* ]] || fail pull-role-missing \
        "the nodes' identity $kubelet has not the role \"$role\" at registry ${OUTPUTS[registry_name]}, so no pod can start" \
        "az role assignment create --assignee-object-id $kubelet --assignee-principal-type ServicePrincipal --role \"$role\" --scope $id"
}

# provide_image: sets IMAGE_NAME and IMAGE_DIGEST, from --image, or what is in the registry already, or a build.
provide_image() {
    IMAGE_NAME=${OUTPUTS[registry_login_server]}/sealane
    if [[ -n $IMAGE ]]; then
        IMAGE_NAME=${IMAGE%@*} IMAGE_DIGEST=${IMAGE#*@}
        find_given_image
        return
    fi
    tag_sources
    if ! $REBUILD && find_digest "sealane:$IMAGE_TAG"; then
        note "sealane:$IMAGE_TAG is in the registry already; it was built from the same sources"
        return
    fi
    if would build and push "sealane:$IMAGE_TAG" "by $BUILD"; then IMAGE_DIGEST=$NO_DIGEST; return; fi
    case $BUILD in
        docker) build_by_docker ;;
        acr) build_by_registry ;;
        none) fail image-missing "sealane:$IMAGE_TAG is not in registry ${OUTPUTS[registry_name]}, and --build none forbids to build it" "give --image, or another --build" ;;
    esac
    find_digest "sealane:$IMAGE_TAG" || fail image-missing "sealane:$IMAGE_TAG was built and is not in the registry: $(complaint)" "run this again"
}

# Where the image is ours, it has to be there; elsewhere only the nodes can tell.
find_given_image() {
    if [[ ${IMAGE_NAME%%/*} != "${OUTPUTS[registry_login_server]}" ]]; then
        warn "$IMAGE_NAME is not in registry ${OUTPUTS[registry_login_server]}: nobody checks here whether nodes can pull it"
        return
    fi
    local given=$IMAGE_DIGEST
    find_digest "${IMAGE_NAME#*/}@$given" || fail image-missing "$IMAGE is not in the registry: $(complaint)" "correct --image"
    [[ $IMAGE_DIGEST == "$given" ]] || fail image-missing "the registry answers $IMAGE_DIGEST for $IMAGE" "correct --image"
}

# find_digest REPOSITORY:TAG: reads the digest back from the registry.
find_digest() {
    azure 60 acr repository show --name "${OUTPUTS[registry_name]}" --image "$1" --query digest --output tsv || {
        [[ $COMPLAINT == *"not found"* || $COMPLAINT == *NotFound* || $COMPLAINT == *_UNKNOWN* || $COMPLAINT == *"not exist"* ]] && return 1
        fail registry-unreadable "az cannot look into registry ${OUTPUTS[registry_name]}: $(complaint)" "see whether you have the push role that Terraform gives operators"
    }
    [[ $ANSWER =~ $DIGEST_PATTERN ]] || fail registry-unreadable "the registry answers \"$(one_line "$ANSWER")\" for $1, expected a digest" "look at \`az acr repository show\`"
    IMAGE_DIGEST=$ANSWER
}

# tag_sources: the tag is a hash of what goes into the image, so the same sources are built once. What that is, .dockerignore says;
# git knows which of it is there, changed or new, and leaves out what it ignores.
tag_sources() {
    local line paths=(Dockerfile .dockerignore)
    command -v git >/dev/null || lacking prerequisites "git is missing" "install it, or give --image"
    while IFS= read -r line; do
        [[ $line != '!'* ]] || paths+=(":(glob)${line#!}")
    done <"$ROOT/.dockerignore"
    ask 60 git -C "$ROOT" ls-files -z --cached --others --exclude-standard --deduplicate -- "${paths[@]}" ||
        fail no-checkout "git cannot list the sources: $(complaint)" "run this from a clone of the repository, or give --image"
    mv -f -- "$WORK/answer" "$WORK/sources"
    [[ -s $WORK/sources ]] || fail no-checkout "there are no sources to build" "run this from a clone of the repository, or give --image"
    IMAGE_TAG=$(cd "$ROOT" && xargs -0 sha256sum -- <"$WORK/sources" | sort | sha256sum) ||
        fail no-checkout "a source that git lists cannot be read" "look at \`git status\`"
    IMAGE_TAG=src-${IMAGE_TAG:0:24}
    ask 20 git -C "$ROOT" describe --always --dirty --abbrev=40 --exclude '*' || ANSWER=unknown
    REVISION=${ANSWER//[^0-9a-z-]/}
}

# Docker signs in with a configuration of its own, which goes with the run: no token of the registry stays on this machine.
build_by_docker() {
    local name=$IMAGE_NAME:$IMAGE_TAG
    if [[ -z ${DOCKER_HOST:-} ]] && ask 20 docker context inspect --format '{{.Endpoints.docker.Host}}' && [[ -n $ANSWER ]]; then
        export DOCKER_HOST=$ANSWER
    fi
    export DOCKER_CONFIG=$WORK/docker
    mkdir -p -- "$DOCKER_CONFIG"
    azure 120 acr login --name "${OUTPUTS[registry_name]}" ||
        fail registry-login "az cannot sign docker in to ${OUTPUTS[registry_name]}: $(complaint)" "see whether docker runs, and whether you have the push role that Terraform gives operators"
    show 7200 docker build --platform linux/amd64 --build-arg "SEALANE_REVISION=$REVISION" --tag "$name" "$ROOT" ||
        fail build-failed "docker build: $(complaint)" "correct it, or let the registry build: --build acr"
    show 1800 docker push "$name" || fail push-failed "docker push: $(complaint)" "run this again"
}

# `az acr run` rather than `az acr build`, which has no BuildKit. It sends a whole folder, so that holds the sources and nothing else.
build_by_registry() {
    local context=$WORK/context caller=()
    # With roles for repositories, a run may push only by the rights of whoever starts it.
    [[ ${OUTPUTS[registry_role_mode]} != abac ]] || caller=(--source-acr-auth-id '[caller]')
    mkdir -p -- "$context"
    (cd "$ROOT" && xargs -0 tar -cf - -- <"$WORK/sources") | tar -xf - -C "$context" ||
        fail build-failed "the sources cannot be copied to .sealane" "look whether the disk is full"
    cat >"$context/task.yaml" <<'TASK'
version: v1.1.0
stepTimeout: 7200
env: [DOCKER_BUILDKIT=1]
steps:
  - build: --platform linux/amd64 --build-arg SEALANE_REVISION={{.Values.revision}} --tag $Registry/sealane:{{.Values.tag}} .
  - push: ["$Registry/sealane:{{.Values.tag}}"]
TASK
    azure_show 7500 acr run --registry "${OUTPUTS[registry_name]}" --resource-group "${OUTPUTS[resource_group_name]}" \
        --platform linux/amd64 --timeout 7200 --file task.yaml --set "tag=$IMAGE_TAG" --set "revision=$REVISION" "${caller[@]}" "$context" ||
        fail build-failed "az acr run: $(complaint)" "az acr task list-runs --registry ${OUTPUTS[registry_name]} names the run; or --build docker"
}
