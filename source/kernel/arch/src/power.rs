//! The end: exit with a status, or reset.
//!
//! The test device of QEMU's `virt` carries an exit status; where there is none the firmware shuts down, and where that
//! fails too the hart sleeps.

use crate::{harts::park, layout::to_virtual, sbi};
use core::{ops::Range, ptr};
use nexus_core::word::Word;

/// Exit statuses of the kernel itself. Programs end the machine with any status they like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    /// The device tree is unusable.
    DeviceTree = 112,
    /// There is not enough memory.
    Memory = 113,
    /// The boot image is missing or unusable.
    Image = 114,
    /// The first process could not be made.
    FirstProcess = 115,
    /// A panic, with `panic=exit`.
    Panic = 116,
}

const PASS: u32 = 0x5555;
const FAIL: u32 = 0x3333;
const RESET: u32 = 0x7777;

/// Address of the test device's register; 0: there is none. Written before any other hart is started, which orders it.
static TEST: Word = Word::new(0);

/// Says where the test device is. It must be mapped at its place in the direct map.
pub(crate) fn open(test: &Range<u64>) {
    if test.end - test.start >= 4 {
        TEST.set(to_virtual(test.start));
    }
}

fn tell(value: u32) {
    if TEST.get() != 0 {
        // SAFETY: `open` was told that this is the test device's mapped register.
        unsafe { ptr::write_volatile(TEST.get() as *mut u32, value) };
    }
}

/// Ends the machine with a status: 0 is success; what does not fit 16 bits ends as 1.
pub fn exit(status: u32) -> ! {
    match status {
        0 => tell(PASS),
        1..=0xffff => tell(status << 16 | FAIL),
        _ => tell(1 << 16 | FAIL),
    }
    sbi::shut_down();
    park()
}

/// Says why the kernel cannot go on, and ends the machine.
#[macro_export]
macro_rules! stop {
    ($status:ident, $($why:expr),+) => {{
        $crate::say!($($why),+);
        $crate::power::stop($crate::power::Status::$status)
    }};
}

/// Ends the machine because the kernel cannot go on.
pub fn stop(status: Status) -> ! {
    exit(status as u32)
}

/// Starts the machine again.
pub fn reset() -> ! {
    tell(RESET);
    sbi::reset();
    park()
}
