//! The kernel as a safe state machine over arenas.
//!
//! Nothing here allocates, knows a register of the machine or reads a clock. Events come in through [`event`]: a system
//! call, a timer, an interrupt, a kick, a fault. Each runs to its end with time and CPU as arguments and leaves behind,
//! in the [`cpu::Own`], what the machine layer must do: whom to resume, when to interrupt, whom to kick, what to fence.
//!
//! Every field is an atomic word read and written relaxed ([`word`]): safe Rust may share it between CPUs without a
//! promise that only a reader of the whole program could check. What makes compound changes consistent are the shard
//! locks ([`lock`]); each object says which lock guards it. Traffic (IPC, notifications) takes the shards of the
//! objects it touches; structural changes (create, derive, map, close) take all of them.

#![no_std]

pub mod arena;
pub mod audit;
pub mod boot;
pub mod caps;
pub mod console;
pub mod cpu;
pub mod event;
pub mod gate;
pub mod info;
pub mod ipc;
pub mod kernel;
pub mod links;
pub mod list;
pub mod lock;
pub mod log;
pub mod memory;
pub mod percpu;
pub mod power;
mod prelude;
pub mod process;
pub mod qos;
pub mod sched;
pub mod selftest;
pub mod text;
pub mod thread;
pub mod time;
pub mod trace;
pub mod word;

// Whether this kernel can look at its own invariants: in tests, and where it is built for them.
#[cfg(any(test, feature = "checked"))]
#[path = "tests/invariant/mod.rs"]
pub mod invariant;
#[cfg(not(any(test, feature = "checked")))]
#[path = "unchecked.rs"]
pub mod invariant;

// What the machine layer does with a system call, where there is none.
#[cfg(any(test, feature = "checked"))]
#[path = "tests/ways.rs"]
pub mod ways;

pub use kernel::Kernel;

#[cfg(test)]
extern crate std;
#[cfg(test)]
mod boot_tests;
#[cfg(test)]
mod qos_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
