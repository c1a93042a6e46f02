#!/usr/bin/env bash
# Installs what building, running and testing needs: Rust with two bare-metal targets, a linker, the emulator, just.
#
# Looks at the facts first, so that a machine that has everything is done in a fraction of a second; each thing that is
# missing is announced, installed and looked at again. Options by environment:
#   QEMU=10      the emulator of bookworm-backports instead of the distribution's
#   FALLBACK=1   Debian's own Rust with a sysroot built in build/, as for machines where rustup cannot download
#   FALLBACK=0   never that
set -eu
cd "$(dirname "$0")/.."

readonly TARGETS="riscv64imac-unknown-none-elf riscv64gc-unknown-none-elf"
readonly QEMU_MINIMUM=7.2
RUST_MINIMUM=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
readonly RUST_MINIMUM
readonly SYSROOT="$PWD/build/sysroot"
PATH="$PATH:$HOME/.cargo/bin:/usr/sbin"

say() { echo "setup: $*"; }
die() { echo "setup: error: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Is version $1 at least $2?
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif have sudo; then sudo "$@"
    else die "not root and no sudo; as root: $*"
    fi
}

apt_fresh=no
apt_install() {
    have apt-get || die "no apt-get here; install with this system's own packages: $*"
    say "apt-get install $*"
    if [ "$apt_fresh" = no ]; then as_root apt-get update -qq; apt_fresh=yes; fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

# --- Facts ------------------------------------------------------------------------------------------------------------

# A compiler without the C library's start files does not link, so that asking for its version is not enough.
has_compiler() {
    local file
    for file in crt1.o libc.so; do
        case $(cc -print-file-name="$file" 2>/dev/null) in /*) ;; *) return 1 ;; esac
    done
}

has_rust() {
    have cargo && have rustc || return 1
    local version
    version=$(rustc --version 2>/dev/null | cut -d' ' -f2) || return 1
    [ -n "$version" ] && at_least "$version" "$RUST_MINIMUM"
}

has_lints() { cargo clippy --version >/dev/null 2>&1 && cargo fmt --version >/dev/null 2>&1; }

# The sysroot that cargo uses: the compiler's, or, when its config is there, ours of this very compiler.
has_targets() {
    local root target
    if [ -e build/fallback.toml ]; then
        root=$SYSROOT
        [ "$(cat "$root/compiler" 2>/dev/null)" = "$(rustc --version)" ] || return 1
    else
        root=$(rustc --print sysroot 2>/dev/null) || return 1
    fi
    for target in $TARGETS; do
        compgen -G "$root/lib/rustlib/$target/lib/libcore-*.rlib" >/dev/null || return 1
    done
}

qemu_version() { qemu-system-riscv64 --version 2>/dev/null | sed -n '1s/.*version \([0-9.]*\).*/\1/p'; }

has_qemu() {
    local version
    version=$(qemu_version)
    [ -n "$version" ] && at_least "$version" "${QEMU:-$QEMU_MINIMUM}"
}

# --- Remedies ---------------------------------------------------------------------------------------------------------

install_compiler() { apt_install gcc libc6-dev; }

install_rust() {
    local script
    if ! have rustup; then
        have curl || apt_install curl ca-certificates
        say "installing rustup (rust-toolchain.toml names the channel)"
        if ! script=$(curl --proto '=https' --tlsv1.2 -sSf https://static.rust-lang.org/rustup/rustup-init.sh) ||
            ! sh -s -- -y --quiet --no-modify-path --profile minimal --default-toolchain none <<<"$script"; then
            die "rustup cannot be installed"
        fi
        hash -r
    fi
    has_rust && return
    say "rustup toolchain install stable"
    rustup toolchain install stable --profile minimal || die "rustup cannot download"
}

install_lints() {
    have rustup || die "no clippy and rustfmt beside this Rust, and no rustup to add them"
    say "rustup component add clippy rustfmt"
    rustup component add clippy rustfmt || die "rustup cannot download"
}

install_targets() {
    have rustup || die "this Rust has no bare-metal targets, and there is no rustup to add them"
    say "rustup target add $TARGETS"
    # shellcheck disable=SC2086 # two words on purpose
    rustup target add $TARGETS || pin_rust
}

# Where the newest release comes without the targets (some mirrors), the oldest that will do is taken for this folder.
pin_rust() {
    say "stable comes without these targets here; taking $RUST_MINIMUM for this folder"
    local target wanted=()
    for target in $TARGETS; do wanted+=(--target "$target"); done
    rustup toolchain install "$RUST_MINIMUM" --profile minimal -c clippy -c rustfmt "${wanted[@]}" ||
        die "rustup cannot download"
    rustup override set "$RUST_MINIMUM"
}

install_qemu() {
    if [ "${QEMU:-}" = 10 ]; then
        add_backports
        apt_install -t bookworm-backports qemu-system-riscv qemu-system-common
    else
        apt_install qemu-system-misc
    fi
}

# The backports suite, from the mirror that this machine already uses.
add_backports() {
    local list=/etc/apt/sources.list.d/bookworm-backports.list mirror
    [ -e "$list" ] && return
    mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -n 1)
    mirror=${mirror%% *}
    [ -n "$mirror" ] || die "no Debian mirror among this machine's sources to take bookworm-backports from"
    say "adding bookworm-backports from $mirror"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm-backports main" |
        as_root tee "$list" >/dev/null
    apt_fresh=no
}

# just is a convenience: everything it does is reachable through make and cargo xtask.
offer_just() {
    have just && return
    if have pip && pip install --quiet rust-just >/dev/null 2>&1 && hash -r && have just; then
        say "installed just"
    else
        say "just is not installed (optional): pip install rust-just, or cargo install --locked just"
    fi
}

# need FACT REMEDY NAME: the remedy runs only where the fact does not hold, and must make it hold.
need() {
    "$1" && return
    "$2"
    hash -r
    "$1" || die "$3 is still missing or too old"
    say "now has $3"
}

rust_from_rustup() {
    need has_rust install_rust "Rust $RUST_MINIMUM"
    need has_lints install_lints "clippy and rustfmt"
    need has_targets install_targets "the targets $TARGETS"
}

rust_from_debian() {
    # shellcheck source=scripts/fallback-rust.sh
    . scripts/fallback-rust.sh
}

if [ -z "${FALLBACK:-}${SETUP_VERBOSE:-}" ] && has_compiler && has_rust && has_lints && has_targets && has_qemu; then
    exit 0
fi
need has_compiler install_compiler "a C linker"
if [ "${FALLBACK:-}" = 1 ]; then
    rust_from_debian
elif ! (rust_from_rustup); then
    if [ "${FALLBACK:-}" = 0 ] || ! have apt-get; then die "no Rust; https://rustup.rs says how to install it"; fi
    say "rustup does not do here; taking Debian's Rust (as make setup FALLBACK=1 does)"
    rust_from_debian
fi
need has_qemu install_qemu "QEMU ${QEMU:-$QEMU_MINIMUM}"
offer_just
say "ready"
