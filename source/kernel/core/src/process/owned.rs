//! What a process is charged for, as a list: so that taking it back needs no search.

use crate::arena::Pool;
use crate::prelude::*;

impl Kernel {
    /// Brings an object to life in its owner's home, and charges it. `EOVERLIMIT`, `ENOMEM`. Holds all shards.
    pub(crate) fn create<T: Object>(&self, arena: &Arena<T>, kind: Kind, owner: &Process) -> Result<&'static T, Error> {
        Ok(arena.at(self.occupy(&arena.pool, kind, owner)?))
    }

    fn occupy(&self, pool: &Pool, kind: Kind, owner: &Process) -> Result<u32, Error> {
        let at = |index| self.header(kind, index).unwrap_or(&self.processes.at(0).header);
        owner.account.check_places(pool, Resource::of(kind), 1)?;
        let index = pool.take(|index| at(index).links.next.get());
        let header = at(index);
        header.begin(index, owner.header.shard());
        owner.account.charge(Resource::of(kind), 1);
        self.own(owner, kind, header);
        Ok(index)
    }

    /// Gives back an object that nothing is left of. Holds all shards.
    pub(crate) fn bury(&self, pool: &Pool, kind: Kind, header: &Header) {
        self.disown(header).account.refund(Resource::of(kind), 1);
        header.end(pool);
    }

    /// Puts an object into its owner's list. Holds all shards.
    pub(crate) fn own(&self, owner: &Process, kind: Kind, header: &Header) {
        header.owner.set(owner.index());
        header.links.join(&owner.owned, Tag::new(kind, header.index()).0, |tag| &self.tagged(tag).links);
    }

    /// Takes an object out of its owner's list, and says whose that is. Holds all shards.
    pub(super) fn disown(&self, header: &Header) -> &'static Process {
        let owner = self.processes.at(header.owner.get());
        header.links.leave(&owner.owned, |tag| &self.tagged(tag).links);
        owner
    }

    /// The header that a tag names; one that never lives if there is none.
    fn tagged(&self, tag: u32) -> &'static Header {
        let header = Tag(tag).kind().and_then(|kind| self.header(kind, Tag(tag).index()));
        header.unwrap_or(&self.processes.at(0).header)
    }
}
