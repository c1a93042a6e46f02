//! Windows, interrupt lines, and the reserved calls.

use super::bench::{BASE, Bench, PAGE};
use crate::{
    process::quota::Resource,
    testing::{Outcome, WIDE, call_at, give, honour, machine, put_on_cpu, thread},
    ways::Way,
};
use nexus_abi::{
    Deadline, Error, Handle, Kind, QosClass, Quota, Rights,
    syscall::{Close, DmaAddress, DmaCreate, Inspect, IrqAck, IrqMint, Map, Quiesce, Revoke, Wait, WindowMint, access},
};
use std::{format, string::String};

const UART: u64 = 0x1000_2000;

impl Bench {
    fn window(&self, address: u64, pages: u64) -> WindowMint {
        WindowMint { root: self.root, address, pages }
    }

    fn line(&self, line: u32, notification: Handle) -> IrqMint {
        IrqMint { root: self.root, line, notification, bits: 4 }
    }

    fn masked(&self) -> u32 {
        self.kernel.cpus[0].at_rest().requests.mask.get()
    }
}

#[test]
fn a_window_maps_its_registers_and_is_minted_once() {
    let bench = Bench::new(64);
    let window = bench.call(bench.window(UART, 2)).expect("nobody has it").window;

    let inspected = bench.call(Inspect { handle: window }).expect("the handle is good");
    assert_eq!((inspected.kind, inspected.size), (Kind::Window, 2));
    assert_eq!(bench.map(window, 0, (1, 1), access::WRITE), Ok(1));
    assert_eq!(bench.page(0).map(|(address, _)| address), Some(UART + PAGE));
    bench.refused(bench.window(UART + PAGE, 1), Error::Exists);
    bench.refused(bench.window(UART - PAGE, 2), Error::Exists);

    bench.call(Close { handle: window }).map(|_| ()).expect("the handle is good");
    bench.refused(bench.window(UART, 1), Error::Exists);
    assert_eq!(bench.unmap(0, 1), Ok(1), "the mapping was its last use");
    assert!(bench.call(bench.window(UART, 1)).is_ok());
}

#[test]
fn window_mint_refuses() {
    let bench = Bench::with(machine(1, 64), &Quota { memories: 1, ..WIDE });
    let weak = bench.weaker(bench.root, Rights::TRANSFER);
    let memory = give(bench.kernel, bench.process, Kind::Info, 0, Rights::ALL);
    let cases = [
        (bench.window(UART + 1, 1), Error::Invalid),
        (bench.window(UART, 0), Error::Invalid),
        (bench.window(UART, u64::MAX), Error::Invalid),
        (bench.window((1 << 56) - PAGE, 2), Error::Invalid),
        (bench.window(u64::MAX - PAGE + 1, 1), Error::Invalid),
        (bench.window(0x8000_0000, 1), Error::Permission),
        (bench.window(0x7fff_f000, 2), Error::Permission),
        (bench.window(0xc00_0000, 1), Error::Permission),
        (bench.window(0x1ff_f000, 2), Error::Permission),
        (WindowMint { root: weak, ..bench.window(UART, 1) }, Error::Permission),
        (WindowMint { root: memory, ..bench.window(UART, 1) }, Error::WrongKind),
    ];
    for (request, error) in cases {
        bench.refused(request, error);
    }
    let window = bench.call(bench.window(UART, 1)).expect("nobody has it").window;
    bench.refused(bench.window(UART + PAGE, 1), Error::OverLimit);
    let execute = Map { process: None, memory: window, address: BASE, offset: 0, pages: 1, access: access::EXECUTE };
    bench.refused(execute, Error::Permission);
    bench.call(Close { handle: weak }).map(|_| ()).expect("the handle is good");
    bench.refused(WindowMint { root: weak, ..bench.window(UART, 1) }, Error::BadHandle);
}

#[test]
fn window_mint_refuses_when_the_arena_is_full() {
    let bench = Bench::with(machine(1, 64), &Quota { memories: 500, ..WIDE });
    for at in 0..u64::from(bench.kernel.memories.pool.capacity) {
        bench.call(bench.window(UART + at * PAGE, 1)).map(|_| ()).expect("the arena has room");
    }
    bench.refused(bench.window(UART + 500 * PAGE, 1), Error::Exhausted);
}

#[test]
fn an_interrupt_signals_and_is_acknowledged() {
    let bench = Bench::new(64);
    let notification = bench.notification();
    let irq = bench.call(bench.line(10, notification)).expect("nobody has it").irq;
    bench.call(IrqAck { irq }).map(|_| ()).expect("the handle is good");
    assert_eq!(bench.kernel.cpus[0].at_rest().requests.acknowledge.get(), 11);
    bench.kernel.interrupt(bench.kernel.cpus[0].here(), 10, 0);

    assert_eq!(bench.masked(), 0);
    let waited = bench.call(Wait { notification, deadline: Deadline::POLL }).expect("it was signalled");
    assert_eq!(waited.bits, 4);
    bench.call(IrqAck { irq }).map(|_| ()).expect("the handle is good");
    assert_eq!(bench.kernel.cpus[0].at_rest().requests.acknowledge.get(), 11);
}

