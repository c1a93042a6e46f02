//! The thread that kills: each victim in turn, at random moments, when a call is on its way.

use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use core::time::Duration;

use nexus_abi::syscall::Wait;
use nexus_abi::{Deadline, Error, Handle};
use nexus_proto::supervisor;
use nexus_rt::kernel::invoke;
use nexus_rt::{Channel, Instant, env, println, time::deadline_in};

use crate::caller::Shared;
use crate::census::Census;
use crate::victim::{Clients, Question, VICTIMS};

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
const ASKED: &str = "selftest=chaos,";

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
    shared: &'a Shared,
    supervisor: supervisor::Client<Channel>,
    random: Random,
}

/// Kills every victim until enough of the kills counted; answers how much was wrong.
pub(crate) fn rounds(shared: &Shared) -> Result<u64, Error> {
    let supervisor = supervisor::Client::new(Channel::to(supervisor::NAME)?);
    let info = env::handle("info")?;
    let (kills, seed) = asked(info)?;
    let mut killer = Killer { shared, supervisor, random: Random(seed) };
    println!("chaos: {kills} kills that count, seed {seed}");
    // Whatever is made once is made: also the ways to those that died once.
    for victim in 0..VICTIMS.len() {
        killer.kill(victim, Question::Again, &mut Score::default())?;
    }
    let before = Census::take(info);
    let mut scores = [const { None::<Score> }; VICTIMS.len()].map(|score| score.unwrap_or_default());
    for round in 0..ROUNDS * kills {
        killer.pause(deadline_in(REST));
        for (victim, score) in scores.iter_mut().enumerate().filter(|(_, score)| score.counted < kills) {
            let once = Clients::asks_once(victim) && round % 2 == 1;
            killer.kill(victim, if once { Question::Once } else { Question::Again }, score)?;
        }
    }
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
    /// The caller signals nothing before its victim is killed.
    fn pause(&self, deadline: Deadline) {
        let _ = invoke(Wait { notification: self.shared.over, deadline });
    }

    fn kill(&mut self, victim: usize, question: Question, score: &mut Score) -> Result<(), Error> {
        self.pause(deadline_in(PAUSE));
        self.shared.begin(victim, question)?;
        for _ in 0..LOOKS {
            let moment = Instant::now().ticks() + 1 + self.random.below(2_000);
            self.pause(Deadline(moment));
            if self.shared.waits() {
                break;
            }
        }
        self.shared.killed.store(Instant::now().ticks(), Ordering::Release);
        self.supervisor.kill(VICTIMS[victim])?;
        invoke(Wait { notification: self.shared.over, deadline: deadline_in(PATIENCE) })?;
        let at = |field: &core::sync::atomic::AtomicU64| field.load(Ordering::Acquire);
        score.kills += 1;
        score.counted += at(&self.shared.in_flight).min(1);
        score.calls += at(&self.shared.calls);
        score.told += at(&self.shared.told);
        score.wrong += at(&self.shared.wrong) + u64::from(at(&self.shared.restart) == 0);
        // What may not be asked again is refused once, and only then.
        let may_be_told = u64::from(question == Question::Once);
        score.wrong += u64::from(at(&self.shared.told) > may_be_told);
        score.restarts.push(at(&self.shared.restart));
        Ok(())
    }
}

impl Score {
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
