# The end of a direct hand-over: the partner goes on, with the words where they are.
#   in:        tp = Hart, t1 = thread, t6 = its satp, a0-a7 words, t0 status, t2 badge, t3 service, t4 process, t5 trace;
#              sstatus has SPP = 0 and SPIE = 1
#   out:       user mode of a thread that was blocked in a message call
    csrw    satp, t6
    ld      t6, 0(t1)
    csrw    sepc, t6
    sd      t1, 0(tp)
    csrw    sscratch, tp
    ld      sp, 2*8(t1)
    ld      gp, 3*8(t1)
    ld      tp, 4*8(t1)
    ld      s0, 8*8(t1)
    ld      s1, 9*8(t1)
    ld      s2, 18*8(t1)
    ld      s3, 19*8(t1)
    ld      s4, 20*8(t1)
    ld      s5, 21*8(t1)
    ld      s6, 22*8(t1)
    ld      s7, 23*8(t1)
    ld      s8, 24*8(t1)
    ld      s9, 25*8(t1)
    ld      s10, 26*8(t1)
    ld      s11, 27*8(t1)
    li      t1, 0
    li      t6, 0
    li      ra, 0
    sret
