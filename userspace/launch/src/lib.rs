//! Makes a process from a program's file: memory, stack, start page, handles, first thread.
//!
//! init and execd start programs in the same way, so the order of system calls stands here once:
//!
//! 1. [`Embryo::conceive`] makes the process, maps the file's segments (text and constants where they lie, data as a
//!    copy) and the stack;
//! 2. [`Embryo::grant`] puts handles into its table, each under the name by which the program will find it;
//! 3. [`Embryo::start`] writes the start page, sets the limits, makes the first thread and lets it run.
//!
//! Everything is charged to the new process. Whatever fails on the way, the process is killed again and the error is
//! the caller's: there is no half-made program.

#![no_std]

extern crate alloc;

mod embryo;
mod space;

pub use embryo::{Embryo, Launched, limit};

use nexus_abi::{Error, Handle, Limits, Name, QosClass, Quota, ServiceId, Shard};

/// Who the new process is and what it may own.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// What the kernel stamps on its messages.
    pub service: ServiceId,
    /// What listings call it.
    pub name: Name,
    /// What the console prints before its lines.
    pub prefix: Name,
    /// What it may own, carved from the caller's.
    pub quota: Quota,
    /// Where the kernel keeps what it owns; none: where it keeps the caller's.
    pub shard: Option<Shard>,
}

/// A program's file, inside a sealed memory object.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The object that they lie in.
    pub memory: Handle,
    /// The page of the object at which they begin.
    pub page: u64,
}

/// How the first thread starts.
#[derive(Clone, Copy, Debug)]
pub struct Begin<'a> {
    /// Its class; above Normal only if the caller may raise classes.
    pub qos: QosClass,
    /// What it may use of the CPUs; more than a process has by itself only if the caller may raise classes.
    pub limits: Limits,
    /// Ticks of the `time` counter per second.
    pub timebase: u64,
    /// The arguments, the program's own name first.
    pub arguments: &'a [&'a str],
    /// `NAME=value` each.
    pub environment: &'a [&'a str],
}

/// Why a program was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchError {
    /// The file is not a program.
    File(loader::LoadError),
    /// The kernel refused a step.
    Kernel(Error),
}

impl From<Error> for LaunchError {
    fn from(error: Error) -> Self {
        Self::Kernel(error)
    }
}

impl From<loader::LoadError> for LaunchError {
    fn from(error: loader::LoadError) -> Self {
        Self::File(error)
    }
}

impl From<LaunchError> for Error {
    fn from(error: LaunchError) -> Self {
        match error {
            LaunchError::File(_) => Error::Corrupt,
            LaunchError::Kernel(error) => error,
        }
    }
}
