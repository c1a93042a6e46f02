//! Registrations, cancellations, deaths and wake-ups in random order, against a list that is searched from end to end.
//!
//! `NEXUS_SEED=n NEXUS_EVENTS=m cargo test -p timed --test races` plays one again.

mod fake;

use fake::{Bench, MS, TIMEBASE, Wish, process};
use nexus_abi::{Deadline, Error, QosClass};
use nexus_ipc::Serve;
use nexus_proto::timer::{self, MAX_TIMERS, MAX_TIMERS_PER_OWNER};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// One timer, as the contract describes it.
#[derive(Clone, Copy, Debug)]
struct Expected {
    owner: u64,
    wish: Wish,
    /// When it was registered, or had its last turn.
    since: u64,
}

impl Expected {
    fn end(&self) -> u64 {
        let window = timer::ticks(timer::window(self.wish.class), TIMEBASE);
        self.wish.deadline.saturating_add(window)
    }
}

/// How registrations ended, all of them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcomes {
    registered: u64,
    fired: u64,
    cancelled: u64,
    replaced: u64,
    orphaned: u64,
    over_limit: u64,
}

struct Race {
    random: Random,
    bench: Bench,
    pending: Vec<Expected>,
    outcomes: Outcomes,
    handles: u64,
    /// Wake-ups come up to this much later than asked for.
    late: u64,
    /// Deadlines are up to this far away.
    horizon: u64,
    at: String,
}

const OWNERS: u64 = 6;
const TOKENS: u64 = 128;

impl Race {
    fn new(seed: u64) -> Race {
        let mut random = Random(seed);
        let late = [0, 0, 3, 5 * MS][random.below(4) as usize];
        let horizon = [3 * MS, 40 * MS, 100_000 * MS][random.below(3) as usize];
        let (bench, pending, outcomes) = (Bench::new(), Vec::new(), Outcomes::default());
        Race { random, bench, pending, outcomes, handles: 0, late, horizon, at: String::new() }
    }

    fn step(&mut self, seed: u64, step: u64) {
        self.at = format!("seed {seed} step {step}");
        match self.random.below(512) {
            0..300 => self.register(),
            300..370 => self.cancel(),
            370..372 => self.kill_owner(),
            _ => self.let_time_pass(),
        }
        self.compare();
    }

    fn some_wish(&mut self) -> Wish {
        self.handles += 1;
        let now = self.bench.now();
        let deadline = match self.random.below(20) {
            0 => u64::MAX,
            1 => u64::MAX - 1 - self.random.below(3),
            2 | 3 => now.saturating_sub(self.random.below(20 * MS)),
            _ => now + self.random.below(self.horizon),
        };
        let period = if self.random.below(20) == 0 { MS / 2 + self.random.below(20 * MS) } else { 0 };
        let class = QosClass::ALL[self.random.below(4) as usize];
        let bits = if self.random.below(50) == 0 { 0 } else { 1 << self.random.below(64) };
        Wish { token: self.random.below(TOKENS), class, deadline, period, bits, notification: self.handles }
    }

    fn register(&mut self) {
        let (owner, wish) = (self.random.below(OWNERS), self.some_wish());
        let result = self.bench.register(process(owner), &wish);
        assert_eq!(result, self.verdict(owner, &wish), "{}: {wish:?} of {owner}", self.at);
        if let Err(error) = result {
            self.outcomes.over_limit += u64::from(error == Error::OverLimit);
            return self.expect_closed(wish.notification);
        }
        self.outcomes.registered += 1;
        if let Some(at) = self.find(owner, wish.token) {
            let replaced = self.pending.swap_remove(at);
            self.outcomes.replaced += 1;
            self.expect_closed(replaced.wish.notification);
        }
        self.pending.push(Expected { owner, wish, since: self.bench.now() });
        // As the loop does after every request.
        self.wake_until(self.bench.now());
    }

    /// What the contract says to this registration.
    fn verdict(&mut self, owner: u64, wish: &Wish) -> Result<(), Error> {
        if wish.bits == 0 || wish.deadline == u64::MAX || (1..MS).contains(&wish.period) {
            return Err(Error::Invalid);
        }
        if self.find(owner, wish.token).is_some() {
            return Ok(());
        }
        if self.pending.iter().filter(|timer| timer.owner == owner).count() >= MAX_TIMERS_PER_OWNER {
            return Err(Error::OverLimit);
        }
        if self.pending.len() >= MAX_TIMERS {
            self.sweep();
        }
        if self.pending.len() >= MAX_TIMERS { Err(Error::OverLimit) } else { Ok(()) }
    }

    fn cancel(&mut self) {
        let (owner, token) = (self.random.below(OWNERS), self.random.below(TOKENS));
        let result = self.bench.cancel(process(owner), token);
        let Some(at) = self.find(owner, token) else {
            return assert_eq!(result, Err(Error::NotFound), "{}", self.at);
        };
        assert_eq!(result, Ok(()), "{}", self.at);
        let cancelled = self.pending.swap_remove(at);
        self.outcomes.cancelled += 1;
        self.expect_closed(cancelled.wish.notification);
    }

    /// Takes an owner's notifications away; it goes on as another process of the same number.
    fn kill_owner(&mut self) {
        let owner = self.random.below(OWNERS);
        let dead = self.pending.iter().filter(|timer| timer.owner == owner).map(|timer| timer.wish.notification);
        self.bench.fake.0.borrow_mut().dead.extend(dead);
    }

