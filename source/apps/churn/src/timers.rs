//! Registrations, cancellations and waits in random order: `churn timers [events] [seed]`.
//!
//! Each of 64 tokens signals a bit of its own, so one word says what fired. A registration has one outcome: it is
//! cancelled and its bit never comes, or its bit comes, once and not before its deadline.

use nexus_abi::syscall::{NotificationCreate, Wait};
use nexus_abi::{Deadline, Error, Handle, QosClass};
use nexus_proto::timer::{self, Turns};
use nexus_rt::kernel::invoke;
use nexus_rt::{Channel, Instant, env, println};

use crate::random::Random;

/// Events if no number is given, and the seed.
const EVENTS: u64 = 20_000;
const SEED: u64 = 1;
/// Deadlines are up to this many ticks away, or as many past.
const SPREAD: u64 = 40_000;

struct Race {
    service: timer::Client<Channel>,
    events: Handle,
    /// Deadlines by token; none: not pending.
    pending: [Option<u64>; 64],
    fired: u64,
    cancelled: u64,
    wrong: i64,
}

/// Plays; answers how often something was not as it must be.
pub(crate) fn race() -> Result<i64, Error> {
    let number =
        |at, default| env::arguments().nth(at).map_or(Ok(default), |text| text.parse().map_err(|_| Error::Invalid));
    let (events, seed) = (number(2, EVENTS)?, number(3, SEED)?);
    let mut random = Random(seed);
    let mut race = Race {
        service: timer::Client::new(Channel::to(timer::NAME)?),
        events: invoke(NotificationCreate { process: None })?.notification,
        pending: [None; 64],
        fired: 0,
        cancelled: 0,
        wrong: 0,
    };
    for _ in 0..events {
        race.step(&mut random)?;
    }
    let last = Instant::now().ticks() + 10 * SPREAD;
    while race.pending.iter().any(Option::is_some) && Instant::now().ticks() < last {
        race.take(Deadline(last));
    }
    race.expect(race.pending == [None; 64], "every timer that was not cancelled fires");
    println!("{events} events, seed {seed}: {} fired, {} cancelled, {} wrong", race.fired, race.cancelled, race.wrong);
    Ok(race.wrong)
}

impl Race {
    fn step(&mut self, random: &mut Random) -> Result<(), Error> {
        let token = random.below(64);
        let now = Instant::now().ticks();
        match (random.below(8), self.pending[token as usize]) {
            (0, _) => self.take(Deadline(now + random.below(SPREAD / 8))),
            (_, Some(_)) => self.cancel(token)?,
            (_, None) => {
                let deadline = (now + random.below(SPREAD)).saturating_sub(random.below(SPREAD / 2));
                let class = QosClass::ALL[random.below(4) as usize];
                self.pending[token as usize] = Some(deadline);
                self.service.register(token, class, Turns::once(Deadline(deadline)), 1 << token, self.events)?;
            }
        }
        Ok(())
    }

    fn cancel(&mut self, token: u64) -> Result<(), Error> {
        let outcome = self.service.cancel(token);
        // What fired before the answer has signalled before the answer.
        self.take(Deadline::POLL);
        let fired = self.pending[token as usize].is_none();
        match outcome {
            Ok(_) => {
                self.expect(!fired, "what was cancelled does not fire");
                self.pending[token as usize] = None;
                self.cancelled += 1;
            }
            Err(Error::NotFound) => self.expect(fired, "what cannot be cancelled has fired"),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Takes what has fired until a deadline at most.
    fn take(&mut self, until: Deadline) {
        let bits = invoke(Wait { notification: self.events, deadline: until }).map_or(0, |waited| waited.bits);
        let now = Instant::now().ticks();
        for token in (0..64).filter(|token| bits >> token & 1 != 0) {
            let deadline = self.pending[token].take();
            self.expect(deadline.is_some(), "a timer fires once, and only if it is pending");
            self.expect(deadline.is_none_or(|deadline| now >= deadline), "no timer is early");
            self.fired += 1;
        }
    }

    fn expect(&mut self, holds: bool, what: &str) {
        if !holds {
            self.wrong += 1;
            println!("not so: {what}");
        }
    }
}
