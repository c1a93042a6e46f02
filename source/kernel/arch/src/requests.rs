//! Does what the core asked for during an event.

use crate::hart::Hart;
use crate::{console, csr, defects, power, sbi, system::System};
use core::sync::atomic::Ordering;
use nexus_core::cpu::{POWER_OFF, RARE};
use nexus_core::percpu::Here;

/// Obeys every request of this CPU.
#[inline(always)]
pub(crate) fn obey(system: &'static System, hart: &Hart, cpu: Here) {
    if cpu.requests.pending.get() != 0 {
        obey_each(system, hart, cpu);
    }
}

#[inline(never)]
fn obey_each(system: &'static System, hart: &Hart, cpu: Here) {
    let requests = &cpu.requests;
    let rare = requests.pending.take() & RARE != 0;
    // Old translations must be gone from every CPU before anything else runs on any.
    let wanted = cpu.fence.get();
    if wanted != 0 {
        let asid = (wanted != u64::MAX).then(|| wanted - 1);
        match asid {
            Some(asid) => csr::fence_space(asid),
            None => csr::fence_all(),
        }
        others_online(system, hart).for_each(|other| match asid {
            Some(asid) => _ = sbi::fence_space(other, asid),
            None => _ = sbi::fence_all(other),
        });
        // Release: whoever reads the 0 may free what the fence was for ([`nexus_core::Kernel`]).
        cpu.fence.atomic().store(0, Ordering::Release);
    }
    if rare {
        obey_others(system, hart, cpu);
    }
    system.kernel.log.drain(&mut console::put);
}

#[inline(never)]
fn obey_others(system: &'static System, hart: &Hart, cpu: Here) {
    let requests = &cpu.requests;
    if requests.fence_instructions.take() != 0 {
        csr::fence_instructions();
        others_online(system, hart).for_each(|other| _ = sbi::fence_instructions(other));
    }
    let kicks = requests.kicks.take();
    for other in system.kernel.cpus.iter().filter(|other| kicks >> other.id.get() & 1 != 0) {
        if !defects::lost(system.mute.get()) && sbi::interrupt(other.hart.get()) == 0 {
            cpu.counters.sent.add(1);
        }
    }
    let (complete, mask) = (requests.acknowledge.take(), requests.mask.take());
    if let Some(plic) = &system.plic {
        if complete != 0 {
            plic.complete(complete - 1);
        }
        if mask != 0 {
            plic.mask(mask - 1);
        }
    }
    system.kernel.inspect(cpu, |other| _ = sbi::interrupt(other.hart.get()));
    if requests.power.get() != 0 {
        system.kernel.log.drain(&mut console::put);
        match requests.power.get() {
            POWER_OFF => power::exit(requests.status.get()),
            _ => power::reset(),
        }
    }
}

/// The other harts that run, by the firmware's numbers.
fn others_online(system: &'static System, hart: &Hart) -> impl Iterator<Item = u64> + use<> {
    let me = hart.cpu();
    let others = system.kernel.cpus.iter().filter(move |cpu| cpu.id.get() as usize != me && cpu.is_online());
    others.map(|cpu| cpu.hart.get())
}
