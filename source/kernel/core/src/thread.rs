//! Threads: one flow of control in one process, for life.

mod slice;
mod state;

pub use state::State;

use crate::gate::Gate;
use crate::prelude::*;
use nexus_abi::field::Words;

/// Registers of user mode while the thread is not running. The machine layer's trap entry knows this layout:
/// word 0 is `pc`, word n is `xn`.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Frame([Word; 32]);

/// Register numbers of the calling convention.
pub mod reg {
    /// Return address.
    pub const RA: usize = 1;
    /// Stack pointer.
    pub const SP: usize = 2;
    /// Status out.
    pub const T0: usize = 5;
    /// Always 0 out.
    pub const T1: usize = 6;
    /// Number in, badge out.
    pub const T2: usize = 7;
    /// First of the eight message words.
    pub const A0: usize = 10;
    /// Target in, sender's service id out.
    pub const T3: usize = 28;
    /// Sender's process id out.
    pub const T4: usize = 29;
    /// Deadline in, trace id out.
    pub const T5: usize = 30;
    /// Extent in, 0 out.
    pub const T6: usize = 31;
}

impl Frame {
    /// Register `xn`; 0 is `pc`.
    pub fn get(&self, register: usize) -> u64 {
        self.0[register & 31].get()
    }

    /// Sets register `xn`; 0 is `pc`.
    pub fn set(&self, register: usize, value: u64) {
        self.0[register & 31].set(value);
    }

    /// Message word `at`.
    pub fn message(&self, at: usize) -> u64 {
        self.get(reg::A0 + (at & 7))
    }

    /// Sets message word `at`.
    pub fn set_word(&self, at: usize, word: u64) {
        self.set(reg::A0 + (at & 7), word);
    }

    /// Copies the eight message words from another frame.
    pub fn copy_message(&self, from: &Frame) {
        for word in reg::A0..reg::A0 + 8 {
            self.set(word, from.get(word));
        }
    }

    /// Sets the eight message words.
    pub fn set_message(&self, words: [u64; 8]) {
        for (at, word) in words.into_iter().enumerate() {
            self.set(reg::A0 + at, word);
        }
    }

    /// Writes the registers of an answer other than the message words.
    pub fn set_status(&self, status: u64, badge: u64, from: Stamp) {
        self.set(reg::T0, status);
        self.set(reg::T2, badge);
        self.set(reg::T3, from.service);
        self.set(reg::T4, from.process);
        self.set(reg::T5, from.trace);
        for register in [reg::RA, reg::T1, reg::T6] {
            self.set(register, 0);
        }
    }

    /// Answers a refusal: the status, and nothing else.
    #[inline(never)]
    pub fn refuse(&self, error: Error) {
        self.set_message([0; 8]);
        self.set_status(Status::refused(error).0, 0, Stamp::default());
    }

    /// Clears every register.
    pub fn clear(&self) {
        self.0.as_chunks::<8>().0.iter().for_each(|words| words.iter().for_each(|word| word.set(0)));
    }
}

impl Words for Frame {
    fn word(&self, at: usize) -> u64 {
        self.message(at)
    }
}

/// The class with this number, of which the low two bits count.
pub(crate) fn class_of(number: u32) -> QosClass {
    QosClass::from_wire((number & 3).into()).unwrap_or(QosClass::PerfBurst)
}

/// What the kernel says of a sender.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stamp {
    /// Its service id.
    pub service: u64,
    /// Its process id and generation.
    pub process: u64,
    /// The trace it works for.
    pub trace: u64,
}

/// A thread. Guarded by its shard, except where a field says otherwise. Everything before the frame
/// is in reach of short instructions: half words in the first 128 bytes, words in the first 256.
#[derive(Debug, Default)]
#[repr(C, align(512))]
pub struct Thread {
    /// Object header.
    pub header: Header,
    /// Neighbours in the one list that [`State`] names.
    pub next: Half,
    /// See `next`.
    pub previous: Half,
    /// What a higher class left of its slice; 0: it has a whole one. With [`Thread::UNTIL`]: when the slice ends, running or
    /// not, since what it woke by a call of its own works on its account.
    pub slice_left: Half,
    /// Its class by `qos_set`, with [`Thread::TIMED`].
    wished_class: Half,
    /// Its own class: the wished one, unless its budget is spent.
    base_class: Half,
    /// The class it runs in.
    class: Half,
    /// The class under which it was queued as a caller.
    pub queued_class: Half,
    /// CPUs it may use, one bit each.
    pub affinity: Half,
    /// Weight inside its class.
    pub shares: Half,
    /// Frame of its IPC page, 0 if none.
    pub ipc_frame: Half,
    /// Owned by the machine layer: state of the saved floating-point registers.
    pub float: Half,
    /// Link in a CPU's mailbox.
    pub mail: Half,
    /// CPUs it has run on, one bit each.
    pub ran_on: Half,
    /// Place of the first slot of its process's first block; 0: not known here.
    pub near_slots: Half,
    /// What it is doing, its class, CPU and shard, and what a direct hand-over must know.
    pub gate: Gate,
    /// `satp` value of its process: a switch needs no look-up.
    pub satp: Word,
    /// Service id of its process.
    pub service: Word,
    /// Process id and generation.
    pub process: Word,
    /// Trace that its current work belongs to.
    pub trace: Word,
    /// The handle of its last receive.
    pub source: Word,
    /// Reference of the endpoint of that receive: through `source` it may receive from there straight. Without its
    /// generation, so that it is no endpoint's reference, if it may not: the handle is gone, the endpoint is not near, or
    /// something was signalled to it since.
    pub source_endpoint: Word,
    /// The caller it has to answer: that thread's [`Thread::token`], or 0.
    pub link: Word,
    /// Names this wait for an answer: `index << 48 | count`. Changes whenever the wait ends, for any reason.
    pub token: Word,
    /// Reference of what it is blocked on: endpoint to call, notification, process; while it awaits an answer: of who serves
    /// it, or once did.
    pub waits_on: Word,
    /// Badge that its queued call carries.
    pub badge: Word,
    /// Extent that its queued call carries, with [`Thread::FAULT`].
    pub extent: Word,
    /// Cause and address of the fault it was stopped by.
    pub fault: [Word; 2],
    /// 1 + when its wait ends; 0: never.
    pub ends: Word,
    /// When the timing wheel looks at it at the latest; `u64::MAX`: never.
    pub looked_at: Word,
    /// Reference of the notification whose signals also end a receive.
    pub bound: Word,
    /// Ticks that were worked for it. Added to atomically by the CPU that did.
    pub cpu_time: Word,
    /// Times it was switched to.
    pub switches: Word,
    /// Where its IPC page is mapped; 0 once it is not.
    pub ipc_page: Word,
    /// User registers. While it runs they belong to its CPU.
    pub frame: Frame,
}

