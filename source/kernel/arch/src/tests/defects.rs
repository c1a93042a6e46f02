//! Does what a correct kernel or machine never does, when a boot argument asks for it: the proof that each is caught.
//!
//! Only a kernel that is built `checked` has this, in the place of `sound.rs`.

use crate::layout::{DIRECT_SIZE, to_virtual};
use crate::{csr, hart::Hart, harts, memory::Memory, say, system::System};
use core::hint::{self, black_box};
use core::{mem, ptr};
use nexus_core::{
    kernel::Machine,
    word::{Half, Word},
};

macro_rules! defects {
    ($($(#[$doc:meta])* $name:ident $word:literal;)*) => {
        /// A defect to show.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Defect {
            $($(#[$doc])* $name,)*
        }

        /// The defects by the words that ask for them.
        const DEFECTS: &[(&str, Defect)] = &[$(($word, Defect::$name),)*];
    };
}

defects! {
    /// Only the boot hart comes.
    LostHart "lost-hart";
    /// The firmware starts harts where the first one began.
    OldEntry "old-entry";
    /// Interrupts of other harts are never sent.
    LostKick "lost-kick";
    /// Interrupts of other harts are sent even where a self-test has them lost.
    StrayKick "stray-kick";
    /// Threads stay on the CPU that made them.
    NoSpread "no-spread";
    /// Who is waited for runs in its own class.
    NoDonation "no-donation";
    /// The timer interrupts a second late.
    LateTimer "late-timer";
    /// All threads use the float registers as they find them.
    SharedFloat "shared-float";
    /// The kernel panics.
    Panic "panic";
    /// The kernel's stack overflows.
    Stack "stack";
    /// That of each further hart does.
    FurtherStack "further-stack";
    /// The kernel writes to its own text.
    WriteText "write-text";
    /// The kernel writes to its constants.
    WriteConstants "write-constants";
    /// The kernel writes to the boot image.
    WriteImage "write-image";
    /// The kernel jumps into its data.
    RunData "run-data";
    /// The kernel jumps into a frame of the pool.
    RunFrame "run-frame";
    /// The kernel reads where nothing is mapped.
    ReadNothing "read-nothing";
}

/// Ticks by which a late timer is late: a second of `virt`.
const LATE: u64 = 10_000_000;

unsafe extern "C" {
    fn _start();
}

static CONSTANT: [u64; 4] = [1; 4];

/// Where the defect that was asked for stands in the table, and one more; 0: none was. Written before any other hart starts.
static ASKED: Half = Half::new(0);

/// The system call that answers `ENOSYS`; 0: none. Written as [`ASKED`] is.
static REFUSED: Word = Word::new(0);

/// The defect that was asked for.
fn defect() -> Option<Defect> {
    Some(DEFECTS.get((ASKED.get() as usize).checked_sub(1)?)?.1)
}

/// True if this word of the boot arguments asks for a defect, or has a typed system call refused.
pub fn asked(word: &[u8]) -> bool {
    let Ok(word) = str::from_utf8(word) else { return false };
    if let Some(number) = word.strip_prefix("refuse=").and_then(|number| number.parse().ok()) {
        REFUSED.set(number);
        return true;
    }
    let name = word.strip_prefix("defect=");
    let found = DEFECTS.iter().position(|(known, _)| Some(*known) == name);
    found.inspect(|&at| ASKED.set(at as u32 + 1)).is_some()
}

/// The machine as the core is to see it.
pub fn seen(mut machine: Machine) -> Machine {
    match defect() {
        Some(Defect::NoSpread) => machine.stays = true,
        Some(Defect::NoDonation) => machine.selfish = true,
        _ => {}
    }
    machine
}

/// Shows the defect at boot. What returns from here was not caught, and says so.
pub fn show(system: &'static System, memory: &Memory) {
    let data = ptr::from_ref(system) as u64;
    system.kernel.inspection.refused.set(REFUSED.get());
    match defect() {
        Some(Defect::Panic) => panic!("asked for by a boot argument"),
        Some(Defect::Stack) => drop(black_box(descend(0))),
        Some(Defect::WriteText) => write(show as *const () as u64),
        Some(Defect::WriteConstants) => write(black_box(&raw const CONSTANT) as u64),
        Some(Defect::WriteImage) => write(to_virtual(memory.image.start)),
        Some(Defect::RunData) => run(data),
        Some(Defect::RunFrame) => run(to_virtual(system.kernel.frames.address(1))),
        Some(Defect::ReadNothing) => read(to_virtual(DIRECT_SIZE - 8)),
        // None, or one that shows elsewhere.
        _ => return,
    }
    say!("the defect was not caught");
}

/// Where the firmware starts a further hart.
pub(crate) fn entry(further: unsafe extern "C" fn()) -> u64 {
    let start = match defect() {
        Some(Defect::LostHart) => harts::park as *const (),
        Some(Defect::OldEntry) => _start as *const (),
        _ => further as *const (),
    };
    start as u64
}

/// Shows the defect on a hart that begins to run programs. The stack overflows when the hart is interrupted for the first
/// time: in the self-tests the first one is silent then.
pub(crate) fn enter(hart: &Hart) {
    match defect() {
        Some(Defect::SharedFloat) => csr::set_sstatus_bits(csr::FS_CLEAN),
        Some(Defect::FurtherStack) if hart.cpu() != 0 => {
            while csr::sip() & csr::SOFTWARE == 0 {
                hint::spin_loop();
            }
            black_box(descend(0));
        }
        _ => {}
    }
}

/// When the timer is to interrupt.
pub(crate) fn due(when: u64) -> u64 {
    if defect() == Some(Defect::LateTimer) { when.saturating_add(LATE) } else { when }
}

/// True if an interrupt of another hart is lost; `mute`: a self-test wants it so.
pub(crate) fn lost(mute: u64) -> bool {
    match defect() {
        Some(Defect::LostKick) => true,
        Some(Defect::StrayKick) => false,
        _ => mute != 0,
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
