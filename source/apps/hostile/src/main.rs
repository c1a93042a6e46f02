//! Starts attacks one by one, and looks at what became of the system after each.

#![no_std]
#![no_main]

nexus_rt::program!(hostile::run);
