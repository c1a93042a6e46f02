//! Does what a correct kernel never does, when a boot argument asks for it: the proof that each is caught.

use crate::layout::{DIRECT_SIZE, to_virtual};
use crate::{arguments::Defect, csr, memory::Memory, say, system::System};
use core::hint::{self, black_box};
use core::{mem, ptr};

static CONSTANT: [u64; 4] = [1; 4];

/// Shows the defect. What returns from here was not caught, and says so.
pub fn show(defect: Defect, system: &'static System, memory: &Memory) {
    let data = ptr::from_ref(system) as u64;
    match defect {
        Defect::Panic => panic!("asked for by a boot argument"),
        Defect::Stack => drop(black_box(descend(0))),
        Defect::WriteText => write(show as *const () as u64),
        Defect::WriteConstants => write(black_box(&raw const CONSTANT) as u64),
        Defect::WriteImage => write(to_virtual(memory.image.start)),
        Defect::RunData => run(data),
        Defect::RunFrame => run(to_virtual(system.kernel.frames.address(1))),
        Defect::ReadNothing => read(to_virtual(DIRECT_SIZE - 8)),
        // None, or one that shows elsewhere.
        _ => return,
    }
    say!("the defect was not caught");
}

/// The same on a further hart, when it is interrupted for the first time: in the self-tests the first one is silent then.
pub(crate) fn show_further(defect: Defect) {
    if defect == Defect::FurtherStack {
        while csr::sip() & csr::SOFTWARE == 0 {
            hint::spin_loop();
        }
        black_box(descend(0));
    }
}

#[inline(never)]
fn descend(depth: u64) -> u64 {
    let room = black_box([depth; 16]);
    if black_box(depth) == u64::MAX { 0 } else { room[0] + descend(depth + 1) + room[15] }
}

fn write(address: u64) {
    // SAFETY: none; this is the defect, and the page tables stop it.
    unsafe { (address as *mut u64).write_volatile(0) }
}

fn read(address: u64) {
    // SAFETY: none; this is the defect, and the page tables stop it.
    black_box(unsafe { (address as *const u64).read_volatile() });
}

fn run(address: u64) {
    // SAFETY: none; this is the defect, and the page tables stop it.
    let function = unsafe { mem::transmute::<u64, extern "C" fn()>(address) };
    function();
}
