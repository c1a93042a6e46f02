//! Sample: repeats its arguments, or without any its input, line by line as it comes.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;

use nexus_abi::Error;
use nexus_rt::{env, io, println};

nexus_rt::program!(main);

fn main() -> Result<(), Error> {
    let words: Vec<&str> = env::arguments().skip(1).collect();
    if !words.is_empty() {
        println!("{}", words.join(" "));
        return Ok(());
    }
    let (mut input, mut output) = (io::stdin()?, io::stdout()?);
    loop {
        match input.read(512)? {
            end if end.is_empty() => return Ok(()),
            bytes => output.write_all(&bytes)?,
        }
    }
}
