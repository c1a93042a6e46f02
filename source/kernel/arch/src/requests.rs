//! Does what the core asked for during an event.

use crate::hart::Hart;
use crate::{csr, defects, power, sbi, system::System};
use core::sync::atomic::Ordering;
use nexus_core::{cpu::POWER_OFF, percpu::Here};

/// Obeys every request of this CPU.
#[inline(always)]
pub(crate) fn obey(system: &'static System, hart: &Hart, cpu: Here) {
    if cpu.requests.pending() {
        obey_each(system, hart, cpu);
    }
}

#[inline(never)]
fn obey_each(system: &'static System, hart: &Hart, cpu: Here) {
    let requests = &cpu.requests;
    let rare = requests.begin();
    if cpu.fence.get() != 0 {
        fence(system, hart, cpu.fence.get());
        // Release: whoever reads the 0 may free what the fence was for ([`nexus_core::Kernel`]).
        cpu.fence.atomic().store(0, Ordering::Release);
    }
    if rare {
        obey_others(system, hart, cpu);
    }
    crate::run::flush(system);
}

#[inline(never)]
fn obey_others(system: &'static System, hart: &Hart, cpu: Here) {
    let requests = &cpu.requests;
    if requests.fence_instructions.get() != 0 {
        requests.fence_instructions.set(0);
        fence_instructions(system, hart);
    }
    if requests.kicks.get() != 0 {
        kick(system, cpu);
    }
    if requests.acknowledge.get() | requests.mask.get() != 0 {
        lines(system, cpu);
    }
    system.kernel.inspect(cpu, |other| {
        sbi::interrupt(other.hart.get());
    });
    if requests.power.get() != 0 {
        end(system, cpu);
    }
}

/// Old translations must be gone from every CPU before anything else runs on any.
#[inline(always)]
fn fence(system: &'static System, hart: &Hart, wanted: u64) {
    let asid = (wanted != u64::MAX).then(|| wanted - 1);
    match asid {
        Some(asid) => csr::fence_space(asid),
        None => csr::fence_all(),
    }
    if system.kernel.cpus.len() > 1 {
        fence_others(system, hart, asid);
    }
}

#[inline(never)]
fn fence_others(system: &'static System, hart: &Hart, asid: Option<u64>) {
    others_online(system, hart).for_each(|other| sbi::remote_fence(other, asid));
}

#[cold]
fn fence_instructions(system: &'static System, hart: &Hart) {
    csr::fence_instructions();
    others_online(system, hart).for_each(sbi::remote_fence_instructions);
}

/// The other harts that run, by the firmware's numbers.
fn others_online(system: &'static System, hart: &Hart) -> impl Iterator<Item = u64> + use<> {
    let me = hart.cpu();
    let others = system.kernel.cpus.iter().filter(move |cpu| cpu.id.get() as usize != me && cpu.is_online());
    others.map(|cpu| cpu.hart.get())
}

#[cold]
fn kick(system: &'static System, cpu: Here) {
    let kicks = cpu.requests.kicks.get();
    cpu.requests.kicks.set(0);
    for other in system.kernel.cpus.iter().filter(|other| kicks >> other.id.get() & 1 != 0) {
        if !defects::lost(system.mute.get()) && sbi::interrupt(other.hart.get()) == 0 {
            cpu.counters.sent.add(1);
        }
    }
}

#[cold]
fn lines(system: &'static System, cpu: Here) {
    let (complete, mask) = (cpu.requests.acknowledge.get(), cpu.requests.mask.get());
    cpu.requests.acknowledge.set(0);
    cpu.requests.mask.set(0);
    let Some(plic) = &system.plic else { return };
    if complete != 0 {
        plic.complete(complete - 1);
    }
    if mask != 0 {
        plic.mask(mask - 1);
    }
}

#[cold]
fn end(system: &'static System, cpu: Here) -> ! {
    crate::run::flush(system);
    match cpu.requests.power.get() {
        POWER_OFF => power::exit(cpu.requests.status.get()),
        _ => power::reset(),
    }
}
