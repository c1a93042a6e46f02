# The way into the kernel and back to user mode: every register is saved or cleared.
#
# Rules for tp, gp and sscratch:
#   user mode    sscratch = this hart's Hart; tp and gp are the program's
#   kernel       sscratch = 0; tp = this hart's Hart (a hint that no Rust code touches); gp is unused
# So the first swap tells where a trap came from. Interrupts are off from the trap to the sret.
#
# Offsets: Hart 0 running thread, 8 top of this hart's stack, 16 spare (hart.rs).
#          FRAME is where the frame stands in what a base register points to: word 0 pc, word n xn.

    .option push
    .option arch, +a
    .section .text.trap, "ax"

    .set    FRAME, {frame}

# Registers to or from their words in a frame: xn and word n, by the numbers.
    .macro  keep base, numbers:vararg
    .irp    n, \numbers
    sd      x\n, FRAME+\n*8(\base)
    .endr
    .endm
    .macro  fetch base, numbers:vararg
    .irp    n, \numbers
    ld      x\n, FRAME+\n*8(\base)
    .endr
    .endm

# What a C function keeps, but sp: s0-s11.
    .macro  each_kept what, base
    \what   \base, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    .endm

# Message words but a0.
    .macro  each_word what, base
    \what   \base, 11, 12, 13, 14, 15, 16, 17
    .endm

# All but t0, sp, gp, tp, a0 and pc.
    .macro  each_other what, base
    each_kept \what, \base
    each_word \what, \base
    \what   \base, 1, 6, 7, 28, 29, 30, 31
    .endm

# The part of every entry up to the question whether it is a system call. \other: where all else goes, with t0 in the
# spare word, tp = Hart.
    .macro  enter other
    csrrw   tp, sscratch, tp
    beqz    tp, kernel_fault
    sd      t0, 16(tp)
    csrr    t0, scause
    addi    t0, t0, -8
    bnez    t0, \other
    ld      t0, 0(tp)
    keep    t0, 2, 3                    # sp, gp
    csrrw   t1, sscratch, zero
    sd      t1, FRAME+4*8(t0)           # tp
    csrr    t1, sepc
    addi    t1, t1, 4
    sd      t1, FRAME(t0)               # pc behind the call
    ld      sp, 8(tp)
    .endm

# The straight way, if it is one.
    .macro  straight function
    each_kept keep, t0
    mv      gp, t3
    j       \function
    .endm

# Keeps the number of a call, and takes float registers off the hart. Words stay where they are, t0 = running thread.
    .macro  without_float
    ld      t0, 0(tp)
    keep    t0, 7
    ld      t1, {float}(tp)
    beqz    t1, 9f
    keep    t0, 10
    each_word keep, t0
    mv      a0, tp
    call    release_float
    ld      t0, 0(tp)
    fetch   t0, 10
    each_word fetch, t0
9:
    .endm

# trap_entry: stvec.
#   in:        any state; from user mode: sscratch = Hart
#   out:       a system call: as direct_entry or call_entry; all else: as other_trap
    .balign 4
    .globl trap_entry
trap_entry:
    enter   other_trap

# A call, or an answer and receive, may go straight to its partner.
#   in:        tp = Hart, t0 = running thread, pc sp gp tp kept; t2 = number; the rest is the program's
#   out:       one of the functions of direct.rs: a0-a7 words, gp = target, and all in the frame that it may need.
#              It resumes the partner, or jumps to call_elsewhere or reply_recv_elsewhere. Other numbers: call_entry.
    bnez    t2, 1f
    straight call_direct
1:  addi    t4, t2, -1
    bnez    t4, 2f
    straight reply_recv_direct
2:  addi    t4, t4, -1
    bnez    t4, 3f
    keep    t0, 30
    straight call_until_direct
3:  addi    t4, t4, -1
    bnez    t4, call_entry
    keep    t0, 30
    straight reply_recv_until_direct

# call_elsewhere, reply_recv_elsewhere: the straight way was no way; nothing was changed.
#   in:        tp = Hart, gp = target, t2 = number, a0-a7 words; all else is in the frame
#   out:       call_detour, reply_recv_detour of direct.rs: as from trap_entry, with the number in the frame
    .globl  call_elsewhere
call_elsewhere:
    without_float
    j       call_detour
    .globl  reply_recv_elsewhere
reply_recv_elsewhere:
    without_float
    j       reply_recv_detour

# undirected: neither was the detour.
#   in:        as call_elsewhere
#   out:       as call_entry without bytes
    .globl  undirected
undirected:
    ld      t0, 0(tp)
    sd      gp, FRAME+28*8(t0)          # t3
    keep    t0, 7
    j       call_words

# trap_entry_undirected: stvec where no message goes straight.
#   in, out:   as trap_entry, but that calls and answers go to call_elsewhere or reply_recv_elsewhere at once, as from `aside`
#              those with bytes always do
    .balign 4
    .globl trap_entry_undirected
trap_entry_undirected:
    enter   other_trap
    sltiu   t4, t2, {directed}
    beqz    t4, call_entry
