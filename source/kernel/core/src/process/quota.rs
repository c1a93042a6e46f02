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

/// Limits, and what is left of them, per resource. Guarded by all shards.
#[derive(Debug, Default)]
pub struct Account {
    pub(crate) limit: [Half; RESOURCES],
    left: [Half; RESOURCES],
}

impl Account {
    /// Sets the limits and forgets all use.
    pub fn open(&self, limits: Limits) {
        self.limit.iter().zip(limits).for_each(|(limit, amount)| limit.set(amount));
        self.left.iter().zip(limits).for_each(|(left, amount)| left.set(amount));
    }

    /// How much is used.
    pub fn used(&self, resource: Resource) -> u32 {
        self.limit(resource as usize).wrapping_sub(self.left(resource))
    }

    /// The limit of the resource at this place in [`Quota::NAMES`].
    pub fn limit(&self, index: usize) -> u32 {
        self.limit[index].get()
    }

    /// How much is left.
    pub fn left(&self, resource: Resource) -> u32 {
        self.left[resource as usize].get()
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
        self.left[resource as usize].sub(amount);
    }

    /// Gives back what was charged.
    pub fn refund(&self, resource: Resource, amount: u32) {
        self.left[resource as usize].add(amount);
    }

    /// `EOVERLIMIT` unless a whole child quota, and the child itself, fits.
    pub fn check_child(&self, quota: &Quota) -> Result<(), Error> {
        let fits = self.left.iter().zip(quota.values()).all(|(left, amount)| amount <= left.get());
        let itself = u32::from(quota.processes) < self.left(Resource::Processes);
        if fits && itself { Ok(()) } else { Err(Error::OverLimit) }
    }

    /// Carves a child's quota, and the child itself, out of this account.
    pub fn carve(&self, child: &Account) {
        self.left.iter().zip(&child.limit).for_each(|(left, amount)| left.sub(amount.get()));
        self.charge(Resource::Processes, 1);
    }

    /// Takes the quota of a child that is gone back. Its record stays charged until it is released.
    pub fn restore(&self, child: &Account) {
        self.left.iter().zip(&child.limit).for_each(|(left, amount)| left.add(amount.get()));
    }

    /// Leaves the charge for a child, and its quota if that is not back, to the heir of this account: to whom its own limits
    /// go back.
    pub fn bequeath(&self, quota: Option<&Account>) {
        if let Some(child) = quota {
            self.limit.iter().zip(&child.limit).for_each(|(limit, amount)| limit.sub(amount.get()));
        }
        self.limit[Resource::Processes as usize].sub(1);
    }

    /// True if nothing is charged.
    pub fn empty(&self) -> bool {
        self.limit.iter().zip(&self.left).all(|(limit, left)| limit.get() == left.get())
    }
}
