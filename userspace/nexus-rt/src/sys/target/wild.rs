//! Single instructions that user mode may not get away with.

use core::arch::asm;

use crate::sys::Wild;

/// Tries it. If the machine lets it pass, the process ends with status 1.
pub fn go_wild(wild: Wild) -> ! {
    match wild {
        // SAFETY: Not sound by intent: the address is a proof's choice, and if nothing stops the load the process ends.
        Wild::Load(address) => unsafe { asm!("ld t0, 0({})", in(reg) address, out("t0") _) },
        // SAFETY: As for `Load`; no Rust code of this process runs on but the one that ends it.
        Wild::Store(address) => unsafe { asm!("sd zero, 0({})", in(reg) address) },
        // SAFETY: As for `Store`.
        Wild::Fetch(address) => unsafe { asm!("jalr ra, 0({})", in(reg) address, clobber_abi("C")) },
        // SAFETY: As for `Store`.
        Wild::Add(address) => unsafe { asm!("amoadd.d t0, t0, ({})", in(reg) address, out("t0") _) },
        // SAFETY: As for `Load`.
        Wild::Reserve(address) => unsafe { asm!("lr.d t0, ({})", in(reg) address, out("t0") _) },
        Wild::ReadRegister(number) => read(number),
        Wild::WriteRegister(number) => write(number),
        // SAFETY: Not sound by intent: user mode may not return from traps, and the process ends here.
        Wild::Sret => unsafe { asm!("sret") },
        // SAFETY: As for `Sret`.
        Wild::Mret => unsafe { asm!("mret") },
        // SAFETY: Waits at most for the next interrupt.
        Wild::Wfi => unsafe { asm!("wfi") },
        // SAFETY: Forgetting translations changes no memory.
        Wild::Fence => unsafe { asm!("sfence.vma") },
        // SAFETY: As for `Sret`: zeros are no instruction.
        Wild::Zeros => unsafe { asm!(".word 0") },
    }
    crate::program::exit(1)
}

/// Which registers a proof may name: `read` and `write` have an instruction for each.
macro_rules! registers {
    ($($number:literal)*) => {
        fn read(number: u64) {
            match number {
                // SAFETY: Reading a register that user mode may not read ends the process; another changes nothing.
                $($number => unsafe { asm!(concat!("csrr t0, ", stringify!($number)), out("t0") _) },)*
                _ => crate::program::exit(2),
            }
        }

        fn write(number: u64) {
            match number {
                // SAFETY: As for reading: user mode may write no register but those of floating point, which are not here.
                $($number => unsafe { asm!(concat!("csrw ", stringify!($number), ", zero")) },)*
                _ => crate::program::exit(2),
            }
        }
    };
}

// Supervisor, hypervisor, debug and machine registers, and the counters (privileged specification, "CSR listing").
registers! {
    0x100 0x104 0x105 0x106 0x10a 0x140 0x141 0x142 0x143 0x144 0x14d 0x180
    0x600 0x680 0x7a0 0x7b0
    0x300 0x302 0x303 0x304 0x305 0x306 0x340 0x341 0x342 0x3a0 0x3b0
    0xb00 0xc00 0xc01 0xc02 0xc03 0xf14
}
