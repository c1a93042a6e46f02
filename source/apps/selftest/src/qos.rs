//! Classes: who may set whose, what the kernel refuses, and that a refusal changes nothing.
//!
//! A refusal only says something beside its neighbour: each check of a wrong value also makes the request with the
//! nearest right one, which this program may not make either and which is refused for that.

use alloc::vec::Vec;

use crate::{Failure, capture::Capture, exec};
use nexus_abi::syscall::{AffinitySet, InfoUsage, QosGet, QosSet, Syscall, Whoami};
use nexus_abi::{Error, Limits, ProcessId, QosClass};
use nexus_rt::kernel::{Kernel, Machine, invoke};
use nexus_rt::{env, kernel};

/// A program that runs until it is ended.
const ENDLESS: &str = "rogue";
/// A program that fills half a class, and what it says when it has.
const CROWD: (&str, &str) = ("crowd", "crowd: 32 threads\n");

const IDLE: u64 = QosClass::Idle as u64;
const INTERACTIVE: u64 = QosClass::Interactive as u64;
const PERF_BURST: u64 = QosClass::PerfBurst as u64;

fn wrong(what: &'static str) -> Result<(), Failure> {
    Err(Failure::Wrong(what))
}

fn own_class() -> Result<QosClass, Failure> {
    invoke(QosGet { thread: None }).map(|got| got.class).map_err(|error| Failure::Refused("its own class", error))
}

fn own_number() -> Result<u64, Failure> {
    let me = kernel::invoke(Whoami {}).map_err(|error| Failure::Refused("its own number", error))?;
    Ok(me.process.number().into())
}

fn class_of(process: ProcessId) -> Result<QosClass, Failure> {
    let info = env::handle("info").map_err(|error| Failure::Refused("the info capability", error))?;
    let usage = invoke(InfoUsage { info, index: process.number() });
    usage.map(|usage| usage.class).map_err(|error| Failure::Refused("a program's class", error))
}

/// The request as words, which may be more than its types hold.
fn set(class: u64, target: u64) -> Result<(), Error> {
    Machine.raw(QosSet::NUMBER, 0, [class, target, 0, 0, 0, 0, 0, 0]).map(drop)
}

/// A request that is refused with this error and leaves the caller in its class.
fn refused(class: u64, target: u64, error: Error, what: &'static str) -> Result<(), Failure> {
    let before = own_class()?;
    if set(class, target) != Err(error) {
        return wrong(what);
    }
    if own_class()? == before { Ok(()) } else { wrong("a refusal leaves the class as it was") }
}

/// Does a check on a program that runs meanwhile.
fn with_program(check: impl FnOnce(ProcessId) -> Result<(), Failure>) -> Result<(), Failure> {
    let output = Capture::open().map_err(|error| Failure::Refused("an endpoint", error))?;
    let program = exec::start(ENDLESS, &[], &output)?;
    let kept = check(program);
    exec::end(program)?;
    kept
}

/// Who is on the boot image's list sets the class of a program; everybody keeps its own or a lower one.
pub(crate) fn classes_are_set_by_those_who_may() -> Result<(), Failure> {
    with_program(|program| {
        let mut programs = exec::client()?;
        for class in [QosClass::Normal, QosClass::Idle, QosClass::Normal] {
            let done = programs.set_class(program, class);
            done.map_err(|error| Failure::Refused("a class for a program that it started", error))?;
            if class_of(program)? != class {
                return wrong("a program has the class that it was given");
            }
        }
        if programs.set_class(program, QosClass::Interactive).err() != Some(Error::Permission) {
            return wrong("who starts a program gives it no higher class than the manifest");
        }
        if class_of(program)? != QosClass::Normal {
            return wrong("a refusal leaves the class as it was");
        }
        let done = programs.limit(program, Limits { shares: 50, ..Limits::NONE });
        done.map_err(|error| Failure::Refused("less weight for a program that it started", error))?;
        if programs.limit(program, Limits { shares: 101, ..Limits::NONE }).err() != Some(Error::Permission) {
            return wrong("who starts a program gives it no more weight than the manifest");
        }
        set(QosClass::Normal as u64, 0).map_err(|error| Failure::Refused("its own class again", error))
    })
}

/// Nobody raises itself.
pub(crate) fn self_escalation_is_refused() -> Result<(), Failure> {
    let own = own_number()?;
    for class in [INTERACTIVE, PERF_BURST] {
        refused(class, 0, Error::Permission, "raising itself is EPERM")?;
        refused(class, own, Error::Permission, "raising itself by its number is EPERM")?;
    }
    Ok(())
}

/// Nobody sets another's class, not even to a lower one.
pub(crate) fn other_process_is_refused() -> Result<(), Failure> {
    with_program(|program| {
        for class in [QosClass::Idle, QosClass::Normal, QosClass::Interactive, QosClass::PerfBurst] {
            refused(class as u64, program.number().into(), Error::Permission, "setting another's class is EPERM")?;
        }
        if class_of(program)? == QosClass::Normal { Ok(()) } else { wrong("the other keeps its class") }
    })
}

/// A class that does not exist is none, and one that does is known.
pub(crate) fn unknown_class_is_refused() -> Result<(), Failure> {
    for class in [4, 5, 255] {
        refused(class, 0, Error::Invalid, "a class that does not exist is EINVAL")?;
    }
    refused(INTERACTIVE, 0, Error::Permission, "a higher class is one, and EPERM")
}

/// A class that its type cannot hold is not truncated: what is left of it might be allowed.
pub(crate) fn wide_class_is_refused() -> Result<(), Failure> {
    for class in [256 | IDLE, 1 << 32 | IDLE, 1 << 63 | IDLE, u64::MAX] {
        refused(class, 0, Error::Invalid, "a class that overflows its type is EINVAL")?;
    }
    refused(INTERACTIVE, 0, Error::Permission, "a class that its type holds is looked at, and EPERM")
}

/// Neither is a process number.
pub(crate) fn wide_target_is_refused() -> Result<(), Failure> {
    let own = own_number()?;
    for target in [1 << 32, 1 << 32 | own, 1 << 63 | own, u64::MAX] {
        refused(IDLE, target, Error::Invalid, "a number that overflows its type is EINVAL")?;
    }
    refused(INTERACTIVE, own, Error::Permission, "a number that its type holds is looked at, and EPERM")
}

/// A class that is full on the CPU takes nobody more, and the old class stays.
pub(crate) fn full_class_is_refused() -> Result<(), Failure> {
    let pin = |mask| invoke(AffinitySet { thread: None, mask }).map(drop);
    pin(1).map_err(|error| Failure::Refused("a place on the first CPU", error))?;
    let mut crowds = Vec::new();
    let kept = gather(&mut crowds).and_then(|()| refused(IDLE, 0, Error::Again, "a full class is EAGAIN"));
    for crowd in crowds {
        exec::end(crowd)?;
    }
    pin(u64::MAX).map_err(|error| Failure::Refused("a place on every CPU", error))?;
    kept
}

/// Fills the class Idle of the first CPU: two programs with 32 threads each.
fn gather(crowds: &mut Vec<ProcessId>) -> Result<(), Failure> {
    for _ in 0..2 {
        let mut output = Capture::open().map_err(|error| Failure::Refused("an endpoint", error))?;
        crowds.push(exec::start(CROWD.0, &[], &output)?);
        output.collect(CROWD.1.len()).map_err(|error| Failure::Refused("the word of a crowd", error))?;
        if output.bytes != CROWD.1.as_bytes() {
            return wrong("a program has as many threads as its quota says");
        }
    }
    Ok(())
}
