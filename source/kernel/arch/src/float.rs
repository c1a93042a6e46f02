//! Floating-point registers: loaded at a thread's first use, saved when it is switched out with changes in them.
//!
//! The unit is off while its registers are not the running thread's, so no thread ever reads another's. `Hart::float`
//! is the reference of the thread whose registers are loaded. [`Thread::float`] is 0 for a thread that has nothing
//! saved (the core makes it so): its registers start as zeros.

use crate::{csr, hart::Hart, system::System};
use core::arch::global_asm;
use nexus_core::{thread::Thread, word::Word};

global_asm!(include_str!("float.S"));

/// Saved registers of one thread: `f0`…`f31`, then `fcsr`.
#[repr(C)]
pub(crate) struct Registers([Word; 33]);

static ZEROS: Registers = Registers([const { Word::new(0) }; 33]);

const NOTHING_SAVED: u32 = 0;
const SAVED: u32 = 1;

unsafe extern "C" {
    fn save_float(area: &Registers);
    fn restore_float(area: &Registers);
}

/// The running thread executed an illegal instruction: turns the unit on if there is one and it is off, so that the
/// instruction can run again; else it is illegal, and this returns false.
pub(crate) fn first_use(system: &'static System, hart: &Hart, thread: &'static Thread) -> bool {
    if !system.has_float || csr::sstatus() & csr::FS != 0 {
        return false;
    }
    csr::set_sstatus_bits(csr::FS_CLEAN);
    let area = match thread.float.get() {
        NOTHING_SAVED => &ZEROS,
        _ => system.float_of(thread.index()),
    };
    // SAFETY: the unit was turned on above, and the area has 33 words.
    unsafe { restore_float(area) };
    // Loading made the registers dirty; they are what is saved.
    csr::clear_sstatus_bits(csr::FS);
    csr::set_sstatus_bits(csr::FS_CLEAN);
    hart.float.set(thread.header.me());
    thread.gate.hold_float();
    true
}

/// Another thread, or none, is about to run: turns the unit off, after saving what its owner changed.
#[cold]
pub(crate) fn release(hart: &Hart, system: &'static System) {
    let owner = hart.float.take();
    if let Some(thread) = system.kernel.threads.get(owner) {
        if csr::sstatus() & csr::FS == csr::FS {
            // SAFETY: the unit is on (dirty), and the area has 33 words.
            unsafe { save_float(system.float_of(thread.index())) };
            thread.float.set(SAVED);
        }
        thread.gate.drop_float();
    }
    csr::clear_sstatus_bits(csr::FS);
}
