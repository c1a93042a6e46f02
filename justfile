# Shorter ways to type `cargo xtask`; make has the same names.

set positional-arguments

[private]
default:
    @just --list --unsorted

# what this machine lacks is installed
setup:
    scripts/setup.sh

# boot to the prompt
run *args:
    cargo xtask run "$@"

# every suite, with the table at the end
test *args:
    cargo xtask test "$@"

# fmt, clippy, gates, dep-gate, host tests
check:
    cargo xtask test fmt check lint-host dep-gate build-host host-tests

# what the crates of the target bring
dep-gate:
    cargo xtask dep-gate

# check and clippy for the target
diag-os:
    cargo xtask diag-os

# boot proof
test-os:
    ./scripts/qemu-test.sh

# boot proof at two harts, then parity at one
test-smp:
    SMP=2 REQUIRE_SMP=1 ./scripts/qemu-test.sh
    SMP=1 ./scripts/qemu-test.sh

# the benchmark table
bench *args:
    cargo xtask bench "$@"

# kernel and boot image
image:
    cargo xtask image

# boot halted with the debugger attached
gdb *args:
    cargo xtask gdb "$@"

# what is missing, and the command that mends it
doctor:
    cargo xtask doctor

# make a program from the template
new-app name:
    cargo xtask new-app "$1"
