//! The self-tests on a machine of this process: the other CPUs are turned by the test, and their programs count in it.

use super::*;
use crate::{
    cpu::Next,
    testing::{self, WIDE},
    thread::reg,
};
use core::cell::{Cell, RefCell};
use std::{string::String, vec::Vec};

struct Table {
    kernel: &'static Kernel,
    now: Cell<u64>,
    /// Whether kicks of the first CPU are lost.
    mute: Cell<u32>,
    /// Kicks that are under way.
    coming: Cell<u32>,
    /// CPUs that take no interrupt.
    deaf: u32,
    /// What was printed.
    text: RefCell<String>,
}

impl Table {
    fn new(kernel: &'static Kernel) -> Table {
        let process = testing::process(kernel, "first", &WIDE);
        let thread = testing::thread(kernel, process);
        thread.set_base_class(QosClass::Interactive);
        testing::put_on_cpu(kernel, 0, thread);
        kernel.cpus[0].level.set(1 + QosClass::Interactive as u32);
        let (now, mute, coming) = (Cell::new(1), Cell::new(0), Cell::new(0));
        Table { kernel, now, mute, coming, deaf: 0, text: RefCell::default() }
    }

    fn send(&self, from: Here) {
        let kicks = from.requests.kicks.get();
        from.requests.kicks.set(0);
        if self.mute.get() == 0 || from.id.get() != 0 {
            from.counters.sent.add(kicks.count_ones().into());
            self.coming.set(self.coming.get() | kicks);
        }
    }

    /// One step of what a CPU does by itself.
    fn step(&self, cpu: Here) {
        let at = cpu.id.get();
        if self.coming.get() & !self.deaf & 1 << at != 0 {
            self.coming.set(self.coming.get() & !(1 << at));
            cpu.counters.trapped.add(1);
            self.kernel.kick(self.kernel.cpus[at as usize].here(), self.now.get());
        }
        match self.kernel.next(self.kernel.cpus[at as usize].here()) {
            Next::Reap => self.kernel.reap(self.kernel.cpus[at as usize].here(), self.now.get()),
            Next::Run(thread) if at > 0 => self.count(thread),
            _ => {}
        }
        cpu.fence.set(0);
        self.send(cpu);
    }

    /// What a thread's program does: it counts in the word that its first argument names.
    fn count(&self, thread: u32) {
        let thread = self.kernel.threads.at(thread);
        let (frame, process) = (&thread.frame, self.kernel.processes.at(thread.process.get() as u32));
        let entry = self.kernel.entry(process.tree(), 0, (frame.get(reg::A0) >> 12) as u32);
        if let Some((address, _)) = entry.and_then(|entry| crate::memory::tree::invariant::read_leaf(entry.get())) {
            let words = self.kernel.frames.at(self.kernel.frames.index(address).expect("a frame of the pool"));
            words.0[(frame.get(reg::A0) & 0xfff) as usize / 8].add(1);
        }
    }

    /// What was printed since it was asked last.
    fn printed(&self) -> Vec<String> {
        self.text.take().lines().map(String::from).collect()
    }

    fn lines(&self) -> Vec<String> {
        run(self.kernel, self);
        let mut check = crate::invariant::Check::default();
        self.kernel.check_state(&mut check);
        assert_eq!((check.violations, check.first), (0, None));
        self.printed()
    }
}

impl Ground for Table {
    fn now(&self) -> u64 {
        self.now.get()
    }

    fn turn(&self) {
        self.now.set(self.now.get() + self.kernel.machine.timebase / 10_000);
        self.send(self.kernel.cpus[0].here());
        self.kernel.cpus.iter().for_each(|cpu| self.step(cpu.here()));
    }

    fn lose_kicks(&self) {
        self.mute.set(1);
    }

    fn send_kicks(&self) {
        self.mute.set(0);
        let lost = self.kernel.cpus.iter().filter(|cpu| cpu.kicked.get() != 0).map(|cpu| 1 << cpu.id.get());
        self.coming.set(lost.fold(self.coming.get(), |all, one: u32| all | one));
    }

    fn put(&self, byte: u8) {
        self.text.borrow_mut().push(char::from(byte));
    }
}

const ALL: [&str; 8] = [
    "smp online",
    "ipi counterfactual",
    "ipi resched",
    "test_reject_invalid_ipi_target_cpu",
    "test_reject_offline_cpu_resched",
    "work stealing",
    "test_reject_steal_above_bound",
    "test_reject_steal_higher_qos",
];

fn good(lines: &[String]) -> Vec<&str> {
    let names = lines.iter().filter_map(|line| line.strip_prefix("KSELFTEST: ")?.strip_suffix(" ok"));
    names.collect()
}

#[test]
fn every_test_passes_where_every_cpu_does_its_part() {
    for cpus in [2, 3, 8] {
        let table = Table::new(testing::spreading_machine(cpus, 128));
        let used = table.kernel.frames.pool.used();
        let lines = table.lines();
        assert_eq!(good(&lines), ALL, "{lines:?}");
        assert_eq!(table.kernel.frames.pool.used(), used, "the test process has left something");
        assert_eq!(table.kernel.processes.pool.used(), 1);
    }
}

#[test]
fn a_missing_cpu_leaves_no_line() {
    let kernel = testing::spreading_machine(2, 128);
    kernel.cpus[1].online.set(crate::cpu::GIVEN_UP);
    let lines = Table::new(kernel).lines();
    assert!(good(&lines).is_empty(), "{lines:?}");
    assert!(lines[0].starts_with("KSELFTEST: smp online FAIL cpu1 is missing"), "{}", lines[0]);
}

#[test]
fn a_cpu_that_hears_nothing_acknowledges_nothing() {
    let table = Table { deaf: 0b10, ..Table::new(testing::spreading_machine(2, 128)) };
    let lines = table.printed();
    assert!(lines.is_empty());
    run(table.kernel, &table);
    let lines = table.printed();
    assert_eq!(good(&lines), ["smp online"], "{lines:?}");
    assert!(lines.iter().any(|line| line == "KINIT: cpu1 is given up: it does not answer"), "{lines:?}");
    assert!(!table.kernel.cpus[1].is_online(), "a fence would wait for it");
}

#[test]
fn nothing_is_stolen_where_nothing_spreads() {
    let kernel = testing::machine(2, 128);
    assert!(kernel.machine.stays);
    let lines = Table::new(kernel).lines();
    assert_eq!(good(&lines), [&ALL[..5], &ALL[6..7]].concat(), "{lines:?}");
}
