//! Turns an ELF file into a plan of memory objects and mappings.

#![no_std]
