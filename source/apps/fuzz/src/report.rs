//! What the fuzzer says on the console: lines that the judge on the host reads.

use alloc::string::String;
use core::fmt::Write;

use nexus_abi::Error;
use nexus_abi::syscall::{InfoProcess, InfoUsage};
use nexus_rt::{env, kernel::invoke};

use crate::tally::{COLUMNS, NO_CALL, ROWS, Tally};

/// One line a call that was made: its number, and how often it ended how.
pub(crate) fn rows(tally: &Tally) {
    for row in 0..ROWS {
        let mut line = String::new();
        for column in 0..COLUMNS {
            let count = tally.count(row, column);
            let name = match column {
                0 => "ok",
                number => Error::from_number(number as u16).map_or("?", Error::name),
            };
            if count > 0 {
                // A string takes everything.
                let _ = write!(line, " {name}={count}");
            }
        }
        if !line.is_empty() {
            let number = if row == NO_CALL { u64::MAX } else { row as u64 };
            nexus_rt::log!("fuzz: row {number}{line}");
        }
    }
}

/// One line a process: whose is what was not given back.
pub(crate) fn owners() {
    let Ok(info) = env::handle("info") else { return };
    let mut index = 1;
    while let Ok(process) = invoke(InfoProcess { info, index }) {
        index = process.id.number();
        if let Ok(usage) = invoke(InfoUsage { info, index }) {
            let (frames, handles, threads) = (usage.frames, usage.handles, usage.threads);
            nexus_rt::log!("fuzz: process {index} has {frames} frames, {handles} handles, {threads} threads");
        }
        index += 1;
    }
}
