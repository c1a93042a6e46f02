#!/usr/bin/env bash
# Gets what `cargo xtask bench --wall --linux` measures beside us: Debian's kernel for riscv64, and its only program.
#
# The kernel comes from the mirror that this machine's packages come from, through apt with a state of its own: nothing is
# installed. build/linux/kernel is kept; build/linux/init is compiled from tests/peers/linux.c each time. Exit 1 = one of
# them cannot be had; the last line on stderr says why.
set -eu
cd "$(dirname "$0")/.."

readonly OUT=build/linux
readonly COMPILER=riscv64-linux-gnu-gcc
readonly SUITE=trixie
readonly NEWEST=linux-image-riscv64 # depends on the kernel itself
readonly KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

die() { echo "$*" >&2; exit 1; }

compile() {
    command -v "$COMPILER" >/dev/null ||
        die "no $COMPILER; mend with: apt-get install gcc-riscv64-linux-gnu libc6-dev-riscv64-cross"
    "$COMPILER" -static -O2 -Wall -Wextra -Werror -o "$OUT/init" tests/peers/linux.c || die "tests/peers/linux.c: see above"
}

# apt for another architecture and suite, all that it keeps in folder $1.
configure() {
    local mirror
    mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -n 1)
    mirror=${mirror%% *}
    [ -n "$mirror" ] || die "no Debian mirror among this machine's sources"
    mkdir -p "$1/lists/partial" "$1/archives/partial"
    : >"$1/status"
    echo "deb [signed-by=$KEYS] $mirror $SUITE main" >"$1/sources"
    cat >"$1/conf" <<END
APT::Architecture "riscv64";
APT::Architectures { "riscv64"; };
APT::Sandbox::User "";
Acquire::Languages "none";
Dir::State "$1";
Dir::State::status "$1/status";
Dir::Cache "$1";
Dir::Etc::sourcelist "$1/sources";
Dir::Etc::sourceparts "-";
END
}

# Into $1, by way of apt's state there.
fetch() {
    local package
    configure "$1"
    export APT_CONFIG="$1/conf"
    timeout 300 apt-get -qq update >&2 || die "apt-get update fails for $SUITE on riscv64"
    package=$(apt-cache depends "$NEWEST" | sed -n 's/^ *Depends: *\(linux-image-.*\)/\1/p' | head -n 1)
    [ -n "$package" ] || die "$SUITE has no $NEWEST"
    (cd "$1" && timeout 600 apt-get -qq download "$package" >&2) || die "apt-get download $package fails"
    dpkg-deb --fsys-tarfile "$1/$package"_*.deb | tar -xO --wildcards './boot/vmlinux-*' >"$1/kernel" ||
        die "$package has no kernel that the emulator loads"
    mv "$1/kernel" "$OUT/kernel"
}

mkdir -p "$OUT"
compile
[ ! -s "$OUT/kernel" ] || exit 0
for tool in apt-get apt-cache dpkg-deb; do
    command -v "$tool" >/dev/null || die "no $tool here to take a kernel with"
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fetch "$scratch"
