//! The kernel's own tests of several CPUs, by real work.
//!
//! They run on CPU 0 when a boot argument asks, before the first program does, and print a line each. What they need of
//! the machine is behind [`Ground`].

mod crew;
#[cfg(test)]
mod selftest_tests;

use crate::cpu::{Cpu, GIVEN_UP, MAX_CPUS, OFFLINE, ONLINE};
use crate::word::Word;
use crate::{Kernel, percpu::Here, sched::spread::STEAL_BOUND};
use core::fmt;
use crew::Crew;
use nexus_abi::{Error, QosClass};

/// Milliseconds in which another CPU must have done what it was asked for. It takes microseconds; where harts are a busy
/// host's threads, one may stand still for long.
const ANSWER_MS: u64 = 2000;
/// Milliseconds in which nothing must come of an interrupt that was not sent.
const SILENCE_MS: u64 = 20;

/// What becomes of interrupts to other CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kicks {
    /// They are sent; those that were lost before are sent now.
    Sent,
    /// They are lost.
    Lost,
}

/// The machine under the tests.
pub trait Ground {
    /// The time.
    fn now(&self) -> u64;
    /// Does what CPU 0 asked for, and takes what others sent to it.
    fn turn(&self);
    /// Decides what becomes of interrupts to other CPUs.
    fn set_kicks(&self, kicks: Kicks);
    /// Prints one line.
    fn print(&self, line: fmt::Arguments);
}

/// The steps between a request at CPU 0 and its acknowledgement at another CPU, counted where they happen: requested, sent,
/// trapped, acknowledged.
type Chain = [u64; 4];

/// Why a test failed, and how far the chain to a CPU came.
#[derive(Clone, Copy, Debug)]
struct Failure {
    cpu: u32,
    why: &'static str,
    chain: Chain,
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        let (cpu, why, [requested, sent, trapped, acknowledged]) = (self.cpu, self.why, self.chain);
        write!(
            to,
            "cpu{cpu} {why} (requested {requested}, sent {sent}, trapped {trapped}, acknowledged {acknowledged})"
        )
    }
}

type Finding = Result<(), Failure>;

/// Runs every test and prints what came of it.
pub fn run(kernel: &'static Kernel, ground: &dyn Ground) {
    let trial = Trial { kernel, ground, here: kernel.cpus[0].here() };
    trial.report("smp online", trial.online());
    trial.report("ipi counterfactual", trial.with_others(Trial::nothing_without_a_send));
    trial.report("ipi resched", trial.with_others(Trial::acknowledges));
    trial.report("test_reject_invalid_ipi_target_cpu", trial.invalid_target());
    trial.report("test_reject_offline_cpu_resched", trial.offline_target());
    trial.give_up_the_silent();
    let crew = Crew::new(kernel);
    // Its program can be fetched everywhere before anybody is told of it.
    ground.turn();
    trial.report("work stealing", trial.with_crew(&crew, Trial::steals));
    trial.report("test_reject_steal_above_bound", trial.with_crew(&crew, Trial::above_bound));
    trial.report("test_reject_steal_higher_qos", trial.with_crew(&crew, Trial::higher_class));
    trial.give_up_the_silent();
    if let Ok(crew) = crew {
        crew.dismiss(&trial);
    }
}

/// A run of the tests.
struct Trial<'a> {
    kernel: &'static Kernel,
    ground: &'a dyn Ground,
    here: Here,
}

