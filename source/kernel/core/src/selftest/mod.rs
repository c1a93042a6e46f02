//! The kernel's own tests of several CPUs, by real work.
//!
//! They run on CPU 0 when a boot argument asks, before the first program does, and print a line each. What they need of
//! the machine is behind [`Ground`].

mod crew;
#[cfg(test)]
mod selftest_tests;

use crate::cpu::{GIVEN_UP, MAX_CPUS, OFFLINE, ONLINE, Own};
use crate::prelude::*;
use crate::{percpu::PerCpu, sched::spread::STEAL_BOUND, spell};
use core::{cell::Cell, slice};
use crew::Crew;

/// Milliseconds in which another CPU must have done what it was asked for. It takes microseconds; where harts are a busy
/// host's threads, one may stand still for long.
const ANSWER_MS: u64 = 2000;
/// Milliseconds in which nothing must come of an interrupt that was not sent.
const SILENCE_MS: u64 = 20;

/// The machine under the tests.
pub trait Ground {
    /// The time.
    fn now(&self) -> u64;
    /// Does what CPU 0 asked for, and takes what others sent to it.
    fn turn(&self);
    /// From now on interrupts to other CPUs are lost.
    fn lose_kicks(&self);
    /// They are sent again; those that were lost are sent now.
    fn send_kicks(&self);
    /// Prints one byte.
    fn put(&self, byte: u8);
}

/// The steps between a request at CPU 0 and its acknowledgement at another CPU, counted where they happen: requested, sent,
/// trapped, acknowledged.
type Chain = [u64; 4];

/// Another CPU than the first, as that one sees it.
type Other = &'static PerCpu<Own>;

/// Why a test failed.
type Finding = Result<(), &'static str>;

/// Runs every test and prints what came of it.
pub fn run(kernel: &'static Kernel, ground: &dyn Ground) {
    let ([first, others @ ..], [.., last]) = (kernel.cpus, kernel.cpus) else { return };
    let (here, before, last) = (first.here(), Cell::default(), slice::from_ref(last));
    let mut trial = Trial { kernel, ground, here, before, crew: None };
    trial.report("smp online", kernel.cpus, |_, cpu| cpu.is_online().then_some(()).ok_or("is missing"));
    trial.report("ipi counterfactual", others, Trial::nothing_without_a_send);
    trial.report("ipi resched", others, Trial::acknowledges);
    trial.report("test_reject_invalid_ipi_target_cpu", last, Trial::invalid_target);
    trial.report("test_reject_offline_cpu_resched", last, Trial::offline_target);
    trial.give_up_the_silent();
    trial.crew = Crew::new(kernel, here).ok();
    // Its program can be fetched everywhere before anybody is told of it.
    ground.turn();
    trial.report("work stealing", last, Trial::steals);
    trial.report("test_reject_steal_above_bound", last, Trial::above_bound);
    trial.report("test_reject_steal_higher_qos", last, Trial::higher_class);
    trial.give_up_the_silent();
    trial.dismiss();
}

/// A run of the tests.
struct Trial<'a> {
    kernel: &'static Kernel,
    ground: &'a dyn Ground,
    here: Here,
    /// How far the chain to a CPU had come when its test began.
    before: Cell<Chain>,
    crew: Option<Crew>,
}

