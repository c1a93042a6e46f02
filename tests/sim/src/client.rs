//! The programs that call: at random while there is trouble, everything once more when it is over.
//!
//! They use services as any program does, through the typed clients of `nexus-proto` over `nexus-rt`'s channels, and hold
//! each answer against what they may expect: by its deadline a call has come back, and a refusal is one that trouble
//! explains.

mod deeds;

pub(crate) use deeds::DEEDS;

use std::rc::Rc;
use std::time::Duration;

use nexus_abi::syscall::{NotificationCreate, Wait};
use nexus_abi::{Deadline, Error, Handle, Name, QosClass};
use nexus_ipc::{Answered, Call, Message, Outcome, Port, Serve};
use nexus_proto::timer::{Turns, window};
use nexus_proto::{exec, logs, policy, record, supervisor, timer};
use nexus_rt::kernel::invoke;
use nexus_rt::time::deadline_in;
use nexus_rt::{Channel, Instant, Server};

use crate::cast::{CLIENTS, VICTIMS, VISITOR};
use crate::play::{Act, Play};

/// How long one call may take while there is trouble, in µs; the way there may take as long.
const PATIENCE: [u64; 4] = [300, 2_000, 20_000, 200_000];
/// Ticks behind its deadline after which a call is late: every CPU was busy with others that long. 50 ms.
const LATE: u64 = 500_000;
/// By then every call is answered once nothing is killed any more: longer than any pause before a restart.
const BOUND: Duration = Duration::from_secs(2);
/// A client serves this long: init's probe has come by then.
const PROBE: Duration = Duration::from_millis(5);
/// Timers that a client has at a time.
const TOKENS: u64 = 4;

/// What trouble explains. All else is a mistake of somebody's.
const EXPLAINED: [Error; 9] = [
    Error::TimedOut,
    Error::PeerClosed,
    Error::Unavailable,
    Error::Again,
    Error::RateLimited,
    Error::NotFound,
    Error::OverLimit,
    Error::State,
    Error::Exhausted,
];

struct Client {
    play: Rc<Play>,
    /// Where its timers are signalled.
    events: Handle,
    /// When the call that is being made must be over.
    until: Duration,
}

/// A client is a service that nobody calls.
struct Probed(Deadline);

impl Serve for Probed {
    fn call(&mut self, _: &mut Call<'_>, _: &Message) -> Outcome<Answered> {
        Err(Error::NotFound.into())
    }

    fn deadline(&self) -> Deadline {
        self.0
    }

    fn expired(&mut self, _: &mut dyn Port) {
        self.0 = Deadline::NEVER;
    }
}

/// The body of every client.
pub(crate) fn call() -> Result<(), Error> {
    // Init's probe is answered by the loop.
    let mut probed = Probed(deadline_in(PROBE));
    Server::of_start_page()?.serve_until(&mut probed, |probed| probed.0 == Deadline::NEVER)?;
    let events = invoke(NotificationCreate { process: None })?.notification;
    let mut client = Client { play: Play::current(), events, until: BOUND };
    client.once_each()?;
    client.await_act(Act::Trouble)?;
    match client.play.deed.get() {
        Some(at) if client.may_control() => {
            let outcome = DEEDS[at].done_by(&mut client);
            client.play.done.set(Some(outcome));
            client.await_act(Act::Ending)?;
        }
        Some(_) => client.await_act(Act::Ending)?,
        None => {
            while client.play.act.get() == Act::Trouble {
                client.deed();
            }
        }
    }
    client.end()?;
    client.await_act(Act::Opening)
}

/// The body of a program that execd starts.
pub(crate) fn visit() -> Result<(), Error> {
    let play = Play::current();
    let patience = Duration::from_micros(play.random.borrow_mut().pick(&PATIENCE));
    let called = Channel::to_within(timer::NAME, patience)
        .and_then(|channel| timer::Client::new(channel).until(deadline_in(patience)).clock());
    match called {
        Err(error) if !EXPLAINED.contains(&error) => play.object(|| format!("a visitor was told {}", error.name())),
        _ => {}
    }
    Ok(())
}

impl Client {
    fn below(&self, end: u64) -> u64 {
        self.play.below(end)
    }

