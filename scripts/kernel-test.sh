#!/usr/bin/env bash
# Boots the kernel under conditions that no ladder covers: bad images, little memory, many harts, missing extensions,
# and each defect that it can be asked to show. Exit 0 = every case ended as it must, 1 = not, 2 = wrong usage.
#
#   scripts/kernel-test.sh [name]     all cases, or those whose name contains the word
#
# Needs build/kernel, build/kernel-checked and build/boot.img (`cargo xtask image --checked`). The output of each case stays in build/kernel-test.
set -eu
cd "$(dirname "$0")/.."
[ $# -le 1 ] || { echo "usage: scripts/kernel-test.sh [name]" >&2; exit 2; }

out=build/kernel-test
mkdir -p "$out"

# Nothing in the kernel that ships panics; what is built for tests says why it did.
grep -q rust_begin_unwind build/kernel-checked || { echo "kernel-test: the checked kernel cannot panic: nothing is shown of the other" >&2; exit 1; }
! grep -q rust_begin_unwind build/kernel || { echo "kernel-test: the kernel that ships can panic" >&2; exit 1; }

# Bad images. Byte 8192 is in init's text, byte 12 in the ABI version.
: > "$out/empty.img"
head -c 8192 /dev/zero > "$out/zeros.img"
head -c 6000 build/boot.img > "$out/cut.img"
cp build/boot.img "$out/damaged.img"
printf '\252\125\252\125' | dd of="$out/damaged.img" bs=1 seek=8192 conv=notrunc status=none
cp build/boot.img "$out/version.img"
printf '\377' | dd of="$out/version.img" bs=1 seek=12 conv=notrunc status=none

# A firmware that boots on hart 2, which the emulator's own never does, and starts no other.
rustc --edition 2024 --target riscv64imac-unknown-none-elf -C panic=abort -C link-arg=-Ttext=0x80000000 \
    -C link-arg=--nmagic -o "$out/hart2" tests/firmware/hart2.rs

# name | options of run-qemu-rv64.sh | exit status | what a line must match
cases() {
    cat << END
no image        | IMAGE=$out/empty.img   | 114 | ^KINIT: boot image: ECORRUPT
image of zeros  | IMAGE=$out/zeros.img   | 114 | ^KINIT: boot image: ECORRUPT
cut image       | IMAGE=$out/cut.img     | 114 | ^KINIT: boot image: ECORRUPT
damaged image   | IMAGE=$out/damaged.img | 114 | ^KINIT: boot image: ECORRUPT
other version   | IMAGE=$out/version.img | 114 | ^KINIT: boot image: EPROTO
little memory   | MEM=15M                | 113 | ^KINIT: memory: 15360 KiB of RAM, 16384 needed
least memory    | MEM=16M APPEND=selftest | 0  | ^SELFTEST: float registers ok
much memory     | MEM=3G APPEND=selftest | 0   | ^SELFTEST: end
no defect       | APPEND=defect=panic,selftest KERNEL=build/kernel | 0 | ^KINIT: unknown boot argument ignored: defect=panic
checked kernel  | SMP=2 KERNEL=build/kernel-checked APPEND=selftest | 0 | ^SELFTEST: end
four harts      | SMP=4 APPEND=selftest  | 0   | ^KINIT: hart [0-3] of 4,
nine harts      | SMP=9 APPEND=selftest  | 0   | ^KINIT: hart [0-8] of 9,
another hart    | SMP=3 BIOS=$out/hart2 APPEND=selftest | 0 | ^KINIT: hart 2 of 3,
refused harts   | SMP=3 BIOS=$out/hart2 APPEND=selftest | 0 | ^KINIT: cpu[12] is missing: the firmware does not start hart [01]: error -2
no sstc         | CPU=rv64,sstc=off APPEND=selftest | 0 | ^SELFTEST: ipc deadline timeout ok
no float        | CPU=rv64,f=off,d=off APPEND=selftest | 1 | ^error: EFAULTED: .selftest. faulted: illegal instruction
unknown word    | APPEND=colour=blue,selftest | 0 | ^KINIT: unknown boot argument ignored: colour=blue
boot cost       | MEM=16M ICOUNT=shift=0,sleep=off APPEND=bootstat,selftest | 0 | ^KINIT: bootstat: [0-9]{1,6} instructions
shared float    | APPEND=defect=shared-float,selftest | 1 | ^SELFTEST: float registers FAIL not so: a thread finds
panic           | APPEND=defect=panic    | 116 | ^PANIC: panicked at
stack overflow  | APPEND=defect=stack    | 116 | ^PANIC: kernel stack overflow: scause 0xf,
further stack   | SMP=2 APPEND=kselftest,defect=further-stack | 116 | ^PANIC: kernel stack overflow: scause 0xf,
on its hart     | SMP=2 APPEND=kselftest,defect=further-stack | 116 | ^on cpu1
write text      | APPEND=defect=write-text | 116 | ^PANIC: kernel page fault: scause 0xf,
write constants | APPEND=defect=write-constants | 116 | ^PANIC: kernel page fault: scause 0xf,
write image     | APPEND=defect=write-image | 116 | ^PANIC: kernel page fault: scause 0xf,
run data        | APPEND=defect=run-data | 116 | ^PANIC: kernel page fault: scause 0xc,
run frame       | APPEND=defect=run-frame | 116 | ^PANIC: kernel page fault: scause 0xc,
read nothing    | APPEND=defect=read-nothing | 116 | ^PANIC: kernel page fault: scause 0xd,
END
}

failed=0
number=0
while IFS='|' read -r name options status line; do
    name=$(echo "$name" | xargs)
    case $name in *"${1:-}"*) ;; *) continue ;; esac
    number=$((number + 1))
    read -r expected pattern <<< "$status $line"
    read -ra words <<< "$options"
    log="$out/${name// /-}.log"
    result=0
    # In a row commas stand for the spaces between boot arguments; options of other kinds keep theirs.
    environment=()
    for word in "${words[@]}"; do
        case $word in APPEND=*) word=${word//,/ } ;; esac
        environment+=("$word")
    done
    has_append=0
    for at in "${!environment[@]}"; do
        case ${environment[at]} in APPEND=*) environment[at]+=" panic=exit" has_append=1 ;; esac
    done
    [ $has_append = 1 ] || environment+=("APPEND=panic=exit")
    env RUN_TIMEOUT=20s "${environment[@]}" scripts/run-qemu-rv64.sh < /dev/null > "$log" 2> "$log.err" || result=$?
    if [ "$result" = "$expected" ] && tr -d '\r' < "$log" | grep -Eq "$pattern"; then
        echo "ok   $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name: exit $result, expected $expected and a line like $pattern"
        tail -5 "$log" | sed 's/^/     /'
    fi
done < <(cases)
echo "kernel-test: $number cases, $failed failed"
[ $number -gt 0 ] || exit 2
[ $failed = 0 ]