    fn let_time_pass(&mut self) {
        let until = self.bench.now() + self.random.below(6 * MS);
        self.wake_until(until);
        self.bench.set_now(self.bench.now().max(until));
    }

    fn wake_until(&mut self, until: u64) {
        loop {
            let late = if self.late == 0 { 0 } else { self.random.below(self.late) };
            let signals = self.bench.fake.0.borrow().signals.len();
            if !self.bench.wake(until, late) {
                return;
            }
            self.check_wake(signals, late);
            self.compare();
        }
    }

    /// All that were due fired, nothing else did, and nobody's window had ended before the wake-up was asked for.
    fn check_wake(&mut self, before: usize, late: u64) {
        let now = self.bench.now();
        let mut fired = self.bench.fake.0.borrow().signals[before..].to_vec();
        self.drop_orphans(|timer| timer.wish.deadline <= now);
        let (due, rest) = self.pending.drain(..).partition::<Vec<_>, _>(|timer| timer.wish.deadline <= now);
        self.pending = rest;
        assert!(late > 0 || due.iter().all(|timer| now <= timer.end().max(timer.since)), "{}", self.at);
        for Expected { owner, wish, .. } in due {
            let place = fired.iter().position(|&signal| signal == (now, wish.notification, wish.bits));
            fired.swap_remove(place.unwrap_or_else(|| panic!("{}: {wish:?} did not fire", self.at)));
            self.outcomes.fired += 1;
            match (now - wish.deadline).checked_div(wish.period) {
                Some(missed) => {
                    let deadline = wish.deadline + (missed + 1) * wish.period;
                    self.outcomes.registered += 1;
                    self.pending.push(Expected { owner, wish: Wish { deadline, ..wish }, since: now });
                }
                None => self.expect_closed(wish.notification),
            }
        }
        assert_eq!(fired, [], "{}: fired early, or twice", self.at);
    }

    /// A full table gives up what dead owners have, in the order of tokens up to the first that is not dead.
    fn sweep(&mut self) {
        let fake = self.bench.fake.clone();
        let dead = |timer: &Expected| fake.0.borrow().dead.contains(&timer.wish.notification);
        let living = self.pending.iter().filter(|timer| !dead(timer)).map(|timer| (timer.owner, timer.wish.token));
        let mut first = [u64::MAX; OWNERS as usize];
        living.for_each(|(owner, token)| first[owner as usize] = first[owner as usize].min(token));
        self.drop_orphans(|timer| timer.wish.token < first[timer.owner as usize]);
    }

    fn drop_orphans(&mut self, reached: impl Fn(&Expected) -> bool) {
        let fake = self.bench.fake.clone();
        let seen = fake.0.borrow();
        let orphan = |timer: &Expected| seen.dead.contains(&timer.wish.notification) && reached(timer);
        let (orphans, rest) = self.pending.drain(..).partition::<Vec<_>, _>(orphan);
        self.pending = rest;
        self.outcomes.orphaned += orphans.len() as u64;
        orphans.iter().for_each(|timer| self.expect_closed(timer.wish.notification));
    }

    fn find(&self, owner: u64, token: u64) -> Option<usize> {
        self.pending.iter().position(|timer| timer.owner == owner && timer.wish.token == token)
    }

    /// That it was closed once only follows from the count of all, in [`Race::compare`].
    fn expect_closed(&self, handle: u64) {
        let closed = self.bench.fake.0.borrow().closed.iter().rev().any(|&closed| closed == handle);
        assert!(closed, "{}: handle {handle} is closed", self.at);
    }

    /// The service waits for the earliest end of a window, holds as many timers, and closed everything else.
    fn compare(&self) {
        let end = self.pending.iter().map(Expected::end).min().unwrap_or(u64::MAX);
        assert_eq!(self.bench.timed.deadline(), Deadline(end), "{}", self.at);
        let held = self.handles - self.bench.fake.0.borrow().closed.len() as u64;
        assert_eq!(held, self.pending.len() as u64, "{}", self.at);
    }

    /// Every registration had one outcome, or is pending.
    fn settle(self) -> Outcomes {
        let Outcomes { registered, fired, cancelled, replaced, orphaned, .. } = self.outcomes;
        assert_eq!(registered, fired + cancelled + replaced + orphaned + self.pending.len() as u64, "{}", self.at);
        self.outcomes
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a decimal number"))
}

#[test]
fn a_hundred_thousand_races_have_one_outcome_each() {
    let (seed, events) = (setting("NEXUS_SEED", 1), setting("NEXUS_EVENTS", 100_000));
    let runs = 20.min(events);
    let mut sum = Outcomes::default();
    for run in 0..runs {
        let mut race = Race::new(seed + run);
        (0..events / runs).for_each(|step| race.step(seed + run, step));
        let outcomes = race.settle();
        sum.registered += outcomes.registered;
        sum.fired += outcomes.fired;
        sum.cancelled += outcomes.cancelled;
        sum.replaced += outcomes.replaced;
        sum.orphaned += outcomes.orphaned;
        sum.over_limit += outcomes.over_limit;
    }
    println!("NEXUS_SEED={seed} NEXUS_EVENTS={events}: {sum:?}");
    let smallest = sum.fired.min(sum.cancelled).min(sum.replaced).min(sum.orphaned).min(sum.over_limit);
    assert!(smallest > events / 1000, "every outcome was met: {sum:?}");
}
