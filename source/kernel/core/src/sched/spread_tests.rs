//! Who goes to which CPU: placement, waking, asking and giving, affinity, and what is refused.

use super::*;
use crate::cpu::{EXPLICIT_LIMIT, GIVEN_UP, OFFLINE, whereabouts};
use crate::sched::queue::End;
use crate::{
    process::Process,
    testing::{self, WIDE},
};
use std::vec::Vec;

struct Floor {
    kernel: &'static Kernel,
    process: &'static Process,
    now: core::cell::Cell<u64>,
}

impl Floor {
    fn new(cpus: usize) -> Floor {
        let kernel = testing::spreading_machine(cpus, 256);
        let process = testing::process(kernel, "floor", &WIDE);
        Floor { kernel, process, now: core::cell::Cell::new(10) }
    }

    fn cpu(&self, at: usize) -> Here {
        self.kernel.cpus[at].here()
    }

    /// A thread of a class that runs on a CPU.
    fn running(&self, cpu: usize, class: QosClass) -> &'static Thread {
        let thread = self.ready(cpu, class);
        self.settle(cpu);
        assert_eq!(self.cpu(cpu).current.get(), thread.index());
        thread
    }

    /// A thread of a class in a CPU's queue.
    fn ready(&self, cpu: usize, class: QosClass) -> &'static Thread {
        let thread = testing::thread(self.kernel, self.process);
        thread.set_base_class(class);
        thread.set_cpu(cpu as u32);
        thread.set_state(State::Ready);
        self.cpu(cpu).enqueue(&self.kernel.threads, thread, End::Back);
        thread
    }

    /// Events of a CPU settle, and nobody hears of it yet.
    fn settle(&self, cpu: usize) {
        self.kernel.settle(self.cpu(cpu), self.now.get());
        self.cpu(cpu).requests.kicks.set(0);
    }

    /// Kicks that are under way arrive, and those that they cause.
    fn run_dry(&self) {
        while let Some(cpu) = self.kernel.cpus.iter().find(|cpu| cpu.kicked.get() != 0) {
            self.kernel.kick(self.kernel.cpus[cpu.id.get() as usize].here(), self.now.get());
            cpu.at_rest().requests.kicks.set(0);
        }
    }

    fn wake(&self, cpu: usize, thread: &'static Thread) {
        testing::wake(self.kernel, self.cpu(cpu), thread);
    }

    /// How many threads run or wait on each CPU.
    fn loads(&self) -> Vec<u32> {
        self.kernel.cpus.iter().map(|cpu| cpu.busy()).collect()
    }
}

const NORMAL: QosClass = QosClass::Normal;
const INTERACTIVE: QosClass = QosClass::Interactive;

#[test]
fn test_reject_invalid_ipi_target_cpu() {
    let floor = Floor::new(4);
    for number in [4, 5, 8, 31, 32, u32::MAX] {
        assert_eq!(floor.kernel.request_resched(floor.cpu(0), number, 0), Err(Error::Invalid));
        assert_eq!(floor.kernel.ask_for_work(floor.cpu(0), number, NORMAL, 1), Err(Error::Invalid));
    }
    assert_eq!((floor.cpu(0).requests.kicks.get(), floor.cpu(0).counters.requests.get()), (0, 0));
    assert_eq!(floor.kernel.request_resched(floor.cpu(0), 3, 0), Ok(()));
    assert_eq!((floor.cpu(0).requests.kicks.get(), floor.cpu(0).counters.requests.get()), (0b1000, 1));
}

#[test]
fn test_reject_offline_cpu_resched() {
    let floor = Floor::new(3);
    for state in [OFFLINE, GIVEN_UP] {
        floor.cpu(2).online.set(state);
        assert_eq!(floor.kernel.request_resched(floor.cpu(0), 2, 0), Err(Error::Invalid));
        assert_eq!(floor.kernel.ask_for_work(floor.cpu(0), 2, NORMAL, 1), Err(Error::Invalid));
        assert_eq!((floor.cpu(0).requests.kicks.get(), floor.cpu(2).kicked.get()), (0, 0));
    }
}

#[test]
fn explicit_requests_are_limited_in_each_second() {
    let floor = Floor::new(2);
    let (kernel, here) = (floor.kernel, floor.cpu(0));
    let second = kernel.machine.timebase.max(1);
    for at in 0..u64::from(EXPLICIT_LIMIT) {
        assert_eq!(kernel.request_resched(here, 1, second + at % second), Ok(()));
    }
    floor.cpu(1).kicked.set(0);
    assert_eq!(kernel.request_resched(here, 1, 2 * second - 1), Err(Error::RateLimited));
    assert_eq!(
        (floor.cpu(1).kicked.get(), here.counters.requests.get()),
        (0, EXPLICIT_LIMIT.into()),
        "nothing is sent"
    );
    assert_eq!(kernel.request_resched(floor.cpu(1), 0, 2 * second - 1), Ok(()), "another CPU has a limit of its own");
    assert_eq!(kernel.request_resched(here, 1, 2 * second), Ok(()), "the next second");
}

