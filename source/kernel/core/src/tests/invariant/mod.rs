//! The invariants of the whole kernel state, as one check.
//!
//! Tests run it, and so does a kernel that is built `checked`, for a program that asks; the kernel that ships does without
//! (`unchecked.rs`).
//!
//! Nothing here changes anything. A part of the kernel states its invariants as comparisons; [`Check`] counts them and
//! keeps the text of the first that does not hold. The caller holds all shards, and no other CPU is inside the kernel
//! for what shards do not guard.

mod arenas;
mod capabilities;
mod processes;
mod signals;
mod stop;
mod threads;
mod time;

use crate::{
    Kernel,
    arena::Arena,
    event::{Context, Verdict, serve::answer},
    info::calls::open,
    list::ThreadList,
    lock::ShardSet,
    memory::mapping::Mapping,
    process::{Process, quota::Resource},
    thread::Thread,
};
use nexus_abi::{
    Error,
    syscall::{InfoInvariants, Invariants, access},
};
pub use stop::Inspection;

/// What a check found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// Comparisons that did not hold.
    pub violations: u64,
    /// Comparisons made.
    pub checked: u64,
    /// What the first violation was.
    pub first: Option<&'static str>,
    /// Index of the object or place at which the first violation was found.
    pub first_at: u32,
    /// Index of what is looked at now.
    pub at: u32,
}

impl Check {
    /// Both must be the same.
    pub fn same<T: PartialEq>(&mut self, what: &'static str, one: T, other: T) {
        self.that(what, one == other);
    }

    /// This must hold.
    #[inline(never)]
    pub fn that(&mut self, what: &'static str, holds: bool) {
        self.checked += 1;
        if !holds {
            self.violations += 1;
            if self.first.is_none() {
                (self.first, self.first_at) = (Some(what), self.at);
            }
        }
    }
}

/// Tells sets of frames apart without storing them: two that count and add up alike are, but for odds of one in 2^64,
/// the same.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    count: u64,
    sum: u64,
}

impl Tally {
    fn add(&mut self, frame: u32) {
        self.add_times(frame.into(), 1);
    }

    /// Puts a number in so often.
    fn add_times(&mut self, number: u64, times: u64) {
        // The finaliser of SplitMix64: spreads neighbouring numbers over all 64 bits.
        let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.count += times;
        self.sum = self.sum.wrapping_add((mixed ^ mixed >> 31).wrapping_mul(times));
    }
}

/// `selftest`, or `selftest=<program>`.
fn asks_for_proof(word: &[u8]) -> bool {
    word.split(|&byte| byte == b'=').next() == Some(b"selftest")
}

/// `ESTATE`: the machine was not booted with `selftest`. It looks at everything while all else waits: beside other CPUs
/// the answer is written when the event is over and they stand still.
pub(crate) fn info_invariants(context: &Context, call: InfoInvariants) -> Verdict<Invariants> {
    let kernel = context.kernel;
    let _held = open(context, call.info)?;
    if !kernel.machine.arguments.split(u8::is_ascii_whitespace).any(asks_for_proof) {
        return Err(Error::State.into());
    }
    if kernel.cpus.iter().filter(|cpu| cpu.is_online()).count() > 1 {
        kernel.inspection.ask(context.cpu, context.thread.index());
        return Ok(Invariants { violations: 0, checked: 0 });
    }
    Ok(kernel.look())
}

impl Kernel {
    fn look(&self) -> Invariants {
        let mut check = Check::default();
        self.check_invariants(&mut check);
        Invariants { violations: check.violations, checked: check.checked }
    }

    /// Looks for a thread that asked for it. Every other CPU stands still.
    fn look_for(&self, thread: u32) {
        let _held = self.shards.hold(ShardSet::ALL);
        answer(&self.threads.at(thread).frame, self.look());
    }
}

impl Kernel {
    /// Every invariant there is.
    pub fn check_invariants(&self, check: &mut Check) {
        self.check_state(check);
        self.check_memory(check);
    }

