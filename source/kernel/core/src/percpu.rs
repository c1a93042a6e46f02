//! What belongs to one CPU: reached by code that runs there, and by no other.
//!
//! [`Here`] is the CPU that this code runs on. It cannot be sent to another, and only what is entered by the machine
//! layer makes one. A [`PerCpu`] opens for `Here` alone; others see of it what its [`Sides::Outside`] shows. Both are plain
//! references: they cost nothing. The whole record of a CPU is one, and what others see of that holds further ones.
//!
//! ```compile_fail,E0277
//! # use nexus_core::percpu::Here;
//! fn sent(here: Here) {
//!     std::thread::spawn(move || here.id.get());
//! }
//! ```
//!
//! ```compile_fail,E0599
//! # use nexus_core::cpu::Cpu;
//! fn of_another(other: &Cpu) {
//!     other.queue.idle();
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
//! ```compile_fail,E0308
//! # use nexus_core::{cpu::Cpu, percpu::Here};
//! fn smuggled(here: Here, other: &'static Cpu) {
//!     here.own(|_| &other.queue);
//! }
//! ```

mod mailbox;

pub use mailbox::Mailbox;

use crate::cpu::{Cpu, Own};
use crate::sched::queue::RunQueue;
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

/// A value of a CPU that shows others something.
pub trait Sides {
    /// What others see, or may do.
    type Outside;

    /// That.
    fn outside(&self) -> &Self::Outside;
}

impl PerCpu<Own> {
    /// This CPU, for who runs on it: the machine layer says so when it enters the kernel, and nobody else does.
    #[inline(always)]
    pub fn here(&'static self) -> Here {
        Here { cpu: &self.0, stays: PhantomData }
    }
}

impl Here {
    /// What this CPU owns. The way to it is a function that keeps nothing, so it leads to no other CPU.
    #[inline(always)]
    pub fn own<T>(self, of: fn(&Cpu) -> &PerCpu<T>) -> &'static T {
        &of(&self.cpu.seen).0
    }

    /// This CPU's ready threads.
    #[inline(always)]
    pub fn queue(self) -> &'static RunQueue {
        self.own(|cpu| &cpu.queue)
    }
}

impl Deref for Here {
    type Target = Own;

    #[inline(always)]
    fn deref(&self) -> &Own {
        self.cpu
    }
}

impl<T> PerCpu<T> {
    /// For who looks at everything while all other CPUs stand still: nothing may be changed.
    pub(crate) fn at_rest(&self) -> &T {
        &self.0
    }
}

impl<T: Sides> PerCpu<T> {
    /// What any CPU sees, or may do.
    #[inline(always)]
    pub fn outside(&self) -> &T::Outside {
        self.0.outside()
    }
}

impl Deref for PerCpu<Own> {
    type Target = Cpu;

    #[inline(always)]
    fn deref(&self) -> &Cpu {
        self.outside()
    }
}
