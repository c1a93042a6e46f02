//! Endpoints' message places, notifications, and wait sets.

use super::Check;
use crate::{
    Kernel,
    ipc::{endpoint::Endpoint, notification::Notification},
};

impl Kernel {
    pub(super) fn check_signals(&self, check: &mut Check) {
        let mut places = 0;
        for (index, endpoint) in self.endpoints.iter().filter(|(_, endpoint)| endpoint.header.reference() != 0) {
            check.at = index;
            places += endpoint.places.get();
            self.check_message_places(check, endpoint);
        }
        check.same("every message place belongs to an endpoint", places, self.messages.pool.used());
        let (mut members, mut queued) = (0, 0);
        let (mut linked, mut ready) = (0, 0);
        for (index, item) in self.notifications.iter().filter(|(_, item)| item.header.reference() != 0) {
            check.at = index;
            members += u32::from(item.set.get() != 0);
            queued += u32::from(item.queued.get() == 1);
            self.check_notification(check, item);
            if item.is_set.get() == 1 {
                linked += self.check_members(check, index, item);
                ready += self.check_ready(check, index, item);
            }
        }
        check.at = 0;
        check.same("every member is in its set's list", linked, members);
        check.same("every ready member is in its set's list of ready ones", ready, queued);
    }

    /// Places with and without content come to what the endpoint was made with.
    fn check_message_places(&self, check: &mut Check, endpoint: &Endpoint) {
        let (mut count, mut last) = (0, 0);
        for (first, full) in [(&endpoint.queue[0], true), (&endpoint.empty, false)] {
            let mut index = first.get();
            while index != 0 && count <= endpoint.places.get() {
                last = if full { index } else { last };
                (index, count) = (self.messages.at(index).next.get(), count + 1);
            }
        }
        check.same("an endpoint has its message places", count, endpoint.places.get());
        check.same("an endpoint knows its last message", endpoint.queue[1].get(), last);
    }

    fn check_notification(&self, check: &mut Check, item: &'static Notification) {
        let pending = self.peek(item).is_some();
        check.that("nobody sleeps over a signal", item.waiters.is_empty() || !pending);
        if let Some(thread) = self.threads.get(item.bound.get()) {
            check.same("a thread knows what is bound to it", thread.bound.get(), item.header.me());
        }
        if item.is_set.get() == 1 {
            check.same("a wait set has no bits of its own", (item.bits.get(), item.set.get()), (0, 0));
        } else if item.set.get() == 0 {
            let links = [&item.in_turn, &item.beside].map(|links| links.next.get() | links.previous.get());
            check.same("who is in no set has no neighbours there", (links, item.queued.get()), ([0; 2], 0));
        } else {
            check.that("a member has no waiters", item.waiters.is_empty());
            check.same("a member with signals is ready", item.queued.get() == 1, item.bits.get() != 0);
        }
    }

    fn check_members(&self, check: &mut Check, set: u32, item: &Notification) -> u32 {
        let (mut index, mut previous, mut count) = (item.members.get(), 0, 0);
        while index != 0 && count <= self.notifications.pool.capacity {
            let member = self.notifications.at(index);
            check.at = index;
            check.same("a member knows its set", member.set.get(), self.notifications.at(set).header.reference());
            check.same("members link both ways", member.beside.previous.get(), previous);
            (previous, index, count) = (index, member.beside.next.get(), count + 1);
        }
        count
    }

    fn check_ready(&self, check: &mut Check, set: u32, item: &Notification) -> u32 {
        let (mut index, mut previous, mut count) = (item.ready[0].get(), 0, 0);
        while index != 0 && count <= self.notifications.pool.capacity {
            let member = self.notifications.at(index);
            check.at = index;
            check.same("a ready member knows its set", member.set.get() as u32, set);
            check.same("a ready member knows that it is", member.queued.get(), 1);
            check.same("ready members link both ways", member.in_turn.previous.get(), previous);
            (previous, index, count) = (index, member.in_turn.next.get(), count + 1);
        }
        check.same("a set knows its last ready member", item.ready[1].get(), previous);
        count
    }
}
