# The way into the kernel and back to user mode: every register is saved or cleared.
#
# Rules for tp, gp and sscratch:
#   user mode    sscratch = this hart's Hart; tp and gp are the program's
#   kernel       sscratch = 0; tp = this hart's Hart (a hint that no Rust code touches); gp is unused
# So the first swap tells where a trap came from. Interrupts are off from the trap to the sret.
#
# Offsets: Hart 0 running thread, 8 top of this hart's stack, 16 spare (hart.rs).
#          Thread begins with its frame: word 0 pc, word n xn.

    .option push
    .option arch, +a
    .section .text.trap, "ax"

# One register to or from its word of the frame in \frame.
    .macro  keep number, name, frame=t0
    sd      \name, \number*8(\frame)
    .endm
    .macro  fetch number, name, frame=a0
    ld      \name, \number*8(\frame)
    .endm

# What a C function keeps, but sp.
    .macro  each_kept what, frame
    \what   8, s0, \frame
    \what   9, s1, \frame
    \what   18, s2, \frame
    \what   19, s3, \frame
    \what   20, s4, \frame
    \what   21, s5, \frame
    \what   22, s6, \frame
    \what   23, s7, \frame
    \what   24, s8, \frame
    \what   25, s9, \frame
    \what   26, s10, \frame
    \what   27, s11, \frame
    .endm

# Message words but a0.
    .macro  each_word what, frame
    \what   11, a1, \frame
    \what   12, a2, \frame
    \what   13, a3, \frame
    \what   14, a4, \frame
    \what   15, a5, \frame
    \what   16, a6, \frame
    \what   17, a7, \frame
    .endm

# What a system call brings besides words, but t3: number, deadline, extent.
    .macro  each_parameter what, frame
    \what   7, t2, \frame
    \what   30, t5, \frame
    \what   31, t6, \frame
    .endm

# All but t0, sp, gp, tp and pc.
    .macro  each_other what, frame
    \what   1, ra, \frame
    \what   6, t1, \frame
    each_kept \what, \frame
    each_word \what, \frame
    each_parameter \what, \frame
    \what   28, t3, \frame
    \what   29, t4, \frame
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
    keep    2, sp
    keep    3, gp
    csrrw   t1, sscratch, zero
    keep    4, t1                       # tp
    csrr    t1, sepc
    addi    t1, t1, 4
    keep    0, t1                       # pc behind the call
    ld      sp, 8(tp)
    .endm

# Keeps the number of a call, and takes float registers off the hart. Words stay where they are, t0 = running thread.
    .macro  without_float
    ld      t0, 0(tp)
    keep    7, t2
    ld      t1, {float}(tp)
    beqz    t1, 9f
    keep    10, a0
    each_word keep, t0
    mv      a0, tp
    call    release_float
    ld      t0, 0(tp)
    each_word fetch, t0
    fetch   10, a0, t0
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
    each_kept keep, t0
    mv      gp, t3
    j       call_direct
1:  addi    t4, t2, -1
    bnez    t4, 2f
    each_kept keep, t0
    mv      gp, t3
    j       reply_recv_direct
2:  addi    t4, t4, -1
    bnez    t4, 3f
    each_kept keep, t0
    keep    30, t5
    mv      gp, t3
    j       call_until_direct
3:  addi    t4, t4, -1
    bnez    t4, call_entry
    each_kept keep, t0
    keep    30, t5
    mv      gp, t3
    j       reply_recv_until_direct

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
    keep    28, gp
    keep    7, t2
    j       call_words

# trap_entry_undirected: stvec where no message goes straight.
#   in, out:   as trap_entry, but that calls and answers go to call_elsewhere or reply_recv_elsewhere at once
    .balign 4
    .globl trap_entry_undirected
trap_entry_undirected:
    enter   other_trap
    sltiu   t4, t2, {directed}
    beqz    t4, call_entry
    each_kept keep, t0
    keep    30, t5
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
#   out:       with bytes: a function of direct.rs, as from trap_entry; else call_taken(a0 Hart), which ends in a jump to
#              resume, so that nothing of the kernel's own registers is saved; all of the caller's are in its frame before
#              another hart can see it wait or end
call_entry:
    addi    t4, t2, -{whoami}
    beqz    t4, whoami
    addi    t4, t2, -{call_extended}
    sltiu   t4, t4, 2
    bnez    t4, 1f
call_general:
    each_kept keep, t0
    keep    28, t3
    each_parameter keep, t0
call_words:
    keep    10, a0
    each_word keep, t0
    mv      a0, tp
    j       call_taken
1:  each_kept keep, t0
    keep    30, t5
    keep    31, t6
    mv      gp, t3
    andi    s0, t2, 1
    without_float
    bnez    s0, 2f
    j       call_extended_detour
2:  j       reply_recv_extended_detour

# whoami: the shortest call is answered here.
#   in:        tp = Hart, t0 = running thread, t1 = pc behind the call, pc sp gp tp kept; the rest is the program's
#   out:       user mode: a0 process id, a1 service id, all else of an answer 0
whoami:
    csrw    sepc, t1
    csrw    sscratch, tp
    ld      a0, {process}(t0)
    ld      a1, {service}(t0)
    fetch   2, sp, t0
    fetch   4, tp, t0
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
    keep    2, sp
    keep    3, gp
    each_other keep, t0
    keep    10, a0
    ld      t1, 16(tp)
    keep    5, t1                       # t0
    addi    t1, tp, 16
    sc.d    zero, zero, (t1)
    csrrw   t1, sscratch, zero
    keep    4, t1                       # tp
    csrr    t1, sepc
    keep    0, t1
    ld      sp, 8(tp)
    mv      a0, tp
    csrr    t1, scause
    addi    t1, t1, -{device}
    slli    t1, t1, 1                   # without the mark of interrupts: no fault in user mode has that number
    bnez    t1, trap_taken
    j       device_taken

# resume: user mode goes on.
#   in:        a0 = frame to resume, tp = Hart; the satp and float state of that thread are in place,
#              sstatus has SPP = 0 and SPIE = 1
#   out:       user mode, registers as in the frame
    .globl  resume
resume:
    sd      a0, 0(tp)
    csrw    sscratch, tp
    fetch   0, t0
    csrw    sepc, t0
    fetch   2, sp
    fetch   3, gp
    fetch   4, tp
    fetch   5, t0
    each_other fetch, a0
    fetch   10, a0
    sret

# resume_first: enters user mode for the first time on a hart.
#   in:        a0 = frame to resume, a1 = Hart; called from Rust, never returns; else as resume
    .globl resume_first
resume_first:
    mv      tp, a1
    j       resume

# kernel_fault: a trap came from the kernel itself; there is no such trap but by a defect.
#   in:        sscratch = the kernel's tp, tp = 0, all else as it was; sp may be anything
#   out:       calls fault_taken(a0 = all registers, word 0 pc) on the emergency stack, which never returns
#   state:     a second fault, on this hart or another, finds the claim taken and stops its hart
kernel_fault:
    csrrw   t0, sscratch, t0            # t0 = the kernel's tp
    lla     tp, fault_claimed
    amoswap.w.aq tp, tp, (tp)           # what is stored is part of an address, and not 0
    bnez    tp, park
    lla     tp, fault_frame
    keep    2, sp, tp
    keep    3, gp, tp
    keep    4, t0, tp                   # a hint which hart this is
    each_other keep, tp
    keep    10, a0, tp
    csrrw   t1, sscratch, zero
    keep    5, t1, tp                   # t0
    csrr    t1, sepc
    keep    0, t1, tp
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
