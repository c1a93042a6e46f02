//! The smallest sample program: greets whoever its arguments name.

#![no_std]
#![no_main]

use nexus_rt::{env, println};

nexus_rt::program!(main);

fn main() {
    match env::arguments().nth(1) {
        Some(name) => println!("hello, {name}"),
        None => println!("hello, world"),
    }
}
