//! Reserved calls: contiguous memory for devices, and the recipe that silences a dead driver's device.
//!
//! They have their numbers so that programs need not be rebuilt when they come. Until then each answers `ENOSYS`,
//! whatever its arguments.

use crate::event::serve::Serve;
use nexus_abi::syscall::{DmaAddress, DmaCreate, Quiesce};

impl Serve for DmaCreate {}
impl Serve for DmaAddress {}
impl Serve for Quiesce {}
