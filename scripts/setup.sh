#!/usr/bin/env bash
# Installs what building, running and testing needs: Rust with two bare-metal targets, a linker, the emulator, just.
#
# Looks at the facts first, so that a machine that has everything is done in a fraction of a second; each thing that is
# missing is announced, installed and looked at again. Options by environment:
#   QEMU=10      the emulator of bookworm-backports instead of the distribution's
#   FALLBACK=1   Debian's own Rust with a sysroot built in build/, for machines where rustup cannot download
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

has_compiler() { have cc && echo 'int main(void){return 0;}' | cc -x c - -o /dev/null 2>/dev/null; }

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
    if ! have rustup; then
        have curl || apt_install curl ca-certificates
        say "installing rustup (rust-toolchain.toml names the channel)"
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
            sh -s -- -y --quiet --no-modify-path --profile minimal --default-toolchain stable ||
            die "rustup cannot be installed; try: make setup FALLBACK=1"
        hash -r
    fi
    has_rust && return
    say "rustup toolchain install stable"
    rustup toolchain install stable --profile minimal || die "rustup cannot download; try: make setup FALLBACK=1"
}

install_lints() {
    have rustup || die "no clippy and rustfmt for this Rust; install them with its package manager"
    say "rustup component add clippy rustfmt"
    rustup component add clippy rustfmt
}

install_targets() {
    have rustup || die "this Rust has no bare-metal targets and no rustup to add them; try: make setup FALLBACK=1"
    say "rustup target add $TARGETS"
    # shellcheck disable=SC2086 # two words on purpose
    rustup target add $TARGETS || die "rustup cannot download; try: make setup FALLBACK=1"
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
    say "adding bookworm-backports from ${mirror:=http://deb.debian.org/debian}"
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
    installed="$installed${installed:+,} $3"
}

installed=""
need has_compiler install_compiler "a C linker"
if [ "${FALLBACK:-}" = 1 ]; then
    . scripts/fallback-rust.sh
else
    need has_rust install_rust "Rust $RUST_MINIMUM"
    need has_lints install_lints "clippy and rustfmt"
    need has_targets install_targets "the targets $TARGETS"
fi
need has_qemu install_qemu "QEMU ${QEMU:-$QEMU_MINIMUM}"
if [ -n "$installed" ] || [ -n "${SETUP_VERBOSE:-}" ]; then
    offer_just
    say "ready${installed:+, installed:$installed}"
fi
