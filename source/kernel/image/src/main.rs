//! The kernel binary: boot order and trap-to-kernel glue.

#![cfg_attr(target_arch = "riscv64", no_std, no_main)]

#[cfg(target_arch = "riscv64")]
mod boot;

nexus_arch::entry!(boot::main);