    fn me(&self) -> &'static str {
        nexus_rt::env::arguments().next().unwrap_or_default()
    }

    fn may_control(&self) -> bool {
        self.me() == CLIENTS[0]
    }

    /// Says that it is through, and looks at the act every millisecond.
    fn await_act(&mut self, act: Act) -> Result<(), Error> {
        self.play.through.set(self.play.through.get() + 1);
        while self.play.act.get() != act {
            // The last act is the last: nobody has to look.
            let deadline = if act == Act::Opening { Deadline::NEVER } else { deadline_in(Duration::from_millis(1)) };
            match invoke(Wait { notification: self.events, deadline }) {
                Ok(_) | Err(Error::TimedOut) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn channel(&self, interface: &str) -> Result<Channel, Error> {
        Channel::to_within(interface, self.until)
    }

    fn deadline(&self) -> Deadline {
        deadline_in(self.until)
    }

    /// One call, and what came of it.
    fn deed(&mut self) {
        self.until = Duration::from_micros(self.play.random.borrow_mut().pick(&PATIENCE));
        let start = Instant::now();
        let outcome = self.ask();
        // The way there, and the call: each ends by its own deadline.
        let behind = Instant::now().ticks().saturating_sub(start.after(2 * self.until).0);
        self.play.count(outcome, behind);
        match outcome {
            Err(error) if !EXPLAINED.contains(&error) => {
                self.play.object(|| format!("{} was told {}", self.me(), error.name()));
            }
            _ if behind > LATE => self.play.object(|| format!("{} waited {behind} ticks too long", self.me())),
            _ => {}
        }
    }

    fn ask(&mut self) -> Result<(), Error> {
        match self.below(16) {
            0..4 => self.ask_timed(),
            4..8 => self.ask_logd(),
            8..11 => self.ask_policyd(),
            11..13 => self.ask_execd(),
            13 => self.start_visitor(),
            14 => supervisor::Client::new(self.channel(supervisor::NAME)?).until(self.deadline()).list(0).map(drop),
            _ if self.may_control() => self.kill(),
            _ => self.rest(),
        }
    }

    fn rest(&mut self) -> Result<(), Error> {
        match invoke(Wait { notification: self.events, deadline: self.deadline() }) {
            Ok(_) | Err(Error::TimedOut) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn kill(&mut self) -> Result<(), Error> {
        let victim = self.play.random.borrow_mut().pick(&VICTIMS);
        supervisor::Client::new(self.channel(supervisor::NAME)?).until(self.deadline()).kill(victim).map(drop)
    }

    fn ask_timed(&mut self) -> Result<(), Error> {
        let (token, class) = (self.below(TOKENS), QosClass::ALL[self.below(4) as usize]);
        let kind = self.below(5);
        let mut client = timer::Client::new(self.channel(timer::NAME)?);
        client.until(self.deadline());
        match kind {
            0 => client.clock().map(drop),
            1 => client.count(class).map(drop),
            2 => client.list(0).map(drop),
            3 => client.cancel(token).map(drop),
            _ => {
                let turns = Turns::once(deadline_in(Duration::from_micros(self.below(5_000))));
                client.register(token, class, turns, 1 << token, self.events).map(drop)
            }
        }
    }

    fn ask_logd(&mut self) -> Result<(), Error> {
        let kind = self.below(4);
        let mut client = logs::Client::new(self.channel(logs::NAME)?);
        client.until(self.deadline());
        match kind {
            0 => client.tail(8, record::Level::Trace as u8, logs::ANYBODY).map(drop),
            1 => client.next(0, record::Level::Trace as u8, logs::ANYBODY).map(drop),
            2 => client.sender(0).map(drop),
            _ => client.append(&line()?).map(drop),
        }
    }

    fn ask_policyd(&mut self) -> Result<(), Error> {
        let subject = Name::new(self.me()).ok_or(Error::Invalid)?;
        let interface = Name::new(timer::NAME).ok_or(Error::Invalid)?;
        let kind = self.below(2);
        let mut client = policy::Client::new(self.channel(policy::NAME)?);
        client.until(self.deadline());
        match kind {
            0 => client.explain(subject, interface).map(drop),
            _ => client.delegation(0).map(drop),
        }
    }

    fn ask_execd(&mut self) -> Result<(), Error> {
        exec::Client::new(self.channel(exec::NAME)?).until(self.deadline()).list(0).map(drop)
    }

    /// Starts a program and waits for its end; by chance it is killed first.
    fn start_visitor(&mut self) -> Result<(), Error> {
        let mut client = exec::Client::new(self.channel(exec::NAME)?);
        let started = client.until(self.deadline()).start(VISITOR, &[], None, None, None)?;
        if self.below(4) == 0 {
            client.until(self.deadline()).kill(started.process, 1)?;
        }
        client.until(self.deadline()).wait(started.process).map(drop)
    }

    /// Every service once; each must answer.
    fn once_each(&mut self) -> Result<(), Error> {
        self.until = BOUND;
        self.must("timed", |client| timer::Client::new(client.channel(timer::NAME)?).clock().map(drop));
        self.must("logd", |client| logs::Client::new(client.channel(logs::NAME)?).sender(0).map(drop));
        self.must("policyd", |client| {
            let name = Name::new(client.me()).ok_or(Error::Invalid)?;
            policy::Client::new(client.channel(policy::NAME)?).explain(name, name).map(drop)
        });
        self.must("execd", |client| match exec::Client::new(client.channel(exec::NAME)?).list(0) {
            Err(Error::NotFound) => Ok(()),
            listed => listed.map(drop),
        });
        self.must("init", |client| supervisor::Client::new(client.channel(supervisor::NAME)?).settled().map(drop));
        // What may not be repeated may be refused once, if the service died since it was last asked.
        self.must("execd", Self::start_visitor_once_more);
        self.must("logd", |client| match client.append() {
            Err(Error::PeerClosed) => client.append(),
            appended => appended,
        });
        Ok(())
    }

    fn append(&mut self) -> Result<(), Error> {
        match logs::Client::new(self.channel(logs::NAME)?).append(&line()?) {
            Ok(_) | Err(Error::RateLimited) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Nothing starts while policy is not back, or while programs that trouble left, which end by themselves, are all that
    /// may run: that is refused, and asked again within the bound.
    fn start_visitor_once_more(&mut self) -> Result<(), Error> {
        let mut client = exec::Client::new(self.channel(exec::NAME)?);
        let (end, mut told) = (self.deadline(), false);
        let started = loop {
            match client.start(VISITOR, &[], None, None, None) {
                Err(Error::PeerClosed) if !told => told = true,
                Err(Error::Unavailable | Error::OverLimit) if Instant::now().ticks() < end.0 => {
                    self.until = Duration::from_millis(1);
                    self.rest()?;
                }
                started => break started?.process,
            }
        };
        self.until = BOUND;
        client.wait(started).map(drop)
    }

    /// What trouble left behind is cleared away, and everything answers.
    fn end(&mut self) -> Result<(), Error> {
        self.once_each()?;
        for token in 0..TOKENS {
            self.must("timed", |client| match timer::Client::new(client.channel(timer::NAME)?).cancel(token) {
                Err(Error::NotFound) => Ok(()),
                cancelled => cancelled.map(drop),
            });
        }
        self.must("timed", Self::be_woken);
        if self.may_control() {
            while self.play.through.get() + 1 < CLIENTS.len() {
                self.until = Duration::from_millis(1);
                self.rest()?;
            }
            self.until = BOUND;
            self.must("execd", Self::await_visitors);
        }
        Ok(())
    }

    /// A timer fires inside its window.
    fn be_woken(&mut self) -> Result<(), Error> {
        let (wait, mine) = (deadline_in(Duration::from_millis(3)), 1 << TOKENS);
        let mut client = timer::Client::new(self.channel(timer::NAME)?);
        client.register(TOKENS, QosClass::Normal, Turns::once(wait), mine, self.events)?;
        // Bits of timers that fired in the end's first moments may come before.
        while invoke(Wait { notification: self.events, deadline: self.deadline() })?.bits & mine == 0 {}
        let late = Instant::from_ticks(wait.0).after(window(QosClass::Normal)).0 + LATE;
        let now = Instant::now().ticks();
        if now < wait.0 || now > late { Err(Error::State) } else { Ok(()) }
    }

    /// No program that a client started is left, and nobody keeps its record.
    fn await_visitors(&mut self) -> Result<(), Error> {
        let mut client = exec::Client::new(self.channel(exec::NAME)?);
        loop {
            match client.list(0) {
                Ok(listed) => client.wait(listed.process).map(drop)?,
                Err(Error::NotFound) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// A call that must be answered, and within the bound.
    fn must(&mut self, whom: &str, ask: impl FnOnce(&mut Client) -> Result<(), Error>) {
        let start = Instant::now();
        let outcome = ask(self);
        let now = Instant::now();
        let took = now.ticks() - start.ticks();
        if outcome.is_err() || now.ticks() > start.after(BOUND).0 {
            let word = outcome.err().map_or("answered", Error::name);
            self.play.object(|| format!("{}: {whom}: {word} after {took} ticks", self.me()));
        }
        let mut seen = self.play.seen.borrow_mut();
        seen.slowest = seen.slowest.max(took);
    }
}

/// A record to append.
fn line() -> Result<Vec<u8>, Error> {
    let mut buffer = [0; record::MAX_BYTES];
    let record = record::Record { level: record::Level::Info, target: "sim", text: "here", fields: "" };
    Ok(record.write(&mut buffer)?.to_vec())
}
