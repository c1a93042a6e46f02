//! The detour of a message: to or from a thread that waits on this CPU, but not in the plainest way.
//!
//! It takes what [`super::direct`] leaves: handles outside a table's first block, calls made while serving one, bytes in the
//! IPC page, partners beside whom float registers are loaded. The words stay in their registers here too, and `None` again
//! means that nothing was changed.

use super::direct::{Asker, Passage, Waiter};
use crate::lock::{LockGuard, ShardSet};
use crate::{Kernel, gate::Gate, percpu::Here, thread::Thread};
use nexus_abi::message::{Extent, Status};
use nexus_abi::{Handle, Kind, Rights};

/// What the IPC page has to say of a message: an extent word that names no handles.
#[derive(Clone, Copy, Debug)]
pub struct Bytes(u64);

impl Bytes {
    /// None.
    pub const NONE: Bytes = Bytes(0);

    /// Those of a checked extent word; `None` if it is none, or names handles.
    #[inline(always)]
    pub fn of(extent: u64) -> Option<Bytes> {
        Extent::from_word(extent).filter(|extent| extent.handles == 0).map(|_| Bytes(extent & Extent::LENGTH))
    }
}

impl Kernel {
    /// A call to a waiting server.
    #[inline(always)]
    pub fn call_detour(
        &'static self,
        caller: &'static Thread,
        target: u64,
        clock: Option<impl Fn() -> u64>,
        bytes: Bytes,
    ) -> Option<Passage> {
        let gate = caller.gate.get();
        // Its first message goes the general way, which finds out where its slots are.
        let handle = Handle::from_raw(target).filter(|_| caller.near_slots.get() != 0)?;
        let _own = self.shards.hold_one(Gate::shard(gate));
        let _far = self.hold_beside(Gate::shard(gate), handle.shard())?;
        let slot = self.slot(self.processes.at(caller.process.get() as u32), handle).ok()?;
        if !slot.allows(Kind::Endpoint, Rights::USE) {
            return None;
        }
        if caller.link.get() != 0 {
            let endpoint = self.endpoints.named(slot.object.get())?;
            let held = ShardSet::of(Gate::shard(gate)).with(ShardSet::of(handle.shard()));
            self.check_chain(caller, held, endpoint).ok()?;
        }
        let passage = self.call_at(Asker { thread: caller, clock }, slot, Some(|| handle.shard()))?;
        Some(self.take_along(caller, passage, bytes))
    }

    /// The answer to a caller that waits on this CPU, when nothing else waits for the server.
    #[inline(always)]
    pub fn reply_recv_detour(
        &'static self,
        cpu: impl Fn() -> Here,
        server: &'static Thread,
        target: u64,
        (clock, bytes): (Option<impl Fn() -> u64>, Bytes),
    ) -> Option<Passage> {
        let gate = server.gate.get();
        let _own = self.shards.hold_one(Gate::shard(gate));
        let endpoint = self.source_of(server, target)?;
        let token = server.link.get();
        let caller = self.threads.place(Thread::index_of_token(token))?;
        let shard = Gate::shard(caller.gate.get());
        let _far = self.hold_beside(Gate::shard(gate), shard)?;
        let caller = Waiter { thread: caller, token, far: Some(|| shard) };
        let passage = self.answer_to(caller, &Asker { thread: server, clock }, endpoint, cpu)?;
        Some(self.take_along(server, passage, bytes))
    }

    /// Holds one more shard than `held`, if it is another one. Out of order a lock may be tried, but not waited for.
    #[inline(always)]
    pub(super) fn hold_beside(&self, held: usize, shard: usize) -> Option<Option<LockGuard<'_>>> {
        if shard == held { Some(None) } else { Some(Some(self.shards.try_one(shard)?)) }
    }

    #[inline(always)]
    fn take_along(&self, sender: &Thread, passage: Passage, bytes: Bytes) -> Passage {
        if bytes.0 == 0 {
            return passage;
        }
        self.copy_bytes(sender, passage.to, bytes.0);
        Passage { status: Status::EXTENDED, ..passage }
    }
}
