//! What every program links: entry, system calls, heap, panic, the receive loop.
//!
//! A program is `#![no_std] #![no_main]`, a `fn main()`, and `nexus_rt::program!(main);`. It finds its handles by
//! interface name in [`env`](mod@env), talks through a [`Channel`], serves through a [`Server`], prints with
//! [`println!`] and logs with [`log!`]. All `unsafe` code of user space is in `sys`: its target half is the real
//! machine, its host half a machine that a test supplies, so that the same programs compile and run under test.

#![no_std]

extern crate alloc;

mod aside;
pub mod channel;
pub mod env;
pub mod inbox;
pub mod io;
pub mod kernel;
pub mod log;
pub mod memory;
pub mod pipe;
pub mod program;
pub mod records;
pub mod server;
mod stacks;
pub mod sys;
pub mod thread;
pub mod time;
mod turns;

pub use channel::Channel;
pub use kernel::{Kernel, Machine};
pub use nexus_abi as abi;
pub use nexus_ipc as ipc;
pub use nexus_proto as proto;
pub use server::Server;
pub use time::Instant;
