//! What the machine is, as its device tree says.

use crate::flat::integer;
use core::{mem, ops::Range};
use nexus_core::cpu::MAX_CPUS;

/// Interrupt number of supervisor external interrupts at a hart's own controller.
const SUPERVISOR_EXTERNAL: u64 = 9;
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
    /// The hart that boots, then others in the order of the tree; see [`Facts::harts`].
    pub(crate) harts: [HartFact; MAX_CPUS],
    /// How many usable harts there are.
    pub all_harts: usize,
    /// How many of them do not boot, as far as the tree was read.
    pub(crate) others: usize,
    /// Which place the hart that was read last has, or would have if there was room.
    pub(crate) last: usize,
    /// Whether all of these have a supervisor timer of their own (Sstc).
    pub sstc: bool,
    /// Whether all of these have double-precision registers (D).
    pub float: bool,
    /// Ticks of the `time` counter per second.
    pub timebase: u64,
    /// Where each [`Device`] is.
    pub devices: [Range<u64>; 4],
    /// The registers of the UART stand `1 << shift` bytes apart.
    pub uart_shift: u32,
    /// The highest interrupt line of the PLIC.
    pub lines: u32,
    /// Controller of a hart and interrupt number there of each of its contexts: they may stand before the harts in the tree.
    pub(crate) contexts: &'a [[u8; 8]],
    /// The boot image.
    pub initrd: Range<u64>,
    /// The boot arguments.
    pub arguments: &'a [u8],
}

/// A device that the kernel looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// Per-hart timers and software interrupts, which the firmware drives.
    Clint,
    /// The interrupt controller, a PLIC.
    Plic,
    /// The device that ends the emulator.
    Test,
    /// The console, a 16550.
    Uart,
}

impl Facts<'_> {
    /// The end of all memory.
    pub fn ram_end(&self) -> u64 {
        ranges(&self.ram).iter().map(|bank| bank.end).fold(0, u64::max)
    }

    /// The harts that this kernel can use, the one that boots first.
    pub fn harts(&self) -> &[HartFact] {
        &self.harts[..self.all_harts.min(MAX_CPUS)]
    }

    /// The supervisor context of a hart at the PLIC.
    pub fn context(&self, hart: &HartFact) -> Option<u64> {
        let wanted = u64::from(hart.controller) << 32 | SUPERVISOR_EXTERNAL;
        let place = self.contexts.iter().rposition(|context| integer(context) == wanted);
        place.filter(|_| hart.controller != 0).map(|place| place as u64)
    }
}

/// A hart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HartFact {
    /// Its number.
    pub id: u64,
    /// Phandle of its interrupt controller.
    pub controller: u32,
}

/// The ranges of an ascending list.
#[inline(never)]
pub(crate) fn ranges(list: &[Range<u64>]) -> &[Range<u64>] {
    list.split(Range::is_empty).next().unwrap_or_default()
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
