# The first instructions of the kernel.
#
# _start: the firmware jumps here in supervisor mode, translation off, on any one hart, or on all of them where the
#   firmware does not know hart states.
#   in:        a0 hart number, a1 physical address of the device tree
#   out:       never returns; calls arrived(a0 hart number, a1 device tree, a2 `instret` at entry) in the upper half
#   clobbered: everything
#   state:     interrupts off from the first instruction on; traps go to trap_entry once in the upper half

    .option push
    .option arch, +a
    .section .text.entry, "ax"
    .globl _start
_start:
    csrci   sstatus, 2                  # SIE
    csrw    sie, zero
    csrr    s0, instret

    # One hart boots.
    lla     t0, boot_claimed
    li      t1, 1
    amoor.w.aq t1, t1, (t0)
    bnez    t1, not_first

    # All that starts as zeros, the boot table last.
    lla     t1, bss_start
    lla     t2, bss_end
1:  sd      zero, 0(t1)
    addi    t1, t1, 8
    bltu    t1, t2, 1b
    li      t1, 3
    amoswap.w.rl zero, t1, (t0)

    # The boot table shows this place twice: in the upper half, among all the gigabytes from entry 256 on; and here, for
    # the one jump.
    lla     t0, boot_root
    li      t3, {leaf}
    srli    t1, t0, 30                  # the gigabyte of this place
    slli    t2, t1, 28
    or      t2, t2, t3
    slli    t1, t1, 3
    add     t1, t1, t0
    sd      t2, 0(t1)
    li      t1, 256 * 8
    add     t1, t1, t0
    addi    t2, t1, {gigabytes} * 8
    li      t4, 1 << 28
1:  sd      t3, 0(t1)
    add     t3, t3, t4
    addi    t1, t1, 8
    bltu    t1, t2, 1b
    lla     s1, 1f
    j       rise
1:  lla     sp, boot_stack_top
    mv      a2, s0
    call    arrived

# not_first: a hart arrives where the first one did. A firmware that does not know hart states lets all of them loose here:
#   they sleep. OpenSBI says that a hart is to start before it says where, and one that is quick, or an asker that is slow,
#   comes here though it was asked for: its number and its stack are set, and it goes where it was meant to go.
#   in:        a0 hart number, t1 what boot_claimed was
#   out:       never returns; goes on at further_start (a1 virtual address of its Hart) or at park
not_first:
    addi    t1, t1, -1
    beqz    t1, park                    # nobody was asked for yet, and what starts as zeros may still be anything
    fence   rw, rw                      # what the asker wrote before the firmware let this hart loose is seen
    lla     a1, {harts}
    li      t0, {most}
1:  ld      t1, {number}(a1)
    ld      t2, 8(a1)                   # 0: it was not asked for
    bne     t1, a0, 2f
    bnez    t2, 3f
2:  addi    a1, a1, {size}
    addi    t0, t0, -1
    bnez    t0, 1b
    j       park
3:  li      t0, {direct}
    add     a1, a1, t0

# further_start: the firmware starts a further hart here (SBI, hart state management), translation off.
#   in:        a0 hart number, a1 virtual address of its Hart, whose stack is set (offset 8)
#   out:       never returns; calls hart_arrived(a0 Hart) in the upper half, on its stack, with the boot table
#   clobbered: everything
#   state:     interrupts off; traps go to trap_entry once in the upper half
    .globl further_start
further_start:
    csrci   sstatus, 2                  # SIE
    csrw    sie, zero
    lla     s1, 1f
    j       rise
1:  ld      sp, 8(a1)
    mv      a0, a1
    call    hart_arrived

# rise: goes on in the upper half.
#   in:        s1 physical address to go on at
#   out:       at s1 in the upper half, gp and tp 0; clobbers t0, t1
rise:
    lla     t0, boot_root
    srli    t0, t0, 12
    li      t1, 8 << 60                 # Sv39
    or      t0, t0, t1
    sfence.vma
    csrw    satp, t0
    sfence.vma
    li      t1, {direct}
    lla     t0, trap_entry
    add     t0, t0, t1
    csrw    stvec, t0
    csrw    sscratch, zero              # in the kernel
    li      gp, 0
    li      tp, 0
    add     s1, s1, t1
    jr      s1

# zero_lines: clears memory, 128 bytes a turn.
#   in:        a0 first address, a1 last address + 1, both multiples of 128, a0 < a1
#   out:       nothing; clobbers a0
#   state:     called from Rust
    .globl zero_lines
zero_lines:
    .irp n, 0,8,16,24,32,40,48,56,64,72,80,88,96,104,112,120
    sd      zero, \n(a0)
    .endr
    addi    a0, a0, 128
    bltu    a0, a1, zero_lines
    ret

# park: a hart that nobody needs sleeps here for good, interrupts off.
#   in, out: nothing; clobbers nothing
    .globl park
park:
    wfi
    j       park

    .section .data
    .balign 4
boot_claimed:                           # 1: a hart boots; 3: and has cleared all that starts as zeros
    .word   0
    .option pop
