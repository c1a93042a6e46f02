//! The interfaces of the system, each declared once.
//!
//! A module is an interface: its trait is what a service implements, its `Client` what others call it through, its
//! `METHODS` what its messages take. `contract` checks a running service against what its interface promises; the same
//! functions run in process on the host and in the self-test on the target.

#![no_std]

extern crate alloc;

pub mod audit;
pub mod console;
pub mod contract;
pub mod exec;
pub mod logs;
pub mod pipe;
pub mod policy;
pub mod record;
pub mod stream;
pub mod supervisor;
pub mod timer;