    /// Every invariant of everything but memory. Events have been settled.
    pub fn check_state(&self, check: &mut Check) {
        self.check_arenas(check);
        self.check_capabilities(check);
        self.check_processes(check);
        self.check_threads(check);
        self.check_signals(check);
        self.check_time(check);
    }

    /// Every invariant of memory: frames, objects, mappings, page tables, and what is charged for them.
    pub fn check_memory(&self, check: &mut Check) {
        self.check_frames(check);
        for (index, process) in self.processes.iter() {
            if process.index() == index && process.root.get() != 0 {
                self.check_space(check, process);
            }
        }
        self.check_objects(check);
        self.check_charges(check);
    }

    /// Every frame is in exactly one place: free, a table, a page or index of an object, or an IPC page.
    fn check_frames(&self, check: &mut Check) {
        let (mut all, mut found) = (Tally::default(), Tally::default());
        self.frames.each_touched(|frame| all.add(frame));
        let mut free = 0;
        self.frames.each_free(|frame| {
            found.add(frame);
            free += 1;
        });
        let touched = all.count;
        for (_, process) in self.processes.iter().filter(|(_, process)| process.root.get() != 0) {
            self.each_frame(process.tree(), &mut |frame| found.add(frame));
        }
        for (_, memory) in self.memories.iter().filter(|(_, memory)| memory.header.reference() != 0) {
            self.each_frame(memory.tree(), &mut |frame| found.add(frame));
        }
        for (_, thread) in self.threads.iter().filter(|(_, thread)| thread.ipc_frame.get() != 0) {
            found.add(thread.ipc_frame.get());
        }
        check.same("every frame is in exactly one place", all, found);
        check.same("frames in use are those not free", u64::from(self.frames.pool.used()) + free, touched);
    }

    /// The tables of an address space say what its records say, IPC pages apart.
    fn check_space(&self, check: &mut Check, process: &Process) {
        let mut recorded = 0;
        for mapping in self.mappings_of(process) {
            let span = mapping.span();
            check.same("a mapping is alive and charged", mapping.header.owner.get(), process.index());
            check.same("a mapping lies in user space", span.page >= 16 && span.end() <= 1 << 26, true);
            let memory = self.memories.at(span.memory);
            if span.access == 0 || process.satp.get() == 0 {
                continue;
            }
            recorded += span.pages;
            check.same("a mapping names pages that are there", span.offset + span.pages <= memory.pages.get(), true);
            for at in 0..span.pages {
                let entry = self.entry(process.tree(), 0, span.page + at).map_or(0, |entry| entry.get());
                let says = crate::memory::tree::invariant::read_leaf(entry);
                let expected = self.page_address(memory, span.offset + at).map(|address| (address, span.access));
                check.same("an entry says what its record says", says, expected);
            }
        }
        if process.satp.get() == 0 {
            return;
        }
        let mut mapped = 0;
        self.each_page(process, &mut |address, bits| {
            let pinned = self.threads.iter().any(|(_, thread)| {
                let frame = thread.ipc_frame.get();
                frame != 0 && self.frames.address(frame) == address && thread.process.get() as u32 == process.index()
            });
            mapped += u32::from(!pinned);
            let both = access::WRITE | access::EXECUTE;
            check.same("no page is writable and executable", bits & both == both, false);
        });
        check.same("every mapped page has one record", mapped, recorded);
    }

    /// Lists of objects are whole, and seals hold.
    fn check_objects(&self, check: &mut Check) {
        let mut linked = 0;
        for (index, memory) in self.memories.iter().filter(|(_, memory)| memory.header.reference() != 0) {
            let mut previous = 0;
            for mapping in self.mappings_to(memory) {
                linked += 1;
                check.same("a mapping is in the list of its object", mapping.memory.get(), index);
                check.same("mappings link both ways", mapping.links.previous.get(), previous);
                let broken = mapping.access.get() & u32::from(access::WRITE) != 0
                    && memory.allowed.get() & u32::from(access::EXECUTE) != 0;
                check.same("a sealed object has no writable mapping", broken, false);
                self.check_slot(check, mapping, memory.header.reference());
                previous = mapping.header.me() as u32;
            }
            check.same("an object stays in its bound", memory.pages.get() <= memory.limit.get(), true);
        }
        check.same("every mapping is in one list", linked, self.mappings.pool.used());
    }

