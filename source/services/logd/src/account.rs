//! Each sender's account: what it may still add, and what became of what it did.
//!
//! A bucket that holds [`BURST`] records and fills with [`RATE`] a second. Every record that is not kept is counted, exactly
//! once, under its reason; once a second at most the losses are told.

use alloc::vec::Vec;

use nexus_abi::{Deadline, Error, ServiceId};
use nexus_proto::logs::{BURST, RATE};

/// Senders that can have an account. Identities of the manifest only exist so often.
pub const MAX_SENDERS: usize = 64;

/// One sender.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// The kernel's record of it.
    pub id: ServiceId,
    /// Records that were kept.
    pub kept: u64,
    /// Records that were none.
    pub malformed: u64,
    /// Records over its rate.
    pub limited: u64,
    /// Records that it dropped itself, because its ring was full.
    pub dropped: u64,
    told: u64,
    /// Records that it may add, times the ticks of a second.
    credit: u64,
    at: u64,
}

impl Sender {
    fn lost(&self) -> u64 {
        self.malformed.saturating_add(self.limited).saturating_add(self.dropped)
    }
}

/// All accounts.
#[derive(Debug)]
pub(crate) struct Accounts {
    timebase: u64,
    senders: Vec<Sender>,
    due: Deadline,
}

impl Accounts {
    pub(crate) fn new(timebase: u64) -> Self {
        Self { timebase: timebase.max(1), senders: Vec::new(), due: Deadline::NEVER }
    }

    fn open(&mut self, now: u64, id: ServiceId) -> Result<&mut Sender, Error> {
        if let Some(at) = self.senders.iter().position(|sender| sender.id == id) {
            return Ok(&mut self.senders[at]);
        }
        if self.senders.len() == MAX_SENDERS {
            return Err(Error::OverLimit);
        }
        let credit = u64::from(BURST).saturating_mul(self.timebase);
        self.senders.push(Sender { id, kept: 0, malformed: 0, limited: 0, dropped: 0, told: 0, credit, at: now });
        Ok(self.senders.last_mut().expect("one was pushed"))
    }

    /// Takes a record's price from a sender's account. `ERATELIMITED`: there is not that much, which was counted.
    /// `EOVERLIMIT`: there is no room for another sender.
    pub(crate) fn spend(&mut self, now: u64, id: ServiceId) -> Result<&mut Sender, Error> {
        let (price, most) = (self.timebase, u64::from(BURST).saturating_mul(self.timebase));
        let sender = self.open(now, id)?;
        let earned = now.saturating_sub(sender.at).saturating_mul(RATE.into());
        (sender.credit, sender.at) = (sender.credit.saturating_add(earned).min(most), now);
        if sender.credit < price {
            sender.limited += 1;
            self.owe(now);
            return Err(Error::RateLimited);
        }
        sender.credit -= price;
        // Asked for again, since the borrow above ends where an account is refused.
        self.open(now, id)
    }

    /// Takes note of what a sender says that it dropped itself.
    pub(crate) fn dropped(&mut self, now: u64, id: ServiceId, count: u64) {
        if count == 0 {
            return;
        }
        if let Ok(sender) = self.open(now, id) {
            sender.dropped = sender.dropped.saturating_add(count);
            self.owe(now);
        }
    }

    /// There is a loss to tell, within a second.
    pub(crate) fn owe(&mut self, now: u64) {
        if self.due == Deadline::NEVER {
            self.due = Deadline(now.saturating_add(self.timebase));
        }
    }

    /// When losses are to be told.
    pub(crate) fn due(&self) -> Deadline {
        self.due
    }

    /// What was lost and not yet told, by sender; now it is told.
    pub(crate) fn losses(&mut self) -> Vec<(ServiceId, u64)> {
        self.due = Deadline::NEVER;
        let lost = self.senders.iter_mut().map(|sender| {
            let lost = sender.lost();
            (sender.id, lost.saturating_sub(core::mem::replace(&mut sender.told, lost)))
        });
        lost.filter(|&(_, lost)| lost > 0).collect()
    }

    pub(crate) fn at(&self, index: usize) -> Option<&Sender> {
        self.senders.get(index)
    }
}
