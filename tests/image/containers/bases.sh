#!/usr/bin/env bash
# Makes stand-ins for the base images of the Dockerfile from Debian's packages and the compiler of this machine, for places where no image can be
# pulled. They have the names of the real ones, and not their contents: what is proven with them is the Dockerfile and what it adds.
#
# usage: bases.sh PLACE COMPILER_IMAGE BASE_IMAGE, in the sandbox.
set -euo pipefail
place=$1 compiler=$2 base=$3
root=$place/tmp/debian

has() { [[ -n $(buildah images --quiet "$1" 2>/dev/null) ]]; }

# commit ROOT IMAGE [OPTION of buildah config]…
commit() {
    local root=$1 image=$2 container
    shift 2
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$root" / >/dev/null
    buildah config --env PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" "$container"
    buildah commit --quiet "$container" "$image" >/dev/null
    buildah rm "$container" >/dev/null
}

if has "$compiler" && has "$base"; then exit; fi
rm -rf "$root" "$root-cc"
mkdir -p "$root"
debootstrap --variant=minbase --include=ca-certificates,gcc,libc6-dev bookworm "$root" http://deb.debian.org/debian >"$place/debootstrap.log" 2>&1 \
    || { tail -n 5 "$place/debootstrap.log" >&2; exit 1; }

# What is in distroless/cc, by and large: C library, compiler's library, certificates, and a user.
mkdir -p "$root-cc"
for package in libc6 libgcc-s1; do dpkg-deb --extract "$root/var/cache/apt/archives/$package"_*.deb "$root-cc"; done
rm -r "$root-cc/usr/share"
install -D --mode 644 "$root/etc/ssl/certs/ca-certificates.crt" "$root-cc/etc/ssl/certs/ca-certificates.crt"
install --directory --mode 1777 "$root-cc/tmp"
install --directory --owner 65532 --group 65532 "$root-cc/home/nonroot"
printf '%s\n' 'root:x:0:0:root:/root:/sbin/nologin' 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >"$root-cc/etc/passwd"
commit "$root-cc" "$base" --user 65532 --workingdir /home/nonroot

rm "$root"/var/cache/apt/archives/*.deb
# Whom this machine trusts, since crates come to it through whatever stands before it.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
sysroot=$(rustc --print sysroot)
cp --recursive --dereference "$sysroot/bin" "$sysroot/lib" "$sysroot/libexec" "$root/usr/local/"
commit "$root" "$compiler" --env CARGO_HOME=/usr/local/cargo
rm -rf "$root" "$root-cc"
