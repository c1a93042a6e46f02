//! Wait sets: one wait for any number of notifications, which answer with their keys.

use super::notification::Notification;
use crate::prelude::*;

pub(crate) fn wait_set_create(context: &Context, call: WaitSetCreate) -> Verdict<WaitSetCreated> {
    let _held = context.kernel.shards.hold(ShardSet::ALL);
    Ok(WaitSetCreated { wait_set: context.kernel.new_notification(context, call.process, Kind::WaitSet)? })
}

pub(crate) fn wait_set_add(context: &Context, call: WaitSetAdd) -> Verdict<WaitSetAdded> {
    let (kernel, _held) = context.hold_all();
    let set = context.object(&kernel.notifications, call.wait_set, Kind::WaitSet, Rights::MANAGE)?;
    let member = context.object(&kernel.notifications, call.notification, Kind::Notification, Rights::TAKE)?;
    if member.set.get() != 0 {
        return Err(Error::Exists.into());
    }
    if member.bound.get() != 0 || !member.waiters.is_empty() {
        return Err(Error::State.into());
    }
    member.set.set(set.header.me());
    member.key.set(call.key);
    member.beside.join(&set.members, index_of(member.header.me()), |index| &kernel.notifications.at(index).beside);
    let pending = member.bits.get();
    kernel.signal(context.cpu, member.header.me(), pending);
    Ok(WaitSetAdded {})
}

pub(crate) fn wait_set_remove(context: &Context, call: WaitSetRemove) -> Verdict<WaitSetRemoved> {
    let (kernel, _held) = context.hold_all();
    let set = context.object(&kernel.notifications, call.wait_set, Kind::WaitSet, Rights::MANAGE)?;
    let member = context.object(&kernel.notifications, call.notification, Kind::Notification, Rights::TAKE)?;
    if member.set.get() != set.header.me() {
        return Err(Error::NotFound.into());
    }
    kernel.leave_set(member);
    Ok(WaitSetRemoved {})
}

impl Kernel {
    /// Takes a notification out of its set, if it is in one. Holds all shards.
    pub(super) fn leave_set(&self, member: &Notification) {
        if member.set.get() == 0 {
            return;
        }
        let set = self.notifications.at(index_of(member.set.get()));
        if member.queued.get() == 1 {
            self.unqueue(set, member);
        }
        member.set.set(0);
        member.key.set(0);
        member.beside.leave(&set.members, |index| &self.notifications.at(index).beside);
    }

    /// Takes up to 16 members out of a set that is gone. Holds all shards.
    pub(super) fn release_members(&self, set: &Notification) -> Progress {
        if set.is_set.get() == 0 {
            return Ok(());
        }
        for _ in 0..16 {
            match set.members.get() {
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
        member.in_turn.next.set(0);
        member.in_turn.previous.set(last);
        let before = if last == 0 { &set.ready[0] } else { &self.notifications.at(last).in_turn.next };
        before.set(index);
        set.ready[1].set(index);
    }

    /// Takes a ready member off the list.
    pub(super) fn unqueue(&self, set: &Notification, member: &Notification) {
        if member.in_turn.next.get() == 0 {
            set.ready[1].set(member.in_turn.previous.get());
        }
        member.in_turn.leave(&set.ready[0], |index| &self.notifications.at(index).in_turn);
        member.queued.set(0);
    }
}
