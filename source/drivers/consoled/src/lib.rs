//! The 16550 driver: the console's lines and keys.

#![no_std]
