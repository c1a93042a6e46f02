//! Derive, grant, inspect: rights only shrink.

use crate::prelude::*;
use nexus_abi::Part;

impl Kernel {
    /// What `source` becomes with these rights and this badge; refuses more rights, a second badge, a reply.
    pub(crate) fn derivable(&self, source: &Slot, rights: Rights, badge: u64) -> Result<Capability, Error> {
        let (slot, kind) = (source, source.kind().ok_or(Error::BadHandle)?);
        if kind == Kind::Reply {
            return Err(Error::WrongKind);
        }
        if !slot.rights().contains(rights) {
            return Err(Error::Permission);
        }
        let memory = kind.is_memory();
        // A badge is set once, by who may manage; part of memory is not managed.
        let once = slot.badge.get() == 0 && slot.rights().contains(Rights::MANAGE);
        if badge != 0 && if memory { rights.contains(Rights::MANAGE) } else { !once } {
            return Err(Error::Permission);
        }
        if slot.revoking.get() == 1 {
            return Err(Error::State);
        }
        if self.gone(kind, slot.object.get()) {
            return Err(Error::PeerClosed);
        }
        let shard = Handle::from_raw(slot.key.get()).map_or(0, Handle::shard);
        let badge = match badge {
            0 => slot.badge.get(),
            badge if memory => self.reached(slot).part(Part::from_badge(badge)).ok_or(Error::Invalid)?.badge(),
            badge => badge,
        };
        Ok(Capability { kind, object: slot.object.get(), shard, rights, badge })
    }

    /// The pages of its object that a capability to memory reaches.
    pub(crate) fn reached(&self, slot: &Slot) -> Part {
        slot.part(|| self.memories.get(slot.object.get()).map_or(0, |memory| memory.pages.get()))
    }

    /// Derives into another process's table, as a grant or a message does. Receiving stays with the endpoint's owner:
    /// that right does not travel to any other process.
    pub(crate) fn transferable(&self, source: &Slot, to: &Process) -> Result<Capability, Error> {
        let rights = source.rights();
        if !rights.contains(Rights::TRANSFER) {
            return Err(Error::Permission);
        }
        let mut capability = self.derivable(source, rights, 0)?;
        let owner = self.header(capability.kind, index_of(capability.object)).map_or(0, |header| header.owner.get());
        if capability.kind == Kind::Endpoint && owner != to.index() {
            capability.rights = rights.intersection(Rights::USE.union(Rights::MANAGE).union(Rights::TRANSFER));
        }
        Ok(capability)
    }
}

pub(crate) fn derive(context: &Context, call: Derive) -> Verdict<Derived> {
    let (kernel, _held) = context.hold_all();
    let source = kernel.slot(context.process(), call.source)?;
    let capability = kernel.derivable(source, call.rights, call.badge)?;
    Ok(Derived { handle: kernel.insert(context.process(), &capability, source.place.get())? })
}

pub(crate) fn grant(context: &Context, call: Grant) -> Verdict<Granted> {
    let (kernel, _held) = context.hold_all();
    let process = context.subject(Some(call.process), Rights::USE)?;
    let source = kernel.slot(context.process(), call.source)?;
    let allowed = kernel.transferable(source, process)?;
    let wanted = kernel.derivable(source, call.rights, call.badge)?;
    let capability = Capability { rights: allowed.rights.intersection(call.rights), ..wanted };
    Ok(Granted { handle: kernel.insert(process, &capability, source.place.get())? })
}

pub(crate) fn inspect(context: &Context, call: Inspect) -> Verdict<Inspected> {
    let kernel = context.kernel;
    let _held = kernel.shards.hold(ShardSet::of(call.handle.shard()));
    let slot = kernel.slot(context.process(), call.handle)?;
    let kind = slot.kind().ok_or(Error::BadHandle)?;
    if kernel.gone(kind, slot.object.get()) {
        return Err(Error::PeerClosed.into());
    }
    let size = if kind.is_memory() { kernel.reached(slot).pages.into() } else { 0 };
    Ok(Inspected { kind, rights: slot.rights(), badge: slot.badge.get(), size })
}
