# The end of a direct hand-over: the partner goes on, with the words where they are.
#   in:        tp = Hart, t1 = thread, t6 = its satp, a0-a7 words, t0 status, t2 badge, t3 service, t4 process, t5 trace;
#              sstatus has SPP = 0 and SPIE = 1
#   out:       user mode of a thread that was blocked in a message call
    csrw    satp, t6
    ld      t6, {frame}(t1)
    csrw    sepc, t6
    sd      t1, 0(tp)
    csrw    sscratch, tp
    .irp    n, 2, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    ld      x\n, {frame}+\n*8(t1)       # sp, gp, tp, s0-s11
    .endr
    li      t1, 0
    li      t6, 0
    li      ra, 0
    sret
