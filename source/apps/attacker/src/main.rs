//! Attacks the system, for proofs: its arguments say how.

#![no_std]
#![no_main]

nexus_rt::program!(attacker::run);
