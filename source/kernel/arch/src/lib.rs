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
pub mod list;
pub mod plan;
pub mod tree;

#[cfg(target_arch = "riscv64")]
pub mod console;
#[cfg(target_arch = "riscv64")]
mod csr;
#[cfg(all(target_arch = "riscv64", feature = "checked"))]
#[path = "tests/defects.rs"]
pub mod defects;
#[cfg(all(target_arch = "riscv64", not(feature = "checked")))]
#[path = "sound.rs"]
pub mod defects;
#[cfg(target_arch = "riscv64")]
mod direct;
#[cfg(target_arch = "riscv64")]
pub mod entry;
#[cfg(target_arch = "riscv64")]
mod float;
#[cfg(target_arch = "riscv64")]
mod hart;
#[cfg(target_arch = "riscv64")]
pub mod harts;
#[cfg(target_arch = "riscv64")]
mod linked;
#[cfg(target_arch = "riscv64")]
pub mod machine;
#[cfg(target_arch = "riscv64")]
pub mod memory;
#[cfg(target_arch = "riscv64")]
mod once;
#[cfg(target_arch = "riscv64")]
mod paging;
#[cfg(target_arch = "riscv64")]
mod panic;
#[cfg(target_arch = "riscv64")]
mod plic;
#[cfg(target_arch = "riscv64")]
pub mod power;
#[cfg(target_arch = "riscv64")]
mod requests;
#[cfg(target_arch = "riscv64")]
pub mod run;
#[cfg(target_arch = "riscv64")]
mod sbi;
#[cfg(target_arch = "riscv64")]
pub mod selftest;
#[cfg(target_arch = "riscv64")]
pub mod system;
#[cfg(target_arch = "riscv64")]
mod timer;
#[cfg(target_arch = "riscv64")]
mod uart;

#[cfg(not(target_arch = "riscv64"))]
mod host;

#[cfg(test)]
extern crate std;
