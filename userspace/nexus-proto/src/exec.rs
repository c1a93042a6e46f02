//! `exec`: starting programs, watching and ending them.
//!
//! What a caller may do is in the badge of its handle, as the manifest gave it and the kernel stamps it: [`START`] to
//! start programs and to watch and end those it started, [`CONTROL`] to watch and end everybody's, [`RAISE`] to give one a higher
//! class than its manifest. A caller without the
//! permission gets `EPERM`, and nothing in a message changes that.

use alloc::vec::Vec;

use nexus_abi::start::ExitKind;
use nexus_abi::{Error, Handle, Limits, Name, ProcessId, QosClass};
use nexus_ipc::{Bytes, Text, interface};

/// Permission `start` of the manifest: may start programs, and watch and end what it started.
pub const START: u64 = 1;
/// Permission `control` of the manifest: may watch and end every program.
pub const CONTROL: u64 = 2;
/// Permission `raise` of the manifest: may give programs a higher class than the manifest does.
pub const RAISE: u64 = 4;
/// Status of a program that was ended because the program that started it had ended.
pub const WITH_STARTER: i64 = 137;
/// Bytes of packed arguments and environment that one start request carries at most.
pub const TEXTS: usize = 1920;

interface! {
    /// Loads and starts programs for those who may.
    "exec" Exec {
        /// Starts a program of the boot bundle with packed texts (see [`pack`]) as arguments, behind its own name. When the
        /// starter is a program and ends, all that it started ends with it, with status [`WITH_STARTER`].
        /// `ENOENT`: no such program. `EPERM`: not by this caller. `ECORRUPT`: its file is no program.
        1 start once {
            program: Text<24>,
            arguments: Bytes<TEXTS>,
            stdin: Option<Handle>,
            stdout: Option<Handle>,
            stderr: Option<Handle>,
        } -> Started { process: ProcessId };
        /// Waits until a program has ended and says how. The record goes with this answer.
        2 wait once { process: ProcessId } -> Ended { kind: u64, detail: u64, pc: u64, address: u64 };
        /// Says how a program is, without waiting; the record stays.
        3 state again { process: ProcessId } -> Stated { kind: u64, detail: u64, pc: u64, address: u64 };
        /// Signals `bits` to a notification when the program has ended, or now if it has. Asked again by the same caller for
        /// the same bits, it takes the place of what was asked before.
        4 watch again { process: ProcessId, notification: Handle, bits: u64 } -> Watched {};
        /// Ends a program with a status; it is gone when the answer comes.
        5 kill again { process: ProcessId, status: i64 } -> Killed {};
        /// The program at or after `index` in the table of running and not yet waited-for programs. `ENOENT`: the end.
        6 list again { index: u32 } -> Listed { index: u32, process: ProcessId, name: Name, kind: u64, detail: u64 };
        /// Sets the class of a running program: up to that of its manifest, and up to Interactive if policy lets the caller
        /// [`RAISE`] it. `EPERM`: higher, or policy does not. `EUNAVAILABLE`: nobody decides. `ESTATE`: it has ended. `EAGAIN`:
        /// the class is full.
        7 set_class again { process: ProcessId, class: QosClass } -> ClassSet {};
        /// Sets what a running program may use of the CPUs: CPUs for threads that it makes from now on, weight and time for all.
        /// Up to its manifest's limits, and beyond them if policy lets the caller [`RAISE`] it. Errors as above; `EINVAL`: no
        /// limits.
        8 limit again { process: ProcessId, limits: Limits } -> Limited {};
    }
}

/// How a program ended, or that it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It runs, or its resources are being taken back.
    Running,
    /// It ended itself.
    Exited(i64),
    /// It was killed, with this status.
    Killed(i64),
    /// It did something it may not.
    Faulted {
        /// The RISC-V cause number.
        cause: u64,
        /// Where.
        pc: u64,
        /// The address it tried, if the cause has one.
        address: u64,
    },
}

impl Fate {
    /// The fate in the words of an answer.
    pub fn from_words(kind: u64, detail: u64, pc: u64, address: u64) -> Result<Fate, Error> {
        match ExitKind::from_wire(kind).ok_or(Error::Protocol)? {
            ExitKind::Running | ExitKind::Dying => Ok(Fate::Running),
            ExitKind::Exited => Ok(Fate::Exited(detail as i64)),
            ExitKind::Killed => Ok(Fate::Killed(detail as i64)),
            ExitKind::Faulted => Ok(Fate::Faulted { cause: detail, pc, address }),
        }
    }
}

impl Ended {
    /// What the words mean.
    pub fn fate(&self) -> Result<Fate, Error> {
        Fate::from_words(self.kind, self.detail, self.pc, self.address)
    }
}

impl Stated {
    /// What the words mean.
    pub fn fate(&self) -> Result<Fate, Error> {
        Fate::from_words(self.kind, self.detail, self.pc, self.address)
    }
}

/// Packs texts for [`Client::start`]: each ends with a zero byte. `EINVAL`: one contains a zero byte itself.
pub fn pack<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<u8>, Error> {
    let mut packed = Vec::new();
    for text in texts {
        if text.contains('\0') {
            return Err(Error::Invalid);
        }
        packed.extend_from_slice(text.as_bytes());
        packed.push(0);
    }
    Ok(packed)
}

/// The texts in a packed block; `EINVAL` if it does not end with a zero byte or is not UTF-8.
pub fn unpack(packed: &[u8]) -> Result<Vec<&str>, Error> {
    let Some((end, body)) = packed.split_last() else { return Ok(Vec::new()) };
    if *end != 0 {
        return Err(Error::Invalid);
    }
    body.split(|&byte| byte == 0).map(|text| core::str::from_utf8(text).map_err(|_| Error::Invalid)).collect()
}