aside:
    each_kept keep, t0
    keep    t0, 30, 31
    mv      gp, t3
    andi    t4, t2, 1
    beqz    t4, call_elsewhere
    j       reply_recv_elsewhere

# trap_entry_general: stvec where every message goes the general way.
#   in, out:   as trap_entry
    .balign 4
    .globl trap_entry_general
trap_entry_general:
    enter   other_trap
    sltiu   t4, t2, {messages}
    bnez    t4, call_general

# call_entry: a system call on the general way.
#   in:        tp = Hart, t0 = running thread, t1 = pc behind the call, pc sp gp tp kept; t2 = number; the rest is the program's
#   out:       with bytes: call_elsewhere or reply_recv_elsewhere; else call_taken(a0 Hart), which ends in a jump to
#              resume, so that nothing of the kernel's own registers is saved; all of the caller's are in its frame before
#              another hart can see it wait or end
call_entry:
    addi    t4, t2, -{whoami}
    beqz    t4, whoami
    addi    t4, t2, -{call_extended}
    sltiu   t4, t4, 2
    bnez    t4, aside
call_general:
    each_kept keep, t0
    keep    t0, 7, 28, 30, 31
call_words:
    keep    t0, 10
    each_word keep, t0
    mv      a0, tp
    j       call_taken

# whoami: the shortest call is answered here.
#   in:        tp = Hart, t0 = running thread, t1 = pc behind the call, pc sp gp tp kept; the rest is the program's
#   out:       user mode: a0 process id, a1 service id, all else of an answer 0
whoami:
    csrw    sepc, t1
    csrw    sscratch, tp
    ld      a0, {process}(t0)
    ld      a1, {service}(t0)
    fetch   t0, 2, 4
    li      a2, 0
    li      a3, 0
    li      a4, 0
    li      a5, 0
    li      a6, 0
    li      a7, 0
    li      ra, 0
    li      t0, 0
    li      t1, 0
    li      t2, 0
    li      t3, 0
    li      t4, 0
    li      t5, 0
    li      t6, 0
    sret

# other_trap: an interrupt or a fault: every register is saved, and a reservation ends: whoever ran meanwhile may have
# reserved the same, and a store between its own pair must not be let through by that. (A call between the pair is the
# program's own doing.) Nothing reserves the spare word, so this store is refused.
#   in:        tp = Hart, t0 in its spare word, the rest is the program's
#   out:       of a device interrupt device_taken(a0 Hart), else trap_taken(a0 Hart), which end in a jump to resume
other_trap:
    ld      t0, 0(tp)
    keep    t0, 2, 3, 10
    each_other keep, t0
    ld      t1, 16(tp)
    sd      t1, FRAME+5*8(t0)           # t0
    addi    t1, tp, 16
    sc.d    zero, zero, (t1)
    csrrw   t1, sscratch, zero
    sd      t1, FRAME+4*8(t0)           # tp
    csrr    t1, sepc
    sd      t1, FRAME(t0)
    ld      sp, 8(tp)
    mv      a0, tp
    csrr    t1, scause
    addi    t1, t1, -{device}
    slli    t1, t1, 1                   # without the mark of interrupts: no fault in user mode has that number
    bnez    t1, trap_taken
    j       device_taken

# resume: user mode goes on.
#   in:        a0 = thread to resume, tp = Hart; the satp and float state of that thread are in place,
#              sstatus has SPP = 0 and SPIE = 1
#   out:       user mode, registers as in its frame
    .globl  resume
resume:
    sd      a0, 0(tp)
    csrw    sscratch, tp
    ld      t0, FRAME(a0)
    csrw    sepc, t0
    each_other fetch, a0
    fetch   a0, 2, 3, 4, 5, 10
    sret

# kernel_fault: a trap came from the kernel itself; there is no such trap but by a defect.
#   in:        sscratch = the kernel's tp, tp = 0, all else as it was; sp may be anything
#   out:       calls fault_taken(a0 = all registers, word 0 pc) on the emergency stack, which never returns
#   state:     a second fault, on this hart or another, finds the claim taken and stops its hart
    .set    FRAME, 0
kernel_fault:
    csrrw   t0, sscratch, t0            # t0 = the kernel's tp
    lla     tp, fault_claimed
    amoswap.w.aq tp, tp, (tp)           # what is stored is part of an address, and not 0
    bnez    tp, park
    lla     tp, fault_frame
    keep    tp, 2, 3, 10
    each_other keep, tp
    sd      t0, 4*8(tp)                 # a hint which hart this is
    csrrw   t1, sscratch, zero
    sd      t1, 5*8(tp)                 # t0
    csrr    t1, sepc
    sd      t1, 0(tp)
    lla     sp, emergency_stack_top
    mv      a0, tp
    call    fault_taken
    j       park

    .section .data
    .balign 4
fault_claimed:
    .word   0
    .section .bss
    .balign 8
fault_frame:
    .zero   32*8
    .option pop
