//! Notifications: 64 OR-ed signal bits. A wait set is a notification made of keyed members ([`super::wait_set`]).

use super::{Attempt, Halt, transfer::write_message, with_shards};
use crate::prelude::*;
use crate::{event::serve::blank, list::ThreadList, lock::Need};

/// A notification or wait set. Guarded by its shard; a member's place in its set (`ready`, `queued`) by the set's, and
/// what only structural changes write (`is_set`, `members`, `set`, `key`) by all.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Notification {
    /// Object header.
    pub header: Header,
    /// Bits that were signalled and not yet taken.
    pub bits: Word,
    /// Threads that wait for it.
    pub waiters: ThreadList,
    /// Reference of the thread that it is bound to; 0 is none.
    pub bound: Word,
    /// 1 if this is a wait set.
    pub is_set: Half,
    /// Wait set: its ready members, first and last.
    pub ready: [Half; 2],
    /// Member: its neighbours among them.
    pub in_turn: Links,
    /// Wait set: its first member.
    pub members: Half,
    /// Member: its neighbours.
    pub beside: Links,
    /// Member: reference of its set; 0 is none.
    pub set: Word,
    /// Member: its key.
    pub key: Word,
    /// Member: 1 while it is in its set's ready list.
    pub queued: Half,
}

impl Object for Notification {
    fn header(&self) -> &Header {
        &self.header
    }
}

impl Kernel {
    /// Makes a notification or an empty wait set, charged to `owner`. The caller has checked that it fits.
    pub(super) fn new_notification(&self, context: &Context, owner: Option<Handle>, kind: Kind) -> Verdict<Handle> {
        let owner = context.subject(owner, Rights::USE)?;
        let (notification, handle) = context.create(&self.notifications, kind, owner)?;
        let words = [&notification.bits, &notification.bound, &notification.set, &notification.key];
        words.into_iter().for_each(|word| word.set(0));
        let links = [&notification.members, &notification.queued];
        notification.ready.iter().chain(links).for_each(|link| link.set(0));
        notification.is_set.set(u32::from(kind == Kind::WaitSet));
        self.wait_sets.add(notification.is_set.get());
        Ok(handle)
    }

    /// ORs bits into a notification, if it lives, and wakes who waits. Holds all shards.
    pub(crate) fn signal(&'static self, cpu: Here, notification: u64, bits: u64) {
        let signalled = self.signal_within(cpu, ShardSet::ALL, notification, bits);
        debug_assert!(signalled.is_ok(), "all shards are held");
    }

    fn signal_within(&'static self, cpu: Here, held: ShardSet, reference: u64, bits: u64) -> Result<(), Need> {
        let Some(notification) = self.notifications.get(reference) else { return Ok(()) };
        held.require(notification.header.shard())?;
        let target = self.notifications.get(notification.set.get()).unwrap_or(notification);
        held.require(target.header.shard())?;
        let waiter = target.waiters.first(&self.threads);
        let bound = self.threads.get(target.bound.get());
        if let Some(thread) = bound {
            held.require(thread.header.shard())?;
        }
        let woken = waiter.or(bound.filter(|thread| thread.state() == State::Receiving));
        if let Some(thread) = woken {
            held.require(thread.header.shard())?;
            if waiter.is_none() {
                held.require(self.endpoints.at(index_of(thread.source_endpoint.get())).header.shard())?;
            }
        }
        notification.bits.set(notification.bits.get() | bits);
        if target.is_set.get() == 1 && notification.queued.get() == 0 && notification.bits.get() != 0 {
            self.queue_member(target, notification);
        }
        if let Some(thread) = woken {
            self.wake_with_signal(cpu, target, thread);
        } else if let Some(thread) = bound {
            thread.forget_source();
        }
        Ok(())
    }

    fn wake_with_signal(&'static self, cpu: Here, target: &'static Notification, thread: &'static Thread) {
        if self.peek(target).is_none() {
            return;
        }
        let (bits, key) = self.take(target);
        let words = [bits, key, 0, 0, 0, 0, 0, 0];
        let status = if thread.state() == State::Receiving { Status::SIGNAL } else { 0 };
        self.set_aside(cpu, thread);
        write_message(thread, words, status, 0, Stamp::default());
        self.make_ready(cpu, thread);
    }

