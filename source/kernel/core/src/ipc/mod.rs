//! Messages between threads: calls, answers, one-way messages, signals, faults.
//!
//! One message's way: `call` finds the endpoint and either a waiting receiver, to which [`transfer`] copies it, or the
//! queue; `receive` finds a waiting caller or message, or waits; `reply` goes back by the receiver's link. Everything
//! that can refuse is looked at first. What blocks a thread, and what ends that, is in [`wait`].

pub mod call;
pub mod endpoint;
pub mod fault;
pub mod notification;
pub mod receive;
pub mod reply;
pub mod send;
pub mod transfer;
pub mod wait;
pub mod wait_set;

use crate::{
    Kernel,
    event::{Context, Stop, Verdict},
    lock::{Held, Need, ShardSet},
    thread::reg,
};
use nexus_abi::{Deadline, Error, Handle, message::Extent, syscall::ipc};

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
    /// What the IPC page carries.
    pub extent: Extent,
}

/// Retries `attempt` with growing sets of shards until it needs no more. The set only grows, so this ends.
pub(crate) fn with_shards<T>(
    kernel: &'static Kernel,
    mut shards: ShardSet,
    mut attempt: impl FnMut(&Held<'_>) -> Attempt<T>,
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
    /// A message call (numbers of [`nexus_abi::syscall::ipc`]).
    pub(crate) fn message_call(&'static self, context: &Context, number: u64) -> Verdict<()> {
        let request = self.request(context, number)?;
        let shards = self.first_shards(context, number, &request);
        with_shards(self, shards, |held| match number {
            ipc::CALL | ipc::CALL_UNTIL | ipc::CALL_EXTENDED => self.call(context, held, &request),
            ipc::REPLY_RECV | ipc::REPLY_RECV_UNTIL | ipc::REPLY_RECV_EXTENDED => {
                self.reply_and_receive(context, held, &request)
            }
            ipc::RECV => self.receive_only(context, held, &request),
            ipc::SEND => self.send(context, held, &request),
            _ => self.reply_only(context, held, &request),
        })
    }

    fn request(&self, context: &Context, number: u64) -> Result<Request, Error> {
        let frame = &context.thread.frame;
        let extended = matches!(number, ipc::CALL_EXTENDED | ipc::REPLY_RECV_EXTENDED | ipc::REPLY_EXTENDED);
        let timed = extended || matches!(number, ipc::CALL_UNTIL | ipc::REPLY_RECV_UNTIL | ipc::RECV);
        Ok(Request {
            target: frame.get(reg::T3),
            deadline: if timed { Deadline(frame.get(reg::T5)) } else { Deadline::NEVER },
            extent: if extended {
                Extent::from_word(frame.get(reg::T6)).ok_or(Error::OverLimit)?
            } else {
                Extent::default()
            },
        })
    }

    /// Messages with handles change tables, so they hold everything; others start with what they surely touch.
    fn first_shards(&self, context: &Context, number: u64, request: &Request) -> ShardSet {
        let handles = request.extent.handles > 0 || number == ipc::SEND && context.thread.frame.get(reg::T6) != 0;
        let queued = number != ipc::CALL && number != ipc::CALL_UNTIL && number != ipc::CALL_EXTENDED;
        let reply_handle = matches!(number, ipc::REPLY | ipc::REPLY_EXTENDED) && request.target != 0;
        if handles || reply_handle {
            return ShardSet::ALL;
        }
        let own = ShardSet::of(context.thread.header.shard());
        let target = Handle::from_raw(request.target).map_or(own, |handle| ShardSet::of(handle.shard()));
        let link = context.thread.link.get();
        let linked = if queued && link != 0 { ShardSet::of(self.threads.at(link as u32).header.shard()) } else { own };
        own.with(target).with(linked)
    }
}
