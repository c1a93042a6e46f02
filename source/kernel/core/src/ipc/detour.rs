//! The detour of a message: to or from a thread that waits on this CPU, but not in the plainest way.
//!
//! It takes what [`super::direct`] leaves: handles outside a table's first block, calls made while serving one, bytes in the
//! IPC page, partners beside whom float registers are loaded. The words stay in their registers here too, and `None` again
//! means that nothing was changed.

use super::direct::{Asker, Passage, Waiter};
use crate::prelude::*;
use crate::{gate::Gate, lock::LockGuard};

/// What the IPC page has to say of a thread's message with this number: an extent word that names no handles. `None`: all else.
#[inline(always)]
fn bytes_of(thread: &Thread, number: u64) -> Option<u64> {
    if number < ipc::CALL_EXTENDED {
        return Some(0);
    }
    let extent = Extent::from_word(thread.frame.get(reg::T6)).filter(|extent| extent.handles == 0)?;
    Some(extent.to_word() & Extent::LENGTH)
}

impl Kernel {
    /// A call to a waiting server.
    #[inline(always)]
    pub fn call_detour(
        &'static self,
        (caller, number): (&'static Thread, u64),
        target: u64,
        clock: Option<impl Fn() -> u64>,
    ) -> Option<Passage> {
        let bytes = bytes_of(caller, number)?;
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
        (server, number): (&'static Thread, u64),
        target: u64,
        clock: Option<impl Fn() -> u64>,
    ) -> Option<Passage> {
        let bytes = bytes_of(server, number)?;
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
    fn take_along(&self, sender: &Thread, passage: Passage, bytes: u64) -> Passage {
        if bytes == 0 {
            return passage;
        }
        self.copy_bytes(sender, passage.to, bytes);
        Passage { status: Status::EXTENDED, ..passage }
    }
}