#[test]
fn test_reject_tp_hint_for_offline_cpu() {
    let floor = Floor::new(4);
    let cpus = floor.kernel.cpus;
    assert_eq!(whereabouts(cpus, Some(2), Some(1)), Some(2), "a hint that may be true");
    for state in [OFFLINE, GIVEN_UP] {
        floor.cpu(2).online.set(state);
        assert_eq!(whereabouts(cpus, Some(2), Some(1)), Some(1), "then the stack decides");
        assert_eq!(whereabouts(cpus, Some(2), Some(2)), None);
        assert_eq!(whereabouts(cpus, Some(2), None), None, "and never the first CPU, for others run");
    }
    for nobody in [4, 8, usize::MAX] {
        assert_eq!(whereabouts(cpus, Some(nobody), Some(3)), Some(3));
        assert_eq!(whereabouts(cpus, None, Some(nobody)), None);
    }
    for other in [1, 2, 3] {
        floor.cpu(other).online.set(OFFLINE);
    }
    assert_eq!(whereabouts(cpus, Some(2), None), Some(0), "nobody else was started");
    assert_eq!(whereabouts(cpus, None, None), Some(0));
}

#[test]
fn test_reject_steal_above_bound() {
    let floor = Floor::new(2);
    floor.running(1, INTERACTIVE);
    let waiting = floor.ready(1, NORMAL);
    floor.running(0, INTERACTIVE);
    for tasks in [2, 3, u32::MAX] {
        assert_eq!(floor.kernel.ask_for_work(floor.cpu(0), 1, NORMAL, tasks), Err(Error::OverLimit));
    }
    assert_eq!((floor.cpu(1).askers.get(), floor.cpu(1).kicked.get()), (0, 0));
    floor.run_dry();
    assert_eq!(waiting.cpu(), 1);
}

#[test]
fn test_reject_steal_higher_qos() {
    let floor = Floor::new(2);
    floor.running(0, INTERACTIVE);
    floor.running(1, INTERACTIVE);
    let (higher, lower) = (floor.ready(1, INTERACTIVE), floor.ready(1, QosClass::Idle));
    floor.kernel.ask_for_work(floor.cpu(0), 1, NORMAL, 1).expect("one thread may be asked for");
    floor.run_dry();
    assert_eq!((higher.cpu(), lower.cpu()), (1, 0), "the highest that was allowed came");
    floor.kernel.ask_for_work(floor.cpu(0), 1, NORMAL, 1).expect("one thread may be asked for");
    floor.run_dry();
    assert_eq!(higher.cpu(), 1);
}

#[test]
fn test_reject_enqueue_above_runtime_bound() {
    let floor = Floor::new(2);
    floor.running(0, INTERACTIVE);
    floor.running(1, INTERACTIVE);
    for cpu in [0, 1] {
        (0..ADMISSION_LIMIT / 2 - 4).for_each(|_| _ = floor.ready(cpu, NORMAL));
    }
    assert!(floor.cpu(0).admits(NORMAL, ADMISSION_LIMIT / 2 + 4));
    assert!(!floor.cpu(0).admits(NORMAL, ADMISSION_LIMIT / 2 + 5));
    let thread = testing::thread(floor.kernel, floor.process);
    // Those on their way count too.
    floor.cpu(1).inbound[NORMAL as usize].set(ADMISSION_LIMIT / 2 + 4);
    assert_eq!(floor.kernel.place(thread).map(|cpu| cpu.id.get()), Some(0));
    floor.cpu(0).inbound[NORMAL as usize].set(ADMISSION_LIMIT / 2 + 4);
    assert!(floor.kernel.place(thread).is_none(), "the sixty-fifth is refused everywhere");
    thread.set_base_class(QosClass::Idle);
    assert!(floor.kernel.place(thread).is_some(), "another class has room");
}

#[test]
fn a_thread_starts_where_least_is_to_do() {
    let floor = Floor::new(4);
    for busy in [0, 1, 3] {
        floor.running(busy, NORMAL);
    }
    let thread = testing::thread(floor.kernel, floor.process);
    assert_eq!(floor.kernel.place(thread).map(|cpu| cpu.id.get()), Some(2));
    thread.affinity.set(0b1011);
    floor.ready(0, NORMAL);
    thread.set_cpu(3);
    assert_eq!(floor.kernel.place(thread).map(|cpu| cpu.id.get()), Some(3), "its own, if no other has less");
    floor.cpu(2).online.set(OFFLINE);
    thread.affinity.set(0b0100);
    assert!(floor.kernel.place(thread).is_none());
}

