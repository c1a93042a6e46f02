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

use crate::{
    Kernel,
    event::{Context, Stop, Verdict},
    lock::{Held, Need, ShardSet},
    thread::{Thread, reg},
};
use nexus_abi::{Deadline, Error, message::Extent, syscall::ipc};

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
    /// The target register.
    pub target: u64,
    /// When the wait ends.
    pub deadline: Deadline,
    /// What the IPC page carries: a checked [`Extent`] word, 0 for nothing.
    pub extent: u64,
}

/// Holds shards, tries, and tries again with more where the attempt says so. The set only grows, so this ends.
#[inline(always)]
pub(crate) fn with_shards<T>(
    kernel: &'static Kernel,
    shards: ShardSet,
    attempt: impl Fn(&Held<'_>) -> Attempt<T>,
) -> Verdict<T> {
    let first = attempt(&kernel.shards.hold(shards));
    match first {
        Ok(value) => Ok(value),
        Err(Halt::Stop(stop)) => Err(stop),
        Err(Halt::Need(more)) => with_more_shards(kernel, shards.with(more), &attempt),
    }
}

#[cold]
#[inline(never)]
fn with_more_shards<T>(
    kernel: &'static Kernel,
    mut shards: ShardSet,
    attempt: &dyn Fn(&Held<'_>) -> Attempt<T>,
) -> Verdict<T> {
    loop {
        let held = kernel.shards.hold(shards);
        match attempt(&held) {
            Ok(value) => return Ok(value),
            Err(Halt::Stop(stop)) => return Err(stop),
            Err(Halt::Need(more)) => shards = shards.with(more),
        }
    }
}

impl Kernel {
    #[inline(always)]
    pub(crate) fn message(&'static self, context: &Context, number: u64) -> Verdict<()> {
        let frame = &context.thread.frame;
        let (target, deadline) = (frame.get(reg::T3), Deadline(frame.get(reg::T5)));
        let deadline = if number < ipc::CALL_UNTIL { Deadline::NEVER } else { deadline };
        let request = Request { target, deadline, extent: 0 };
        match number {
            ipc::CALL | ipc::CALL_UNTIL => self.enter_call(context, request),
            ipc::REPLY_RECV | ipc::REPLY_RECV_UNTIL => self.enter_reply_and_receive(context, request),
            _ => self.enter_rare(context, number, request),
        }
    }

    #[inline(always)]
    fn enter_call(&'static self, context: &Context, request: Request) -> Verdict<()> {
        let shards = self.own_shards(context, &request);
        let outcome = self.call(context, &self.shards.hold(shards), &request);
        match outcome {
            Ok(()) => Ok(()),
            Err(Halt::Stop(stop)) => Err(stop),
            Err(Halt::Need(more)) => self.call_again(context, shards.with(more), &request),
        }
    }

    #[cold]
    #[inline(never)]
    fn call_again(&'static self, context: &Context, shards: ShardSet, request: &Request) -> Verdict<()> {
        with_shards(self, shards, |held| self.call(context, held, request))
    }

    #[inline(always)]
    fn enter_reply_and_receive(&'static self, context: &Context, request: Request) -> Verdict<()> {
        let caller = self.threads.at(Thread::index_of_token(context.thread.link.get())).header.shard();
        let shards = self.own_shards(context, &request).with(ShardSet::of(caller));
        let outcome = self.reply_and_receive(context, &self.shards.hold(shards), &request);
        match outcome {
            Ok(()) => Ok(()),
            Err(Halt::Stop(stop)) => Err(stop),
            Err(Halt::Need(more)) => self.reply_and_receive_again(context, shards.with(more), &request),
        }
    }

    #[cold]
    #[inline(never)]
    fn reply_and_receive_again(&'static self, context: &Context, shards: ShardSet, request: &Request) -> Verdict<()> {
        with_shards(self, shards, |held| self.reply_and_receive(context, held, request))
    }

    #[inline(never)]
    fn enter_rare(&'static self, context: &Context, number: u64, timed: Request) -> Verdict<()> {
        let extended = matches!(number, ipc::CALL_EXTENDED | ipc::REPLY_RECV_EXTENDED | ipc::REPLY_EXTENDED);
        let handles = context.thread.frame.get(reg::T6);
        let extent = if extended { Extent::from_word(handles).ok_or(Error::OverLimit)? } else { Extent::default() };
        let request = Request { extent: extent.to_word(), ..timed };
        let structural = extent.handles > 0 || number == ipc::SEND && handles != 0;
        let reply = matches!(number, ipc::REPLY | ipc::REPLY_EXTENDED);
        let shards = if structural || reply { ShardSet::ALL } else { self.own_shards(context, &request) };
        with_shards(self, shards, |held| match number {
            ipc::CALL_EXTENDED => self.call(context, held, &request),
            ipc::REPLY_RECV_EXTENDED => self.reply_and_receive(context, held, &request),
            ipc::RECV => self.receive_only(context, held, &request),
            ipc::SEND => self.send(context, held, &request),
            _ => self.reply_only(context, held, &request),
        })
    }

    /// What a message surely touches: the calling thread, and what its target names.
    #[inline(always)]
    fn own_shards(&self, context: &Context, request: &Request) -> ShardSet {
        let target = (request.target >> 48) as usize;
        ShardSet::of(context.thread.header.shard()).with(ShardSet::of(target))
    }
}
