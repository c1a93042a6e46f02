//! What a process may own, and what it owns.

use crate::{arena::Pool, word::Half};
use nexus_abi::{Error, Kind, Quota};

/// A resource that is charged. The order is that of [`Quota::NAMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the kinds of objects")]
pub enum Resource {
    Frames,
    Threads,
    Messages,
    SlotBlocks,
    Processes,
    Endpoints,
    Notifications,
    Memories,
    Mappings,
    Timers,
    Irqs,
}

impl Resource {
    /// What one object of this kind is charged as.
    pub(crate) fn of(kind: Kind) -> Resource {
        match kind {
            Kind::Process => Resource::Processes,
            Kind::Thread => Resource::Threads,
            Kind::Endpoint => Resource::Endpoints,
            Kind::Notification | Kind::WaitSet => Resource::Notifications,
            Kind::Timer => Resource::Timers,
            Kind::Irq => Resource::Irqs,
            _ => Resource::Memories,
        }
    }
}

/// Kinds of resource.
pub const RESOURCES: usize = Quota::NAMES.len();

/// What a process may own, per resource.
pub type Limits = [u32; RESOURCES];

/// Limits and use, per resource. Guarded by all shards.
#[derive(Debug, Default)]
pub struct Account {
    pub(crate) limit: [Half; RESOURCES],
    used: [Half; RESOURCES],
}

impl Account {
    /// Sets the limits and forgets all use.
    pub fn open(&self, limits: Limits) {
        self.limit.iter().zip(limits).for_each(|(limit, amount)| limit.set(amount));
        self.used.iter().for_each(|used| used.set(0));
    }

    /// How much is used.
    pub fn used(&self, resource: Resource) -> u32 {
        self.used[resource as usize].get()
    }

    /// The limit of the resource at this place in [`Quota::NAMES`].
    pub fn limit(&self, index: usize) -> u32 {
        self.limit[index].get()
    }

    /// How much is left.
    pub fn left(&self, resource: Resource) -> u32 {
        self.limit(resource as usize) - self.used(resource)
    }

    /// `EOVERLIMIT` unless `amount` more fits. Changes nothing.
    pub fn check(&self, resource: Resource, amount: u32) -> Result<(), Error> {
        if amount <= self.left(resource) { Ok(()) } else { Err(Error::OverLimit) }
    }

    /// [`Account::check`] of what also takes so many places of a pool: `ENOMEM`.
    pub fn check_places(&self, pool: &Pool, resource: Resource, amount: u32) -> Result<(), Error> {
        self.check(resource, amount)?;
        if amount <= pool.left.get() { Ok(()) } else { Err(Error::Exhausted) }
    }

    /// Charges what [`Account::check`] found to fit.
    pub fn charge(&self, resource: Resource, amount: u32) {
        self.used[resource as usize].add(amount);
    }

    /// Gives back what was charged.
    pub fn refund(&self, resource: Resource, amount: u32) {
        self.used[resource as usize].sub(amount);
    }

    /// `EOVERLIMIT` unless a whole child quota, and the child itself, fits.
    pub fn check_child(&self, quota: &Quota) -> Result<(), Error> {
        let left = self.limit.iter().zip(&self.used).map(|(limit, used)| limit.get() - used.get());
        let fits = left.zip(quota.values()).all(|(left, amount)| amount <= left);
        let itself = u32::from(quota.processes) < self.left(Resource::Processes);
        if fits && itself { Ok(()) } else { Err(Error::OverLimit) }
    }

    /// Carves a child's quota, and the child itself, out of this account.
    pub fn carve(&self, child: &Account) {
        self.used.iter().zip(&child.limit).for_each(|(used, amount)| used.add(amount.get()));
        self.charge(Resource::Processes, 1);
    }

    /// Takes the quota of a child that is gone back. Its record stays charged until it is released.
    pub fn restore(&self, child: &Account) {
        self.used.iter().zip(&child.limit).for_each(|(used, amount)| used.sub(amount.get()));
    }

    /// Leaves the charge for a child, and its quota if that is not back, to the heir of this account: to whom its own limits
    /// go back.
    pub fn bequeath(&self, quota: Option<&Account>) {
        if let Some(child) = quota {
            self.limit.iter().zip(&child.limit).for_each(|(limit, amount)| limit.sub(amount.get()));
            self.restore(child);
        }
        self.limit[Resource::Processes as usize].sub(1);
        self.refund(Resource::Processes, 1);
    }

    /// True if nothing is charged.
    pub fn empty(&self) -> bool {
        self.used.iter().all(|used| used.get() == 0)
    }
}
