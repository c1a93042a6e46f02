//! The 16550 driver: the console's lines and keys.
//!
//! One session at a time holds the keyboard and writes raw bytes; everybody else's lines come out of the kernel's ring,
//! under the prefix that the kernel stamped. The service waits for nothing but its one receive loop: readers and writers
//! that have to wait are answered when the device interrupts.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod board;
mod guard;
mod keyboard;
mod machine;
mod screen;
mod uart;

pub use board::{Board, LogChunk};
pub use machine::{Ring, Window, open};
pub use uart::{Registers, Uart};

use alloc::vec::Vec;
use guard::Writer;
use keyboard::{Effect, Keyboard, Reader};
use nexus_abi::{Error, Handle, ProcessId};
use nexus_ipc::{Answered, Call, Message, Outcome, Port, Serve, Signal, Ticket};
use nexus_proto::console::{self, Claimed, Console, Flushed, Keys, Lent, Retaken};
use nexus_proto::stream::{self, Chunk, Closed, Stream};
use screen::Screen;

/// Where a badge of the manifest's says which interface it is for; see `wiring`.
const ROUTE_SHIFT: u32 = 56;
/// Takes the last shown byte back.
const ERASE: &[u8] = b"\x08 \x08";
/// The bit that the device's interrupt signals.
const DEVICE_BIT: u64 = 1;
/// Writers that may wait for the console at once, and as many who wait until all is sent.
const WRITERS: usize = 8;
/// Bytes that one turn takes from or gives to the device, so that a flood cannot keep the loop.
const TURN: usize = 512;

/// Who holds keyboard and screen.
#[derive(Debug)]
struct Holder {
    process: ProcessId,
    events: Handle,
    bits: u64,
}

/// A read that waits for keys.
enum Waiting {
    Session(Ticket<Keys>, usize),
    Program(Ticket<Chunk>, usize),
}

/// A write that waits for room.
enum Writing {
    Session(Ticket<console::Written>, Vec<u8>),
    Program(Ticket<stream::Written>, Vec<u8>),
}

/// The service.
pub struct Consoled<R, B> {
    uart: Uart<R>,
    board: B,
    screen: Screen,
    keyboard: Keyboard,
    holder: Option<Holder>,
    /// The badge of the loan under way; 0: none.
    loan: u64,
    /// The last badge given out.
    badge: u64,
    waiting: Option<Waiting>,
    writing: Vec<Writing>,
    flushing: Vec<Ticket<Flushed>>,
}

impl<R: Registers, B: Board> Consoled<R, B> {
    /// A console over this device.
    pub fn new(uart: Uart<R>, board: B) -> Self {
        let (screen, keyboard) = (Screen::default(), Keyboard::default());
        let (holder, waiting, writing, flushing) = (None, None, Vec::new(), Vec::new());
        Consoled { uart, board, screen, keyboard, holder, loan: 0, badge: 0, waiting, writing, flushing }
    }

    /// Moves what can move: keys to readers, the ring and writers to the screen, the screen to the device.
    pub fn turn(&mut self, port: &mut dyn Port) {
        self.take_keys();
        self.answer_reader(port);
        let all_taken = self.take_log();
        self.take_writers(port);
        for _ in 0..TURN {
            match self.screen.next() {
                Some(byte) if self.uart.transmit(byte) => self.screen.sent(),
                _ => break,
            }
        }
        if all_taken && self.screen.pending() == 0 {
            // Who is gone needs no answer.
            self.flushing.drain(..).for_each(|ticket| _ = ticket.answer(port, Ok(Flushed {})));
        }
        let room = self.keyboard.has_room(self.reader());
        let keys = if room { uart::Keys::Wanted } else { uart::Keys::Held };
        self.uart.expect(keys, self.screen.pending());
    }

    fn reader(&self) -> Reader {
        if self.loan == 0 { Reader::Session } else { Reader::Program }
    }

    fn take_keys(&mut self) {
        for _ in 0..TURN {
            let reader = self.reader();
            if !self.keyboard.has_room(reader) {
                return;
            }
            let Some(byte) = self.uart.receive() else { return };
            match (self.keyboard.press(byte, reader), &self.holder) {
                (Effect::Shown(byte), _) => _ = self.screen.raw(&[byte], Writer::Session),
                (Effect::Erased(count), _) => _ = self.screen.raw(&ERASE.repeat(count), Writer::Session),
                (Effect::Interrupt, Some(holder)) => self.board.notify(holder.events, holder.bits),
                (Effect::Interrupt | Effect::None, _) => {}
            }
        }
    }

