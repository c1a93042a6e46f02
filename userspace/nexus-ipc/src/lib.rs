//! Typed clients and servers over a transport.
//!
//! A service is written once against [`Serve`] and an interface declared with [`interface!`]; a client calls through a
//! [`Transport`]. Two transports exist: the kernel's, in `nexus-rt`, and [`local`], which runs the very same service in
//! the caller's process, with virtual time, for tests and simulation. What a request may carry is bounded by the types
//! of its declaration, and whatever arrives malformed is answered with an error: a client cannot harm a server.
//!
//! Reading order: [`message`], [`wire`], [`transport`], [`server`], [`interface`](mod@interface), [`pipeline`], [`route`],
//! [`ring`].

#![no_std]

extern crate alloc;

pub mod interface;
pub mod local;
pub mod message;
pub mod notice;
pub mod pipeline;
pub mod post;
pub mod ring;
pub mod route;
pub mod server;
pub mod transport;
pub mod wire;

pub use local::Local;
pub use message::{Handles, Message};
pub use notice::{Leave, Notice};
pub use pipeline::{Pending, Pipeline, Waited};
pub use post::{LocalInbox, Post};
pub use route::{NonceMismatchBudget, RouteAnswer, RouteLink, RouteRetryOutcome, route_with_nonce_budgeted};
pub use server::{Answered, Call, Caller, Deferred, NoAnswer, Outcome, Port, Serve, Served, Signal, Ticket};
pub use transport::{Stub, Transport};
pub use wire::{Bytes, Moved, Text};

#[doc(hidden)]
pub use nexus_abi as __abi;