#[test]
fn a_woken_thread_goes_to_an_idle_cpu_rather_than_wait() {
    let floor = Floor::new(2);
    floor.running(0, NORMAL);
    let woken = testing::thread(floor.kernel, floor.process);
    floor.wake(0, woken);
    floor.run_dry();
    assert_eq!((woken.cpu(), woken.state()), (1, State::Running));
    let third = testing::thread(floor.kernel, floor.process);
    floor.wake(0, third);
    floor.run_dry();
    assert_eq!((third.cpu(), third.state()), (0, State::Ready), "nobody would run it sooner");
}

#[test]
fn a_higher_class_takes_the_cpu_that_runs_the_lowest() {
    let floor = Floor::new(3);
    floor.running(0, INTERACTIVE);
    floor.running(1, NORMAL);
    let lowest = floor.running(2, QosClass::Idle);
    let woken = testing::thread(floor.kernel, floor.process);
    woken.set_base_class(INTERACTIVE);
    floor.wake(0, woken);
    floor.run_dry();
    assert_eq!((woken.cpu(), woken.state()), (2, State::Running));
    assert_eq!(lowest.state(), State::Ready);
}

#[test]
fn a_thread_whose_registers_are_loaded_stays() {
    let floor = Floor::new(2);
    floor.running(0, NORMAL);
    let woken = testing::thread(floor.kernel, floor.process);
    woken.gate.hold_float();
    floor.wake(0, woken);
    floor.run_dry();
    assert_eq!(woken.cpu(), 0);
    woken.gate.drop_float();
    floor.cpu(0).entered.set(core::ptr::from_ref(woken) as u64);
    floor.kernel.give_away(floor.cpu(0));
    floor.run_dry();
    assert_eq!(woken.cpu(), 0, "its event is under way");
    floor.cpu(0).entered.set(0);
    floor.kernel.give_away(floor.cpu(0));
    floor.run_dry();
    assert_eq!((woken.cpu(), woken.state()), (1, State::Running));
}

#[test]
fn a_cpu_that_goes_idle_takes_one_of_the_richest() {
    let floor = Floor::new(3);
    let ends = floor.running(2, INTERACTIVE);
    floor.running(0, NORMAL);
    floor.running(1, NORMAL);
    floor.ready(0, NORMAL);
    (0..3).for_each(|_| _ = floor.ready(1, NORMAL));
    ends.set_state(State::Waiting);
    floor.kernel.settle(floor.cpu(2), floor.now.get());
    assert_eq!((floor.cpu(1).askers.get(), floor.cpu(0).askers.get()), (0b100, 0));
    floor.run_dry();
    assert_eq!(floor.loads(), [2, 3, 1], "one came");
    assert_eq!(floor.cpu(1).counters.given.get(), 1);
}

#[test]
fn who_leaves_work_in_its_queue_invites_an_idle_cpu() {
    let floor = Floor::new(2);
    let low = floor.running(0, NORMAL);
    low.gate.hold_float();
    let high = testing::thread(floor.kernel, floor.process);
    high.set_base_class(INTERACTIVE);
    high.affinity.set(1);
    floor.wake(0, high);
    floor.kernel.settle(floor.cpu(0), floor.now.get());
    assert_eq!((low.state(), low.cpu()), (State::Ready, 0));
    assert_eq!(floor.cpu(1).kicked.get(), 1);
    low.gate.drop_float();
    floor.run_dry();
    assert_eq!((low.state(), low.cpu()), (State::Running, 1));
}

#[test]
fn affinity_holds_against_every_way_to_move() {
    let floor = Floor::new(2);
    floor.running(0, INTERACTIVE);
    let pinned = testing::thread(floor.kernel, floor.process);
    pinned.affinity.set(0b01);
    floor.wake(0, pinned);
    floor.run_dry();
    floor.kernel.ask_for_work(floor.cpu(1), 0, QosClass::PerfBurst, 1).expect("one thread may be asked for");
    floor.run_dry();
    assert_eq!((pinned.cpu(), pinned.state()), (0, State::Ready));
}

#[test]
fn a_thread_that_may_not_run_here_any_more_is_sent_away() {
    let floor = Floor::new(2);
    let runs = floor.running(0, NORMAL);
    let waits = floor.ready(0, NORMAL);
    for thread in [runs, waits] {
        thread.affinity.set(0b10);
    }
    floor.kernel.send_away(floor.cpu(1), runs);
    floor.run_dry();
    assert_eq!((runs.cpu(), waits.cpu()), (1, 1));
    assert_eq!((floor.cpu(0).current.get(), floor.loads()), (0, [0, 2].to_vec()));
}

#[test]
fn a_dying_thread_is_moved_by_nobody() {
    let floor = Floor::new(2);
    floor.running(0, NORMAL);
    floor.process.state.set(nexus_abi::start::ExitKind::Dying as u64);
    let woken = testing::thread(floor.kernel, floor.process);
    floor.wake(0, woken);
    floor.run_dry();
    assert_eq!(woken.cpu(), 0);
}
