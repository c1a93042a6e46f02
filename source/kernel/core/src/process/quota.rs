//! What a process may own, and what it owns.

use crate::word::Half;
use nexus_abi::{Error, Quota};

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

/// Kinds of resource.
pub const RESOURCES: usize = Quota::NAMES.len();

/// Limits and use, per resource. Guarded by all shards.
#[derive(Debug, Default)]
pub struct Account {
    pub(crate) limit: [Half; RESOURCES],
    used: [Half; RESOURCES],
}

impl Account {
    /// Sets the limits and forgets all use.
    pub fn open(&self, quota: &Quota) {
        for (index, limit) in quota.values().into_iter().enumerate() {
            self.limit[index].set(limit);
            self.used[index].set(0);
        }
    }

    /// How much is used.
    pub fn used(&self, resource: Resource) -> u32 {
        self.used[resource as usize].get()
    }

    /// The limit.
    pub fn limit(&self, resource: Resource) -> u32 {
        self.limit[resource as usize].get()
    }

    /// How much is left.
    pub fn left(&self, resource: Resource) -> u32 {
        self.limit(resource).saturating_sub(self.used(resource))
    }

    /// `EOVERLIMIT` unless `amount` more fits. Changes nothing.
    pub fn check(&self, resource: Resource, amount: u32) -> Result<(), Error> {
        if amount <= self.left(resource) { Ok(()) } else { Err(Error::OverLimit) }
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
        for (index, &amount) in quota.values().iter().enumerate() {
            let own = u32::from(index == Resource::Processes as usize);
            let left = self.limit[index].get().saturating_sub(self.used[index].get());
            amount.checked_add(own).filter(|&sum| sum <= left).ok_or(Error::OverLimit)?;
        }
        Ok(())
    }

    /// Carves a child's quota, and the child itself, out of this account.
    pub fn carve(&self, child: &Account) {
        for (used, limit) in self.used.iter().zip(&child.limit) {
            used.add(limit.get());
        }
        self.charge(Resource::Processes, 1);
    }

    /// Takes the quota of a child that is gone back. Its record stays charged until it is released.
    pub fn restore(&self, child: &Account) {
        for (used, limit) in self.used.iter().zip(&child.limit) {
            used.sub(limit.get());
        }
    }

    /// Moves a child's quota from this account to a heir that already carries this account's own limits.
    pub fn bequeath(&self, child: &Account) {
        for ((limit, used), amount) in self.limit.iter().zip(&self.used).zip(&child.limit) {
            limit.sub(amount.get());
            used.sub(amount.get());
        }
    }

    /// Moves the charge for a child's record from this account to the heir of [`Account::bequeath`].
    pub fn bequeath_record(&self) {
        self.limit[Resource::Processes as usize].sub(1);
        self.refund(Resource::Processes, 1);
    }

    /// True if nothing is charged.
    pub fn empty(&self) -> bool {
        self.used.iter().all(|used| used.get() == 0)
    }
}
