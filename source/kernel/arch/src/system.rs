//! The one kernel, and what of the machine goes with it.

use crate::facts::{Extension, Facts, HartFact};
use crate::{
    arguments::Arguments, csr, entry::Arrival, float::Registers, hart::HARTS, layout::to_physical, memory::Carved,
    once::Once, paging::SV39, panic, plic::Plic, say, timer::Timer,
};
use nexus_core::{Kernel, kernel::Machine, word::Word};

/// Kernel and machine.
#[repr(C)]
pub struct System {
    /// The core.
    pub kernel: Kernel,
    pub(crate) float: &'static [Registers],
    pub(crate) timer: Timer,
    pub(crate) plic: Option<Plic>,
    /// `satp` of the kernel alone: what a hart without a program uses.
    pub(crate) kernel_satp: u64,
    pub(crate) spaces: Spaces,
    /// Whether the harts have float registers.
    pub(crate) has_float: Extension,
    pub(crate) arguments: Arguments,
    pub(crate) entered: u64,
    /// 1 while interrupts of other harts are not sent: a self-test shows what is then missing.
    pub(crate) mute: Word,
}

/// How address spaces are told apart in the translation cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spaces {
    /// Every process has a number of its own.
    Numbered,
    /// The hart has too few numbers: all translations are forgotten at a switch.
    Flushed,
}

static SYSTEM: Once<System> = Once::new();

/// The system, once it is installed.
#[inline(always)]
pub(crate) fn get() -> Option<&'static System> {
    SYSTEM.get()
}

/// The system, for whoever was entered from a program.
#[inline(always)]
pub(crate) fn installed() -> &'static System {
    // SAFETY: no program runs before the system is installed.
    unsafe { SYSTEM.filled() }
}

impl System {
    /// Where the float registers of a thread are saved.
    pub(crate) fn float_of(&self, thread: u32) -> &'static Registers {
        self.float.get(thread as usize).unwrap_or(&self.float[0])
    }
}

/// Puts kernel and machine together on the boot hart, which becomes CPU 0.
pub fn install(
    arrival: &Arrival,
    facts: &Facts,
    arguments: Arguments,
    carved: Carved,
    machine: Machine,
) -> &'static System {
    let root = machine.kernel_root.map_or(0, |root| core::ptr::from_ref(root) as u64);
    let kernel_satp = SV39 | to_physical(root) >> 12;
    let harts = facts.harts.as_slice();
    let boot = harts.iter().find(|hart| hart.id == arrival.hart).copied().unwrap_or_default();
    // A thread may run on any hart: what one lacks, all lack.
    let all = |named: fn(&HartFact) -> Extension| {
        if harts.iter().all(|hart| named(hart) == Extension::Named) { Extension::Named } else { Extension::Absent }
    };
    panic::configure(arguments.after_panic);
    let processes = 1 + u64::from(carved.storage.processes.capacity());
    let contexts = harts.iter().filter_map(|hart| hart.context);
    // SAFETY: the kernel's tables map every page of the PLIC.
    let open = |(fact, boot)| unsafe { Plic::open(fact, boot, contexts) };
    let system = SYSTEM.fill(System {
        float: carved.float,
        timer: Timer::probe(all(|hart| hart.sstc)),
        plic: facts.plic.as_ref().zip(boot.context).and_then(open),
        kernel_satp,
        has_float: all(|hart| hart.float),
        spaces: probe_spaces(kernel_satp, processes),
        arguments,
        entered: arrival.instructions,
        mute: Word::new(0),
        kernel: Kernel::new(carved.storage, machine),
    });
    number_harts(system, facts, arrival.hart);
    system
}

/// The boot hart is CPU 0, the others follow in the order of the device tree.
fn number_harts(system: &'static System, facts: &Facts, boot: u64) {
    let harts = facts.harts.as_slice();
    let others = harts.iter().filter(|hart| hart.id != boot);
    let first = harts.iter().filter(|hart| hart.id == boot);
    for (index, ((fact, hart), cpu)) in first.chain(others).zip(&HARTS).zip(system.kernel.cpus).enumerate() {
        hart.cpu.set(index as u64);
        hart.number.set(fact.id);
        hart.record.set(core::ptr::from_ref(cpu) as u64);
        hart.system.set(core::ptr::from_ref(system) as u64);
        cpu.hart.set(fact.id);
    }
    system.kernel.cpus[0].online.set(1);
}

/// Whether the hart has an address-space number for every process: it keeps only the bits that it has.
fn probe_spaces(kernel_satp: u64, processes: u64) -> Spaces {
    const NUMBERS: u64 = 0xffff << 44;
    // SAFETY: the root stays the kernel's.
    unsafe { csr::set_satp(kernel_satp | NUMBERS) };
    let most = (csr::satp() & NUMBERS) >> 44;
    // SAFETY: as above.
    unsafe { csr::set_satp(kernel_satp) };
    csr::fence_all();
    if most >= processes {
        return Spaces::Numbered;
    }
    say!("{most} address-space numbers, {processes} processes: every switch forgets all translations");
    Spaces::Flushed
}
