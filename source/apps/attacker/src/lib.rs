//! Attacks the system, for proofs: its arguments say how.
//!
//! Each attack must end in a refusal, a fault record or a bound, never in trouble for anybody else. An attack that the system
//! refuses ends with the number of the error as exit status; one that checks by itself that nothing came of it with 0; one
//! that the system lets through says what it got and ends with [`BROKEN`]. `tests/hostile/rows` says how each must end.

#![no_std]

extern crate alloc;

mod accomplice;
mod alike;
mod bombs;
mod chains;
mod floods;
mod handles;
mod leftovers;
mod lengths;
mod mappings;
mod numbers;
mod parts;
mod races;
mod ranges;
mod replies;
mod rights;
mod strain;
mod tell;

use nexus_abi::Error;
use nexus_rt::sys::{Wild, Wrong, go_wild, provoke};
use nexus_rt::{env, log, println};

/// Exit status of an attack that was let through, or could not be tried.
pub const BROKEN: i64 = 99;

/// How an attack ended that ended well for the system.
pub(crate) enum Outcome {
    /// Everything that was tried was refused, with this error.
    Refused(Error),
    /// The attack looked for harm done and found none.
    Held,
}

/// How an attack ended otherwise.
pub(crate) enum Failure {
    /// What it needs it could not get.
    Setup(Error),
    /// What must be so and was not.
    Wrong(&'static str),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Setup(error)
    }
}

/// What came of an attack.
pub(crate) type Tried = Result<Outcome, Failure>;

/// An attack; its argument is the word behind its name.
type Attack = fn(&str) -> Tried;

/// What a thing must be, or how the attack ends.
pub(crate) fn must(holds: bool, what: &'static str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::Wrong(what)) }
}

const ATTACKS: &[(&str, Attack)] = &[
    ("numbers", numbers::unknown),
    ("words", numbers::wide),
    ("extent", numbers::extent),
    ("handle", handles::bad),
    ("range", ranges::bad),
    ("length", lengths::wrong),
    ("right", rights::beyond),
    ("mapping", mappings::forbidden),
    ("part", parts::misused),
    ("reply", replies::abused),
    ("calls", chains::nested),
    ("race", races::race),
    ("secret", leftovers::secret),
    ("bomb", bombs::bomb),
    ("console", floods::console),
    ("stream", floods::stream),
    ("accomplice", accomplice::act),
];

/// Does what the arguments say; the exit status.
pub fn run() -> i64 {
    let mut words = env::arguments().skip(1);
    let (name, operand) = (words.next().unwrap_or(""), words.next());
    if name == "strain" {
        return strain::strain(operand.unwrap_or(""));
    }
    if let Some((_, attack)) = ATTACKS.iter().find(|(known, _)| *known == name) {
        return status(name, operand.unwrap_or(""), *attack);
    }
    if let Some(wrong) = Wrong::ALL.into_iter().find(|wrong| wrong.name() == name) {
        provoke(wrong)
    }
    if let Some(wild) = Wild::named(name, operand) {
        go_wild(wild)
    }
    println!("attacker: there is no attack `{name}`");
    BROKEN
}

/// Whether there is an attack of this name, for who holds a list of them.
pub fn knows(name: &str, operand: Option<&str>) -> bool {
    let attack = ATTACKS.iter().any(|(known, _)| *known == name);
    attack || Wrong::ALL.into_iter().any(|wrong| wrong.name() == name) || Wild::named(name, operand).is_some()
}

/// The names of the attacks that take an operand of their own.
pub fn attacks() -> impl Iterator<Item = &'static str> {
    ATTACKS.iter().map(|&(name, _)| name)
}

fn status(name: &str, operand: &str, attack: Attack) -> i64 {
    match attack(operand) {
        Ok(Outcome::Held) => 0,
        Ok(Outcome::Refused(error)) => error.number().into(),
        Err(Failure::Setup(error)) => {
            log!("{name} {operand}: could not be tried: {}", error.name());
            BROKEN
        }
        Err(Failure::Wrong(what)) => {
            log!("{name} {operand}: not so: {what}");
            BROKEN
        }
    }
}
