//! The kernel as a safe state machine over arenas.

#![no_std]
