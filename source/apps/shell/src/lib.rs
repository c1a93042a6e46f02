//! The command line of the system.

#![no_std]