    /// A mapping hangs on a capability that names its object and reaches its pages.
    fn check_slot(&self, check: &mut Check, mapping: &Mapping, object: u64) {
        if mapping.slot.get() != 0 {
            let (slot, span) = (self.blocks.at(mapping.slot.get()), mapping.span());
            check.same("a mapping hangs on a capability to its object", slot.object.get(), object);
            let reached = self.reached(slot);
            let inside = reached.offset <= span.offset && span.offset + span.pages <= reached.offset + reached.pages;
            check.same("a mapping names pages that its capability reaches", inside || slot.badge.get() == 0, true);
        }
    }

    /// What is charged for memory is what there is, and no more than allowed.
    fn check_charges(&self, check: &mut Check) {
        let carved = |owner: u32, resource: Resource| -> u32 {
            let children = self.processes.iter().filter(|(_, child)| self.carves(child, owner));
            children.map(|(_, child)| child.account.limit(resource as usize)).sum()
        };
        for (index, process) in self.processes.iter().filter(|(index, process)| process.index() == *index) {
            if process.root.get() == 0 || process.gone() {
                continue;
            }
            let (mut frames, mut memories) = (0, 0);
            self.each_frame(process.tree(), &mut |_| frames += 1);
            for (_, memory) in self.memories.iter() {
                if memory.header.reference() != 0 && memory.header.owner.get() == index {
                    memories += 1;
                    self.each_frame(memory.tree(), &mut |_| frames += 1);
                }
            }
            let own =
                |thread: &crate::thread::Thread| thread.header.owner.get() == index && thread.ipc_frame.get() != 0;
            frames += self.threads.iter().filter(|(_, thread)| own(thread)).count() as u32;
            let irqs =
                self.irqs.iter().filter(|(_, irq)| irq.header.alive() && irq.header.owner.get() == index).count();
            let mappings = self.mappings_of(process).count() as u32;
            let expected = [
                (Resource::Frames, frames),
                (Resource::Memories, memories),
                (Resource::Mappings, mappings),
                (Resource::Irqs, irqs as u32),
            ];
            for (resource, own) in expected {
                let used = process.account.used(resource);
                check.same("what is charged is there", used, own + carved(index, resource));
                check.same("nothing is over its limit", used <= process.account.limit(resource as usize), true);
            }
        }
    }

    /// True if a child's quota is still taken out of `owner`'s.
    fn carves(&self, child: &Process, owner: u32) -> bool {
        child.header.alive() && child.header.owner.get() == owner && !child.gone()
    }
}

/// Walks a list of threads, checks its links, and answers how many are in it.
fn walk(check: &mut Check, threads: &Arena<Thread>, list: &ThreadList, each: impl FnMut(&mut Check, &Thread)) -> u32 {
    let (count, last) = walk_links(check, threads, list.iter(threads), each);
    check.at = last;
    check.same("a list knows its last thread", list.tail.get(), last);
    count
}

/// Walks linked threads, a bounded number of them, and says how many they are and which is the last.
fn walk_links(
    check: &mut Check,
    threads: &Arena<Thread>,
    linked: impl Iterator<Item = &'static Thread>,
    mut each: impl FnMut(&mut Check, &Thread),
) -> (u32, u32) {
    let (mut count, mut previous) = (0, 0);
    for thread in linked.take(threads.pool.capacity as usize + 1) {
        check.at = thread.index();
        each(check, thread);
        previous = thread.index();
        count += 1;
    }
    check.at = previous;
    check.that("a list of threads ends", count <= threads.pool.capacity);
    (count, previous)
}
