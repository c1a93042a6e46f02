//! Classes, shares and affinity: who may set what, and that a refusal changes nothing.

use crate::{
    cpu::EXPLICIT_LIMIT,
    memory::bench::Bench,
    sched::queue::{ADMISSION_LIMIT, End},
    testing::{self, WIDE, give},
    thread::{State, Thread, reg},
};
use std::{format, string::String, vec::Vec};

use nexus_abi::{
    Error, Handle, Kind, QosClass, Rights, ServiceId,
    message::Status,
    syscall::{AffinitySet, Close, QosGet, QosSet, SharesSet, Syscall as _},
};

/// The bench's own identity is on the machine's list only in tests that ask for it.
fn raiser() -> Bench {
    let bench = Bench::new(256);
    bench.thread.service.set(testing::RAISER.0);
    bench
}

/// `server` has a call of `caller`'s to answer.
fn obliged(server: &Thread, caller: &Thread) {
    caller.set_state(State::Awaiting);
    caller.waits_on.set(server.header.me());
    server.link.set(caller.renew_token());
    server.boost(caller);
}

fn class_of(thread: &Thread) -> (u32, u32) {
    (thread.base_class() as u32, thread.class() as u32)
}

/// A call with words that the typed interface cannot hold.
fn raw(bench: &Bench, class: u64, target: u64) -> Option<Error> {
    testing::put_on_cpu(bench.kernel, 0, bench.thread);
    let frame = &bench.thread.frame;
    frame.set_message([class, target, 0, 0, 0, 0, 0, 0]);
    frame.set(reg::T2, QosSet::NUMBER);
    testing::ecall(bench.kernel, 0, 0);
    Status(frame.get(reg::T0)).error()
}

fn handle_to(bench: &Bench, thread: &Thread, rights: Rights) -> Handle {
    give(bench.kernel, bench.process, Kind::Thread, thread.header.me(), rights)
}

#[test]
fn everybody_may_lower_itself_and_read_its_class() {
    let bench = Bench::new(64);
    assert_eq!(bench.call(QosGet { thread: None }).map(|got| got.class), Ok(QosClass::Normal));
    assert!(bench.call(QosSet { class: 1, target: 0 }).is_ok());
    assert!(bench.call(QosSet { class: 0, target: 0 }).is_ok());
    assert_eq!(bench.call(QosGet { thread: None }).map(|got| got.class), Ok(QosClass::Idle));
    assert_eq!(class_of(bench.thread), (0, 0));
    assert!(bench.call(QosSet { class: 0, target: bench.process.index() }).is_ok());
}

#[test]
fn test_reject_qos_set_unauthorized_self_escalation() {
    let bench = Bench::new(64);
    for class in [2, 3] {
        bench.refused(QosSet { class, target: 0 }, Error::Permission);
        bench.refused(QosSet { class, target: bench.process.index() }, Error::Permission);
    }
    assert_eq!(class_of(bench.thread), (1, 1));
}

#[test]
fn test_reject_qos_set_unauthorized_other_pid() {
    let bench = Bench::new(64);
    let other = Bench::with(bench.kernel, &WIDE);
    for class in 0..4 {
        bench.refused(QosSet { class, target: other.process.index() }, Error::Permission);
    }
    assert_eq!(class_of(other.thread), (1, 1));
}

#[test]
fn test_reject_invalid_qos_class() {
    let bench = raiser();
    for class in [4, 5, 255] {
        bench.refused(QosSet { class, target: 0 }, Error::Invalid);
    }
    assert_eq!(class_of(bench.thread), (1, 1));
}

#[test]
fn test_reject_qos_class_wire_overflow() {
    let bench = raiser();
    for class in [256, 257, 1 << 32, u64::MAX] {
        assert_eq!(raw(&bench, class, 0), Some(Error::Invalid));
    }
    assert_eq!(class_of(bench.thread), (1, 1));
}

#[test]
fn test_reject_qos_target_pid_overflow() {
    let bench = raiser();
    let pid = u64::from(bench.process.index());
    for target in [1 << 32, 1 << 32 | pid, u64::MAX] {
        assert_eq!(raw(&bench, 0, target), Some(Error::Invalid));
    }
    for target in [30, 33, u32::MAX] {
        bench.refused(QosSet { class: 0, target }, Error::Invalid);
    }
    assert_eq!(class_of(bench.thread), (1, 1));
}

