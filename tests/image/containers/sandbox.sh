#!/usr/bin/env bash
# Holds namespaces for containers, in which everything that buildah and podman mount, start and write at run time is contained, until its
# standard input ends. That happens too when the one who holds the other end is killed: then the first process of the namespaces ends, and
# the kernel ends all others and forgets all mounts with it.
#
# usage: sandbox.sh PLACE. Writes two lines: the process id by which nsenter finds the namespaces, and "ready".
# PLACE keeps images and caches from one time to the next; one at a time uses it.
set -euo pipefail
place=$1

# Where podman keeps the control groups of its containers, with version 1, version 2, and both.
control_groups() { find /sys/fs/cgroup -maxdepth 2 -type d -name libpod_parent 2>/dev/null || true; }

outside() {
    # Stays to clean up, whatever is sent to the whole process group.
    trap '' HUP INT TERM
    mkdir -p "$place/storage" "$place/tmp"
    exec 9>"$place/lock"
    flock 9
    unshare --mount --pid --fork --kill-child --mount-proc --propagation private "$0" "$place" inside <&0 &
    echo "$!"
    wait "$!" || true
    # Control groups are in no namespace that could be thrown away. Those with a process in them stay: they are somebody else's.
    control_groups | while read -r group; do find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true; done
}

inside() {
    mkdir -p /var/lib/containers
    mount --bind "$place/storage" /var/lib/containers
    # Where it is a link into /run, the name service would go with /run.
    local names
    names=$(cat /etc/resolv.conf)
    mount -t tmpfs -o mode=755 tmpfs /run
    mount -t tmpfs tmpfs /dev/shm
    mkdir -p "$(dirname "$(readlink -m /etc/resolv.conf)")"
    [[ -e /etc/resolv.conf ]] || printf '%s\n' "$names" > /etc/resolv.conf
    # The host's network, so nothing about it changes; no systemd, no journal; and limits that need not be raised.
    cat > "$place/containers.conf" <<'CONF'
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
CONF
    export CONTAINERS_CONF=$place/containers.conf
    # What a run before left when it was killed.
    podman pod rm --all --force --time 0 >/dev/null
    podman rm --all --force --time 0 >/dev/null
    podman volume rm --all --force >/dev/null
    buildah rm --all >/dev/null
    echo ready
    cat >/dev/null
}

"${2:-outside}"