    fn answer_reader(&mut self, port: &mut dyn Port) {
        let Some(waiting) = self.waiting.take() else { return };
        let most = match waiting {
            Waiting::Session(_, most) | Waiting::Program(_, most) => most,
        };
        let Some(data) = self.keyboard.read(most) else {
            self.waiting = Some(waiting);
            return;
        };
        let answered = match waiting {
            Waiting::Session(ticket, _) => ticket.answer(port, Ok(Keys { data: data.clone() })),
            Waiting::Program(ticket, _) => ticket.answer(port, Ok(Chunk { data: data.clone() })),
        };
        if answered.is_err() {
            self.keyboard.unread(&data);
        }
    }

    /// Answers whether all of the ring was taken.
    fn take_log(&mut self) -> bool {
        while self.screen.takes_system() {
            let Ok(chunk) = self.board.log() else { return false };
            if chunk.lost > 0 {
                self.screen.lost(chunk.lost);
            }
            if chunk.bytes.is_empty() {
                return true;
            }
            self.screen.system(&chunk.bytes);
        }
        false
    }

    /// Writers are served in the order in which they came.
    fn take_writers(&mut self, port: &mut dyn Port) {
        while !self.writing.is_empty() {
            let (data, writer) = match &self.writing[0] {
                Writing::Session(_, data) => (data, Writer::Session),
                Writing::Program(_, data) => (data, Writer::Program),
            };
            let length = self.screen.raw(data, writer) as u32;
            if length == 0 && !data.is_empty() {
                return;
            }
            // A writer that is gone has nothing more to say.
            let _ = match self.writing.remove(0) {
                Writing::Session(ticket, _) => ticket.answer(port, Ok(console::Written { length })),
                Writing::Program(ticket, _) => ticket.answer(port, Ok(stream::Written { length })),
            };
        }
    }

    /// The console is another's, or another reader's, from here on: whoever waits is told so.
    fn interrupt_waiters(&mut self, port: &mut dyn Port) {
        self.keyboard.change_hands();
        self.screen.end_line();
        // Whoever waited may be gone.
        let _ = match self.waiting.take() {
            Some(Waiting::Session(ticket, _)) => ticket.answer(port, Err(Error::Cancelled)),
            Some(Waiting::Program(ticket, _)) => ticket.answer(port, Ok(Chunk { data: Vec::new() })),
            None => Ok(()),
        };
    }

    /// `EPERM` unless the caller is the session, through the manifest's route.
    fn check_session(&self, call: &Call<'_>) -> Result<(), Error> {
        let holds = self.holder.as_ref().is_some_and(|holder| holder.process == call.caller.process);
        if holds && !is_loan(call.caller.badge) { Ok(()) } else { Err(Error::Permission) }
    }

    fn check_writers(&self) -> Result<(), Error> {
        if self.writing.len() < WRITERS { Ok(()) } else { Err(Error::Again) }
    }
}

/// Whether a badge is that of a loan: those of the manifest's routes name an interface in their top byte, ours do not.
fn is_loan(badge: u64) -> bool {
    (1..1 << ROUTE_SHIFT).contains(&badge)
}

impl<R: Registers, B: Board> Console for Consoled<R, B> {
    fn claim(&mut self, call: &mut Call<'_>, events: Handle, bits: u64) -> Outcome<Claimed> {
        if is_loan(call.caller.badge) {
            return Err(Error::Permission.into());
        }
        if let Some(holder) = &self.holder {
            if holder.process != call.caller.process && self.board.lives(holder.events) {
                return Err(Error::Again.into());
            }
            call.port.close(holder.events);
        }
        self.interrupt_waiters(call.port);
        self.loan = 0;
        self.holder = Some(Holder { process: call.caller.process, events, bits });
        Ok(Claimed {})
    }

