//! What is recorded for pictures: messages, wake-ups, switches and the timer, each with its time, and nothing while it is off.

use super::{
    calls::{Pair, pair_on},
    *,
};
use crate::{
    kernel::Machine,
    trace::{RING_WORDS, What},
};
use nexus_abi::{QosClass, syscall::ipc};
use std::vec;

/// One event: what, whose thread, and in which class.
type Event = (u64, u64, u64);

fn traced() -> &'static Kernel {
    testing::machine_with(1, 512, Machine { arguments: testing::TRACED, ..Machine::default() })
}

fn event(what: What, thread: Option<&Thread>) -> Event {
    (what as u64, thread.map_or(0, |thread| thread.index().into()), thread.map_or(0, |thread| thread.class() as u64))
}

/// The events after the first `seen`, by the time at which they happened.
fn events(kernel: &Kernel, seen: u64) -> Vec<(u64, Vec<Event>)> {
    let (mut entries, mut fresh) = (Vec::new(), Vec::new());
    for at in seen..kernel.rings[0].get() {
        let word = kernel.rings[1 + at as usize % (RING_WORDS - 1)].get();
        match word & 7 {
            what if what == What::Time as u64 => entries.push((word >> 3, core::mem::take(&mut fresh))),
            what => fresh.push((what, word >> 5 & 0x7ff, word >> 3 & 3)),
        }
    }
    assert_eq!(fresh, [], "every event has a time");
    entries
}

#[test]
fn a_call_and_its_answer_are_recorded_with_whom_they_make_run() {
    let Pair { stage, server, endpoint, client, door, .. } = pair_on(traced());
    stage.post(server, ipc::RECV, Mail::to(endpoint));
    let (kernel, seen) = (stage.kernel, stage.kernel.rings[0].get());

    stage.post(client, ipc::CALL, Mail::to(door));
    stage.post(server, ipc::REPLY_RECV, Mail::to(endpoint));

    let all: Vec<Event> = events(kernel, seen).into_iter().flat_map(|(_, events)| events).collect();
    let handed = |thread| [event(What::Message, Some(thread)), event(What::Run, Some(thread))];
    assert_eq!(all, [handed(server), handed(client)].concat());
    let service = kernel.rings[1 + seen as usize].get() >> 16;
    assert_eq!(service, ServiceId::service("server").0 & u64::MAX >> 16);
}

#[test]
fn the_timer_wake_ups_and_switches_have_the_time_of_their_entry() {
    let kernel = traced();
    let process = testing::process(kernel, "app/test", &WIDE);
    let [low, high] = core::array::from_fn(|_| testing::thread(kernel, process));
    high.set_base_class(QosClass::Interactive);
    testing::put_on_cpu(kernel, 0, low);

    kernel.timer(kernel.cpus[0].here(), 70);
    testing::wake(kernel, kernel.cpus[0].here(), high);
    kernel.settle(kernel.cpus[0].here(), 80);
    kernel.settle(kernel.cpus[0].here(), 90);

    let woken = [event(What::Wake, Some(high)), event(What::Run, Some(high))];
    assert_eq!(events(kernel, 0), [(70, vec![event(What::Timer, None)]), (80, woken.into())]);
}

#[test]
fn a_ring_keeps_the_last_events_and_counts_all() {
    let kernel = traced();
    let process = testing::process(kernel, "app/test", &WIDE);
    testing::put_on_cpu(kernel, 0, testing::thread(kernel, process));
    let entries = RING_WORDS as u64;

    (0..entries).for_each(|now| kernel.timer(kernel.cpus[0].here(), now));

    assert_eq!(kernel.rings[0].get(), 2 * entries);
    let last: Vec<u64> = events(kernel, 2 * entries - 4).into_iter().map(|(now, _)| now).collect();
    assert_eq!(last, [entries - 2, entries - 1]);
}

#[test]
fn without_the_boot_argument_nothing_is_recorded() {
    let kernel = testing::machine(1, 64);
    let process = testing::process(kernel, "app/test", &WIDE);
    testing::put_on_cpu(kernel, 0, testing::thread(kernel, process));
    kernel.timer(kernel.cpus[0].here(), 5);
    assert_eq!((kernel.rings.len(), kernel.cpus[0].at_rest().traced.get()), (0, 0));
}
