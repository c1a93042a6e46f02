//! Where the program touches the machine: the only `unsafe` code of user space.
//!
//! Two files offer the same functions: `target` is the machine, `host` asks a machine that a test installs. Everything
//! above this module is the same on both.

#![allow(unsafe_code, reason = "the one place of a program that may")]

mod leftovers;
mod lock;
#[cfg(not(target_os = "none"))]
#[path = "host.rs"]
mod machine;
#[cfg(target_os = "none")]
#[path = "target/mod.rs"]
mod machine;
mod queue;
mod wild;

pub use leftovers::First;
pub use lock::{Mutex, QueueLock};
#[allow(unused_imports, unreachable_pub, reason = "the target has nothing to offer outside this crate")]
pub use machine::*;
pub(crate) use machine::{
    Seat, Waker, add_seat, exchange, leaf, leave, load, own, sealed_bytes, start_page, store, thread_registers, time,
};
pub use wild::Wild;

use core::sync::atomic;

use nexus_abi::message::Status;

/// Everything a message call leaves in the registers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arrival {
    /// `t0`.
    pub status: Status,
    /// `a0`–`a7`.
    pub words: [u64; 8],
    /// `t2`: badge of the capability that was used.
    pub badge: u64,
    /// `t3`: the sender's service id.
    pub service: u64,
    /// `t4`: the sender's process.
    pub process: u64,
    /// `t5`: trace id.
    pub trace: u64,
}

/// The registers of a message call, on the way in.
#[derive(Clone, Copy, Debug)]
pub struct Departure {
    /// `t2`: number of the call.
    pub number: u64,
    /// `t3`: handle.
    pub target: u64,
    /// `t5`: deadline in ticks, where the number says so.
    pub deadline: u64,
    /// `t6`: extent or handle, where the number says so.
    pub extent: u64,
    /// `a0`–`a7`.
    pub words: [u64; 8],
}

/// A system call and what it took: instructions retired by this hart, all privilege levels.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// The counter directly before the `ecall`.
    pub before: u64,
    /// The counter directly after it.
    pub after: u64,
    /// What the call left in the registers.
    pub arrival: Arrival,
}

impl Counted {
    /// Instructions from the `ecall` to the `sret` behind it, both included.
    pub fn cost(&self) -> u64 {
        self.after - self.before - 1
    }
}

/// A wrong thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Loads from an address that is never mapped.
    LoadNull,
    /// Loads from the kernel's half.
    LoadKernel,
    /// Stores to its own text.
    StoreText,
    /// Stores to an address that is never mapped.
    StoreNull,
    /// Jumps to an address that is never mapped.
    FetchNull,
    /// Jumps into its own stack.
    FetchData,
    /// Executes an instruction that does not exist.
    Illegal,
    /// Reads a register of the kernel's.
    Privileged,
    /// Stops for a debugger that is not there.
    Breakpoint,
    /// Calls itself until the stack is used up.
    StackOverflow,
}

impl Wrong {
    /// Every wrong thing.
    pub const ALL: [Wrong; 10] = [
        Wrong::LoadNull,
        Wrong::LoadKernel,
        Wrong::StoreText,
        Wrong::StoreNull,
        Wrong::FetchNull,
        Wrong::FetchData,
        Wrong::Illegal,
        Wrong::Privileged,
        Wrong::Breakpoint,
        Wrong::StackOverflow,
    ];

    /// What a command line calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Wrong::LoadNull => "load-null",
            Wrong::LoadKernel => "load-kernel",
            Wrong::StoreText => "store-text",
            Wrong::StoreNull => "store-null",
            Wrong::FetchNull => "fetch-null",
            Wrong::FetchData => "fetch-data",
            Wrong::Illegal => "illegal",
            Wrong::Privileged => "privileged",
            Wrong::Breakpoint => "breakpoint",
            Wrong::StackOverflow => "stack-overflow",
        }
    }

    /// The RISC-V cause (privileged specification, table of `scause`) that must be recorded.
    pub const fn cause(self) -> u64 {
        match self {
            Wrong::Illegal | Wrong::Privileged => 2,
            Wrong::Breakpoint => 3,
            Wrong::FetchNull | Wrong::FetchData => 12,
            Wrong::LoadNull | Wrong::LoadKernel => 13,
            Wrong::StoreText | Wrong::StoreNull | Wrong::StackOverflow => 15,
        }
    }
}
