//! What the machine is, as its device tree says.

use core::{mem, ops::Range};
use nexus_core::cpu::MAX_CPUS;

/// Banks of memory that are looked at.
pub const MAX_BANKS: usize = 8;
/// Ranges of memory that belong to the firmware.
pub const MAX_RESERVED: usize = 16;

/// The facts. Addresses are physical; an empty range is none.
#[derive(Clone, Debug, Default)]
pub struct Facts<'a> {
    /// Memory, ascending.
    pub ram: [Range<u64>; MAX_BANKS],
    /// Parts of it that belong to the firmware, ascending.
    pub reserved: [Range<u64>; MAX_RESERVED],
    /// The hart that boots.
    pub boot: u64,
    /// Harts that this kernel can use: the one that boots, then others in the order of the tree.
    pub harts: [Option<HartFact>; MAX_CPUS],
    /// How many usable harts there are.
    pub all_harts: u64,
    /// Ticks of the `time` counter per second.
    pub timebase: u64,
    /// The console, a 16550.
    pub uart: Range<u64>,
    /// Its registers stand `1 << shift` bytes apart.
    pub uart_shift: u32,
    /// The interrupt controller, a PLIC.
    pub plic: Range<u64>,
    /// Its highest interrupt line.
    pub lines: u32,
    /// Which hart and interrupt each of its contexts is: it may stand before the harts in the tree.
    pub(crate) contexts: &'a [u8],
    /// Per-hart timers and software interrupts, which the firmware drives.
    pub clint: Range<u64>,
    /// The device that ends the emulator.
    pub test: Range<u64>,
    /// The boot image.
    pub initrd: Range<u64>,
    /// The boot arguments.
    pub arguments: &'a [u8],
}

/// A hart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HartFact {
    /// Its number.
    pub id: u64,
    /// Phandle of its interrupt controller.
    pub controller: u32,
    /// Its supervisor context at the PLIC.
    pub context: Option<u32>,
    /// Whether it has a supervisor timer of its own (Sstc).
    pub sstc: bool,
    /// Whether it has double-precision registers (D).
    pub float: bool,
}

/// Puts a range into an ascending list; `None`: it has no room. An empty range is none.
#[inline(never)]
pub(crate) fn insert(list: &mut [Range<u64>], mut range: Range<u64>) -> Option<()> {
    for place in list {
        if !range.is_empty() && (place.is_empty() || range.start < place.start) {
            mem::swap(place, &mut range);
        }
    }
    range.is_empty().then_some(())
}

/// Why a device tree is not one that this kernel can start from: `damaged`, `no …`, `too many …`, or the name of a property that
/// has another form than its specification says.
pub type Problem = &'static str;
