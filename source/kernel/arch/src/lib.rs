//! Everything of the kernel that needs the machine: RISC-V, SBI, Sv39, PLIC, traps.
//!
//! What only computes (device tree, memory plan, boot arguments) is plain code that the host tests; the rest exists on
//! the machine alone. Boot reads: [`mod@entry`] brings a hart to the upper half, the image's `main` calls [`machine`],
//! [`memory`], [`system`], and [`run`] never returns. A trap enters `trap.S` and comes back through [`run`].

#![no_std]

pub mod arguments;
pub mod facts;
mod flat;
pub mod layout;
pub mod plan;
pub mod tree;

#[cfg(target_arch = "riscv64")]
pub use machine_only::*;

// The files lie beside this one.
#[cfg(target_arch = "riscv64")]
#[path = "."]
mod machine_only {
    pub mod console;
    pub(crate) mod csr;
    #[cfg(not(feature = "checked"))]
    #[path = "sound.rs"]
    pub mod defects;
    #[cfg(feature = "checked")]
    #[path = "tests/defects.rs"]
    pub mod defects;
    pub(crate) mod direct;
    pub mod entry;
    pub(crate) mod float;
    pub(crate) mod hart;
    pub mod harts;
    pub(crate) mod linked;
    pub mod machine;
    pub mod memory;
    pub(crate) mod paging;
    pub(crate) mod panic;
    pub(crate) mod plic;
    pub mod power;
    pub(crate) mod requests;
    pub mod run;
    pub(crate) mod sbi;
    pub mod selftest;
    pub mod system;
    pub(crate) mod timer;
}

#[cfg(not(target_arch = "riscv64"))]
mod host;

#[cfg(test)]
extern crate std;
