//! A machine of counters, and a loop that wakes the service when it asks for it, or a little later.

#![allow(dead_code, reason = "each test uses what it needs")]

use std::{cell::RefCell, collections::BTreeSet, rc::Rc};

use nexus_abi::{Deadline, Error, Handle, ProcessId, QosClass, ServiceId};
use nexus_ipc::{Call, Caller, Message, Port, Serve, Served, wire::Wire, wire::Writer};
use nexus_proto::audit::Audit;
use nexus_proto::timer::{self, CONTROL, PRECISE};
use timed::{Board, Timed};

/// Ticks per second.
pub(crate) const TIMEBASE: u64 = 10_000_000;
/// Ticks per millisecond.
pub(crate) const MS: u64 = TIMEBASE / 1000;

/// What the machine saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) now: u64,
    pub(crate) chip_ns: u64,
    /// Signals in order: when, to whom, which bits.
    pub(crate) signals: Vec<(u64, u64, u64)>,
    /// Notifications that nobody owns any more.
    pub(crate) dead: BTreeSet<u64>,
    /// Handles that the service closed.
    pub(crate) closed: Vec<u64>,
    /// Lines that it printed.
    pub(crate) lines: Vec<String>,
}

/// The machine, shared by the service and the test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fake(pub(crate) Rc<RefCell<Seen>>);

impl Board for Fake {
    fn signal(&mut self, notification: Handle, bits: u64) -> Result<(), Error> {
        self.check(notification)?;
        let seen = &mut *self.0.borrow_mut();
        seen.signals.push((seen.now, notification.raw(), bits));
        Ok(())
    }

    fn check(&mut self, notification: Handle) -> Result<(), Error> {
        if self.0.borrow().dead.contains(&notification.raw()) { Err(Error::PeerClosed) } else { Ok(()) }
    }

    fn wall_ns(&mut self) -> u64 {
        self.0.borrow().chip_ns
    }

    fn audit(&mut self, audit: &Audit<'_>) {
        self.0.borrow_mut().lines.push(audit.to_string());
    }
}

impl Port for Fake {
    fn defer(&mut self) -> Result<Handle, Error> {
        Err(Error::State)
    }

    fn reply(&mut self, _: Handle, _: &Message) -> Result<(), Error> {
        Err(Error::State)
    }

    fn close(&mut self, handle: Handle) {
        self.0.borrow_mut().closed.push(handle.raw());
    }

    fn now(&self) -> u64 {
        self.0.borrow().now
    }
}

/// A registration, as a test writes it down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) token: u64,
    pub(crate) class: QosClass,
    pub(crate) deadline: u64,
    pub(crate) period: u64,
    pub(crate) bits: u64,
    pub(crate) notification: u64,
}

impl Default for Wish {
    fn default() -> Wish {
        Wish { token: 1, class: QosClass::Normal, deadline: 100 * MS, period: 0, bits: 1, notification: 1 }
    }
}

impl Wish {
    /// Its message.
    pub(crate) fn request(&self) -> Message {
        let mut request = Message::default();
        let mut writer = Writer::over(&mut request, timer::REGISTER);
        let words = [self.token, self.class as u64, self.deadline, self.period, self.bits];
        words.into_iter().for_each(|word| u64::put(word, &mut writer).expect("few words"));
        Handle::put(Handle::from_raw(self.notification).expect("not 0"), &mut writer).expect("one handle");
        writer.finish();
        request
    }
}

/// A process with both permissions.
pub(crate) fn process(number: u64) -> Caller {
    let service = ServiceId::program("app/boot/test");
    Caller { service, process: ProcessId(number), badge: PRECISE | CONTROL, trace: 0 }
}

/// The service under the loop's rules.
pub(crate) struct Bench {
    pub(crate) timed: Timed<Fake>,
    pub(crate) fake: Fake,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let fake = Fake::default();
        Bench { timed: Timed::new(fake.clone(), TIMEBASE), fake }
    }

    /// Sends a request; nothing that this service answers is answered later.
    pub(crate) fn ask(&mut self, caller: Caller, request: &Message) -> Result<Message, Error> {
        let mut answer = Message::default();
        let mut call = Call { caller, port: &mut self.fake, answer: &mut answer };
        assert_ne!(nexus_ipc::server::serve(&mut self.timed, &mut call, request), Served::Later);
        answer.accepted().map(|()| answer)
    }

    pub(crate) fn register(&mut self, caller: Caller, wish: &Wish) -> Result<(), Error> {
        self.ask(caller, &wish.request()).map(drop)
    }

    pub(crate) fn cancel(&mut self, caller: Caller, token: u64) -> Result<(), Error> {
        let mut request = Message::tagged(nexus_ipc::interface::tag(timer::NAME, 2));
        request.words[1] = token;
        self.ask(caller, &request).map(drop)
    }

    pub(crate) fn now(&self) -> u64 {
        self.fake.0.borrow().now
    }

    pub(crate) fn set_now(&mut self, now: u64) {
        self.fake.0.borrow_mut().now = now;
    }

    /// Wakes the service as late as `late` says, if it asks to be woken by `until`. False: it does not.
    pub(crate) fn wake(&mut self, until: u64, late: u64) -> bool {
        let deadline = self.timed.deadline();
        if deadline == Deadline::NEVER || deadline.0 > until {
            return false;
        }
        self.set_now(self.now().max(deadline.0.saturating_add(late)));
        self.timed.expired(&mut self.fake);
        true
    }

    /// Lets time pass and wakes the service exactly when it asks; answers how often that was.
    pub(crate) fn pass(&mut self, until: u64) -> usize {
        let mut wakes = 0;
        while self.wake(until, 0) {
            wakes += 1;
        }
        self.set_now(self.now().max(until));
        wakes
    }

    /// The signals so far.
    pub(crate) fn signals(&self) -> Vec<(u64, u64, u64)> {
        self.fake.0.borrow().signals.clone()
    }
}
