//! What kernel, programs and tools agree on: system calls, errors, rights, layouts.
//!
//! Every fact that crosses the boundary between two privilege levels or two programs is declared here and nowhere
//! else. Read it in this order: [`handle`], [`kind`] and [`rights`] say what a program can hold; [`syscall`] is the
//! table of what it can ask; [`message`] is how it talks; [`error`] is every answer that is not success.
//! `tests/golden.rs` prints the whole of it, so that any change shows in review.

#![no_std]

pub mod error;
pub mod field;
pub mod handle;
pub mod identity;
pub mod image;
pub mod kind;
pub mod layout;
pub mod limits;
pub mod message;
pub mod part;
pub mod qos;
pub mod quota;
pub mod rights;
pub mod start;
pub mod syscall;
pub mod time;

pub use error::Error;
pub use handle::{Handle, Shard};
pub use identity::{Name, ProcessId, ServiceId};
pub use kind::Kind;
pub use limits::{Budget, Limits};
pub use part::Part;
pub use qos::QosClass;
pub use quota::Quota;
pub use rights::Rights;
pub use time::Deadline;

/// Version of the ABI, that is of everything in this crate; kernel, boot image and start page carry it and must agree.
pub const ABI_VERSION: u32 = 2;