impl Trial<'_> {
    fn report(&self, test: &str, found: Finding) {
        match found {
            Ok(()) => self.ground.print(format_args!("KSELFTEST: {test} ok")),
            Err(failure) => self.ground.print(format_args!("KSELFTEST: {test} FAIL {failure}")),
        }
    }

    fn last(&self) -> &'static Cpu {
        &self.kernel.cpus[self.kernel.cpus.len() - 1]
    }

    fn chain(&self, target: &Cpu) -> Chain {
        let (here, there) = (&self.here.counters, &target.counters);
        [&here.requests, &here.sent, &there.trapped, &there.kicks].map(Word::get)
    }

    fn since(&self, target: &Cpu, before: Chain) -> Chain {
        let now = self.chain(target);
        core::array::from_fn(|step| now[step] - before[step])
    }

    fn fail(&self, target: &Cpu, before: Chain, why: &'static str) -> Finding {
        Err(Failure { cpu: target.id.get(), why, chain: self.since(target, before) })
    }

    fn request(&self, target: u32) -> Result<(), Error> {
        self.kernel.request_resched(self.here, target, self.ground.now())
    }

    /// Turns until `reached`, or for so long in vain.
    fn turn_until(&self, milliseconds: u64, mut reached: impl FnMut() -> bool) -> bool {
        let end = self.ground.now() + milliseconds * self.kernel.machine.timebase / 1000;
        loop {
            self.ground.turn();
            if reached() {
                return true;
            }
            if self.ground.now() >= end {
                return false;
            }
        }
    }

    fn with_others(&self, test: fn(&Self, &'static Cpu) -> Finding) -> Finding {
        self.kernel.cpus.iter().skip(1).try_for_each(|cpu| test(self, cpu))
    }

    fn with_crew(&self, crew: &Result<Crew, Error>, test: fn(&Self, &Crew, &'static Cpu) -> Finding) -> Finding {
        let last = self.last();
        match crew {
            Ok(crew) => test(self, crew, last),
            Err(_) => self.fail(last, self.chain(last), "has no threads to run: the test process cannot be made"),
        }
    }

    fn online(&self) -> Finding {
        let missing = self.kernel.cpus.iter().find(|cpu| !cpu.is_online());
        missing.map_or(Ok(()), |cpu| self.fail(cpu, self.chain(cpu), "is missing"))
    }

    /// A request whose interrupt is not sent: no trap, no acknowledgement. A debugger may stop here.
    #[inline(never)]
    fn nothing_without_a_send(&self, target: &'static Cpu) -> Finding {
        let before = self.chain(target);
        self.ground.set_kicks(Kicks::Lost);
        let accepted = self.request(target.id.get());
        self.turn_until(SILENCE_MS, || false);
        let chain = self.since(target, before);
        self.ground.set_kicks(Kicks::Sent);
        // Its silence says something only if it would have answered.
        let hears = self.turn_until(ANSWER_MS, || target.kicked.get() == 0);
        let why = match accepted {
            Err(_) => "was refused as a target",
            Ok(()) if chain != [1, 0, 0, 0] => "was reached though nothing was sent",
            Ok(()) if !hears => "does not acknowledge in 2 s what is sent at last",
            Ok(()) => return Ok(()),
        };
        Err(Failure { cpu: target.id.get(), why, chain })
    }

    /// A CPU that came and does not answer any more takes no part from here on: fences would wait for it for ever.
    fn give_up_the_silent(&self) {
        for cpu in self.kernel.cpus.iter().skip(1).filter(|cpu| cpu.is_online()) {
            self.kernel.kick_cpu(self.here, cpu);
            if !self.turn_until(ANSWER_MS, || cpu.kicked.get() == 0) {
                cpu.online.set(GIVEN_UP);
                self.ground.print(format_args!("KINIT: cpu{} is given up: it does not answer", cpu.id.get()));
            }
        }
    }

    /// A request is accepted, sent, trapped and acknowledged, once each.
    fn acknowledges(&self, target: &'static Cpu) -> Finding {
        let before = self.chain(target);
        if self.request(target.id.get()).is_err() {
            return self.fail(target, before, "was refused as a target");
        }
        if !self.turn_until(ANSWER_MS, || self.since(target, before) == [1; 4]) {
            return self.fail(target, before, "did not acknowledge in 2 s");
        }
        Ok(())
    }

    /// Numbers that no CPU has are refused and nobody is interrupted; the highest that one has is not.
    fn invalid_target(&self) -> Finding {
        let highest = self.last();
        for number in [self.kernel.cpus.len() as u32, MAX_CPUS as u32, u32::MAX] {
            self.refuses(highest, number)?;
        }
        self.acknowledges(highest)
    }

    /// A CPU that is not online is refused and not interrupted; once it is online again it is not.
    fn offline_target(&self) -> Finding {
        let target = self.last();
        let before = target.online.get();
        target.online.set(OFFLINE);
        let refused = self.refuses(target, target.id.get());
        target.online.set(before);
        refused?;
        if before == ONLINE { self.acknowledges(target) } else { self.online() }
    }

    fn refuses(&self, watched: &'static Cpu, number: u32) -> Finding {
        let before = self.chain(watched);
        let asked = self.request(number);
        self.turn_until(SILENCE_MS, || false);
        if asked != Err(Error::Invalid) || self.chain(watched) != before {
            return self.fail(watched, before, "was interrupted by a request that must be refused");
        }
        Ok(())
    }

    /// Two threads are ready here, one of which must stay: an idle CPU takes the other, which then runs there. A debugger may
    /// stop here.
    #[inline(never)]
    fn steals(&self, crew: &Crew, thief: &'static Cpu) -> Finding {
        let before = self.chain(thief);
        let given = self.here.counters.given.get();
        crew.queue_here(self, thief);
        let fail = |why| self.fail(thief, before, why);
        if self.request(thief.id.get()).is_err() {
            return fail("was refused as a target");
        }
        if !self.turn_until(ANSWER_MS, || crew.progress(0) > 0) {
            return fail("took nothing and ran nothing in 2 s");
        }
        let [moved, stays] = crew.threads;
        if moved.cpu() != thief.id.get() || moved.cpu_time.get() + moved.switches.get() == 0 {
            return fail("does not own the thread that ran");
        }
        if stays.cpu() != self.here.id.get() || crew.progress(1) != 0 {
            return fail("took a thread that may not run there");
        }
        if self.here.counters.given.get() != given + u64::from(STEAL_BOUND) {
            return fail("took more than one thread");
        }
        Ok(())
    }

    /// Asking for two is refused and nothing moves; asking for one is not.
    fn above_bound(&self, crew: &Crew, other: &'static Cpu) -> Finding {
        let (before, home) = (self.chain(other), crew.threads[0].cpu());
        let asked = self.kernel.ask_for_work(self.here, other.id.get(), QosClass::PerfBurst, STEAL_BOUND + 1);
        let unasked = other.askers.get() == 0;
        self.turn_until(SILENCE_MS, || false);
        let quiet = self.chain(other) == before && crew.threads[0].cpu() == home;
        if asked != Err(Error::OverLimit) || !unasked || !quiet {
            return self.fail(other, before, "was asked for two threads");
        }
        let allowed = self.kernel.ask_for_work(self.here, other.id.get(), QosClass::Idle, STEAL_BOUND);
        if allowed.is_err() || !self.turn_until(ANSWER_MS, || other.askers.get() == 0) {
            return self.fail(other, before, "did not hear a request for one thread");
        }
        Ok(())
    }

    /// A thread of a higher class than asked for stays, though it waits; asked for by its class it comes.
    fn higher_class(&self, crew: &Crew, rich: &'static Cpu) -> Finding {
        let before = self.chain(rich);
        let fail = |why| self.fail(rich, before, why);
        crew.raise_the_second(self);
        if !self.turn_until(ANSWER_MS, || crew.progress(1) > 0) {
            return fail("does not run a thread of a higher class that became ready here");
        }
        let waiting = crew.threads[0];
        self.ask(rich, QosClass::Idle);
        self.acknowledges(rich)?;
        if waiting.cpu() != rich.id.get() {
            return fail("gave a thread of a higher class than was asked for");
        }
        // While the guard lends it a slice it does not wait, and is not given: so whoever asks asks again.
        let comes = || {
            self.ask(rich, QosClass::Normal);
            waiting.cpu() == self.here.id.get()
        };
        if !self.turn_until(ANSWER_MS, comes) {
            return fail("gave nothing of the class that was asked for");
        }
        Ok(())
    }

    /// Asks, and waits until that was heard: what is asked next is heard later.
    fn ask(&self, rich: &'static Cpu, highest: QosClass) {
        if self.kernel.ask_for_work(self.here, rich.id.get(), highest, STEAL_BOUND).is_ok() {
            self.turn_until(ANSWER_MS, || rich.askers.get() == 0 && rich.kicked.get() == 0);
        }
    }
}