    fn read(&mut self, call: &mut Call<'_>, most: u32) -> Outcome<Keys> {
        self.check_session(call)?;
        if most == 0 || self.loan != 0 {
            return Err(if most == 0 { Error::Invalid } else { Error::State }.into());
        }
        let most = (most as usize).min(console::KEYS);
        if let Some(data) = self.keyboard.read(most) {
            return Ok(Keys { data });
        }
        if self.waiting.is_some() {
            return Err(Error::Again.into());
        }
        let (ticket, deferred) = call.defer()?;
        self.waiting = Some(Waiting::Session(ticket, most));
        Err(deferred.into())
    }

    fn write(&mut self, call: &mut Call<'_>, data: &[u8]) -> Outcome<console::Written> {
        self.check_session(call)?;
        if self.writing.is_empty() {
            let length = self.screen.raw(data, Writer::Session) as u32;
            if length > 0 || data.is_empty() {
                return Ok(console::Written { length });
            }
        }
        self.check_writers()?;
        let (ticket, deferred) = call.defer()?;
        self.writing.push(Writing::Session(ticket, data.to_vec()));
        Err(deferred.into())
    }

    fn lend(&mut self, call: &mut Call<'_>) -> Outcome<Lent> {
        self.check_session(call)?;
        if self.loan != 0 {
            return Err(Error::State.into());
        }
        let badge = self.badge + 1;
        let stream = self.board.lend(badge)?;
        (self.badge, self.loan) = (badge, badge);
        self.interrupt_waiters(call.port);
        Ok(Lent { stream })
    }

    fn retake(&mut self, call: &mut Call<'_>) -> Outcome<Retaken> {
        self.check_session(call)?;
        self.interrupt_waiters(call.port);
        self.loan = 0;
        Ok(Retaken {})
    }

    fn flush(&mut self, call: &mut Call<'_>) -> Outcome<Flushed> {
        if is_loan(call.caller.badge) {
            return Err(Error::Permission.into());
        }
        if self.flushing.len() >= WRITERS {
            return Err(Error::Again.into());
        }
        let (ticket, deferred) = call.defer()?;
        self.flushing.push(ticket);
        Err(deferred.into())
    }
}

impl<R: Registers, B: Board> Stream for Consoled<R, B> {
    fn read(&mut self, call: &mut Call<'_>, most: u32) -> Outcome<Chunk> {
        if !is_loan(call.caller.badge) {
            return Err(Error::Permission.into());
        }
        if call.caller.badge != self.loan {
            return Ok(Chunk { data: Vec::new() });
        }
        if most == 0 {
            return Err(Error::Invalid.into());
        }
        let most = (most as usize).min(stream::CHUNK);
        if let Some(data) = self.keyboard.read(most) {
            return Ok(Chunk { data });
        }
        if self.waiting.is_some() {
            return Err(Error::Again.into());
        }
        let (ticket, deferred) = call.defer()?;
        self.waiting = Some(Waiting::Program(ticket, most));
        Err(deferred.into())
    }

    fn write(&mut self, call: &mut Call<'_>, data: &[u8]) -> Outcome<stream::Written> {
        if !is_loan(call.caller.badge) {
            return Err(Error::Permission.into());
        }
        if call.caller.badge != self.loan {
            return Err(Error::PeerClosed.into());
        }
        if self.writing.is_empty() {
            let length = self.screen.raw(data, Writer::Program) as u32;
            if length > 0 || data.is_empty() {
                return Ok(stream::Written { length });
            }
        }
        self.check_writers()?;
        let (ticket, deferred) = call.defer()?;
        self.writing.push(Writing::Program(ticket, data.to_vec()));
        Err(deferred.into())
    }

    fn close(&mut self, call: &mut Call<'_>) -> Outcome<Closed> {
        // Several programs of one line may share the loan: it ends when the session takes it back.
        if is_loan(call.caller.badge) { Ok(Closed {}) } else { Err(Error::Permission.into()) }
    }
}

impl<R: Registers, B: Board> Serve for Consoled<R, B> {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        let outcome = match stream::owns(request) {
            true => stream::dispatch(self, call, request),
            false => console::dispatch(self, call, request),
        };
        self.turn(call.port);
        outcome
    }

    fn signal(&mut self, port: &mut dyn Port, signal: Signal) {
        self.turn(port);
        if signal.bits & DEVICE_BIT != 0 {
            self.board.interrupt_done();
        }
    }
}

#[cfg(test)]
#[path = "consoled_tests.rs"]
mod tests;
