//! The system calls of the console ring.

use crate::prelude::*;
use crate::word::Bytes;
use nexus_abi::message::{HEADER_BYTES, MAX_LINE};

/// Bytes that one call reads at most.
const READ_BATCH: usize = 1024;

/// The bytes of a thread's IPC page behind the header. `ESTATE`: it has no IPC page.
pub(crate) fn payload(kernel: &Kernel, thread: &Thread) -> Result<Bytes, Error> {
    match thread.ipc_frame.get() {
        0 => Err(Error::State),
        frame => Ok(Bytes(&kernel.frames.at(frame).0[HEADER_BYTES / 8..])),
    }
}

/// Needs `USE`. `EOVERLIMIT`: longer than a line. One line feed at the end is the line's own; any other byte that is
/// not printable ASCII is escaped.
pub(crate) fn log_write(context: &Context, call: LogWrite) -> Verdict<LogWritten> {
    let kernel = context.kernel;
    let mut length = call.length as usize;
    if length > MAX_LINE {
        return Err(Error::OverLimit.into());
    }
    let payload = payload(kernel, context.thread)?;
    let name = {
        let _held = kernel.shards.hold(ShardSet::ALL);
        context.capability(call.log, Kind::Log, Rights::USE)?;
        // Its prefix stands before its lines, or its name if nobody set one.
        let Process { prefix, name, .. } = context.process();
        let words = if prefix[0].get() != 0 { prefix } else { name };
        words.each_ref().map(Word::get)
    };
    if length > 0 && payload.get(length - 1) == b'\n' {
        length -= 1;
    }
    let line = kernel.log.line();
    let name = name.iter().flat_map(|word| word.to_le_bytes()).take_while(|&byte| byte != 0);
    name.chain(*b": ").for_each(|byte| line.put(byte));
    (0..length).for_each(|at| line.put(payload.get(at)));
    drop(line);
    context.cpu.requests.print();
    kernel.announce(context.cpu);
    Ok(LogWritten {})
}

/// Needs `TAKE`. `EINVAL`: nothing was written there yet.
pub(crate) fn log_read(context: &Context, call: LogRead) -> Verdict<LogChunk> {
    let kernel = context.kernel;
    {
        let _held = kernel.shards.hold(ShardSet::of(call.log.shard()));
        context.capability(call.log, Kind::Log, Rights::TAKE)?;
    }
    let payload = payload(kernel, context.thread)?;
    let read = kernel.log.read(call.cursor, READ_BATCH, |at, byte| payload.put(at, byte));
    let chunk = read.ok_or(Error::Invalid)?;
    kernel.printed(context.process(), chunk.cursor);
    Ok(chunk)
}