    /// Whose bits a wait gets: its own, or those of a wait set's first ready member.
    fn source(&self, target: &'static Notification) -> &'static Notification {
        match target.ready[0].get() {
            0 => target,
            member => self.notifications.at(member),
        }
    }

    /// Bits and key that a wait would get now.
    pub(crate) fn peek(&self, target: &'static Notification) -> Option<(u64, u64)> {
        let source = self.source(target);
        (source.bits.get() != 0).then(|| (source.bits.get(), source.key.get()))
    }

    /// True if a wait would get something, for who is about to take it.
    pub(super) fn signalled(&self, held: &Held<'_>, target: &'static Notification) -> Attempt<bool> {
        held.require(target.header.shard())?;
        let source = self.source(target);
        held.require(source.header.shard())?;
        Ok(source.bits.get() != 0)
    }

    /// Takes what [`Kernel::peek`] shows.
    pub(super) fn take(&self, target: &'static Notification) -> (u64, u64) {
        let source = self.source(target);
        debug_assert!(self.shards.held(source.header.shard()), "taken from outside its shard");
        if source.queued.get() == 1 {
            self.unqueue(target, source);
        }
        (source.bits.take(), source.key.get())
    }

    /// One step of taking a notification or wait set back: those who wait hear `EPEERCLOSED`. Holds all shards.
    pub(crate) fn destroy_notification(&'static self, cpu: Here, index: u32) -> Progress {
        let notification = self.notifications.at(index);
        notification.header.die();
        for _ in 0..16 {
            let Some(thread) = notification.waiters.first(&self.threads) else { break };
            self.end_wait(cpu, thread, Error::PeerClosed);
        }
        if !notification.waiters.is_empty() {
            return Err(More);
        }
        self.release_members(notification)?;
        self.leave_set(notification);
        self.wait_sets.sub(notification.is_set.get());
        self.bury(&self.notifications.pool, Kind::Notification, &notification.header);
        Ok(())
    }
}

impl Context {
    /// The notification or wait set behind a handle.
    pub(super) fn waitable(&self, handle: Handle, rights: Rights) -> Result<&'static Notification, Error> {
        match self.object(&self.kernel.notifications, handle, Kind::Notification, rights) {
            Err(Error::WrongKind) => self.object(&self.kernel.notifications, handle, Kind::WaitSet, rights),
            found => found,
        }
    }
}

pub(crate) fn notification_create(context: &Context, call: NotificationCreate) -> Verdict<NotificationCreated> {
    let _held = context.kernel.shards.hold(ShardSet::ALL);
    let notification = context.kernel.new_notification(context, call.process, Kind::Notification)?;
    Ok(NotificationCreated { notification })
}

pub(crate) fn notify(context: &Context, call: Notify) -> Verdict<Notified> {
    let kernel = context.kernel;
    with_shards(kernel, ShardSet::of(call.notification.shard()), |held| {
        let found = context.object(&kernel.notifications, call.notification, Kind::Notification, Rights::USE)?;
        kernel.signal_within(context.cpu, **held, found.header.me(), call.bits)?;
        Ok(Notified {})
    })
}

pub(crate) fn wait(context: &Context, call: Wait) -> Verdict<Waited> {
    let kernel = context.kernel;
    let shards = ShardSet::of(call.notification.shard()).with(ShardSet::of(context.thread.header.shard()));
    with_shards(kernel, shards, |held| {
        let target = context.waitable(call.notification, Rights::TAKE)?;
        if target.set.get() != 0 {
            return Err(Error::State.into());
        }
        if kernel.signalled(held, target)? {
            let (bits, key) = kernel.take(target);
            return Ok(Waited { bits, key });
        }
        if call.deadline.passed(context.now) {
            return Err(Error::TimedOut.into());
        }
        context.thread.waits_on.set(target.header.me());
        // What a short way of waking it would write anyway.
        blank(&context.thread.frame);
        kernel.block(context, State::Waiting, call.deadline.0);
        target.waiters.push_back(&kernel.threads, context.thread);
        Err(Halt::Stop(Stop::Blocked))
    })
}

pub(crate) fn bind(context: &Context, call: Bind) -> Verdict<Bound> {
    let (kernel, _held) = context.hold_all();
    let target = call.notification.map(|handle| context.waitable(handle, Rights::TAKE)).transpose()?;
    let me = context.thread.header.me();
    if let Some(target) = target {
        let other = kernel.threads.get(target.bound.get()).is_some_and(|thread| thread.header.me() != me);
        if other {
            return Err(Error::Exists.into());
        }
        if target.set.get() != 0 {
            return Err(Error::State.into());
        }
    }
    if let Some(before) = kernel.notifications.get(context.thread.bound.get()) {
        before.bound.set(0);
    }
    context.thread.bound.set(target.map_or(0, |target| target.header.me()));
    context.thread.forget_source();
    if let Some(target) = target {
        target.bound.set(me);
    }
    Ok(Bound {})
}