/// What threads and queues look like after an interrupt that a thread waits for, while one of a lower class runs.
fn after_an_interrupt(way: Way) -> String {
    let bench = Bench::new(64);
    let notification = bench.notification();
    bench.call(bench.line(10, notification)).map(|_| ()).expect("nobody has it");
    let low = thread(bench.kernel, bench.process);
    low.set_base_class(QosClass::Idle);
    let waits = call_at(bench.kernel, bench.thread, Wait { notification, deadline: Deadline::NEVER }, 0);
    assert_eq!(waits, Outcome::Waits);
    put_on_cpu(bench.kernel, 0, low);
    let cpu = bench.kernel.cpus[0].here();
    assert_eq!(bench.kernel.interrupted(cpu, 10, (way, 70)), way);
    assert_eq!((cpu.current.get(), bench.thread.frame.message(0)), (bench.thread.index(), 4));
    assert_eq!((cpu.counters.device_interrupts.get(), cpu.outside.get()), (1, 0));
    format!("{:?} {low:?} {:?} {} {}", bench.thread, (&cpu.ready, &cpu.load), cpu.slice_end.get(), cpu.floor.get())
}

#[test]
fn an_interrupt_that_is_waited_for_leaves_the_same_by_either_way() {
    assert_eq!(after_an_interrupt(Way::Turn), after_an_interrupt(Way::General));
}

#[test]
fn a_line_that_nobody_holds_is_masked() {
    let bench = Bench::new(64);
    honour(bench.kernel);
    bench.kernel.interrupt(bench.kernel.cpus[0].here(), 12, 0);
    assert_eq!(bench.masked(), 13);
    assert_eq!(bench.kernel.cpus[0].at_rest().requests.acknowledge.get(), 0);
}

#[test]
fn the_last_handle_of_a_line_masks_it_and_frees_it() {
    let bench = Bench::new(64);
    let notification = bench.notification();
    let irq = bench.call(bench.line(10, notification)).expect("nobody has it").irq;
    bench.call(Close { handle: irq }).map(|_| ()).expect("the handle is good");
    assert_eq!(bench.masked(), 11);
    assert_eq!(bench.process.account.used(Resource::Irqs), 0);
    assert!(bench.call(bench.line(10, notification)).is_ok());
}

#[test]
fn irq_mint_refuses() {
    let bench = Bench::with(machine(1, 64), &Quota { irqs: 1, ..WIDE });
    let notification = bench.notification();
    let good = bench.line(10, notification);
    let deaf = bench.weaker(notification, Rights::TAKE);
    let closed = bench.weaker(notification, Rights::USE);
    bench.call(Close { handle: closed }).map(|_| ()).expect("the handle is good");
    let weak = bench.weaker(bench.root, Rights::NONE);
    let cases = [
        (IrqMint { line: 0, ..good }, Error::Invalid),
        (IrqMint { line: 96, ..good }, Error::Invalid),
        (IrqMint { line: u32::MAX, ..good }, Error::Invalid),
        (IrqMint { bits: 0, ..good }, Error::Invalid),
        (IrqMint { root: weak, ..good }, Error::Permission),
        (IrqMint { root: notification, ..good }, Error::WrongKind),
        (IrqMint { notification: deaf, ..good }, Error::Permission),
        (IrqMint { notification: bench.root, ..good }, Error::WrongKind),
        (IrqMint { notification: closed, ..good }, Error::BadHandle),
        (IrqMint { root: closed, ..good }, Error::BadHandle),
    ];
    for (request, error) in cases {
        bench.refused(request, error);
    }
    bench.call(good).map(|_| ()).expect("nobody has it");
    bench.refused(good, Error::Exists);
    bench.refused(IrqMint { line: 11, ..good }, Error::OverLimit);
}

#[test]
fn irq_mint_refuses_a_notification_that_is_gone_and_a_full_arena() {
    let bench = Bench::with(machine(1, 64), &Quota { irqs: 50, ..WIDE });
    let other = Bench::with(bench.kernel, &WIDE);
    let theirs = other.notification();
    let object = other.kernel.slot(other.process, theirs).expect("the handle is good").object.get();
    let mine = give(bench.kernel, bench.process, Kind::Notification, object, Rights::ALL);
    let notification = bench.notification();
    for line in 1..=bench.kernel.irqs.pool.capacity {
        bench.call(bench.line(line, notification)).map(|_| ()).expect("the arena has room");
    }
    bench.refused(bench.line(50, notification), Error::Exhausted);

    bench.kernel.notifications.get(object).expect("it lives").header.die();
    bench.refused(bench.line(51, mine), Error::PeerClosed);
}

#[test]
fn irq_ack_refuses() {
    let bench = Bench::new(64);
    let notification = bench.notification();
    let irq = bench.call(bench.line(10, notification)).expect("nobody has it").irq;
    let weak = bench.weaker(irq, Rights::TRANSFER);
    bench.refused(IrqAck { irq: weak }, Error::Permission);
    bench.refused(IrqAck { irq: notification }, Error::WrongKind);
    bench.call(Revoke { handle: irq }).map(|_| ()).expect("the handle is good");
    bench.refused(IrqAck { irq: weak }, Error::BadHandle);
    let object = bench.kernel.irqs.at(1);
    object.header.die();
    assert_eq!(crate::testing::call(bench.kernel, bench.thread, IrqAck { irq }).map(|_| ()), Err(Error::PeerClosed));
}

#[test]
fn reserved_calls_answer_enosys() {
    let bench = Bench::new(64);
    bench.refused(DmaCreate { root: bench.root, pages: 1 }, Error::NoCall);
    bench.refused(DmaAddress { memory: bench.root }, Error::NoCall);
    bench.refused(Quiesce { window: bench.root, offset: 0, value: 0 }, Error::NoCall);
}
