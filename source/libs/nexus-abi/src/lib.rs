//! ABI.

#![no_std]
