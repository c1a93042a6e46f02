//! Fires timers inside their windows, and tells the time.
//!
//! A state machine over requests and time: [`timers`] keeps what is pending in order, [`counters`] what happened,
//! [`clock`] the wall clock, and this file decides who may and what a wake-up does. The machine is an
//! argument ([`Board`]), so the whole service runs under test.
//!
//! A timer's notification belongs to the service while it is pending and is closed when it fires the last time, is
//! cancelled or replaced. Nobody tells the service that an owner died: its timers go when they fire into nothing, or when
//! the table is full and room has to be found.

#![no_std]

extern crate alloc;

mod board;
mod clock;
mod counters;
mod machine;
pub mod timers;

pub use board::Board;
pub use machine::open;

use alloc::vec::Vec;
use nexus_abi::{Deadline, Error, Handle, QosClass};
use nexus_ipc::{Answered, Call, Caller, Message, NoAnswer, Outcome, Port, Serve};
use nexus_proto::audit::Ledger;
use nexus_proto::timer::{self, CONTROL, PRECISE};
use nexus_proto::timer::{Cancelled, Clock, Counted, LEAST_PERIOD, Lateness, Listed, MAX_TIMERS, Registered};
use nexus_proto::timer::{MAX_TIMERS_PER_OWNER, STATUS_INVALID_ARGS, STATUS_OVER_LIMIT, Turns};

use clock::WallClock;
use counters::Counters;
use timers::{Alarm, Key, Timer, Timers};

/// The service.
#[derive(Debug)]
pub struct Timed<B> {
    board: B,
    timebase: u64,
    timers: Timers,
    counters: [Counters; QosClass::COUNT],
    ledger: Ledger,
    clock: WallClock,
}

impl<B: Board> Timed<B> {
    /// A service without timers, on a machine whose counter makes so many ticks a second.
    pub fn new(board: B, timebase: u64) -> Timed<B> {
        let windows = QosClass::ALL.map(|class| timer::ticks(timer::window(class), timebase));
        Timed {
            board,
            timebase,
            timers: Timers::new(windows),
            counters: [Counters::default(); QosClass::COUNT],
            ledger: Ledger::new(timebase),
            clock: WallClock::default(),
        }
    }

    /// The machine under it.
    pub fn board(&mut self) -> &mut B {
        &mut self.board
    }

    /// Whether a timer may be registered. Changes nothing but that dead owners' timers go.
    fn admit(&mut self, call: &mut Call<'_>, key: Key, timer: &Timer) -> Result<(), Error> {
        if timer.class >= QosClass::Interactive && !call.caller.may(PRECISE) {
            return Err(Error::Permission);
        }
        let shortest = timer::ticks(LEAST_PERIOD, self.timebase);
        let senseless = timer.bits == 0 || Deadline(timer.deadline) == Deadline::NEVER;
        if senseless || (1..shortest).contains(&timer.period) {
            return Err(STATUS_INVALID_ARGS);
        }
        self.board.check(timer.notification)?;
        if self.timers.contains(key) {
            return Ok(());
        }
        if self.timers.len_of_owner(key.owner()) >= MAX_TIMERS_PER_OWNER {
            return Err(STATUS_OVER_LIMIT);
        }
        if self.timers.len() >= MAX_TIMERS {
            self.sweep(call.port);
        }
        if self.timers.len() >= MAX_TIMERS { Err(STATUS_OVER_LIMIT) } else { Ok(()) }
    }

    /// Drops the timers of owners that are gone. An owner lives if its first notification does, so that looking takes a
    /// system call an owner, and one more for each timer that goes.
    fn sweep(&mut self, port: &mut dyn Port) {
        let all: Vec<(Key, Handle)> = self.timers.iter().map(|(key, timer)| (key, timer.notification)).collect();
        let mut living = None;
        for (key, notification) in all {
            if living == Some(key.owner()) {
                continue;
            }
            match self.board.check(notification) {
                Ok(()) => living = Some(key.owner()),
                Err(_) => {
                    self.timers.remove(key);
                    port.close(notification);
                }
            }
        }
    }

