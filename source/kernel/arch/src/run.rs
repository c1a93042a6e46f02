//! The loop of a hart: a trap becomes an event of the core, then the core says what runs next.
//!
//! User mode is left through `trap.S`, which enters [`call_taken`], [`device_taken`], [`trap_taken`] or [`crate::direct`].
//! Interrupts stay off in the kernel, so between two steps of something long the pending bits are looked at instead.

use core::{arch::asm, sync::atomic::Ordering::Release};

use crate::arguments::Passage;
use crate::hart::{HARTS, Hart};
use crate::system::{self, System};
use crate::{csr, defects, float, linked, plic::Plic, requests, say, timer::Timer};
use nexus_abi::syscall::ipc;
use nexus_core::cpu::{Next, Own};
use nexus_core::event::Trap;
use nexus_core::percpu::{Here, PerCpu};
use nexus_core::thread::{Thread, reg};

/// `scause`: the top bit marks interrupts.
const INTERRUPT: u64 = 1 << 63;
const ILLEGAL_INSTRUCTION: u64 = 2;
/// `scounteren`: what programs may read.
const TIME_AND_INSTRET: u64 = 0b110;

/// The `time` counter.
pub fn now() -> u64 {
    csr::time()
}

/// The boot hart begins to run programs. Never returns: the boot stack is its trap stack from the first trap on.
pub fn enter_first(system: &'static System) -> ! {
    HARTS[0].stack.set(linked::boot_stack().end);
    enter(system, &HARTS[0])
}

/// A hart begins to run programs. Never returns: from the first trap on its stack starts anew.
pub(crate) fn enter(system: &'static System, hart: &'static Hart) -> ! {
    match system.arguments.passage {
        Passage::Direct => {}
        Passage::Detour => csr::enter_undirected(),
        Passage::General => csr::enter_generally(),
    }
    csr::set_scounteren(TIME_AND_INSTRET);
    csr::clear_sstatus_bits(csr::FS | csr::SPP);
    csr::set_sstatus_bits(csr::SPIE);
    defects::enter(hart);
    csr::set_sie(csr::SOFTWARE | csr::TIMER | csr::EXTERNAL);
    let thread = proceed(system, hart, cpu_of(hart));
    if system.arguments.statistics && hart.cpu() == 0 {
        let count = csr::instret().wrapping_sub(system.entered);
        say!("bootstat: ", count, " instructions from kernel entry to the first user instruction");
    }
    // SAFETY: As in [`resume`]; status was set above, and no Rust code used `tp` so far.
    unsafe { asm!("mv tp, a1", "j resume", in("a0") thread, in("a1") hart, options(noreturn)) }
}

/// `other_trap` jumps here after a device interrupt: mostly somebody waits for it, and all else can stay as it is.
#[unsafe(no_mangle)]
extern "C" fn device_taken(hart: &'static Hart) -> ! {
    let (system, cpu) = (system::installed(), cpu_of(hart));
    if csr::sip() & (csr::TIMER | csr::SOFTWARE) == 0
        && let Some(line) = system.plic.as_ref().and_then(Plic::claim)
    {
        if let Some(heir) = system.kernel.interrupt_direct(cpu, running(hart), line, csr::time()) {
            requests::obey(system, hart, cpu);
            resume(switch_to(system, hart, cpu, heir));
        }
        entered(hart);
        system.kernel.interrupt(cpu, line, csr::time());
        resume(proceed(system, hart, cpu));
    }
    trap_taken(hart)
}

/// `other_trap` jumps here after another interrupt, or a fault.
#[unsafe(no_mangle)]
extern "C" fn trap_taken(hart: &'static Hart) -> ! {
    let (system, cpu, thread) = entered(hart);
    let cause = csr::scause();
    if cause & INTERRUPT != 0 {
        interrupts(system, hart);
    } else if cause != ILLEGAL_INSTRUCTION || !float::first_use(system, hart, thread) {
        system.kernel.fault(cpu, thread, Trap { cause, address: csr::stval() }, csr::time());
    }
    resume(proceed(system, hart, cpu))
}

/// The system, this CPU, and the thread that it runs, after saying whom and in which address space: a direct hand-over
/// changes that unsaid.
#[inline(always)]
fn entered(hart: &'static Hart) -> (&'static System, Here, &'static Thread) {
    let (cpu, thread) = (cpu_of(hart), running(hart));
    cpu.space.set(csr::satp());
    cpu.current.set(thread.index());
    (system::installed(), cpu, thread)
}

