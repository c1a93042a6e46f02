//! The proof program: checks the running system and prints its lines.

#![no_std]
#![no_main]

nexus_rt::program!(selftest::run);
