//! Wait sets: one wait for any number of notifications, which answer with their keys.

use super::notification::Notification;
use crate::caps::revoke::{More, Progress};
use crate::event::{Context, Verdict, serve::Serve};
use crate::{Kernel, arena::index_of, lock::ShardSet};
use nexus_abi::syscall::{WaitSetAdd, WaitSetAdded, WaitSetCreate, WaitSetCreated, WaitSetRemove, WaitSetRemoved};
use nexus_abi::{Error, Kind, Rights};

impl Serve for WaitSetCreate {
    fn serve(self, context: &Context) -> Verdict<WaitSetCreated> {
        let _held = context.kernel.shards.hold(ShardSet::ALL);
        let wait_set = context.kernel.new_notification(context, self.process, Kind::WaitSet)?;
        Ok(WaitSetCreated { wait_set })
    }
}

impl Serve for WaitSetAdd {
    fn serve(self, context: &Context) -> Verdict<WaitSetAdded> {
        let (kernel, _held) = context.hold_all();
        let set = context.object(&kernel.notifications, self.wait_set, Kind::WaitSet, Rights::MANAGE)?;
        let member = context.object(&kernel.notifications, self.notification, Kind::Notification, Rights::TAKE)?;
        if member.set.get() != 0 {
            return Err(Error::Exists.into());
        }
        if member.bound.get() != 0 || !member.waiters.is_empty() {
            return Err(Error::State.into());
        }
        kernel.join_set(set, member, self.key);
        let pending = member.bits.get();
        kernel.signal(context.cpu, member.header.me(), pending);
        Ok(WaitSetAdded {})
    }
}

impl Serve for WaitSetRemove {
    fn serve(self, context: &Context) -> Verdict<WaitSetRemoved> {
        let (kernel, _held) = context.hold_all();
        let set = context.object(&kernel.notifications, self.wait_set, Kind::WaitSet, Rights::MANAGE)?;
        let member = context.object(&kernel.notifications, self.notification, Kind::Notification, Rights::TAKE)?;
        if member.set.get() != set.header.me() {
            return Err(Error::NotFound.into());
        }
        kernel.leave_set(member);
        Ok(WaitSetRemoved {})
    }
}

impl Kernel {
    fn join_set(&self, set: &Notification, member: &Notification, key: u64) {
        let (index, first) = (index_of(member.header.me()), set.members[0].get());
        member.set.set(set.header.me());
        member.key.set(key);
        member.members[0].set(first);
        member.members[1].set(0);
        if first != 0 {
            self.notifications.at(first).members[1].set(index);
        }
        set.members[0].set(index);
    }

    /// Takes a notification out of its set, if it is in one. Holds all shards.
    pub(super) fn leave_set(&self, member: &Notification) {
        if member.set.get() == 0 {
            return;
        }
        let set = self.notifications.at(index_of(member.set.get()));
        let (next, previous) = (member.members[0].get(), member.members[1].get());
        if next != 0 {
            self.notifications.at(next).members[1].set(previous);
        }
        match previous {
            0 => set.members[0].set(next),
            index => self.notifications.at(index).members[0].set(next),
        }
        if member.queued.get() == 1 {
            self.unqueue(set, member);
        }
        member.set.set(0);
        member.members.iter().for_each(|link| link.set(0));
    }

    /// Takes up to 16 members out of a set that is gone. Holds all shards.
    pub(super) fn release_members(&self, set: &Notification) -> Progress {
        if set.is_set.get() == 0 {
            return Ok(());
        }
        for _ in 0..16 {
            match set.members[0].get() {
                0 => return Ok(()),
                member => self.leave_set(self.notifications.at(member)),
            }
        }
        Err(More)
    }

    /// Puts a member last among its set's ready ones.
    pub(super) fn queue_member(&self, set: &Notification, member: &Notification) {
        let (index, last) = (index_of(member.header.me()), set.ready[1].get());
        member.queued.set(1);
        member.ready[0].set(0);
        member.ready[1].set(last);
        match last {
            0 => set.ready[0].set(index),
            last => self.notifications.at(last).ready[0].set(index),
        }
        set.ready[1].set(index);
    }

    /// Takes the first ready member's bits and takes it off the list.
    pub(super) fn unqueue_first(&self, set: &Notification) {
        let member = self.notifications.at(set.ready[0].get());
        debug_assert!(self.shards.held(member.header.shard()), "taken from outside its shard");
        self.unqueue(set, member);
        member.bits.set(0);
    }

    fn unqueue(&self, set: &Notification, member: &Notification) {
        let (next, previous) = (member.ready[0].get(), member.ready[1].get());
        match previous {
            0 => set.ready[0].set(next),
            index => self.notifications.at(index).ready[0].set(next),
        }
        match next {
            0 => set.ready[1].set(previous),
            index => self.notifications.at(index).ready[1].set(previous),
        }
        member.queued.set(0);
        member.ready.iter().for_each(|link| link.set(0));
    }
}
