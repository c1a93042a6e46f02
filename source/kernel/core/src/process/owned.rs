//! What a process is charged for, as a list: so that taking it back needs no search.

use super::{Process, quota::Resource};
use crate::arena::{Arena, Header, Object, Tag, index_of};
use crate::{Kernel, links::Links};
use nexus_abi::{Error, Kind};

impl Kernel {
    /// Brings an object to life in its owner's home, and charges it. `EOVERLIMIT`, `ENOMEM`. Holds all shards.
    pub(crate) fn create<T: Object>(&self, arena: &Arena<T>, kind: Kind, owner: &Process) -> Result<&'static T, Error> {
        owner.account.check(Resource::of(kind), 1)?;
        let object = arena.allocate(owner.header.shard()).ok_or(Error::Exhausted)?;
        owner.account.charge(Resource::of(kind), 1);
        self.own(owner, kind, object.header());
        Ok(object)
    }

    /// Gives back an object that nothing is left of. Holds all shards.
    pub(crate) fn bury<T: Object>(&self, arena: &Arena<T>, kind: Kind, index: u32) {
        let owner = self.disown(arena.at(index).header());
        owner.account.refund(Resource::of(kind), 1);
        arena.release(index);
    }

    /// Puts an object into its owner's list. Holds all shards.
    pub(crate) fn own(&self, owner: &Process, kind: Kind, header: &Header) {
        header.owner.set(owner.index());
        let tag = Tag::new(kind, index_of(header.reference()));
        header.links.join(&owner.owned, tag.0, |tag| self.tagged(tag));
    }

    /// Takes an object out of its owner's list, and says whose that is. Holds all shards.
    pub(super) fn disown(&self, header: &Header) -> &'static Process {
        let owner = self.processes.at(header.owner.get());
        header.links.leave(&owner.owned, |tag| self.tagged(tag));
        owner
    }

    fn tagged(&self, tag: u32) -> &'static Links {
        let header = Tag(tag).kind().and_then(|kind| self.header(kind, Tag(tag).index()));
        &header.unwrap_or(&self.processes.at(0).header).links
    }
}
