//! What no program may do, done on purpose: for programs that prove it ends in a fault record.

use core::arch::asm;

use nexus_abi::layout::USER_START;

use crate::sys::Wrong;

/// Does it. If the machine lets it pass, the process ends with status 1.
pub fn provoke(wrong: Wrong) -> ! {
    match wrong {
        Wrong::LoadNull => load(0),
        Wrong::LoadKernel => load(0xffff_ffc0_8020_0000),
        Wrong::StoreText => store(USER_START),
        Wrong::StoreNull => store(0),
        Wrong::FetchNull => jump(0),
        Wrong::FetchData => {
            let code = 0u64;
            jump(&raw const code as u64)
        }
        // SAFETY: Not sound by intent: the instruction does not exist, and the process ends here.
        Wrong::Illegal => unsafe { asm!("unimp", options(noreturn)) },
        // SAFETY: As above: user mode may not read this register.
        Wrong::Privileged => unsafe { asm!("csrr t0, satp", "unimp", options(noreturn)) },
        // SAFETY: As above: nobody debugs this process.
        Wrong::Breakpoint => unsafe { asm!("ebreak", options(noreturn)) },
        Wrong::StackOverflow => {
            descend(1);
        }
    }
    crate::program::exit(1)
}

fn load(address: u64) {
    // SAFETY: Not sound by intent: nothing is mapped there for this program, and the process ends here.
    unsafe { asm!("ld t0, 0({})", in(reg) address, out("t0") _) };
}

fn store(address: u64) {
    // SAFETY: As for `load`.
    unsafe { asm!("sd zero, 0({})", in(reg) address) };
}

fn jump(address: u64) {
    // SAFETY: As for `load`: no executable page is there.
    unsafe { asm!("jalr ra, 0({})", in(reg) address, clobber_abi("C")) };
}

#[inline(never)]
fn descend(depth: u64) -> u64 {
    let room = core::hint::black_box([depth; 64]);
    if room[0] == 0 { 0 } else { descend(depth + 1) + room[1] }
}
