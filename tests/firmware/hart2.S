# A firmware that does nothing but let hart 2 boot: it refuses every call, and every other trap and interrupt is the
# supervisor's.
#
# _start: where the emulator's reset code jumps, in machine mode, on every hart.
#   in:        a0 hart number, a1 physical address of the device tree
#   out:       hart 2: the kernel's first address in supervisor mode, a0 and a1 as they came; others: never
#   clobbered: t0

    .option arch, rv64imac_zicsr
    .section .text.entry, "ax"
    .globl _start
_start:
    csrr    a0, mhartid
    li      t0, 2
    bne     a0, t0, asleep
    li      t0, -1
    csrw    pmpaddr0, t0                # all memory
    csrw    mcounteren, t0              # all counters
    li      t0, 0x1f
    csrw    pmpcfg0, t0
    li      t0, 0xb1ff                  # all but calls of the supervisor
    csrw    medeleg, t0
    li      t0, 0x222
    csrw    mideleg, t0
    li      t0, 1 << 63
    csrw    0x30a, t0                   # menvcfg: the supervisor's timer register
    lla     t0, trap
    csrw    mtvec, t0
    li      t0, 0x1800
    csrc    mstatus, t0
    li      t0, 0x800                   # return to supervisor mode
    csrs    mstatus, t0
    li      t0, 0x80200000
    csrw    mepc, t0
    mret

# trap: what is not delegated, in machine mode.
#   in:        a6, a7 function and extension of a call, not looked at
#   out:       a0 -2, not supported (SBI 1.0, table 1); a1 0
#   clobbered: nothing else
#   state:     a trap that is no call of the supervisor stops the hart for good
    .balign 4
trap:
    csrw    mscratch, t0
    csrr    t0, mcause
    addi    t0, t0, -9
    bnez    t0, asleep
    csrr    t0, mepc
    addi    t0, t0, 4
    csrw    mepc, t0
    csrr    t0, mscratch
    li      a0, -2
    li      a1, 0
    mret
asleep:
    wfi
    j       asleep
