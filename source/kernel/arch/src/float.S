# Floating-point registers to and from memory.
#
# save_float:    in a0 = 33 double words; out: f0..f31 and fcsr stored; clobbers t0
# restore_float: in a0 = 33 double words; out: f0..f31 and fcsr loaded; clobbers t0
#   state: both are called from Rust with interrupts off and sstatus.FS not off

    .section .text
    .option push
    .option arch, +d
    .globl save_float
save_float:
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd     f\n, \n*8(a0)
    .endr
    frcsr   t0
    sd      t0, 32*8(a0)
    ret

    .globl restore_float
restore_float:
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fld     f\n, \n*8(a0)
    .endr
    ld      t0, 32*8(a0)
    fscsr   t0
    ret
    .option pop
