//! Policy: what it allows works, what it denies does not, and nobody is who he says.

use alloc::vec::Vec;

use crate::{Failure, capture::Capture, logs};
use nexus_abi::{Error, Handle, Name, ServiceId};
use nexus_ipc::{Leave, Notice};
use nexus_proto::contract::policy::{self as contract, Case};
use nexus_proto::exec::{self, CONTROL, START};
use nexus_proto::logs::{Client as Log, NAME as LOGS};
use nexus_proto::policy::NAME;
use nexus_proto::record::{Level, Record};
use nexus_rt::{Channel, channel, env};

/// The program that the manifest gives no way to start others.
const GUEST: &str = "rogue";
/// What it prints once it has one.
const HELD: &[u8] = b"held\n";

fn policy(route: &str) -> Result<Channel, Failure> {
    Channel::to(route).map_err(|error| Failure::Refused("a route to policyd", error))
}

fn case() -> Result<Case, Failure> {
    let name = |text| Name::new(text).ok_or(Failure::Wrong("a name is short"));
    Ok(Case {
        own: logs::own()?,
        program: ServiceId::program("app/boot/rogue"),
        program_name: name(GUEST)?,
        interface: name(exec::NAME)?,
        permits: START,
        more: CONTROL,
        other: ServiceId::service("shell"),
    })
}

/// Starts the guest with a deed; it says something to `stdout` if it is given one.
fn start(deed: &str, stdout: Option<Handle>) -> Result<nexus_abi::ProcessId, Failure> {
    let arguments = exec::pack([deed, exec::NAME]).map_err(|error| Failure::Refused("packing", error))?;
    let started = programs()?.start(GUEST, &arguments, None, stdout, None);
    started.map(|started| started.process).map_err(|error| Failure::Refused("start", error))
}

fn programs() -> Result<exec::Client<Channel>, Failure> {
    let channel = Channel::to(exec::NAME).map_err(|error| Failure::Refused("a route to exec", error))?;
    Ok(exec::Client::new(channel))
}

/// The error with which a program that was started ended; none: it did well.
fn ended(process: nexus_abi::ProcessId) -> Result<Option<Error>, Failure> {
    match programs()?.wait(process).and_then(|ended| ended.fate()) {
        Ok(exec::Fate::Exited(0)) => Ok(None),
        Ok(exec::Fate::Exited(status)) => {
            let number = u16::try_from(status).ok().and_then(Error::from_number);
            number.map(Some).ok_or(Failure::Wrong("the program ends with an error's number"))
        }
        Ok(_) => Err(Failure::Wrong("the program ends by itself")),
        Err(error) => Err(Failure::Refused("wait", error)),
    }
}

/// What was delegated can be had and used.
pub(crate) fn what_is_delegated_works() -> Result<(), Failure> {
    contract::allowed(policy(NAME)?, &case()?)?;
    match ended(start("route", None)?)? {
        None => Ok(()),
        Some(error) => Err(Failure::Refused("a route that policy gives", error)),
    }
}

/// What is revoked is dead in the hands of who has it, and who asks anew gets nothing; the log says so.
pub(crate) fn what_is_revoked_is_dead() -> Result<(), Failure> {
    let mut capture = Capture::open().map_err(|error| Failure::Refused("an endpoint", error))?;
    let stdout = capture.handle().map_err(|error| Failure::Refused("a handle for the program", error))?;
    let holder = start("hold", Some(stdout))?;
    capture.collect(HELD.len()).map_err(|error| Failure::Refused("the holder's word", error))?;
    contract::denied(policy(NAME)?, &case()?)?;
    if ended(holder)? != Some(Error::BadHandle) {
        return Err(Failure::Wrong("a revoked route is dead in its holder's hands"));
    }
    if ended(start("route", None)?)? != Some(Error::Permission) {
        return Err(Failure::Wrong("what no rule allows is denied with EPERM"));
    }
    let audits = last_audits("init", 2)?;
    let told = ["grant exec|decision=allow\0reason=delegation\0", "grant exec|decision=deny\0reason=EPERM\0"];
    let same = audits.len() == 2 && audits.iter().zip(told).all(|(audit, told)| audit.starts_with(told));
    if same { Ok(()) } else { Err(Failure::Wrong("each grant and each denial is audited once")) }
}

/// The last audits of a service: text, and fields behind a bar.
fn last_audits(service: &str, count: usize) -> Result<Vec<alloc::string::String>, Failure> {
    let channel = Channel::to(LOGS).map_err(|error| Failure::Refused("a route to logd", error))?;
    let (mut log, mut after, mut all) = (Log::new(channel), 0, Vec::new());
    loop {
        match log.next(after, Level::Info as u8, ServiceId::service(service)) {
            Ok(found) => {
                after = found.sequence;
                let record = Record::read(&found.record).map_err(|_| Failure::Wrong("the log holds records"))?;
                if record.target == nexus_rt::records::AUDIT {
                    all.push(alloc::format!("{}|{}", record.text, record.fields));
                }
            }
            Err(Error::NotFound) => return Ok(all.split_off(all.len().saturating_sub(count))),
            Err(error) => return Err(Failure::Refused("the log", error)),
        }
    }
}

/// Neither a subject in a request nor an answer in policy's name is believed.
pub(crate) fn nobody_is_who_he_says() -> Result<(), Failure> {
    contract::spoofed(policy(NAME)?, &case()?)?;
    let init = env::handle(env::INIT).map_err(|error| Failure::Refused("the way to init", error))?;
    for nonce in 0..16 {
        let forged = Notice::Decided { nonce, result: Ok(Leave { interface: 0, permits: u64::MAX }) };
        channel::send(init, &forged.to_message()).map_err(|error| Failure::Refused("send", error))?;
    }
    match ended(start("route", None)?)? {
        Some(Error::Permission) => Ok(()),
        _ => Err(Failure::Wrong("an answer in policy's name is none")),
    }
}

/// Malformed requests are refused and change nothing.
pub(crate) fn malformed_requests_are_refused() -> Result<(), Failure> {
    Ok(contract::hardened(policy(NAME)?, policy("policy-denied")?, &case()?)?)
}
