//! From a number to its handler: the table of typed system calls.

use crate::caps::{derive, revoke};
use crate::ipc::{endpoint, notification, reply, wait_set};
use crate::memory::{destroy, irq, map, object, window};
use crate::prelude::*;
use crate::process::{create, exit, threads};
use crate::thread::Frame;
use crate::{
    console, event::serve as later, info::calls as info, log::calls as log, power, qos, sched::turn, time::timer,
};
use nexus_abi::{message::WORDS, syscall};

macro_rules! handlers {
    ($($module:ident { $($call:ident $handler:ident),* })*) => {
        /// Decodes and serves the typed call with this number: one is looked up, not jumped to, which is as much as a table.
        #[inline(never)]
        pub(crate) fn dispatch(context: &Context, number: u64) -> Verdict<()> {
            let server: fn(&Context) -> Verdict<()> = match if context.kernel.refuses(number) { 0 } else { number } {
                $($($call::NUMBER => |context| serve::<$call>(context, $module::$handler),)*)*
                _ => |_| Err(Stop::Refuse(Error::NoCall)),
            };
            server(context)
        }
    };
}

handlers! {
    console { ConsoleClaim console_claim }
    create { ProcessCreate process_create, ProcessPrefix process_prefix, ProcessOpen process_open, SpawnMint spawn_mint }
    derive { Derive derive, Grant grant, Inspect inspect }
    destroy { MemorySeal memory_seal }
    endpoint { EndpointCreate endpoint_create }
    exit { ProcessExit process_exit, ProcessKill process_kill, ProcessWatch process_watch, ProcessStatus process_status,
        ProcessFaults process_faults }
    info { InfoProcess info_process, InfoUsage info_usage, InfoCpu info_cpu, InfoLimits info_limits, InfoObjects info_objects,
        InfoScheduler info_scheduler, InfoCapability info_capability, BootArguments boot_arguments }
    invariant { InfoInvariants info_invariants }
    irq { IrqMint irq_mint, IrqAck irq_ack }
    later { DmaCreate reserved, DmaAddress reserved, Quiesce reserved }
    log { LogWrite log_write, LogRead log_read }
    map { Map map, Unmap unmap, Protect protect }
    notification { NotificationCreate notification_create, Notify notify, Wait wait, Bind bind }
    object { MemoryCreate memory_create, MemoryGrow memory_grow }
    power { PowerOff power_off, PowerReset power_reset }
    qos { QosGet qos_get, QosSet qos_set, AffinitySet affinity_set, SharesSet shares_set, LimitsSet limits_set }
    reply { Defer defer }
    revoke { Close close, Revoke revoke }
    threads { ThreadCreate thread_create, ThreadStart thread_start, ThreadExit thread_exit }
    timer { TimerCreate timer_create, TimerSet timer_set }
    turn { Whoami whoami, Yield yield_now }
    wait_set { WaitSetCreate wait_set_create, WaitSetAdd wait_set_add, WaitSetRemove wait_set_remove }
    window { WindowMint window_mint }
}

fn serve<S: Syscall>(context: &Context, handler: impl Fn(&Context, S) -> Verdict<S::Output>) -> Verdict<()> {
    let frame = &context.thread.frame;
    let output = handler(context, S::decode(frame.get(reg::T3), frame)?)?;
    answer(frame, output);
    Ok(())
}

/// Of a call that has its number and nothing more, so that programs need not be rebuilt when it comes.
fn reserved<S: Syscall>(_: &Context, _: S) -> Verdict<S::Output> {
    Err(Stop::Refuse(Error::NoCall))
}

/// Writes an answer: the results in `a0`…, 0 everywhere else.
pub(crate) fn answer(frame: &Frame, output: impl syscall::Answer) {
    blank(frame);
    output.encode(&mut |at, word| frame.set_word(at, word));
}

/// An answer without results: one copy for all calls.
#[inline(never)]
pub(crate) fn blank(frame: &Frame) {
    frame.set_message([0; WORDS]);
    frame.set_status(0, 0, Stamp::default());
}
