//! What belongs to one CPU: reached by code that runs there, and by no other.
//!
//! [`Here`] is the CPU that this code runs on. It cannot be sent to another, and only what is entered by the machine
//! layer makes one. The record of a CPU is a [`PerCpu`]: it opens for `Here` alone, and shows others its [`Cpu`]. Both are plain
//! references: they cost nothing.
//!
//! ```compile_fail,E0277
//! # use nexus_core::percpu::Here;
//! fn sent(here: Here) {
//!     std::thread::spawn(move || here.id.get());
//! }
//! ```
//!
//! ```compile_fail,E0609
//! # use nexus_core::cpu::Cpu;
//! fn of_another(other: &Cpu) {
//!     let _ = &other.ready;
//! }
//! ```
//!
//! ```compile_fail,E0609
//! # use nexus_core::{cpu::Own, percpu::PerCpu};
//! fn of_any(some: &PerCpu<Own>) {
//!     some.slice_end.set(0);
//! }
//! ```
//!
//! ```compile_fail,E0624
//! # use nexus_core::cpu::Cpu;
//! fn taken(other: &Cpu) {
//!     other.mail.take();
//! }
//! ```

mod mailbox;

pub use mailbox::Mailbox;

use crate::arena::Tag;
use crate::cpu::{Cpu, Own};
use core::{marker::PhantomData, ops::Deref};

/// The CPU that this code runs on.
#[derive(Clone, Copy, Debug)]
pub struct Here {
    cpu: &'static Own,
    /// Not sendable.
    stays: PhantomData<*const Own>,
}

/// A value that only its CPU reaches.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct PerCpu<T>(T);

impl PerCpu<Own> {
    /// This CPU, for who runs on it: the machine layer says so when it enters the kernel, and nobody else does.
    pub fn here(&'static self) -> Here {
        Here { cpu: &self.0, stays: PhantomData }
    }

    /// For who looks at everything while all other CPUs stand still: nothing may be changed.
    pub(crate) fn at_rest(&self) -> &Own {
        &self.0
    }
}

impl Here {
    /// What this CPU owns, for as long as the kernel runs.
    pub fn own(self) -> &'static Own {
        self.cpu
    }

    /// Takes all of this CPU's mail: the first of the stack, the empty link if there is none.
    pub(crate) fn take_mail(self) -> Tag {
        self.cpu.seen.mail.take()
    }
}

impl Deref for Here {
    type Target = Own;

    fn deref(&self) -> &Own {
        self.cpu
    }
}

impl Deref for PerCpu<Own> {
    type Target = Cpu;

    fn deref(&self) -> &Cpu {
        &self.0.seen
    }
}
