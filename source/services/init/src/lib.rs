//! Starts what the manifest says and restarts what dies.
//!
//! init is the first process. It reads the resolved manifest from the boot image, starts the services in its order,
//! each with exactly the capabilities that the manifest gives it, and asks each by a one-way probe whether its loop
//! runs. After that it waits: for a service that ended (it comes back by policy), for a route (a handle by name, as the
//! manifest allows), for the operator. It calls nobody and names no service: all it knows stands in the manifest.
//!
//! Reading order: [`watch`] decides, [`Init`] acts, [`bundle`], [`roots`] and [`devices`] are what it acts with.

#![no_std]

extern crate alloc;

pub mod bundle;
pub mod devices;
mod ended;
mod furnish;
mod ground;
mod init;
mod leave;
mod rings;
pub mod roots;
mod routes;
mod serve;
pub mod watch;

pub use ground::Ground;
pub use init::Init;
pub use rings::Rings;
pub use roots::Roots;
