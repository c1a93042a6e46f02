//! Turns of threads of one class, which others interrupt.

use crate::testing::{self, WIDE};
use crate::thread::{State, Thread};
use crate::{Kernel, percpu::Here, thread::reg, ways::Way};
use nexus_abi::QosClass;
use nexus_abi::syscall::{Syscall as _, Yield};

/// Three threads on one CPU: the first runs, the second waits for its turn in the same class, the third has this class.
fn three(class: QosClass) -> (&'static Kernel, Here, [&'static Thread; 3]) {
    let kernel = testing::machine(1, 256);
    let process = testing::process(kernel, "app/test", &WIDE);
    let threads = core::array::from_fn(|_| testing::thread(kernel, process));
    let [first, second, third]: [&Thread; 3] = threads;
    third.set_base_class(class);
    testing::put_on_cpu(kernel, 0, first);
    let cpu = kernel.cpus[0].here();
    testing::wake(kernel, cpu, second);
    kernel.settle(cpu, 0);
    (kernel, cpu, threads)
}

/// Two threads of one class, the first of which wakes a third of a higher class all the time.
#[test]
fn who_is_interrupted_often_still_comes_to_the_end_of_its_slice() {
    let (kernel, cpu, [waker, other, urgent]) = three(QosClass::Interactive);
    let mut now = 0;
    for _ in 0..2 * kernel.machine.slice / 10 {
        now += 10;
        testing::wake(kernel, cpu, urgent);
        kernel.settle(cpu, now);
        assert_eq!(cpu.current.get(), urgent.index());
        urgent.set_state(State::Waiting);
        cpu.current.set(0);
        kernel.settle(cpu, now);
        kernel.end_slice(cpu, now);
        kernel.settle(cpu, now);
    }
    assert!(other.cpu_time.get() > 0, "the other thread of the class never ran");
    assert!(waker.cpu_time.get() > 0);
}

/// Two threads of one class, one of which had the guard's slice, only yield to each other, so often that no slice ends.
#[test]
fn who_had_the_guards_slice_does_not_keep_a_lower_class_out_by_yields() {
    let (kernel, cpu, [_, _, low]) = three(QosClass::Idle);
    testing::wake(kernel, cpu, low);
    kernel.settle(cpu, 0);
    cpu.lifted.set(1);
    kernel.set_floor(cpu, 0);
    let mut now = 0;
    while low.cpu_time.get() == 0 && now < 4 * super::GUARD_SLICES * kernel.machine.slice {
        now += kernel.machine.slice / 4;
        let runs = kernel.threads.at(cpu.current.get());
        runs.frame.set(reg::T2, Yield::NUMBER);
        kernel.call_by(cpu, runs, (Way::Straight, now));
        if cpu.own().alarm() <= now {
            kernel.timer(kernel.cpus[0].here(), now);
        }
    }
    assert!(low.cpu_time.get() > 0, "it starves");
}

/// How long the first of two threads of one class keeps the CPU from the other while a third of a higher class runs for
/// 90 ticks of each 100: woken by `settle`, which tells by whom.
fn kept_while_another_works(settle: fn(&'static Kernel, Here, u64)) -> u64 {
    let (kernel, cpu, [waker, other, urgent]) = three(QosClass::Interactive);
    let mut now = 0;
    while cpu.current.get() == waker.index() {
        now += 10;
        testing::wake(kernel, cpu, urgent);
        settle(kernel, cpu, now);
        assert_eq!(cpu.current.get(), urgent.index());
        now += 90;
        urgent.set_state(State::Waiting);
        kernel.settle(cpu, now);
        kernel.end_slice(cpu, now);
        kernel.settle(cpu, now);
        assert!(now < 20 * kernel.machine.slice, "the other thread never runs");
    }
    assert_eq!(cpu.current.get(), other.index());
    now
}

/// The time is kept in 31 bits: half of them later it looks like one to come.
#[test]
fn a_slice_that_ended_long_ago_is_none_that_goes_on_for_long() {
    let kernel = testing::machine(1, 256);
    let process = testing::process(kernel, "app/test", &WIDE);
    let [late, other]: [&Thread; 2] = core::array::from_fn(|_| testing::thread(kernel, process));
    let now = 1_500_000_000;
    late.slice_left.set(Thread::UNTIL);
    testing::put_on_cpu(kernel, 0, late);
    let cpu = kernel.cpus[0].here();
    testing::wake(kernel, cpu, other);
    kernel.settle(cpu, now);
    assert_eq!(cpu.slice_end.get(), now + kernel.machine.slice);
}

#[test]
fn who_wakes_a_higher_class_pays_for_its_work_and_who_is_interrupted_does_not() {
    let slice = testing::machine(1, 256).machine.slice;
    assert_eq!(kept_while_another_works(Kernel::settle), slice);
    assert_eq!(kept_while_another_works(Kernel::settle_outside), 10 * slice);
}

/// Two threads of one class, the first of which calls a server of a higher class all the time.
#[test]
fn who_calls_a_higher_class_often_still_comes_to_the_end_of_its_slice() {
    let (kernel, cpu, [caller, other, server]) = three(QosClass::Interactive);
    let (mut now, mut rounds) = (0, 0);
    while cpu.current.get() == caller.index() {
        now += 10;
        caller.set_state(State::Awaiting);
        kernel.run_partner(cpu, server);
        kernel.settle(cpu, now);
        assert_eq!(cpu.current.get(), server.index());
        now += 10;
        if cpu.alarm() <= now {
            kernel.timer(kernel.cpus[0].here(), now);
        }
        server.set_state(State::Receiving);
        kernel.run_partner(cpu, caller);
        kernel.settle(cpu, now);
        if cpu.alarm() <= now {
            kernel.timer(kernel.cpus[0].here(), now);
        }
        rounds += 1;
        assert!(rounds <= kernel.machine.slice / 10, "the other thread of the class never runs");
    }
    assert_eq!(cpu.current.get(), other.index());
}