/// `call_entry` jumps here.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn call_taken(hart: &'static Hart) -> ! {
    let (system, cpu, thread) = entered(hart);
    let (number, now) = (thread.frame.get(reg::T2), csr::time());
    if number <= ipc::SEND || !system.kernel.turn(cpu, thread, number, now) {
        system.kernel.system_call(cpu, thread, number, now);
    }
    resume(proceed(system, hart, cpu))
}

/// User mode goes on, and nothing of the kernel's own registers was worth saving.
#[inline(always)]
fn resume(thread: *const Thread) -> ! {
    // SAFETY: `resume` takes the thread in a0 and this hart in tp, where the trap entry put it and no Rust code touches
    // it; `proceed` put the thread's translation and float state in place. The stack is left as it is: the next trap
    // starts from its top.
    unsafe { asm!("j resume", in("a0") thread, options(noreturn)) }
}

/// Turns what is pending and enabled into events: of device interrupts one, since the next interrupts again. What the core
/// asks for is done by who goes on.
pub(crate) fn interrupts(system: &'static System, hart: &'static Hart) {
    let (kernel, cpu) = (&system.kernel, cpu_of(hart));
    let pending = csr::sip() & csr::sie();
    if pending & csr::TIMER != 0 {
        Timer::fired(hart);
        kernel.timer(cpu, csr::time());
    }
    if pending & csr::SOFTWARE != 0 {
        csr::clear_sip(csr::SOFTWARE);
        cpu.counters.trapped.add(1);
        // A kick may move threads: none has anything left here but the one whose registers the trap entry may hold.
        cpu.entered.set(hart.thread.get());
        if hart.float.get() != 0 {
            float::release(hart, system);
        }
        kernel.kick(cpu, csr::time());
    }
    if pending & csr::EXTERNAL != 0
        && let Some(line) = system.plic.as_ref().and_then(Plic::claim)
    {
        kernel.interrupt(cpu, line, csr::time());
    }
}

/// What was asked for is done, and the thread that runs next is put in place.
#[inline(always)]
fn proceed(system: &'static System, hart: &'static Hart, cpu: Here) -> *const Thread {
    requests::obey(system, hart, cpu);
    match cpu.current.get() {
        0 => proceed_until_ready(system, hart),
        current => switch_to(system, hart, cpu, system.kernel.threads.at(current)),
    }
}

/// Goes on until a thread runs: obeys requests, prints, takes dead processes back, sleeps.
#[inline(never)]
fn proceed_until_ready(system: &'static System, hart: &'static Hart) -> *const Thread {
    let (kernel, cpu) = (&system.kernel, cpu_of(hart));
    loop {
        requests::obey(system, hart, cpu);
        match kernel.next(cpu) {
            Next::Run(index) => return switch_to(system, hart, cpu, kernel.threads.at(index)),
            Next::Reap => {
                leave_user(system, hart);
                kernel.reap(cpu, csr::time());
            }
            Next::Idle => {
                leave_user(system, hart);
                system.timer.set(hart, cpu.alarm());
                csr::wait_for_interrupt();
            }
        }
        if csr::sip() & csr::sie() != 0 {
            interrupts(system, hart);
        }
    }
}

pub(crate) fn cpu_of(hart: &Hart) -> Here {
    // SAFETY: every hart that runs was given the address of one of the kernel's CPUs, which are never freed.
    unsafe { &*(hart.record.get() as *const PerCpu<Own>) }.here()
}

/// The thread that runs on this hart, or ran until the present event.
pub(crate) fn running(hart: &'static Hart) -> &'static Thread {
    // SAFETY: a hart that took a trap from user mode was given the address of a thread, and those are never freed.
    unsafe { &*(hart.thread.get() as *const Thread) }
}

/// Puts everything of a thread in place but its registers.
#[inline(always)]
fn switch_to(system: &'static System, hart: &Hart, cpu: Here, thread: &'static Thread) -> *const Thread {
    let satp = thread.satp.get();
    if csr::satp() != satp {
        load_space(system, cpu, satp);
    }
    if hart.float.get() != 0 && hart.float.get() != thread.header.me() {
        float::release(hart, system);
    }
    system.timer.set(hart, cpu.alarm());
    thread
}

/// No program runs: its root table may be given back, so the kernel's own is used.
fn leave_user(system: &'static System, hart: &Hart) {
    if csr::satp() != system.kernel_satp {
        load_space(system, cpu_of(hart), system.kernel_satp);
    }
    if hart.float.get() != 0 {
        float::release(hart, system);
    }
}

fn load_space(system: &'static System, cpu: Here, satp: u64) {
    // SAFETY: every root that the core makes has the kernel's upper half.
    unsafe { csr::set_satp(satp) };
    // Release: the root that was left may be taken back from here on.
    cpu.space.atomic().store(satp, Release);
    if system.flushes {
        csr::fence_all();
    }
}
