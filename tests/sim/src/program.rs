//! A thread of the simulated kernel: a function of this process on a stack of its own.
//!
//! The function runs until it makes a system call, which `nexus-rt` brings here ([`Host`]): the registers are put down and
//! the stack is left. Once the kernel lets the thread go on, the answer is taken up and the function continues. So one
//! function runs at a time, all on one host thread, and whoever picks the next one picks the schedule.

use std::cell::Cell;
use std::rc::Rc;

use generator::{Generator, Gn};
use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::message::{Extent, HEADER_BYTES, Status};
use nexus_abi::syscall::{BootArguments, LogRead, LogWrite, Syscall, ipc};
use nexus_abi::{Error, ServiceId};
use nexus_core::Kernel;
use nexus_core::thread::{Thread, reg};
use nexus_rt::sys::{Arrival, Departure, Host, Stage, install_start_page};

use crate::{cast, machine, play::Play};

/// Words of a program's stack: 256 KiB.
const STACK: usize = 0x8000;

/// What goes between a program and the simulator.
struct Wire {
    kernel: &'static Kernel,
    thread: &'static Thread,
    play: Rc<Play>,
    departure: Cell<Option<Departure>>,
    arrival: Cell<Option<Arrival>>,
}

/// Where a program stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// In its own code: it goes on with what is in its frame.
    User,
    /// Before its system call: the registers are in its frame.
    Calls,
}

/// A program that runs.
pub(crate) struct Program {
    /// Which thread it is.
    pub(crate) me: u64,
    pub(crate) phase: Phase,
    wire: Rc<Wire>,
    stage: Rc<Stage>,
    run: Generator<'static, (), ()>,
}

impl Program {
    /// The program of a thread that has not run yet; none: nobody knows which one that is.
    pub(crate) fn new(kernel: &'static Kernel, thread: &'static Thread, play: &Rc<Play>) -> Option<Program> {
        let body = cast::body(ServiceId(thread.service.get()))?;
        let play = Rc::clone(play);
        let wire = Rc::new(Wire { kernel, thread, play, departure: Cell::default(), arrival: Cell::default() });
        let stage = Stage::new(Seat(Rc::clone(&wire)));
        let (at, length) = (thread.frame.message(0), thread.frame.message(1));
        let page: Vec<u8> =
            (at..at + length).map(|address| machine::load(kernel, thread, address, 1, 0) as u8).collect();
        let before = Rc::clone(&stage).enter();
        install_start_page(&page).expect("whoever starts a program writes it a sound start page");
        before.enter();
        Some(Program { me: thread.header.me(), phase: Phase::User, wire, stage, run: Gn::new_opt(STACK, body) })
    }

    /// Goes on in its own code, up to its next system call.
    pub(crate) fn go_on(&mut self) -> Departure {
        let frame = &self.wire.thread.frame;
        let arrival = Arrival {
            status: Status(frame.get(reg::T0)),
            words: core::array::from_fn(|at| frame.message(at)),
            badge: frame.get(reg::T2),
            service: frame.get(reg::T3),
            process: frame.get(reg::T4),
            trace: frame.get(reg::T5),
        };
        self.wire.arrival.set(Some(arrival));
        let before = Rc::clone(&self.stage).enter();
        self.run.resume();
        before.enter();
        self.phase = Phase::Calls;
        let out = self.wire.departure.take().expect("a program leaves its code by system calls only");
        frame.set_message(out.words);
        for (register, value) in
            [(reg::T2, out.number), (reg::T3, out.target), (reg::T5, out.deadline), (reg::T6, out.extent)]
        {
            frame.set(register, value);
        }
        out
    }
}

impl Drop for Program {
    /// What stands on its stack is dropped there, on its own stage.
    fn drop(&mut self) {
        let before = Rc::clone(&self.stage).enter();
        self.run.cancel();
        before.enter();
    }
}

/// The machine as the program sees it.
struct Seat(Rc<Wire>);

impl Host for Seat {
    fn call(&mut self, registers: &Departure, page: &mut [u8; PAGE_SIZE]) -> Arrival {
        if std::thread::panicking() {
            // Its process is gone: what its destructors ask for, the kernel has done.
            return Arrival { status: Status::refused(Error::NoCall), ..Arrival::default() };
        }
        let wire = &self.0;
        wire.write_page(page, bytes_out(registers));
        wire.departure.set(Some(*registers));
        leave();
        let arrival = wire.arrival.take().expect("the simulator resumes with an answer");
        wire.read_page(page, wire.bytes_in(registers, &arrival));
        arrival
    }

    fn time(&mut self) -> u64 {
        self.0.play.now.get()
    }

    fn load(&mut self, address: u64, bytes: usize) -> u64 {
        machine::load(self.0.kernel, self.0.thread, address, bytes, self.0.play.now.get())
    }

    fn store(&mut self, address: u64, bytes: usize, value: u64) {
        machine::store(self.0.kernel, self.0.thread, address, bytes, value);
    }

    fn sealed(&mut self, address: u64, length: usize) -> Option<&'static [u8]> {
        machine::sealed(self.0.kernel, self.0.thread, address, length)
    }
}

/// Leaves the stack of the program that runs.
#[allow(deprecated, reason = "the other way out borrows from the stack's first frame, which no machine could keep")]
fn leave() {
    generator::yield_with(());
}

/// How much of the IPC page a call reads.
fn bytes_out(registers: &Departure) -> usize {
    match registers.number {
        LogWrite::NUMBER => HEADER_BYTES + registers.words[0] as usize,
        ipc::CALL_EXTENDED | ipc::REPLY_EXTENDED | ipc::REPLY_RECV_EXTENDED => {
            HEADER_BYTES + Extent::from_word(registers.extent).unwrap_or_default().length
        }
        _ => 0,
    }
}

impl Wire {
    fn words(&self) -> &'static [nexus_core::word::Word] {
        &self.kernel.frames.at(self.thread.ipc_frame.get()).0
    }

    /// How much of the IPC page a call has written.
    fn bytes_in(&self, registers: &Departure, arrival: &Arrival) -> usize {
        match registers.number {
            LogRead::NUMBER | BootArguments::NUMBER => PAGE_SIZE,
            _ if arrival.status.has(Status::EXTENDED) => {
                HEADER_BYTES + Extent::from_word(self.words()[0].get()).unwrap_or_default().length
            }
            _ => 0,
        }
    }

    fn write_page(&self, page: &[u8; PAGE_SIZE], length: usize) {
        let chunks = page[..length.next_multiple_of(8).min(PAGE_SIZE)].as_chunks::<8>().0;
        self.words().iter().zip(chunks).for_each(|(word, bytes)| word.set(u64::from_le_bytes(*bytes)));
    }

    fn read_page(&self, page: &mut [u8; PAGE_SIZE], length: usize) {
        let chunks = page[..length.next_multiple_of(8).min(PAGE_SIZE)].as_chunks_mut::<8>().0;
        self.words().iter().zip(chunks).for_each(|(word, bytes)| *bytes = word.get().to_le_bytes());
    }
}
