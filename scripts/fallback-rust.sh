# shellcheck shell=bash
# Rust without rustup: Debian's compiler, and core, alloc and compiler_builtins built from Debian's sources for both targets.
#
# Sourced by setup.sh with FALLBACK=1. The libraries lie in build/sysroot; build/fallback.toml points cargo at them, and
# .cargo/config.toml includes that file where it is there. Compiler and sources are one version: Debian ships them as a pair.

readonly DEBIAN_RUST="rustc-web cargo-web rust-web-src rust-web-clippy rustfmt-web"

install_debian_rust() {
    local packages=$DEBIAN_RUST newest
    newest=$(apt-cache search --names-only '^lld-[0-9]+$' | sed 's/^lld-\([0-9]*\).*/\1/' | sort -n | tail -n 1)
    # shellcheck disable=SC2086 # several words on purpose
    apt_install $packages "lld-${newest:?no linker lld in the package lists; run apt-get update}"
}

has_debian_rust() { has_rust && has_lints && [ -n "$(fallback_sources)" ] && [ -n "$(fallback_linker)" ]; }

# The library sources of exactly this compiler.
fallback_sources() {
    local version folder
    version=$(rustc --version | cut -d' ' -f2)
    for folder in "$(rustc --print sysroot)/lib/rustlib/src/rust/library" "/usr/src/rustc-$version/library"; do
        [ -d "$folder/core/src" ] && [ -d "$folder/vendor" ] && { echo "$folder"; return; }
    done
}

# The newest lld: objects of a new compiler need a linker that knows their relocations.
fallback_linker() {
    local linker
    linker=$(compgen -G '/usr/bin/ld.lld-*' | sort -V | tail -n 1)
    echo "${linker:-$(command -v ld.lld || true)}"
}

build_sysroot() {
    local sources work target
    sources=$(fallback_sources)
    work=$PWD/build/sysroot-work
    rm -rf "$work" "$SYSROOT" build/fallback.toml
    mkdir -p "$work/src" "$work/.cargo"
    printf '[package]\nname = "sysroot"\nversion = "0.0.0"\nedition = "2021"\n\n[workspace]\n' >"$work/Cargo.toml"
    printf '#![no_std]\n' >"$work/src/lib.rs"
    printf '[source.crates-io]\nreplace-with = "debian"\n\n[source.debian]\ndirectory = "%s/vendor"\n' "$sources" \
        >"$work/.cargo/config.toml"
    for target in $TARGETS; do
        say "building core and alloc for $target"
        (cd "$work" && RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes __CARGO_TESTS_ONLY_SRC_ROOT="$sources" \
            cargo build --quiet --offline --release --target "$target" -Zbuild-std=core,alloc,compiler_builtins) ||
            die "the library sources do not build for $target"
        mkdir -p "$SYSROOT/lib/rustlib/$target/lib"
        cp "$work/target/$target/release/deps/"lib{core,alloc,compiler_builtins}-*.rlib "$SYSROOT/lib/rustlib/$target/lib/"
    done
    rm -rf "$work"
    rustc --version >"$SYSROOT/compiler"
    write_fallback_config
}

write_fallback_config() {
    local target
    for target in $TARGETS; do
        printf '[target.%s]\nlinker = "%s"\nrustflags = ["--sysroot=%s"]\n\n' "$target" "$(fallback_linker)" "$SYSROOT"
    done >build/fallback.toml
}

# Where rustup's proxies come first on the path, they lead to Debian's Rust in this folder.
prefer_debian() {
    have rustup || return 0
    rustup toolchain link debian /usr && rustup override set debian >/dev/null
    say "rustup leads to Debian's Rust here; \`rustup override unset\` undoes it"
}

PATH="/usr/bin:$PATH"
need has_debian_rust install_debian_rust "Debian's Rust $RUST_MINIMUM (Debian 12 has it in bookworm-security)"
need has_targets build_sysroot "the targets $TARGETS"
prefer_debian