#[test]
fn test_reject_set_task_qos_when_target_queue_full() {
    let bench = raiser();
    let cpu = bench.kernel.cpus[0].here();
    let other = Bench::with(bench.kernel, &WIDE);
    for _ in 0..ADMISSION_LIMIT - 2 {
        let filler = testing::thread(bench.kernel, bench.process);
        filler.set_base_class(QosClass::Interactive);
        filler.set_state(State::Ready);
        cpu.enqueue(&bench.kernel.threads, filler, End::Back);
    }
    let waiting = testing::thread(bench.kernel, other.process);
    assert_eq!(bench.kernel.threads.pool.used(), ADMISSION_LIMIT + 1);
    for thread in [other.thread, waiting] {
        thread.set_state(State::Ready);
        cpu.enqueue(&bench.kernel.threads, thread, End::Back);
    }
    bench.thread.set_base_class(QosClass::PerfBurst);

    testing::call(bench.kernel, bench.thread, QosSet { class: 2, target: other.process.index() })
        .map(|_| ())
        .expect("two more fit");
    assert_eq!((class_of(other.thread), cpu.load.count(QosClass::Interactive)), ((2, 2), ADMISSION_LIMIT));

    other.thread.set_base_class(QosClass::Normal);
    let caller = testing::thread(bench.kernel, bench.process);
    caller.set_base_class(QosClass::Interactive);
    obliged(other.thread, caller);
    testing::refused(bench.kernel, bench.thread, QosSet { class: 2, target: other.process.index() }, Error::Again);
    assert_eq!(class_of(other.thread), (1, 2), "the class is as it was");
}

#[test]
fn nobody_is_perfburst_without_a_budget() {
    let bench = raiser();
    bench.refused(QosSet { class: 3, target: 0 }, Error::Permission);
    bench.process.budget.set(2_000, 10_000, 0);
    assert!(bench.call(QosSet { class: 3, target: 0 }).is_ok());
}

#[test]
fn a_listed_service_raises_itself_and_others() {
    let bench = raiser();
    let other = Bench::with(bench.kernel, &WIDE);
    let second = testing::thread(bench.kernel, other.process);
    let caller = testing::thread(bench.kernel, bench.process);
    caller.set_base_class(QosClass::PerfBurst);
    obliged(second, caller);

    assert!(bench.call(QosSet { class: 2, target: 0 }).is_ok());
    assert!(bench.call(QosSet { class: 2, target: other.process.index() }).is_ok());

    assert_eq!((class_of(bench.thread), class_of(other.thread)), ((2, 2), (2, 2)));
    assert_eq!(class_of(second), (2, 3), "what a caller donates stays");
}

/// What the kernel has printed since it was asked last.
fn printed(bench: &Bench) -> String {
    let mut bytes = Vec::new();
    bench.kernel.log.drain(&mut |byte| bytes.push(byte));
    String::from_utf8(bytes).expect("the ring holds text")
}

#[test]
fn refusals_and_uses_of_the_list_are_audited_and_own_authority_is_not() {
    let bench = Bench::new(64);
    let other = Bench::with(bench.kernel, &WIDE);
    let (own, target) = (bench.process.index(), other.process.index());
    assert!(bench.call(QosSet { class: 1, target: 0 }).is_ok());
    assert_eq!(printed(&bench), "");

    bench.refused(QosSet { class: 2, target: 0 }, Error::Permission);
    bench.refused(QosSet { class: 0, target }, Error::Permission);
    bench.refused(QosSet { class: 4, target: 0 }, Error::Invalid);
    bench.refused(QosSet { class: 0, target: 31 }, Error::Invalid);
    bench.thread.service.set(testing::RAISER.0);
    assert!(bench.call(QosSet { class: 0, target }).is_ok());

    let said = |decision: &str, reason: &str, rest: &str| {
        format!("QOS-AUDIT decision={decision} reason={reason} caller={own} {rest} dropped=0\n")
    };
    let expected = [
        said("deny", "not_listed", &format!("target={own} from=normal to=interactive")),
        said("deny", "not_listed", &format!("target={target} from=normal to=idle")),
        said("deny", "invalid", &format!("target={own} from=normal to=none")),
        said("deny", "invalid", "target=31 from=none to=idle"),
        said("allow", "listed", &format!("target={target} from=normal to=idle")),
    ];
    assert_eq!(printed(&bench), expected.concat());
}

#[test]
fn audit_lines_are_bounded_in_rate_and_count_what_they_drop() {
    let bench = Bench::new(64);
    let deny = |now| _ = testing::call_at(bench.kernel, bench.thread, QosSet { class: 2, target: 0 }, now);
    let second = bench.kernel.machine.timebase;
    (0..100).for_each(|at| deny(7 * second + at));
    assert_eq!(printed(&bench).lines().filter(|line| line.ends_with(" dropped=0")).count(), 16);
    bench.thread.service.set(testing::RAISER.0);
    assert!(bench.call(QosSet { class: 2, target: 0 }).is_ok());
    assert!(printed(&bench).starts_with("QOS-AUDIT decision=allow "), "what is allowed is said all the same");
    bench.thread.service.set(0);
    bench.thread.set_base_class(QosClass::Normal);
    (0..2).for_each(|_| deny(8 * second));
    let ends: Vec<bool> = printed(&bench).lines().map(|line| line.ends_with(" dropped=84")).collect();
    assert_eq!(ends, [true, false]);
}

