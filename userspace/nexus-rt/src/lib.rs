//! What every program links: entry, system calls, heap, panic, the receive loop.

#![no_std]
