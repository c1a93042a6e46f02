//! Kills policy while it grants something: `churn policy [rounds] [seed]`.
//!
//! In each round a guest is given leave to use `exec`, asks for it, and meanwhile policy is killed, earlier or later. Whatever
//! comes of it, the guest hears one outcome and the log has one audit that says the same; and once policy is back it knows
//! nothing of the leave, so who asks anew is refused.

use alloc::string::String;
use core::time::Duration;

use nexus_abi::syscall::{NotificationCreate, Wait};
use nexus_abi::{Error, Handle, Name, ServiceId};
use nexus_proto::exec::{self, Fate, START};
use nexus_proto::record::{Level, Record};
use nexus_proto::{logs, policy, supervisor};
use nexus_rt::kernel::invoke;
use nexus_rt::{Channel, env, inbox, println, time};

use crate::random::Random;

const ROUNDS: u64 = 12;
const SEED: u64 = 1;
/// Who gets the leave: it ends with the number of the error that it got, or 0.
const GUEST: &str = "rogue";
/// Microseconds between the guest's start and the kill, at most.
const LATEST_US: u64 = 12_000;
/// Between two kills: more often, and policy would be given up.
const PAUSE: Duration = Duration::from_millis(2_600);

struct Game {
    policy: policy::Client<Channel>,
    supervisor: supervisor::Client<Channel>,
    exec: exec::Client<Channel>,
    log: logs::Client<Channel>,
    /// The last record that was looked at.
    seen: u64,
    never: Handle,
}

/// Status: the rounds in which something was not so.
pub(crate) fn kill() -> Result<i64, Error> {
    let number = |at, default| env::arguments().nth(at).map_or(Ok(default), str::parse).map_err(|_| Error::Invalid);
    let (rounds, seed) = (number(2, ROUNDS)?, number(3, SEED)?);
    println!("{rounds} rounds, seed {seed}");
    inbox::learn(&[policy::NAME, supervisor::NAME, exec::NAME, logs::NAME])?;
    let mut game = Game {
        policy: policy::Client::new(Channel::to(policy::NAME)?),
        supervisor: supervisor::Client::new(Channel::to(supervisor::NAME)?),
        exec: exec::Client::new(Channel::to(exec::NAME)?),
        log: logs::Client::new(Channel::to(logs::NAME)?),
        seen: 0,
        never: invoke(NotificationCreate { process: None })?.notification,
    };
    game.audits()?;
    let (mut random, mut wrong) = (Random(seed), 0);
    let (mut granted, mut refused) = (0, 0);
    for round in 0..rounds {
        match game.round(random.below(LATEST_US))? {
            (None | Some(Error::BadHandle), _, true) => granted += 1,
            (Some(Error::Unavailable | Error::Permission), _, true) => refused += 1,
            (outcome, audits, _) => {
                println!("round {round}: the guest got {outcome:?}, the log has `{audits}`");
                wrong += 1;
            }
        }
    }
    println!("{granted} granted, {refused} refused, {wrong} wrong");
    Ok(wrong)
}

impl Game {
    /// What the guest got, the audits of it, and whether these agree and nothing is left of the leave.
    fn round(&mut self, after_us: u64) -> Result<(Option<Error>, String, bool), Error> {
        self.pause(PAUSE);
        let (interface, guest) = (Name::new(exec::NAME).ok_or(Error::Invalid)?, ServiceId::program("app/boot/rogue"));
        self.policy.delegate(guest, interface, START)?;
        let asked = self.exec.start(GUEST, &exec::pack(["route", exec::NAME])?, None, None, None)?.process;
        self.pause(Duration::from_micros(after_us));
        self.supervisor.kill("policyd")?;
        let outcome = self.ended(asked)?;
        let told = self.audits()?;
        let expected = match outcome {
            None | Some(Error::BadHandle) => String::from("allow delegation;"),
            Some(error) => alloc::format!("deny {};", error.name()),
        };
        // A program asks policy only through init, which says so when policy is not back yet.
        while self.policy.delegation(0).err() == Some(Error::Unavailable) {
            self.pause(Duration::from_millis(50));
        }
        let anew = self.exec.start(GUEST, &exec::pack(["route", exec::NAME])?, None, None, None)?.process;
        let gone = self.ended(anew)? == Some(Error::Permission) && self.audits()? == "deny EPERM;";
        let agree = told == expected && gone;
        Ok((outcome, told, agree))
    }

    fn pause(&self, time: Duration) {
        // Nobody signals it: the wait is a pause.
        let _ = invoke(Wait { notification: self.never, deadline: time::deadline_in(time) });
    }

    fn ended(&mut self, process: nexus_abi::ProcessId) -> Result<Option<Error>, Error> {
        match self.exec.wait(process)?.fate()? {
            Fate::Exited(0) => Ok(None),
            Fate::Exited(status) => {
                u16::try_from(status).ok().and_then(Error::from_number).map(Some).ok_or(Error::Protocol)
            }
            _ => Err(Error::Protocol),
        }
    }

    /// Decisions and reasons of init's audits about the guest since the last look.
    fn audits(&mut self) -> Result<String, Error> {
        let mut told = String::new();
        loop {
            match self.log.next(self.seen, Level::Info as u8, ServiceId::service("init")) {
                Ok(found) => {
                    self.seen = found.sequence;
                    let record = Record::read(&found.record)?;
                    if record.text == "grant exec" && record.fields.contains("caller=app/boot/rogue\0") {
                        let value = |key: &str| record.fields.split('\0').find_map(|field| field.strip_prefix(key));
                        told += &alloc::format!(
                            "{} {};",
                            value("decision=").unwrap_or("?"),
                            value("reason=").unwrap_or("?")
                        );
                    }
                }
                Err(Error::NotFound) => return Ok(told),
                Err(error) => return Err(error),
            }
        }
    }
}
