# One image, three programs: sealane-worker, sealane and sealane-codec-server. docs/image.md tells how to build, check and renew it.
#
# Rust is compiled on the platform of the builder for the platform of the image, so no stage runs under emulation. There is no
# syntax line on purpose: everything here is understood by BuildKit itself and by buildah, without another image to trust.

# The compiler of rust-toolchain.toml, on the Debian whose glibc is in the last stage. Dependabot renews both digests.
FROM --platform=$BUILDPLATFORM docker.io/library/rust:1.95.0-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082 AS tools
WORKDIR /build
# cargo-chef makes a layer of the dependencies; cargo-auditable writes their list into each program, for scanners to read.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    cargo install --locked cargo-chef@0.1.78 cargo-auditable@0.7.7

FROM tools AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM tools AS build
ARG BUILDARCH
ARG TARGETARCH
# Tells cargo the target and its linker once, for all commands below; a foreign target needs its C compiler and standard library.
# Relative relocations are packed: a tenth of the size otherwise, and the glibc of the last stage is the oldest that reads them.
RUN case "$TARGETARCH" in \
        amd64) machine=x86_64 package=gcc-x86-64-linux-gnu ;; \
        arm64) machine=aarch64 package=gcc-aarch64-linux-gnu ;; \
        *) echo "TARGETARCH is '$TARGETARCH', expected amd64 or arm64" >&2; exit 1 ;; \
    esac \
    && printf '[build]\ntarget = "%s-unknown-linux-gnu"\n[target.%s-unknown-linux-gnu]\nlinker = "%s-linux-gnu-gcc"\n%s\n' \
        "$machine" "$machine" "$machine" 'rustflags = ["-C", "link-arg=-Wl,-z,pack-relative-relocs"]' \
        > /usr/local/cargo/config.toml \
    && if [ "$TARGETARCH" != "$BUILDARCH" ]; then \
        apt-get update \
        && apt-get install --yes --no-install-recommends "$package" "libc6-dev-$TARGETARCH-cross" \
        && rm -rf /var/lib/apt/lists/* \
        && rustup target add "$machine-unknown-linux-gnu"; \
    fi
COPY --from=plan /build/recipe.json recipe.json
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    cargo chef cook --locked --profile image --recipe-path recipe.json \
        --package sealane-client --package sealane-codec-server --package sealane-worker --bins
COPY . .
# After the dependencies: another revision compiles only what is ours.
ARG SEALANE_REVISION=unknown
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    SEALANE_COMMIT="$SEALANE_REVISION" cargo auditable build --locked --profile image \
        --package sealane-client --package sealane-codec-server --package sealane-worker --bins \
    && mkdir /out \
    && cp target/*/image/sealane target/*/image/sealane-codec-server target/*/image/sealane-worker /out/

# glibc, libgcc, CA certificates, time zones and a user without a name; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f
ARG SEALANE_REVISION=unknown
LABEL org.opencontainers.image.title="Sealane" \
      org.opencontainers.image.description="Temporal workers in Rust whose payloads leave the process only encrypted" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="$SEALANE_REVISION"
COPY --from=build /out/ /usr/local/bin/
# A number, so that Kubernetes can see for itself that it is not root.
USER 65532:65532
# No ENTRYPOINT: the command chooses the program. Without one, the CLI says what it can do.
CMD ["/usr/local/bin/sealane", "--help"]