#[test]
fn qos_get_refuses() {
    let bench = Bench::new(64);
    let second = testing::thread(bench.kernel, bench.process);
    let weak = handle_to(&bench, second, Rights::USE);
    let good = handle_to(&bench, second, Rights::TAKE);
    let closed = bench.weaker(good, Rights::TAKE);
    bench.call(Close { handle: closed }).map(|_| ()).expect("the handle is good");
    assert_eq!(bench.call(QosGet { thread: Some(good) }).map(|got| got.class), Ok(QosClass::Normal));
    bench.refused(QosGet { thread: Some(weak) }, Error::Permission);
    bench.refused(QosGet { thread: Some(bench.root) }, Error::WrongKind);
    bench.refused(QosGet { thread: Some(closed) }, Error::BadHandle);
    second.header.die();
    bench.refused(QosGet { thread: Some(good) }, Error::PeerClosed);
}

#[test]
fn affinity_is_clamped_to_the_cpus_that_are_online() {
    let kernel = testing::machine(4, 64);
    kernel.cpus[3].online.set(0);
    let bench = Bench::with(kernel, &WIDE);
    let second = testing::thread(kernel, bench.process);
    let handle = handle_to(&bench, second, Rights::MANAGE);
    let weak = handle_to(&bench, second, Rights::TAKE);

    assert_eq!(bench.call(AffinitySet { thread: None, mask: u64::MAX }).map(|set| set.mask), Ok(0b111));
    assert_eq!(bench.call(AffinitySet { thread: Some(handle), mask: 0b1110 }).map(|set| set.mask), Ok(0b110));
    assert_eq!(second.affinity.get(), 0b110);
    assert_eq!(kernel.place(second).map(|cpu| cpu.id.get()), Some(1), "a new thread starts there");
    for mask in [0, 0b1000, 1 << 32, 1 << 63] {
        bench.refused(AffinitySet { thread: Some(handle), mask }, Error::Invalid);
    }
    bench.refused(AffinitySet { thread: Some(weak), mask: 1 }, Error::Permission);
    bench.refused(AffinitySet { thread: Some(bench.root), mask: 1 }, Error::WrongKind);
    assert_eq!(second.affinity.get(), 0b110);
    second.header.die();
    bench.refused(AffinitySet { thread: Some(handle), mask: 1 }, Error::PeerClosed);
}

#[test]
fn changes_of_affinity_are_limited_in_each_second() {
    let bench = Bench::with(testing::machine(2, 64), &WIDE);
    let second = testing::thread(bench.kernel, bench.process);
    let handle = handle_to(&bench, second, Rights::MANAGE);
    for change in 0..u64::from(EXPLICIT_LIMIT) {
        assert!(bench.call(AffinitySet { thread: Some(handle), mask: 0b10 | change & 1 }).is_ok());
    }
    let before = second.affinity.get();
    bench.refused(AffinitySet { thread: Some(handle), mask: u64::from(before ^ 1) }, Error::RateLimited);
    assert_eq!(second.affinity.get(), before);
    assert!(bench.call(AffinitySet { thread: Some(handle), mask: before.into() }).is_ok(), "nothing is changed");
}

#[test]
fn shares_have_a_range_and_its_upper_half_needs_leave() {
    let bench = Bench::new(64);
    let second = testing::thread(bench.kernel, bench.process);
    let handle = handle_to(&bench, second, Rights::MANAGE);
    let weak = handle_to(&bench, second, Rights::TAKE);
    for shares in [1, 500, 100] {
        assert!(bench.call(SharesSet { thread: Some(handle), shares }).is_ok());
        assert_eq!(second.shares.get(), shares);
    }
    bench.refused(SharesSet { thread: Some(handle), shares: 0 }, Error::Invalid);
    bench.refused(SharesSet { thread: None, shares: 1001 }, Error::Invalid);
    bench.refused(SharesSet { thread: None, shares: u32::MAX }, Error::Invalid);
    bench.refused(SharesSet { thread: Some(handle), shares: 501 }, Error::Permission);
    bench.refused(SharesSet { thread: Some(weak), shares: 5 }, Error::Permission);
    bench.refused(SharesSet { thread: Some(bench.root), shares: 5 }, Error::WrongKind);
    assert_eq!((second.shares.get(), bench.thread.shares.get()), (100, 100));
    bench.thread.service.set(testing::RAISER.0);
    assert!(bench.call(SharesSet { thread: None, shares: 1000 }).is_ok());
    second.header.die();
    bench.refused(SharesSet { thread: Some(handle), shares: 5 }, Error::PeerClosed);
}

#[test]
fn the_kernel_itself_is_on_no_list() {
    let bench = Bench::new(64);
    bench.thread.service.set(ServiceId::KERNEL.0);
    bench.refused(QosSet { class: 2, target: 0 }, Error::Permission);
}
