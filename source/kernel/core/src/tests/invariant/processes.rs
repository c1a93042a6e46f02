//! Processes: what they own is charged to them, and who dies is being taken back.

use super::{Check, Tally, capabilities::group};
use crate::{
    Kernel,
    arena::{Header, Tag},
    process::{
        Process,
        quota::{RESOURCES, Resource},
    },
};
use nexus_abi::{Kind, start::ExitKind};

impl Kernel {
    pub(super) fn check_processes(&self, check: &mut Check) {
        let mut owned = Tally::default();
        let mut dying = 0;
        for (index, process) in self.processes.iter().filter(|(_, process)| process.header.reference() != 0) {
            check.at = index;
            check.same("a process knows its index", process.index(), index);
            let mut used = [0; RESOURCES];
            self.check_owned(check, process, &mut used, &mut owned);
            used[Resource::Threads as usize] += self.check_threads_of(check, process);
            used[Resource::SlotBlocks as usize] +=
                process.blocks.iter().filter(|block| block.get() != 0).count() as u32;
            self.check_account(check, process, &used);
            dying += u32::from(process.state.get() == ExitKind::Dying as u64);
        }
        check.at = 0;
        check.same("every object is in its owner's list", owned, self.all_owned());
        let being_reaped = self.being_reaped(check);
        check.same("who dies is being taken back, once", being_reaped, dying);
    }

    /// Walks what a process owns: links, and what it comes to in each resource.
    fn check_owned(&self, check: &mut Check, process: &Process, used: &mut [u32; RESOURCES], owned: &mut Tally) {
        let (mut tag, mut previous, mut left) = (Tag(process.owned.get()), 0, 4096);
        while let Some(header) = self.header_of_tag(tag) {
            check.at = tag.index();
            check.same("an object knows its owner", header.owner.get(), process.index());
            check.same("owned objects link both ways", header.links.previous.get(), previous);
            check.that("an owned object is there", header.reference() != 0);
            let home = tag.kind() == Some(Kind::Process) || header.shard() == process.header.shard();
            check.that("an object lives in its owner's home", home);
            let kind = tag.kind().map_or(0, |kind| group(kind) as u64);
            owned.add_times(header.reference() | kind << 24, 1);
            self.add_use(tag, used);
            (previous, tag, left) = (tag.0, Tag(header.links.next.get()), left - 1);
            check.that("a list of owned objects ends", left > 0);
            if left == 0 {
                return;
            }
        }
    }

    fn add_use(&self, tag: Tag, used: &mut [u32; RESOURCES]) {
        let mut add = |resource: Resource, amount: u32| used[resource as usize] += amount;
        match tag.kind() {
            Some(Kind::Process) => {
                let child = self.processes.at(tag.index());
                add(Resource::Processes, 1);
                if !child.gone() {
                    for (at, used) in used.iter_mut().enumerate() {
                        *used += child.account.limit(at);
                    }
                }
            }
            Some(Kind::Endpoint) => {
                add(Resource::Endpoints, 1);
                add(Resource::Messages, self.endpoints.at(tag.index()).places.get());
            }
            Some(Kind::Notification | Kind::WaitSet) => add(Resource::Notifications, 1),
            Some(Kind::Timer) => add(Resource::Timers, 1),
            _ => {}
        }
    }

    fn check_threads_of(&self, check: &mut Check, process: &Process) -> u32 {
        let (mut index, mut previous, mut count) = (process.threads.get(), 0, 0);
        while index != 0 && count <= self.threads.pool.capacity {
            let thread = self.threads.at(index);
            check.at = index;
            check.same("a thread knows its process", thread.process.get(), process.header.reference());
            check.same("a thread is charged to its process", thread.header.owner.get(), process.index());
            check.same("threads of a process link both ways", thread.header.links.previous.get(), previous);
            (previous, index, count) = (index, thread.header.links.next.get(), count + 1);
        }
        check.that("a process's threads end", count <= self.threads.pool.capacity);
        count
    }

    /// What is charged is what there is. Frames, memory, mappings and interrupt lines are looked at elsewhere.
    fn check_account(&self, check: &mut Check, process: &Process, used: &[u32; RESOURCES]) {
        check.at = process.index();
        let here = [
            Resource::Threads,
            Resource::Messages,
            Resource::SlotBlocks,
            Resource::Processes,
            Resource::Endpoints,
            Resource::Notifications,
            Resource::Timers,
        ];
        for resource in here {
            check.same("what is charged is there", process.account.used(resource), used[resource as usize]);
            let within = process.account.used(resource) <= process.account.limit(resource as usize);
            check.that("nothing is over its limit", within);
        }
        if process.gone() {
            check.that("a process that is gone has nothing", process.account.empty());
        }
    }

    fn all_owned(&self) -> Tally {
        let mut all = Tally::default();
        let kinds = [
            (Kind::Process, self.processes.touched()),
            (Kind::Endpoint, self.endpoints.touched()),
            (Kind::Notification, self.notifications.touched()),
            (Kind::Memory, self.memories.touched()),
            (Kind::Irq, self.irqs.touched()),
            (Kind::Timer, self.timers.touched()),
        ];
        for (kind, places) in kinds {
            for header in (1..=places).filter_map(|index| self.header(kind, index)) {
                // The first process has no owner.
                if header.reference() != 0 && header.owner.get() != 0 {
                    all.add_times(header.reference() | (kind as u64) << 24, 1);
                }
            }
        }
        all
    }

    fn being_reaped(&self, check: &mut Check) -> u32 {
        let mut count = 0;
        for cpu in self.cpus {
            for head in &cpu.at_rest().reaping {
                let mut index = head.get();
                while index != 0 && count <= self.processes.pool.capacity {
                    let process = self.processes.at(index);
                    check.at = index;
                    check.same("a process is taken back where it says", process.reap_cpu.get(), cpu.id.get());
                    (index, count) = (process.reap.next.get(), count + 1);
                }
            }
            count += self.mail(cpu).filter(|mail| mail.kind() == Some(Kind::Process)).count() as u32;
        }
        count
    }

    fn header_of_tag(&self, tag: Tag) -> Option<&'static Header> {
        self.header(tag.kind()?, tag.index()).filter(|_| tag.index() != 0)
    }
}