    /// Signals one timer; then it is gone, or waits for its next turn.
    fn fire(&mut self, port: &mut dyn Port, key: Key, timer: &Timer, now: u64) {
        let heard = self.board.signal(timer.notification, timer.bits).is_ok();
        let end = self.timers.window_end(timer.class, timer.deadline);
        self.counters[timer.class as usize].fired(port.now().saturating_sub(end), self.timebase);
        match timer.next_turn(now) {
            Some(next) if heard => _ = self.timers.insert(key, next),
            _ => port.close(timer.notification),
        }
    }

    /// One audit a registration, also of one that cannot be read.
    fn audit(&mut self, call: &Call<'_>, outcome: Result<&'static str, Error>) {
        let Caller { service, process, .. } = call.caller;
        if let Some(spoken) = self.ledger.take(call.port.now(), service, outcome) {
            self.board.audit(&spoken.of("register", &format_args!("{:#x}", service.0), &process.number()));
        }
    }

    fn visible(&self, caller: &Caller) -> impl Iterator<Item = (Key, &Timer)> {
        let (all, own) = (caller.may(CONTROL), caller.process);
        self.timers.iter().filter(move |(key, _)| all || key.owner() == own)
    }
}

impl<B: Board> timer::Timer for Timed<B> {
    fn register(
        &mut self,
        call: &mut Call<'_>,
        token: u64,
        class: QosClass,
        turns: Turns,
        bits: u64,
        notification: Handle,
    ) -> Outcome<Registered> {
        let key = Key::new(call.caller.process, token);
        let timer = Timer { class, deadline: turns.deadline.0, period: turns.period, bits, notification };
        if let Err(error) = self.admit(call, key, &timer) {
            self.counters[class as usize].refused += 1;
            return Err(error.into());
        }
        self.counters[class as usize].registered += 1;
        if let Some(replaced) = self.timers.insert(key, timer) {
            call.port.close(replaced.notification);
        }
        Ok(Registered {})
    }

    fn cancel(&mut self, call: &mut Call<'_>, token: u64) -> Outcome<Cancelled> {
        let cancelled = self.timers.remove(Key::new(call.caller.process, token)).ok_or(Error::NotFound)?;
        call.port.close(cancelled.notification);
        Ok(Cancelled {})
    }

    fn list(&mut self, call: &mut Call<'_>, index: u32) -> Outcome<Listed> {
        let (key, timer) = self.visible(&call.caller).nth(index as usize).ok_or(Error::NotFound)?;
        let Timer { class, deadline, period, .. } = *timer;
        let turns = Turns { deadline: Deadline(deadline), period };
        Ok(Listed { index, owner: key.owner(), token: key.token, class, turns })
    }

    fn count(&mut self, _: &mut Call<'_>, class: QosClass) -> Outcome<Counted> {
        Ok(self.counters[class as usize].counted(self.timers.len_of_class(class)))
    }

    fn lateness(&mut self, _: &mut Call<'_>, class: QosClass) -> Outcome<Lateness> {
        Ok(self.counters[class as usize].lateness())
    }

    fn clock(&mut self, call: &mut Call<'_>) -> Outcome<Clock> {
        let unix_ns = self.clock.read(self.board.wall_ns());
        Ok(Clock { unix_ns, ticks: call.port.now() })
    }
}

impl<B: Board> Serve for Timed<B> {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        let outcome = timer::dispatch(self, call, request);
        if request.tag() == timer::REGISTER {
            self.audit(
                call,
                match &outcome {
                    Err(NoAnswer::Refused(error)) => Err(*error),
                    _ => Ok("within_limits"),
                },
            );
        }
        outcome
    }

    fn deadline(&self) -> Deadline {
        self.timers.alarm().map_or(Deadline::NEVER, |alarm| Deadline(alarm.at))
    }

    /// The earliest window has ended: fires whatever is due, and counts whom the wake-up served.
    fn expired(&mut self, port: &mut dyn Port) {
        let now = port.now();
        let Some(Alarm { class: woken, .. }) = self.timers.alarm().filter(|alarm| alarm.at <= now) else { return };
        let mut last = [None; QosClass::COUNT];
        while let Some((key, timer)) = self.timers.take_due(now) {
            self.fire(port, key, &timer, now);
            let counters = &mut self.counters[timer.class as usize];
            let previous = last[timer.class as usize].replace(timer.deadline);
            if timer.class == woken && previous.is_none() {
                counters.woken += 1;
            } else {
                counters.coalesced += 1;
                counters.saved += u64::from(previous != Some(timer.deadline));
            }
        }
    }
}
