//! What the machine is, as its device tree says.

use crate::list::List;
use core::{fmt, ops::Range};
use nexus_core::cpu::MAX_CPUS;

pub use crate::tree::read;

/// Banks of memory that are looked at.
pub const MAX_BANKS: usize = 8;
/// Ranges of memory that belong to the firmware.
pub const MAX_RESERVED: usize = 16;

/// The facts. Addresses are physical.
#[derive(Clone, Debug, Default)]
pub struct Facts<'a> {
    /// Memory.
    pub ram: List<Range<u64>, MAX_BANKS>,
    /// Parts of it that belong to the firmware.
    pub reserved: List<Range<u64>, MAX_RESERVED>,
    /// Harts that this kernel can use.
    pub harts: List<HartFact, MAX_CPUS>,
    /// Usable harts beyond those.
    pub further_harts: u32,
    /// Ticks of the `time` counter per second.
    pub timebase: u64,
    /// The console.
    pub uart: Option<UartFact>,
    /// The interrupt controller.
    pub plic: Option<PlicFact>,
    /// Per-hart timers and software interrupts, which the firmware drives.
    pub clint: Range<u64>,
    /// The device that ends the emulator.
    pub test: Option<Range<u64>>,
    /// The boot image.
    pub initrd: Option<Range<u64>>,
    /// The boot arguments.
    pub arguments: &'a str,
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
    pub sstc: Extension,
    /// Whether it has double-precision registers (D).
    pub float: Extension,
}

/// Whether the instruction set of a hart names an extension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extension {
    /// Not named.
    #[default]
    Absent,
    /// Named.
    Named,
}

/// A 16550 UART.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UartFact {
    /// Its registers.
    pub range: Range<u64>,
    /// Registers stand `1 << shift` bytes apart.
    pub shift: u32,
}

/// A PLIC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlicFact {
    /// Its registers.
    pub range: Range<u64>,
    /// Its highest interrupt line.
    pub lines: u32,
}

/// Why a device tree is not one that this kernel can start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is no device tree, or one that is cut off or garbled.
    Malformed,
    /// A property that is needed has another form than its specification says.
    Property(&'static str),
    /// Something is missing.
    Missing(&'static str),
    /// There are more of these than this kernel looks at.
    TooMany(&'static str),
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Problem::Malformed => to.write_str("it is no device tree, or damaged"),
            Problem::Property(name) => write!(to, "`{name}` is malformed"),
            Problem::Missing(what) => write!(to, "it names no {what}"),
            Problem::TooMany(what) => write!(to, "it names too many of: {what}"),
        }
    }
}
