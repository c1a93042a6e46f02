//! Lines for the console ring, under the prefix that the kernel stamps.
//!
//! For system messages; a program talks to its user through [`crate::println!`]. Without a `log` handle lines are
//! dropped: logging never fails a program.

use alloc::vec::Vec;
use core::fmt::{self, Write};

use nexus_abi::message::{HEADER_BYTES, MAX_INLINE, MAX_LINE};
use nexus_abi::syscall::{LogRead, LogWrite};
use nexus_abi::{Error, Handle};

use crate::{env, kernel::invoke, sys};

/// Logs one line, as `format!` writes it.
#[macro_export]
macro_rules! log {
    ($($text:tt)*) => { $crate::log::write(format_args!($($text)*)) };
}

/// Logs one line, and records it for the log service. What is longer than a line may be is cut off.
pub fn write(text: fmt::Arguments<'_>) {
    line(text);
    crate::records::repeat(text);
}

/// Writes one line to the console ring alone, without heap.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let Ok(log) = env::handle(env::LOG) else { return };
    let mut line = Line::default();
    // An error means that the line is full; what fits is written.
    let _ = line.write_fmt(text);
    let _ = invoke(LogWrite { log, length: line.length as u32 });
}

/// Reads bytes of the console ring from `cursor` on: the new cursor, how many bytes were lost before them, the bytes.
/// Only who drives the console has the right.
pub fn read(log: Handle, cursor: u64) -> Result<(u64, u64, Vec<u8>), Error> {
    let chunk = invoke(LogRead { log, cursor })?;
    let mut bytes = alloc::vec![0; (chunk.length as usize).min(MAX_INLINE)];
    sys::read_page(HEADER_BYTES, &mut bytes);
    Ok((chunk.cursor, chunk.lost, bytes))
}

/// Builds the line in the IPC page itself: no buffer, no heap, so that it works in a panic.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Bytes so far, from [`HEADER_BYTES`] on.
    pub(crate) length: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = text.len().min(MAX_LINE - self.length);
        sys::write_page(HEADER_BYTES + self.length, &text.as_bytes()[..fits]);
        self.length += fits;
        if fits == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}
