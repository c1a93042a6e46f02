//! Everything of the kernel that needs the machine: RISC-V, SBI, Sv39, PLIC, traps.

#![no_std]