impl Trial<'_> {
    /// Tests each of these CPUs, and prints what came of it.
    fn report(&self, name: &str, cpus: &'static [PerCpu<Own>], test: fn(&Self, Other) -> Finding) {
        for cpu in cpus {
            self.before.set(self.chain(cpu));
            if let Err(why) = test(self, cpu) {
                let ([requested, sent, trapped, taken], cpu) = (self.since(cpu), u64::from(cpu.id.get()));
                spell!(self.put(), "KSELFTEST: ", name, " FAIL cpu", cpu, b' ', why, " (requested ", requested);
                return spell!(self.put(), ", sent ", sent, ", trapped ", trapped, ", acknowledged ", taken, ")\n");
            }
        }
        spell!(self.put(), "KSELFTEST: ", name, " ok\n");
    }

    fn put(&self) -> impl Fn(u8) {
        |byte| self.ground.put(byte)
    }

    fn chain(&self, target: Other) -> Chain {
        let (here, there) = (&self.here.counters, &target.counters);
        [&here.requests, &here.sent, &there.trapped, &there.kicks].map(Word::get)
    }

    /// How far the chain came since its test began.
    #[inline(never)]
    fn since(&self, target: Other) -> Chain {
        let (before, now) = (self.before.get(), self.chain(target));
        core::array::from_fn(|step| now[step] - before[step])
    }

    fn request(&self, target: u32) -> Result<(), Error> {
        self.kernel.request_resched(self.here, target, self.ground.now())
    }

    /// Asks a CPU for so many of its threads.
    fn ask(&self, rich: Other, highest: QosClass, tasks: u32) -> Result<(), Error> {
        self.kernel.ask_for_work(self.here, rich.id.get(), highest, tasks)
    }

    /// Turns until `reached`, or for so long in vain.
    #[inline(never)]
    fn turn_until(&self, milliseconds: u64, reached: &dyn Fn() -> bool) -> bool {
        let end = self.ground.now() + milliseconds * self.kernel.machine.timebase / 1000;
        loop {
            self.ground.turn();
            let (done, late) = (reached(), self.ground.now() >= end);
            if done || late {
                return done;
            }
        }
    }

    /// Turns until `reached`; why it failed if it is not in time.
    fn expect(&self, why: &'static str, reached: &dyn Fn() -> bool) -> Finding {
        self.turn_until(ANSWER_MS, reached).then_some(()).ok_or(why)
    }

    /// A request whose interrupt is not sent: no trap, no acknowledgement. A debugger may stop here.
    #[inline(never)]
    fn nothing_without_a_send(&self, target: Other) -> Finding {
        self.ground.lose_kicks();
        let accepted = self.request(target.id.get());
        self.turn_until(SILENCE_MS, &|| false);
        let chain = self.since(target);
        self.ground.send_kicks();
        // Its silence says something only if it would have answered.
        let heard = self.expect("does not acknowledge in 2 s what is sent at last", &|| target.kicked.get() == 0);
        match accepted {
            Err(_) => Err("was refused as a target"),
            Ok(()) if chain != [1, 0, 0, 0] => Err("was reached though nothing was sent"),
            Ok(()) => heard,
        }
    }

    /// A CPU that came and does not answer any more takes no part from here on: fences would wait for it for ever.
    fn give_up_the_silent(&self) {
        for cpu in self.kernel.cpus.iter().skip(1).filter(|cpu| cpu.is_online()) {
            self.kernel.kick_cpu(self.here, cpu);
            if !self.turn_until(ANSWER_MS, &|| cpu.kicked.get() == 0) {
                cpu.online.set(GIVEN_UP);
                spell!(self.put(), "KINIT: cpu", u64::from(cpu.id.get()), " is given up: it does not answer\n");
            }
        }
    }

    /// A request is accepted, sent, trapped and acknowledged, once each.
    fn acknowledges(&self, target: Other) -> Finding {
        self.before.set(self.chain(target));
        self.request(target.id.get()).map_err(|_| "was refused as a target")?;
        self.expect("did not acknowledge in 2 s", &|| self.since(target) == [1; 4])
    }

    /// Numbers that no CPU has are refused and nobody is interrupted; the highest that one has is not.
    fn invalid_target(&self, highest: Other) -> Finding {
        for number in [self.kernel.cpus.len() as u32, MAX_CPUS as u32, u32::MAX] {
            self.refuses(highest, number)?;
        }
        self.acknowledges(highest)
    }

    /// A CPU that is not online is refused and not interrupted; once it is online again it is not.
    fn offline_target(&self, target: Other) -> Finding {
        let before = target.online.get();
        target.online.set(OFFLINE);
        let refused = self.refuses(target, target.id.get());
        target.online.set(before);
        refused?;
        if before == ONLINE { self.acknowledges(target) } else { Err("is missing") }
    }

    fn refuses(&self, watched: Other, number: u32) -> Finding {
        let asked = self.request(number);
        self.turn_until(SILENCE_MS, &|| false);
        let refused = asked == Err(Error::Invalid) && self.since(watched) == [0; 4];
        refused.then_some(()).ok_or("was interrupted by a request that must be refused")
    }

    fn crew(&self) -> Result<&Crew, &'static str> {
        self.crew.as_ref().ok_or("has no threads to run: the test process cannot be made")
    }

    /// Two threads are ready here, one of which must stay: an idle CPU takes the other, which then runs there. A debugger may
    /// stop here.
    #[inline(never)]
    fn steals(&self, thief: Other) -> Finding {
        let (crew, given) = (self.crew()?, self.here.counters.given.get());
        self.queue_here(crew, thief);
        self.request(thief.id.get()).map_err(|_| "was refused as a target")?;
        self.expect("took nothing and ran nothing in 2 s", &|| self.progress(crew, 0) > 0)?;
        let [moved, stays] = crew.threads;
        let ran = moved.cpu_time.get() + moved.switches.get() > 0;
        (ran && moved.cpu() == thief.id.get()).then_some(()).ok_or("does not own the thread that ran")?;
        let stayed = stays.cpu() == self.here.id.get() && self.progress(crew, 1) == 0;
        stayed.then_some(()).ok_or("took a thread that may not run there")?;
        let taken = self.here.counters.given.get() - given;
        (taken == STEAL_BOUND.into()).then_some(()).ok_or("took more than one thread")
    }

    /// Asking for two is refused and nothing moves; asking for one is not.
    fn above_bound(&self, other: Other) -> Finding {
        let [moved, _] = self.crew()?.threads;
        let home = moved.cpu();
        let refused = self.ask(other, QosClass::PerfBurst, STEAL_BOUND + 1) == Err(Error::OverLimit);
        let unasked = other.askers.get() == 0;
        self.turn_until(SILENCE_MS, &|| false);
        let unmoved = self.since(other) == [0; 4] && moved.cpu() == home;
        (refused && unasked && unmoved).then_some(()).ok_or("was asked for two threads")?;
        let allowed = self.ask(other, QosClass::Idle, STEAL_BOUND).is_ok();
        self.expect("did not hear a request for one thread", &|| allowed && other.askers.get() == 0)
    }

    /// A thread of a higher class than asked for stays, though it waits; asked for by its class it comes.
    fn higher_class(&self, rich: Other) -> Finding {
        let crew = self.crew()?;
        self.raise_the_second(crew);
        let runs = "does not run a thread of a higher class that became ready here";
        self.expect(runs, &|| self.progress(crew, 1) > 0)?;
        let waiting = crew.threads[0];
        self.ask_and_wait(rich, QosClass::Idle);
        self.acknowledges(rich)?;
        (waiting.cpu() == rich.id.get()).then_some(()).ok_or("gave a thread of a higher class than was asked for")?;
        // While the guard lends it a slice it does not wait, and is not given: so whoever asks asks again.
        self.expect("gave nothing of the class that was asked for", &|| {
            self.ask_and_wait(rich, QosClass::Normal);
            waiting.cpu() == self.here.id.get()
        })
    }

    /// Asks, and waits until that was heard: what is asked next is heard later.
    fn ask_and_wait(&self, rich: Other, highest: QosClass) {
        let asked = self.ask(rich, highest, STEAL_BOUND).is_ok();
        self.turn_until(ANSWER_MS, &|| !asked || rich.askers.get() == 0 && rich.kicked.get() == 0);
    }
}
