//! Starting the harts that did not boot: through the firmware's hart state management, and no other way.
//!
//! Each arrives at `further_start`, on a stack of its own with an unmapped page under it, and announces itself in
//! [`Cpu::online`]. The boot hart waits a bounded time for each. One that comes later finds that it was given up and
//! sleeps for good: nobody counts on a CPU that was once said to be missing.
//!
//! Happens-before: what the boot hart wrote before [`start`] is seen by a further hart because the firmware's start is
//! a call and an arrival (SBI 1.0, chapter 9), and by its acquire of `online`. What a hart wrote before it came online
//! is seen by whoever reads `online` there by acquire.

use crate::hart::{HARTS, Hart, STACK_BYTES, STACK_STRIDE};
use crate::layout::{PAGE, to_physical};
use crate::system::{self, System};
use crate::{csr, defects, linked, memory::Memory, run, say, sbi};
use core::ops::Range;
use core::sync::atomic::Ordering::{AcqRel, Acquire};
use nexus_core::cpu::{Cpu, GIVEN_UP, OFFLINE, ONLINE};

/// Milliseconds after which a hart that is not there is given up.
const START_PATIENCE_MS: u64 = 2000;

unsafe extern "C" {
    fn further_start();
    /// A hart that nobody needs sleeps here. It needs nothing and never returns.
    pub(crate) safe fn park() -> !;
}

/// Starts every hart but this one, and says which came.
pub fn start(system: &'static System, memory: &Memory) {
    let others = system.kernel.cpus.get(1..).unwrap_or_default().iter().zip(&HARTS[1..]);
    for (cpu, hart) in others.clone() {
        hart.stack.set(memory.stacks.start + hart.cpu.get() * STACK_STRIDE);
        let start = to_physical(defects::entry(further_start));
        let error = sbi::start_hart(cpu.hart.get(), start, core::ptr::from_ref(hart) as u64);
        if error != 0 {
            hart.stack.set(0);
            let (id, number, error) = (hart.cpu.get(), hart.number.get(), error.unsigned_abs());
            say!("cpu", id, " is missing: the firmware does not start hart ", number, ": error -", error);
            let _ = settle(cpu, GIVEN_UP);
        }
    }
    let until = csr::time() + system.kernel.machine.timebase * START_PATIENCE_MS / 1000;
    for (cpu, hart) in others {
        while cpu.online.atomic().load(Acquire) == OFFLINE && csr::time() < until {
            core::hint::spin_loop();
        }
        let (id, number) = (hart.cpu.get(), hart.number.get());
        match settle(cpu, GIVEN_UP) {
            Ok(_) => say!("cpu", id, " is missing: hart ", number, " did not come in ", START_PATIENCE_MS, " ms"),
            Err(ONLINE) => say!("cpu", id, " online"),
            // The firmware refused it, and that was said.
            Err(_) => {}
        }
    }
}

/// Decides whether a CPU came, unless that was decided before.
fn settle(cpu: &Cpu, state: u32) -> Result<u32, u32> {
    cpu.online.atomic().compare_exchange(OFFLINE, state, AcqRel, Acquire)
}

/// Called by `further_start` in the upper half, on the hart's own stack, with the boot table.
#[unsafe(no_mangle)]
extern "C" fn hart_arrived(hart: &'static Hart) -> ! {
    if let Some(system) = system::get() {
        // SAFETY: the kernel's own table maps all that the boot table maps of it.
        unsafe { csr::set_satp(system.kernel_satp) };
        csr::fence_all();
        if settle(&run::cpu_of(hart), ONLINE).is_ok() {
            run::enter(system, hart)
        }
    }
    park()
}

/// The CPU in whose stack this address is; an overflown stack pointer stands in the page under it.
pub(crate) fn of_stack(address: u64) -> Option<usize> {
    HARTS.iter().position(|hart| (hart.stack.get().saturating_sub(STACK_STRIDE)..hart.stack.get()).contains(&address))
}

/// The stack that this address is in, or in the unmapped page under it: of boot, of faults, or of a hart that was started.
pub(crate) fn stack_of(address: u64) -> Option<Range<u64>> {
    let further = HARTS[1..].iter().map(|hart| hart.stack.get().wrapping_sub(STACK_BYTES)..hart.stack.get());
    let mut all = [linked::boot_stack(), linked::emergency_stack()].into_iter().chain(further);
    all.find(|stack| (stack.start - PAGE..stack.end).contains(&address))
}
