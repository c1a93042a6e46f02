//! Endpoints: where calls and one-way messages meet a receiver.

use crate::list::{ThreadList, ThreadStack};
use crate::prelude::*;

/// Longest queue of one-way messages that one endpoint can have.
pub const MAX_QUEUE: u16 = 64;

/// An endpoint. Guarded by its shard.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub struct Endpoint {
    /// Object header.
    pub header: Header,
    /// Threads that wait for a message, the latest first: its cache is warm.
    pub receivers: ThreadStack,
    /// Callers that wait to be received, by class, the earliest first.
    pub callers: [ThreadList; QosClass::COUNT],
    /// Queued one-way messages: first and last.
    pub queue: [Half; 2],
    /// First message place without content.
    pub empty: Half,
    /// Places it was made with.
    pub places: Half,
    /// 1 if the last thing received was a one-way message: then a waiting call comes first.
    pub turn: Half,
    /// The endpoint's reference while it lives and neither a caller nor a one-way message waits; else 0.
    pub(super) open: Word,
}

impl Endpoint {
    /// True if a caller or a one-way message waits to be received.
    #[inline(always)]
    pub(crate) fn waited_for(&self) -> bool {
        self.open.get() != self.header.me()
    }

    /// To be called after every change of `callers` and `queue`, and at its death, unless it is clear that somebody waits.
    pub(super) fn note_waiting(&self) {
        let waits = self.queue[0].get() != 0 || self.callers.iter().any(|list| !list.is_empty());
        self.open.set(if waits { 0 } else { self.header.me() });
    }

    /// Puts a caller last among those of its class.
    #[inline]
    pub(super) fn add_caller(&self, threads: &Arena<Thread>, caller: &Thread) {
        let class = caller.class() as usize;
        caller.queued_class.set(class as u32);
        self.callers[class].push_back(threads, caller);
        self.open.set(0);
    }

    /// Takes a waiting caller out.
    pub(super) fn remove_caller(&self, threads: &Arena<Thread>, caller: &Thread) {
        self.callers[caller.queued_class.get() as usize & 3].remove(threads, caller);
        self.note_waiting();
    }
}

/// One place for a queued one-way message; it belongs to one endpoint. Guarded by that endpoint's shard.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Message {
    /// Object header.
    pub header: Header,
    /// Its eight words.
    pub words: [Word; 8],
    /// Badge of the sender's capability.
    pub badge: Word,
    /// Sender's service id, process id, trace.
    pub stamp: [Word; 3],
    /// The handle that came with it, in the owner's table; 0 is none.
    pub handle: Word,
    /// Next in the queue, or of the empty places.
    pub next: Half,
}

impl Object for Endpoint {
    fn header(&self) -> &Header {
        &self.header
    }
}

impl Object for Message {
    fn header(&self) -> &Header {
        &self.header
    }
}

pub(crate) fn endpoint_create(context: &Context, call: EndpointCreate) -> Verdict<EndpointCreated> {
    let (kernel, _held) = context.hold_all();
    let owner = context.subject(call.process, Rights::USE)?;
    if call.queue > MAX_QUEUE {
        return Err(Error::OverLimit.into());
    }
    owner.account.check_places(&kernel.messages.pool, Resource::Messages, call.queue.into())?;
    let (endpoint, handle) = context.create(&kernel.endpoints, Kind::Endpoint, owner)?;
    kernel.furnish(endpoint, call.queue);
    owner.account.charge(Resource::Messages, call.queue.into());
    Ok(EndpointCreated { endpoint: handle })
}

impl Kernel {
    fn furnish(&self, endpoint: &Endpoint, queue: u16) {
        endpoint.queue.iter().for_each(|link| link.set(0));
        endpoint.empty.set(0);
        endpoint.turn.set(0);
        endpoint.note_waiting();
        endpoint.places.set(queue.into());
        for _ in 0..queue {
            let message = self.messages.allocate(endpoint.header.shard());
            message.handle.set(0);
            message.next.set(endpoint.empty.get());
            endpoint.empty.set(index_of(message.header.me()));
        }
    }

    /// One step of taking an endpoint back: those who wait hear `EPEERCLOSED`. Holds all shards.
    pub(crate) fn destroy_endpoint(&'static self, cpu: Here, index: u32) -> Progress {
        let endpoint = self.endpoints.at(index);
        let heir = self.heir(endpoint);
        endpoint.header.die();
        endpoint.note_waiting();
        self.reclass(cpu, heir);
        if self.dismiss(cpu, endpoint) {
            return Err(More);
        }
        let owner = self.processes.at(endpoint.header.owner.get());
        for head in [&endpoint.queue[0], &endpoint.empty] {
            while head.get() != 0 {
                let message = self.messages.at(head.get());
                self.drop_handle(owner, message.handle.take());
                head.set(message.next.get());
                message.header.end(&self.messages.pool);
            }
        }
        owner.account.refund(Resource::Messages, endpoint.places.get());
        self.bury(&self.endpoints.pool, Kind::Endpoint, &endpoint.header);
        Ok(())
    }

    /// Takes the handle of a message that nobody will receive out of its owner's table: it was never told of it. One that is
    /// the last to name its object stays: destroying objects from here could go as deep as messages name each other's
    /// endpoints.
    fn drop_handle(&self, owner: &Process, handle: u64) {
        if let Some(found) = Handle::from_raw(handle).and_then(|handle| self.slot(owner, handle).ok())
            && found.child.get() == 0
            && self.named(found).is_none_or(|header| header.capabilities.get() > 1)
        {
            self.move_away(found);
        }
    }
}
