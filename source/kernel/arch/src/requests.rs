//! Does what the core asked for during an event.

use crate::{csr, hart::Hart, power, sbi, system::System};
use nexus_core::cpu::Cpu;

/// Power requests of the core.
const POWER_OFF: u32 = 1;

/// Obeys every request of this CPU.
#[inline(always)]
pub(crate) fn obey(system: &'static System, hart: &Hart, cpu: &'static Cpu) {
    if cpu.requests.pending() {
        obey_each(system, hart, cpu);
    }
}

#[inline(never)]
fn obey_each(system: &'static System, hart: &Hart, cpu: &'static Cpu) {
    let requests = &cpu.requests;
    requests.begin();
    if requests.fence.get() != 0 {
        fence(system, requests.fence.take());
    }
    if requests.fence_instructions.get() != 0 {
        requests.fence_instructions.set(0);
        fence_instructions(system);
    }
    if requests.kicks.get() != 0 {
        kick(system, cpu);
    }
    if requests.acknowledge.get() | requests.mask.get() != 0 {
        lines(system, hart, cpu);
    }
    if requests.power.get() != 0 {
        end(system, cpu);
    }
    crate::run::flush(system);
}

/// Old translations must be gone from every CPU before anything else runs on any.
#[cold]
fn fence(system: &'static System, wanted: u64) {
    let asid = (wanted != u64::MAX).then(|| wanted - 1);
    match asid {
        Some(asid) => csr::fence_space(asid),
        None => csr::fence_all(),
    }
    if others_online(system) {
        sbi::remote_fence(asid);
    }
}

#[cold]
fn fence_instructions(system: &'static System) {
    csr::fence_instructions();
    if others_online(system) {
        sbi::remote_fence_instructions();
    }
}

fn others_online(system: &'static System) -> bool {
    system.kernel.cpus.iter().filter(|cpu| cpu.online.get() != 0).count() > 1
}

#[cold]
fn kick(system: &'static System, cpu: &'static Cpu) {
    let kicks = cpu.requests.kicks.get();
    cpu.requests.kicks.set(0);
    for other in system.kernel.cpus.iter().filter(|other| kicks >> other.id.get() & 1 != 0) {
        sbi::interrupt(other.hart.get());
    }
}

#[cold]
fn lines(system: &'static System, hart: &Hart, cpu: &'static Cpu) {
    let (complete, mask) = (cpu.requests.acknowledge.get(), cpu.requests.mask.get());
    cpu.requests.acknowledge.set(0);
    cpu.requests.mask.set(0);
    let Some(plic) = &system.plic else { return };
    if complete != 0 {
        plic.complete(hart.context.get(), complete - 1);
    }
    if mask != 0 {
        plic.mask(hart.context.get(), mask - 1);
    }
}

#[cold]
fn end(system: &'static System, cpu: &'static Cpu) -> ! {
    crate::run::flush(system);
    match cpu.requests.power.get() {
        POWER_OFF => power::exit(cpu.requests.status.get()),
        _ => power::reset(),
    }
}
