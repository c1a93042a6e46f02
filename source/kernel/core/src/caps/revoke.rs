//! Close and revoke: a capability goes, and what hung on it.

use super::{
    slot::{Revoking, Slot},
    table::Found,
};
use crate::{
    Kernel,
    arena::index_of,
    event::{Context, Stop, Verdict, serve::Serve},
    lock::ShardSet,
    percpu::Here,
};
use nexus_abi::{
    Kind,
    syscall::{Close, Closed, Revoke, Revoked},
};

/// Capabilities that one step of a revocation removes at most.
const REVOKE_BATCH: usize = 16;

/// What becomes of mappings that were made through a capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mappings {
    /// They stay, and hang on the capability's parent.
    Stay,
    /// Those in other address spaces than the holder's go: they were made through something derived and closed since, or
    /// by the holder in another process.
    Recalled,
    /// They go.
    Go,
}

/// Whether a bounded piece of work is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// It is.
    Done,
    /// Call again.
    More,
}

impl Kernel {
    /// One step of removing a capability, and of the object if this was its last. Holds all shards.
    pub(crate) fn close(&'static self, cpu: Here, place: u32, mappings: Mappings) -> Progress {
        let slot = self.blocks.at(place);
        let Some(kind) = slot.kind() else { return Progress::Done };
        let object = slot.object.get();
        if self.release_mappings(cpu, place, mappings) == Progress::More {
            return Progress::More;
        }
        let header = self.header(kind, index_of(object)).filter(|header| header.names(object));
        let last = header.is_some_and(|header| header.capabilities.get() == 1);
        if last && self.unreferenced(cpu, kind, object) == Progress::More {
            return Progress::More;
        }
        if !self.vacate(place) {
            return Progress::More;
        }
        if let Some(header) = header.filter(|header| header.names(object)) {
            header.capabilities.sub(1);
        }
        if kind == Kind::Reply {
            self.abandon_caller(cpu, object);
        }
        Progress::Done
    }

    /// Takes a capability out of its table and leaves the object alone: another one names it. It has no children.
    pub(crate) fn move_away(&self, place: u32) {
        let slot = self.blocks.at(place);
        self.lift_mappings(place);
        let (kind, object) = (slot.kind(), slot.object.get());
        let vacated = self.vacate(place);
        debug_assert!(vacated, "whoever moves a capability has looked for children");
        if let Some(header) =
            kind.and_then(|kind| self.header(kind, index_of(object))).filter(|header| header.names(object))
        {
            header.capabilities.sub(1);
        }
    }

    /// True if no other capability names the object of this one.
    pub(crate) fn last_to_name(&self, slot: &Slot) -> bool {
        let header = slot.kind().and_then(|kind| self.header(kind, index_of(slot.object.get())));
        header.is_some_and(|header| header.names(slot.object.get()) && header.capabilities.get() == 1)
    }

    /// Removes children one by one; the children of each come to stand in its place, so depth does not matter.
    fn revoke_step(&'static self, cpu: Here, found: Found) -> Progress {
        found.slot.set_revoking(Revoking::Yes);
        for _ in 0..REVOKE_BATCH {
            let child = found.slot.child.get();
            if child == 0 {
                let progress = self.release_mappings(cpu, found.place, Mappings::Recalled);
                if progress == Progress::Done {
                    found.slot.set_revoking(Revoking::No);
                }
                return progress;
            }
            if self.close(cpu, child, Mappings::Go) == Progress::More {
                break;
            }
        }
        Progress::More
    }
}

impl Serve for Close {
    fn serve(self, context: &Context) -> Verdict<Closed> {
        let _held = context.kernel.shards.hold(ShardSet::ALL);
        let found = context.kernel.slot(context.process(), self.handle)?;
        match context.kernel.close(context.cpu, found.place, Mappings::Stay) {
            Progress::Done => Ok(Closed {}),
            Progress::More => Err(Stop::Restart),
        }
    }
}

impl Serve for Revoke {
    fn serve(self, context: &Context) -> Verdict<Revoked> {
        let _held = context.kernel.shards.hold(ShardSet::ALL);
        let found = context.kernel.slot(context.process(), self.handle)?;
        match context.kernel.revoke_step(context.cpu, found) {
            Progress::Done => Ok(Revoked {}),
            Progress::More => Err(Stop::Restart),
        }
    }
}
