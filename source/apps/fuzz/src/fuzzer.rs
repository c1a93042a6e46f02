//! One thread that fuzzes: it makes calls, counts what they come to, and learns the handles that they give.

use nexus_abi::message::Status;
use nexus_abi::syscall::{self, Answer, Close, Syscall, TYPED, access, ipc};
use nexus_abi::{Error, Kind};
use nexus_rt::sys::{Arrival, Departure, counted, ipc_page, peek, poke};

use crate::dice::Dice;
use crate::pool::Pool;
use crate::tally::Tally;

/// Handles that are kept over a sequence; of more, some are closed.
const KEPT: usize = 32;
/// Calls in a sequence at most.
const LONGEST: u64 = 8;

/// The bytes that an access to mapped memory writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    /// It writes.
    Memory,
    /// It leaves what it maps alone: it may be a device.
    Nothing,
}

/// A thread's state of mind.
#[derive(Debug)]
pub(crate) struct Fuzzer {
    pub(crate) dice: Dice,
    pub(crate) pool: Pool,
    pub(crate) tally: Tally,
    /// Whether it probably owes an answer.
    pub(crate) linked: bool,
    /// The handles to processes that threads may be made in: those that end with this one.
    pub(crate) processes: [u64; 4],
    /// What it does with memory that it mapped.
    pub(crate) touch: Touch,
}

impl Fuzzer {
    /// A process in which a thread may be made, or nonsense.
    pub(crate) fn own_process(&mut self) -> u64 {
        let own = self.processes;
        match self.dice.below(8) {
            0 => self.pool.of(Kind::Endpoint, &mut self.dice).unwrap_or(7),
            1 => self.dice.next(),
            2 => 7,
            _ => self.dice.pick(&own),
        }
    }

    /// Another thread's, that knows the same and counts apart.
    pub(crate) fn twin(&mut self) -> Fuzzer {
        let dice = Dice::new(self.dice.next());
        let Fuzzer { pool, processes, touch, .. } = *self;
        Fuzzer { dice, pool, tally: self.tally.of(1), linked: false, processes, touch }
    }

    /// One sequence of random calls.
    pub(crate) fn sequence(&mut self) {
        while self.pool.count() > KEPT {
            let handle = self.pool.any(&mut self.dice).unwrap_or_default();
            self.pool.forget(handle);
            self.make(&plain(Close::NUMBER, handle));
        }
        for _ in 0..1 + self.dice.below(LONGEST) {
            let call = self.any_call();
            self.act(&call);
        }
    }

    /// Makes a call and draws conclusions.
    pub(crate) fn act(&mut self, call: &Departure) {
        let arrival = self.make(call);
        let ok = arrival.status.error().is_none();
        if call.number <= ipc::SEND {
            self.after_message(call.number, &arrival);
        } else if ok {
            self.learn(call, &arrival);
        }
        if ok && call.number == syscall::Close::NUMBER && self.dice.one_in(2) {
            self.pool.forget(call.target);
        }
    }

    /// Makes a call and counts it.
    pub(crate) fn make(&mut self, call: &Departure) -> Arrival {
        self.tally.begin();
        let arrival = counted(call).arrival;
        self.tally.end(call.number, arrival.status.error());
        arrival
    }

    /// Makes a typed call and counts it.
    pub(crate) fn ask<S: Syscall>(&mut self, call: S) -> Result<S::Output, Error> {
        let mut words = [0; 8];
        let target = call.encode(&mut |at, word| words[at] = word);
        let arrival = self.make(&Departure { number: S::NUMBER, target, deadline: 0, extent: 0, words });
        arrival.status.error().map_or_else(|| S::Output::decode(&arrival.words), Err)
    }

    fn after_message(&mut self, number: u64, arrival: &Arrival) {
        let receives = matches!(number, ipc::RECV | ipc::REPLY_RECV | ipc::REPLY_RECV_UNTIL | ipc::REPLY_RECV_EXTENDED);
        if let Some(error) = arrival.status.error() {
            self.linked &= error != Error::TimedOut || number == ipc::RECV;
            return;
        }
        if receives {
            self.linked = !arrival.status.has(Status::SIGNAL) && !arrival.status.has(Status::ONE_WAY);
        } else if matches!(number, ipc::REPLY | ipc::REPLY_EXTENDED) {
            self.linked = false;
        }
        if arrival.status.has(Status::EXTENDED) {
            let handles = peek(ipc_page()) >> 16 & 7;
            for at in 0..handles {
                self.pool.add(peek(ipc_page() + 8 + 8 * at), None, &mut self.dice);
            }
        }
    }

    /// Remembers what a call made, and touches what it mapped.
    fn learn(&mut self, call: &Departure, arrival: &Arrival) {
        if call.number == syscall::Map::NUMBER && arrival.words[0] > 0 {
            self.touch(call);
        }
        if call.number == syscall::Defer::NUMBER {
            self.linked = false;
        }
        let Some(description) = TYPED.iter().find(|typed| typed.number == call.number) else { return };
        let first = description.results.first().filter(|(_, kind)| *kind == "Handle");
        let kind = match first {
            Some(("endpoint", _)) => Some(Kind::Endpoint),
            Some(("notification", _)) => Some(Kind::Notification),
            Some(("wait_set", _)) => Some(Kind::WaitSet),
            Some(("timer", _)) => Some(Kind::Timer),
            Some(("memory", _)) => Some(Kind::Memory),
            Some(("window", _)) => Some(Kind::Window),
            Some(("irq", _)) => Some(Kind::Irq),
            Some(("process", _)) => Some(Kind::Process),
            Some(("thread", _)) => Some(Kind::Thread),
            Some(("spawn", _)) => Some(Kind::Spawn),
            Some(("reply", _)) => Some(Kind::Reply),
            Some(_) => self.pool.kind(call.target),
            None => return,
        };
        self.pool.add(arrival.words[0], kind, &mut self.dice);
    }

    /// Writes to what was just mapped writable into its own address space.
    fn touch(&mut self, call: &Departure) {
        let [memory, address, _, _, access, ..] = call.words;
        let own = call.target == 0 && self.pool.kind(memory) == Some(Kind::Memory);
        if own && self.touch == Touch::Memory && access & u64::from(access::WRITE) != 0 {
            poke(address + 8 * self.dice.below(512), self.dice.next());
        }
    }
}

/// A call with nothing but a target.
pub(crate) fn plain(number: u64, target: u64) -> Departure {
    Departure { number, target, deadline: 0, extent: 0, words: [0; 8] }
}
