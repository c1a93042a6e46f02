//! From a number to its handler: one line of dispatch a call, made from the table.

use super::{Context, Stop, Verdict};
use crate::thread::{Frame, Stamp, reg};
use nexus_abi::syscall::{self, Syscall};
use nexus_abi::{Error, for_each_syscall, message::WORDS};

/// The handler of one typed system call.
pub(crate) trait Serve: Syscall {
    /// Does what the call asks, or says why not. A call that has its number and nothing more answers so.
    fn serve(self, _: &Context) -> Verdict<Self::Output> {
        Err(Stop::Refuse(Error::NoCall))
    }
}

macro_rules! dispatcher {
    ($($name:ident)*) => {
        /// Decodes and serves the typed call with this number.
        #[inline(never)]
        pub(crate) fn dispatch(context: &Context, number: u64) -> Verdict<()> {
            match number {
                $(syscall::$name::NUMBER => serve::<syscall::$name>(context),)*
                _ => Err(Stop::Refuse(Error::NoCall)),
            }
        }
    };
}

for_each_syscall!(dispatcher);

#[inline(never)]
fn serve<S: Serve>(context: &Context) -> Verdict<()> {
    let frame = &context.thread.frame;
    if context.kernel.refuses(S::NUMBER) {
        return Err(Stop::Refuse(Error::NoCall));
    }
    let output = S::decode(frame.get(reg::T3), frame)?.serve(context)?;
    answer(frame, output);
    Ok(())
}

/// Writes an answer: the results in `a0`…, 0 everywhere else.
pub(crate) fn answer(frame: &Frame, output: impl syscall::Answer) {
    blank(frame);
    output.encode(&mut |at, word| frame.set_word(at, word));
}

/// An answer without results: one copy for all calls.
#[inline(never)]
pub(crate) fn blank(frame: &Frame) {
    frame.set_message([0; WORDS]);
    frame.set_status(0, 0, Stamp::default());
}
