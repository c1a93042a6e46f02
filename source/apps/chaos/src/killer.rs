//! The thread that kills: each victim in turn, at random moments, when a call is on its way.

use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use nexus_abi::syscall::Wait;
use nexus_abi::{Deadline, Error, Handle};
use nexus_proto::supervisor;
use nexus_rt::kernel::invoke;
use nexus_rt::{Channel, Instant, env, println, time::deadline_in};

use crate::caller::{Callers, Shared};
use crate::census::Census;
use crate::victim::{Clients, Question, SHELL, VICTIMS};

/// Kills of each victim that have to count, and the seed, if the boot arguments name none.
const KILLS: u64 = 20;
const SEED: u64 = 1;
/// Rounds for each kill that has to count, at most; in each, every victim that lacks kills is killed once.
const ROUNDS: u64 = 2;
/// A restart takes at most this long, of a hundred 99 times: 50 ms.
const RESTART: u64 = 500_000;
/// Before each round: a victim rests longer than the window in which its ends count.
const REST: Duration = Duration::from_millis(10_500);
/// Between two kills: what the one before set going has settled.
const PAUSE: Duration = Duration::from_millis(200);
/// For the successor's first answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A hunt looks this often whether a call is on its way.
const LOOKS: u64 = 500;
/// Kills and seed stand behind this in the boot arguments.
const ASKED: &str = "chaos=";

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % end
    }
}

/// What came of the kills of one victim.
#[derive(Clone, Default)]
struct Score {
    kills: u64,
    counted: u64,
    calls: u64,
    told: u64,
    wrong: u64,
    restarts: Vec<u64>,
}

struct Killer<'a> {
    callers: &'a Callers,
    supervisor: supervisor::Client<Channel>,
    random: Random,
}

/// Kills every victim until enough of the kills counted; answers how much was wrong.
pub(crate) fn rounds(callers: &Callers) -> Result<u64, Error> {
    let supervisor = supervisor::Client::new(Channel::to(supervisor::NAME)?);
    let info = env::handle("info")?;
    let (kills, seed) = asked(info)?;
    let mut killer = Killer { callers, supervisor, random: Random(seed) };
    println!("chaos: {kills} kills that count, seed {seed}");
    // Whatever is made once is made: the room for what is measured, and the ways to those that died once.
    let room = || Score { restarts: Vec::with_capacity((ROUNDS * kills) as usize), ..Score::default() };
    let mut scores = [(); VICTIMS.len()].map(|()| room());
    for victim in 0..VICTIMS.len() {
        killer.kill(victim, 0, &mut Score::default())?;
    }
    killer.pause(deadline_in(REST));
    let before = Census::take(info);
    for round in 0..ROUNDS * kills {
        killer.pause(deadline_in(REST));
        for (victim, score) in scores.iter_mut().enumerate().filter(|(_, score)| score.counted < kills) {
            if VICTIMS[victim] == SHELL {
                killer.pause(deadline_in(REST));
            }
            killer.kill(victim, round, score)?;
        }
    }
    killer.pause(deadline_in(REST));
    let differ = Census::take(info).differences(&before);
    Ok(differ + VICTIMS.iter().zip(scores).map(|(name, score)| score.judge(name, kills)).sum::<u64>())
}

/// Kills and seed that the boot arguments ask for.
fn asked(info: Handle) -> Result<(u64, u64), Error> {
    let words = String::from_utf8(env::boot_arguments(info)?).map_err(|_| Error::Invalid)?;
    let Some(asked) = words.split_whitespace().find_map(|word| word.strip_prefix(ASKED)) else {
        return Ok((KILLS, SEED));
    };
    let mut numbers = asked.split(',');
    let mut number = |default| numbers.next().map_or(Ok(default), str::parse).map_err(|_| Error::Invalid);
    Ok((number(KILLS)?, number(SEED)?))
}

impl Killer<'_> {
    /// The callers signal nothing before their victim is killed.
    fn pause(&self, deadline: Deadline) {
        let _ = invoke(Wait { notification: self.callers[0].over, deadline });
    }

    /// In each round every second caller asks what may not be repeated, if the victim has such a question.
    fn kill(&mut self, victim: usize, round: u64, score: &mut Score) -> Result<(), Error> {
        self.pause(deadline_in(PAUSE));
        let question = |caller: usize| Clients::question(victim, round + caller as u64);
        for (at, caller) in self.callers.iter().enumerate() {
            caller.begin(victim, question(at))?;
        }
        for _ in 0..LOOKS {
            let moment = Instant::now().ticks() + 1 + self.random.below(2_000);
            self.pause(Deadline(moment));
            if self.callers.iter().all(|caller| caller.calls()) && self.callers.iter().any(|caller| caller.waits()) {
                break;
            }
        }
        let now = Instant::now().ticks();
        self.callers.iter().for_each(|caller| caller.killed.store(now, Ordering::Release));
        self.supervisor.kill(VICTIMS[victim])?;
        let patience = deadline_in(PATIENCE);
        for caller in self.callers {
            invoke(Wait { notification: caller.over, deadline: patience })?;
        }
        score.add(self.callers, question);
        Ok(())
    }
}

impl Score {
    /// Counts what the callers saw of one kill. What may not be asked again is refused once, and only then.
    fn add(&mut self, callers: &Callers, question: impl Fn(usize) -> Question) {
        let at = |field: &AtomicU64| field.load(Ordering::Acquire);
        let sum = |field: fn(&Shared) -> &AtomicU64| callers.iter().map(|caller| at(field(caller))).sum::<u64>();
        self.kills += 1;
        self.counted += sum(|caller| &caller.in_flight).min(1);
        self.calls += sum(|caller| &caller.calls);
        self.told += sum(|caller| &caller.told);
        self.wrong += sum(|caller| &caller.wrong);
        for (place, caller) in callers.iter().enumerate() {
            let may_be_told = u64::from(question(place) == Question::Once);
            self.wrong += u64::from(at(&caller.restart) == 0) + u64::from(at(&caller.told) > may_be_told);
        }
        self.restarts.push(callers.iter().map(|caller| at(&caller.restart)).max().unwrap_or(0));
    }

    /// Prints it; answers how much was wrong.
    fn judge(mut self, name: &str, kills: u64) -> u64 {
        self.restarts.sort_unstable();
        let most = self.restarts.last().copied().unwrap_or(u64::MAX);
        let late = self.restarts.get(self.restarts.len() * 99 / 100).copied().unwrap_or(most);
        println!(
            "chaos: {name} | {} killed | {} with a call on its way | {} calls | {} told | {} wrong | back in {} us, p99 {} us",
            self.kills,
            self.counted,
            self.calls,
            self.told,
            self.wrong,
            self.restarts.first().copied().unwrap_or(0) / 10,
            late / 10
        );
        self.wrong + u64::from(self.counted < kills) + u64::from(late > RESTART)
    }
}