impl Thread {
    /// Set in [`Thread::extent`] while the queued call is a fault.
    pub const FAULT: u64 = 1 << 63;

    /// Set in the wished class if its process has a budget.
    const TIMED: u32 = 1 << 8;

    /// [`Thread::source_endpoint`] of who never received: no endpoint has this index.
    pub const NOWHERE: u64 = u32::MAX as u64;

    /// Takes away that it may receive straight. No value of `source` would do: a program may name any.
    pub(crate) fn forget_source(&self) {
        self.source_endpoint.set(index_of(self.source_endpoint.get()).into());
    }

    /// Index of the endpoint that it served last.
    pub(crate) fn serves(&self) -> u32 {
        index_of(self.source_endpoint.get())
    }

    /// The class it runs in: its own, or a higher one that a caller donates.
    pub fn class(&self) -> QosClass {
        class_of(self.class.get())
    }

    /// Its class by `qos_set`.
    pub fn wished_class(&self) -> QosClass {
        class_of(self.wished_class.get())
    }

    /// Its own class: the wished one, unless its budget is spent.
    pub fn base_class(&self) -> QosClass {
        class_of(self.base_class.get())
    }

    /// True if it runs in this class or a higher one.
    pub(crate) fn reaches(&self, class: u32) -> bool {
        self.class.get() >= class
    }

    /// Lets it run in at least its caller's class, until it has answered.
    pub fn boost(&self, caller: &Thread) {
        let class = caller.class.get();
        if self.class.get() < class {
            self.class.set(class);
        }
    }

    /// True if the timing wheel looks at it by `deadline`: a wait until then need not be put into it.
    pub(crate) fn covered(&self, deadline: u64) -> bool {
        self.looked_at.get() <= deadline
    }

    /// Ends what callers donate.
    pub fn unboost(&self) {
        self.class.set(self.base_class.get());
    }

    /// Gives a thread to which nobody donates a class.
    pub fn set_base_class(&self, class: QosClass) {
        [&self.wished_class, &self.base_class, &self.class].into_iter().for_each(|field| field.set(class as u32));
    }

    /// Changes the class that it is to have and the one that it has of its own; see [`crate::Kernel::reclass`].
    pub(crate) fn wish(&self, wished: QosClass, base: QosClass) {
        self.wished_class.set(self.wished_class.get() & Self::TIMED | wished as u32);
        self.base_class.set(base as u32);
    }

    /// True if its process has a budget.
    pub(crate) fn timed(&self) -> bool {
        self.wished_class.get() & Self::TIMED != 0
    }

    /// Says how many ticks of a period its process has; 0: all.
    pub(crate) fn set_timed(&self, ticks: u64) {
        self.wished_class.set(self.wished_class() as u32 | if ticks == 0 { 0 } else { Self::TIMED });
    }

    /// Changes the class it runs in.
    pub(crate) fn set_class(&self, class: QosClass) {
        self.class.set(class as u32);
    }

    /// Its index in the arena.
    pub fn index(&self) -> u32 {
        self.header.me() as u32
    }

    /// What the kernel says of it to a receiver.
    pub fn stamp(&self) -> Stamp {
        Stamp { service: self.service.get(), process: self.process.get(), trace: self.trace.get() }
    }

    /// Ends the wait that the token names: whoever holds the old one holds nothing.
    pub fn renew_token(&self) -> u64 {
        let token = self.token.get().wrapping_add(1);
        self.token.set(token);
        token
    }

    /// Gives a new thread a token that no thread in its place had before.
    pub(crate) fn start_tokens(&self) {
        let count = self.token.get() & ((1 << 48) - 1);
        self.token.set(u64::from(self.index()) << 48 | count);
        self.renew_token();
    }

    /// Index of the thread that a token names.
    pub const fn index_of_token(token: u64) -> u32 {
        (token >> 48) as u32
    }
}

impl Kernel {
    /// The process of a thread.
    #[inline(always)]
    pub(crate) fn process_of(&self, thread: &Thread) -> &'static Process {
        self.processes.at(thread.process.get() as u32)
    }
}

impl Object for Thread {
    fn header(&self) -> &Header {
        &self.header
    }
}

// A thread is found by one shift.
const _: () = assert!(core::mem::size_of::<Thread>() == 512);
