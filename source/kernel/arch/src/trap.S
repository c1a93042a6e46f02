# The way into the kernel and back to user mode: every register saved, every register restored.
#
# Rules for tp, gp and sscratch:
#   user mode    sscratch = this hart's Hart; tp and gp are the program's
#   kernel       sscratch = 0; tp = this hart's Hart (a hint for assembly only, no Rust code reads it); gp is unused
# So the first swap tells where a trap came from. A fast path may enter before the full save: it finds Hart the same
# way, and has to put the program's registers where trap_entry would, or back, before it hands over.
#
# Offsets: Hart 0 frame of the running thread, 8 top of this hart's stack, 16 spare (hart.rs).
#          Frame: word 0 pc, word n xn.

    .option push
    .option arch, +a
    .section .text.trap, "ax"

# trap_entry: stvec.
#   in:        any state; from user mode: sscratch = Hart
#   out:       jumps to trap_taken(a0 Hart) with all user registers in the frame of the running thread;
#              that ends in a jump to resume, so that nothing of the kernel's own registers is saved
#   state:     interrupts off, and they stay off until sret
    .balign 4
    .globl trap_entry
trap_entry:
    csrrw   tp, sscratch, tp
    beqz    tp, kernel_fault
    sd      t0, 16(tp)
    ld      t0, 0(tp)
    sd      ra, 1*8(t0)
    sd      sp, 2*8(t0)
    sd      gp, 3*8(t0)
    sd      t1, 6*8(t0)
    sd      t2, 7*8(t0)
    sd      s0, 8*8(t0)
    sd      s1, 9*8(t0)
    sd      a0, 10*8(t0)
    sd      a1, 11*8(t0)
    sd      a2, 12*8(t0)
    sd      a3, 13*8(t0)
    sd      a4, 14*8(t0)
    sd      a5, 15*8(t0)
    sd      a6, 16*8(t0)
    sd      a7, 17*8(t0)
    sd      s2, 18*8(t0)
    sd      s3, 19*8(t0)
    sd      s4, 20*8(t0)
    sd      s5, 21*8(t0)
    sd      s6, 22*8(t0)
    sd      s7, 23*8(t0)
    sd      s8, 24*8(t0)
    sd      s9, 25*8(t0)
    sd      s10, 26*8(t0)
    sd      s11, 27*8(t0)
    sd      t3, 28*8(t0)
    sd      t4, 29*8(t0)
    sd      t5, 30*8(t0)
    sd      t6, 31*8(t0)
    ld      t1, 16(tp)
    sd      t1, 5*8(t0)                 # t0
    csrrw   t1, sscratch, zero
    sd      t1, 4*8(t0)                 # tp
    csrr    t1, sepc
    sd      t1, 0*8(t0)
    ld      sp, 8(tp)
    mv      a0, tp
    j       trap_taken

# resume: user mode goes on.
#   in:        a0 = frame to resume, tp = Hart; the satp and float state of that thread are in place,
#              sstatus has SPP = 0 and SPIE = 1
#   out:       user mode, registers as in the frame
    .globl  resume
resume:
    sd      a0, 0(tp)
    csrw    sscratch, tp
    ld      t0, 0*8(a0)
    csrw    sepc, t0
    ld      ra, 1*8(a0)
    ld      sp, 2*8(a0)
    ld      gp, 3*8(a0)
    ld      tp, 4*8(a0)
    ld      t0, 5*8(a0)
    ld      t1, 6*8(a0)
    ld      t2, 7*8(a0)
    ld      s0, 8*8(a0)
    ld      s1, 9*8(a0)
    ld      a1, 11*8(a0)
    ld      a2, 12*8(a0)
    ld      a3, 13*8(a0)
    ld      a4, 14*8(a0)
    ld      a5, 15*8(a0)
    ld      a6, 16*8(a0)
    ld      a7, 17*8(a0)
    ld      s2, 18*8(a0)
    ld      s3, 19*8(a0)
    ld      s4, 20*8(a0)
    ld      s5, 21*8(a0)
    ld      s6, 22*8(a0)
    ld      s7, 23*8(a0)
    ld      s8, 24*8(a0)
    ld      s9, 25*8(a0)
    ld      s10, 26*8(a0)
    ld      s11, 27*8(a0)
    ld      t3, 28*8(a0)
    ld      t4, 29*8(a0)
    ld      t5, 30*8(a0)
    ld      t6, 31*8(a0)
    ld      a0, 10*8(a0)
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
    csrw    sscratch, t0
    lla     t0, fault_claimed
    li      tp, 1
    amoswap.w.aq tp, tp, (t0)
    bnez    tp, park
    lla     t0, fault_frame
    sd      ra, 1*8(t0)
    sd      sp, 2*8(t0)
    sd      gp, 3*8(t0)
    sd      t1, 6*8(t0)
    sd      t2, 7*8(t0)
    sd      s0, 8*8(t0)
    sd      s1, 9*8(t0)
    sd      a0, 10*8(t0)
    sd      a1, 11*8(t0)
    sd      a2, 12*8(t0)
    sd      a3, 13*8(t0)
    sd      a4, 14*8(t0)
    sd      a5, 15*8(t0)
    sd      a6, 16*8(t0)
    sd      a7, 17*8(t0)
    sd      s2, 18*8(t0)
    sd      s3, 19*8(t0)
    sd      s4, 20*8(t0)
    sd      s5, 21*8(t0)
    sd      s6, 22*8(t0)
    sd      s7, 23*8(t0)
    sd      s8, 24*8(t0)
    sd      s9, 25*8(t0)
    sd      s10, 26*8(t0)
    sd      s11, 27*8(t0)
    sd      t3, 28*8(t0)
    sd      t4, 29*8(t0)
    sd      t5, 30*8(t0)
    sd      t6, 31*8(t0)
    csrrw   t1, sscratch, zero
    sd      t1, 5*8(t0)                 # t0; the old tp is lost, it was only a hint
    csrr    t1, sepc
    sd      t1, 0*8(t0)
    lla     sp, emergency_stack_top
    mv      a0, t0
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
