//! Close and revoke: a capability goes, and what hung on it.

use crate::prelude::*;

/// Capabilities that one step of a revocation removes at most.
const REVOKE_BATCH: usize = 16;

/// A bounded step is done and more is to do: call again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct More;

/// Whether a bounded piece of work is over.
pub type Progress = Result<(), More>;

impl From<More> for Stop {
    fn from(_: More) -> Stop {
        Stop::Restart
    }
}

impl Kernel {
    /// One step of removing a capability, and of the object if this was its last. Mappings that were made through it stay,
    /// and hang on its parent. Holds all shards.
    pub(crate) fn close(&'static self, cpu: Here, slot: &Slot) -> Progress {
        let Some(kind) = slot.kind() else { return Ok(()) };
        let object = slot.object.get();
        let header = self.named(slot);
        self.lift_mappings(slot);
        // What is mapped stays while it is.
        let mapped = kind.is_memory() && self.memories.at(index_of(object)).mappings.get() != 0;
        if !mapped && header.is_some_and(|header| header.capabilities.get() == 1) {
            self.destroy(cpu, kind, index_of(object))?;
        }
        self.vacate(slot, header)?;
        if kind == Kind::Reply {
            self.abandon_caller(cpu, object);
        }
        Ok(())
    }

    /// Takes a capability out of its table and leaves the object alone: another one names it. It has no children.
    pub(crate) fn move_away(&self, slot: &Slot) {
        self.lift_mappings(slot);
        let vacated = self.vacate(slot, self.named(slot));
        debug_assert!(vacated.is_ok(), "whoever moves a capability has looked for children");
    }

    /// The header of the object that a capability names, while its place is not free.
    pub(crate) fn named(&self, slot: &Slot) -> Option<&'static Header> {
        let object = slot.object.get();
        self.header(slot.kind()?, index_of(object)).filter(|header| header.names(object))
    }

    /// Removes children one by one; the children of each come to stand in its place, so depth does not matter. Then go
    /// mappings in other address spaces than the holder's: they were made through something derived and closed since, or by
    /// the holder in another process.
    fn revoke_step(&'static self, cpu: Here, slot: &Slot) -> Progress {
        slot.revoking.set(1);
        for _ in 0..REVOKE_BATCH {
            let child = slot.child.get();
            if child == 0 {
                self.recall(cpu, slot, Some(slot.process.get()))?;
                slot.revoking.set(0);
                return Ok(());
            }
            let child = self.blocks.at(child);
            self.recall(cpu, child, None)?;
            self.close(cpu, child)?;
        }
        Err(More)
    }
}

pub(crate) fn close(context: &Context, call: Close) -> Verdict<Closed> {
    let (kernel, _held) = context.hold_all();
    kernel.close(context.cpu, kernel.slot(context.process(), call.handle)?)?;
    Ok(Closed {})
}

pub(crate) fn revoke(context: &Context, call: Revoke) -> Verdict<Revoked> {
    let (kernel, _held) = context.hold_all();
    kernel.revoke_step(context.cpu, kernel.slot(context.process(), call.handle)?)?;
    Ok(Revoked {})
}
