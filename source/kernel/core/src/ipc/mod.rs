//! Messages between threads: calls, answers, one-way messages, signals, faults.
//!
//! One message's way: `call` finds the endpoint and either a waiting receiver, to which [`transfer`] copies it, or the
//! queue; `receive` finds a waiting caller or message, or waits; `reply` goes back by the receiver's link. Everything
//! that can refuse is looked at first. What blocks a thread, and what ends that, is in [`wait`].

pub mod call;
mod chain;
pub mod detour;
pub mod direct;
pub mod donation;
pub mod endpoint;
pub mod fault;
pub mod notification;
pub mod receive;
pub mod reply;
pub mod send;
pub mod signal;
pub mod transfer;
pub mod wait;
pub mod wait_set;

use crate::lock::Need;
use crate::prelude::*;
use core::hint::black_box;
use nexus_abi::Deadline;

/// Why an attempt did not go through. Nothing was changed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Halt {
    /// Try again with these shards too.
    Need(ShardSet),
    /// No attempt will.
    Stop(Stop),
}

impl From<Need> for Halt {
    fn from(Need(shards): Need) -> Halt {
        Halt::Need(shards)
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Halt {
        Halt::Stop(Stop::Refuse(error))
    }
}

/// An attempt's outcome.
pub(crate) type Attempt<T> = Result<T, Halt>;

/// The parts of a message call that are not the eight words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// The call's number.
    pub number: u64,
    /// The target register.
    pub target: u64,
    /// When the wait ends.
    pub deadline: Deadline,
    /// What the IPC page carries: a checked [`Extent`] word, 0 for nothing.
    pub extent: u64,
}

/// Holds shards, tries, and tries again with more where the attempt says so. The set only grows, so this ends.
pub(crate) fn with_shards<T>(
    kernel: &'static Kernel,
    mut shards: ShardSet,
    attempt: impl Fn(&Held<'_>) -> Attempt<T>,
) -> Verdict<T> {
    loop {
        let outcome = attempt(&kernel.shards.hold(shards));
        match outcome {
            Ok(value) => return Ok(value),
            Err(Halt::Stop(stop)) => return Err(stop),
            Err(Halt::Need(more)) => shards = shards.with(more),
        }
    }
}

impl Kernel {
    /// A message call with this number. It surely touches the calling thread, what its target names, and whom it answers.
    #[inline(always)]
    pub(crate) fn message(&'static self, context: &Context, number: u64) -> Verdict<()> {
        let (thread, frame) = (context.thread, &context.thread.frame);
        let until = number >= ipc::CALL_UNTIL;
        let deadline = if until { Deadline(frame.get(reg::T5)) } else { Deadline::NEVER };
        let (mut request, handles) =
            (Request { number, target: frame.get(reg::T3), deadline, extent: 0 }, frame.get(reg::T6));
        let target = ShardSet::of((request.target >> 48) as usize);
        let mut shards = ShardSet::of(thread.header.shard()).with(target);
        match number {
            ipc::CALL_EXTENDED | ipc::REPLY_RECV_EXTENDED | ipc::REPLY_EXTENDED => {
                let extent = Extent::from_word(handles).ok_or(Error::OverLimit)?;
                request.extent = extent.to_word();
                if extent.handles > 0 || number == ipc::REPLY_EXTENDED {
                    shards = ShardSet::ALL;
                }
            }
            ipc::REPLY => shards = ShardSet::ALL,
            ipc::SEND if handles != 0 => shards = ShardSet::ALL,
            _ => {}
        }
        self.attempt(context, &request, shards)
    }

    /// As [`with_shards`] does, but not as a loop: the first attempt would pay for what a compiler takes out of one.
    #[inline(never)]
    fn attempt(&'static self, context: &Context, request: &Request, shards: ShardSet) -> Verdict<()> {
        let held = self.shards.hold(shards);
        let outcome = match request.number {
            ipc::CALL | ipc::CALL_UNTIL | ipc::CALL_EXTENDED => self.call(context, &held, request),
            ipc::SEND => self.send(context, &held, request),
            ipc::REPLY | ipc::REPLY_EXTENDED => self.reply_only(context, &held, request),
            _ => self.reply_and_receive(context, &held, request),
        };
        drop(held);
        match outcome {
            Ok(()) => Ok(()),
            Err(Halt::Stop(stop)) => Err(stop),
            Err(Halt::Need(more)) => black_box(Kernel::attempt)(self, context, request, shards.with(more)),
        }
    }
}
