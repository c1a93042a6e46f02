//! The command line of the system: what is typed, what it means, what it prints.
//!
//! Pure: the machine stands behind [`System`], the terminal behind a byte stream, so that the whole of it runs on the host
//! under test. `main.rs` puts the real services behind both.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod command;
mod commands;
mod editor;
mod failure;
mod history;
mod keys;
mod listing;
mod machine;
mod parse;
mod session;
mod system;

pub use command::{COMMANDS, Command, Context};
pub use editor::{Editor, Input, MAX_LINE};
pub use failure::Failure;
pub use listing::{Cell, Form, Listing};
pub use machine::main as machine_main;
pub use parse::{Line, Place, parse};
pub use session::{PROMPT, Session};
pub use system::{
    Cpu, End, Entry, Explanation, Memory, Power, Process, Program, Query, Slot, State, Status, System, Waited,
};
