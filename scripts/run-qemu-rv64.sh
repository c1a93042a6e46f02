#!/usr/bin/env bash
# Boots the system once in the emulator: the one place that knows the emulator's command line.
#
# Options by environment:
#   SMP=1           harts, 1 to 8
#   MEM=128M        memory
#   CPU=rv64        processor model and its extensions
#   BIOS=default    firmware
#   DTB=path        the device tree, default the emulator's own
#   DISK=path       a raw disk image as virtio block device
#   RUN_TIMEOUT=90s end the emulator after this time, with exit status 124; none: no bound
#   GDB=1234        wait for a debugger on this local port
#   ICOUNT=shift=0  count instructions instead of host time
#   APPEND=words    boot arguments
#   KERNEL=path     kernel ELF, default build/kernel; build/kernel-checked where APPEND has a defect= or refuse=, which only that one knows
#   IMAGE=path      boot image, default build/boot.img
#   CONSOLE=raw     give every input byte to the guest; default: Ctrl-A is the emulator's escape key
#   EMULATOR=path   the emulator
#   TRACE=path      log every instruction executed at the addresses TRACED=first..last,… there
#   TRACE_WITH=exec what is logged of each; exec,cpu: and the registers before it
#
# Prints the command line on stderr and passes the guest's exit status on.
set -eu
cd "$(dirname "$0")/.."

case " ${APPEND:-}" in
    *" defect="* | *" refuse="*) kernel=${KERNEL:-build/kernel-checked} maker="cargo xtask image --checked" ;;
    *) kernel=${KERNEL:-build/kernel} maker="cargo xtask image" ;;
esac
image=${IMAGE:-build/boot.img}
for file in "$kernel" "$image"; do
    [ -r "$file" ] || { echo "run-qemu-rv64: $file: not there; \`$maker\` makes it" >&2; exit 2; }
done

command=("${EMULATOR:-qemu-system-riscv64}" -machine virt -cpu "${CPU:-rv64}" -smp "${SMP:-1}" -m "${MEM:-128M}" -nographic -bios "${BIOS:-default}")
command+=(-global virtio-mmio.force-legacy=off -kernel "$kernel" -initrd "$image" -append "${APPEND:-}")
if [ "${CONSOLE:-}" = raw ]; then
    command+=(-chardev "stdio,id=console,signal=off,mux=off" -serial chardev:console -monitor none)
fi
[ -z "${DTB:-}" ] || command+=(-dtb "$DTB")
if [ -n "${DISK:-}" ]; then
    command+=(-drive "file=$DISK,if=none,format=raw,id=disk" -device "virtio-blk-device,drive=disk")
fi
[ -z "${ICOUNT:-}" ] || command+=(-icount "$ICOUNT")
[ -z "${TRACE:-}" ] || command+=(-singlestep -d "${TRACE_WITH:-exec},nochain" -dfilter "$TRACED" -D "$TRACE")
[ -z "${GDB:-}" ] || command+=(-gdb "tcp:127.0.0.1:$GDB" -S)
[ -z "${RUN_TIMEOUT:-}" ] || command=(timeout --foreground -k 5 "$RUN_TIMEOUT" "${command[@]}")

# A traced command line names hundreds of addresses.
if [ -z "${TRACE:-}" ]; then
    printf '%q ' "${command[@]}" >&2
    echo >&2
fi
exec "${command[@]}"
