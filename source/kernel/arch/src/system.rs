//! The one kernel, and what of the machine goes with it.

use crate::arguments::{Arguments, Passage};
use crate::facts::Facts;
use crate::{
    csr, defects, float::Registers, hart::HARTS, layout::to_physical, memory::Memory, paging::SV39, plic::Plic, say,
    timer::Timer,
};
use core::mem::MaybeUninit;
use core::sync::atomic::Ordering::{Acquire, Release};
use nexus_core::cpu::{OFFLINE, ONLINE};
use nexus_core::{Kernel, arena::Arena, kernel::Machine, word::Word};

/// Time slices in a second: a thread whose place somebody of its class waits for runs for one.
const SLICES_PER_SECOND: u64 = 200;

/// Kernel and machine.
#[repr(C)]
pub struct System {
    /// The core.
    pub kernel: Kernel,
    pub(crate) float: Arena<Registers>,
    pub(crate) timer: Timer,
    pub(crate) plic: Option<Plic>,
    /// `satp` of the kernel alone: what a hart without a program uses.
    pub(crate) kernel_satp: u64,
    /// Whether all translations are forgotten at a switch: the harts have no address-space number for every process.
    pub(crate) flushes: bool,
    /// Whether the harts have float registers.
    pub(crate) has_float: bool,
    pub(crate) arguments: Arguments,
    /// Instructions that the boot hart had retired when it arrived.
    pub(crate) entered: u64,
    /// 1 while interrupts of other harts are not sent: a self-test shows what is then missing.
    pub(crate) mute: Word,
}

/// Where the system is. Written once, before the harts know of it.
static mut SYSTEM: MaybeUninit<System> = MaybeUninit::uninit();

/// The system, once it is installed. Happens-before: whoever reads its address here by acquire sees what [`install`] wrote.
pub(crate) fn get() -> Option<&'static System> {
    (HARTS[0].system.atomic().load(Acquire) != 0).then(installed)
}

/// The system, for whoever was entered from a program or saw its address.
#[inline(always)]
pub(crate) fn installed() -> &'static System {
    let system = (&raw const SYSTEM).cast();
    // SAFETY: no program runs and no address is seen before the system is written, and nobody writes after that.
    unsafe { &*system }
}

impl System {
    /// Where the float registers of a thread are saved.
    pub(crate) fn float_of(&self, thread: u32) -> &'static Registers {
        self.float.at(thread)
    }
}

/// Puts kernel and machine together on the boot hart, which becomes CPU 0; the others follow in the order of the facts.
pub fn install(
    entered: u64,
    facts: &Facts<'static>,
    mut arguments: Arguments,
    memory: &mut Memory,
    raisers: [u64; 4],
) -> &'static System {
    let (storage, float) = memory.carve(facts, &arguments);
    let kernel_satp = SV39 | to_physical(core::ptr::from_ref(memory.root) as u64) >> 12;
    let flushes = !probe_numbers(kernel_satp, 1 + u64::from(storage.processes.pool.capacity));
    if flushes {
        // The straight ways forget nothing.
        arguments.passage = Passage::General;
    }
    let place = &raw mut SYSTEM;
    // SAFETY: boot comes here once, on the only hart that runs.
    let place = unsafe { &mut *place };
    // SAFETY: the kernel's tables map every page of the PLIC.
    let plic = unsafe { Plic::open(facts) };
    let system: &'static System = place.write(System {
        kernel: Kernel::new(storage, defects::seen(machine(facts, memory, raisers))),
        float,
        // A thread may run on any hart: what one lacks, all lack.
        timer: if facts.sstc && csr::has_stimecmp() { Timer::Register } else { Timer::Firmware },
        plic,
        kernel_satp,
        flushes,
        has_float: facts.float,
        arguments,
        entered,
        mute: Word::new(0),
    });
    for (((index, fact), hart), cpu) in facts.harts().iter().enumerate().zip(&HARTS).zip(system.kernel.cpus) {
        hart.cpu.set(index as u64);
        hart.number.set(fact.id);
        hart.record.set(core::ptr::from_ref(cpu) as u64);
        cpu.hart.set(fact.id);
        cpu.online.set(if index == 0 { ONLINE } else { OFFLINE });
        hart.system.atomic().store(core::ptr::from_ref(system) as u64, Release);
    }
    system
}

/// The facts that the core needs.
fn machine(facts: &Facts<'static>, memory: &Memory, raisers: [u64; 4]) -> Machine {
    let [clint, plic, test, _] = facts.devices.clone();
    Machine {
        ram: facts.ram[0].start..facts.ram_end(),
        reserved: [clint, plic, test, 0..0],
        irq_lines: facts.lines,
        kernel_root: Some(&memory.root.0),
        satp_mode: SV39,
        raisers,
        slice: facts.timebase / SLICES_PER_SECOND,
        timebase: facts.timebase,
        arguments: facts.arguments,
        ..Machine::default()
    }
}

/// True if the hart has an address-space number for every process: it keeps only the bits that it has.
fn probe_numbers(kernel_satp: u64, processes: u64) -> bool {
    const NUMBERS: u64 = 0xffff << 44;
    // SAFETY: the root stays the kernel's.
    unsafe { csr::set_satp(kernel_satp | NUMBERS) };
    let most = (csr::satp() & NUMBERS) >> 44;
    // SAFETY: as above.
    unsafe { csr::set_satp(kernel_satp) };
    csr::fence_all();
    if most < processes {
        say!(most, " address-space numbers, ", processes, " processes: every switch forgets all translations");
    }
    most >= processes
}
