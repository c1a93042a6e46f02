//! Boot: the first process.
//!
//! What it is made of it makes for itself: once it has a thread, the kernel makes the calls for memory in that thread's
//! name, before it runs.

use crate::prelude::*;
use crate::process::{create::SCOPE_ROOT, quota::Limits};
use crate::{event::serve, memory::Stash, memory::tree::address_of};
use core::ops::Range;
use nexus_abi::image::{Image, Segment};
use nexus_abi::layout::{IPC_PAGE, PAGE_SIZE, STACK_TOP, START_PAGE};
use nexus_abi::start::{self, StartInfo, first};
use nexus_abi::{Name, ProcessId, ServiceId};

/// What the first process is given, by name: the boot image, the device tree, then roots.
static GIVEN: [(Name, Kind); 7] = [
    (Name::constant(first::IMAGE), Kind::Memory),
    (Name::constant(first::DEVICE_TREE), Kind::Memory),
    (Name::constant(first::DEVICES), Kind::DeviceRoot),
    (Name::constant(first::SPAWN), Kind::Spawn),
    (Name::constant(first::INFO), Kind::Info),
    (Name::constant(first::POWER), Kind::Power),
    (Name::constant(first::LOG), Kind::Log),
];

/// What init is made from.
#[derive(Clone, Debug)]
pub struct First<'a> {
    /// The checked boot image.
    pub image: Image<'a>,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Where it is in physical memory, page-aligned.
    pub image_range: Range<u64>,
    /// Where the device tree is in physical memory, page-aligned.
    pub device_tree: Range<u64>,
}

impl Kernel {
    /// Makes init from its pre-laid segments, gives it the root capabilities, and makes it ready on CPU 0.
    pub fn start_first(&'static self, boot: &First, now: u64) -> Result<(), Error> {
        let (here, header) = (self.cpus.first().ok_or(Error::Exhausted)?.here(), boot.image.header());
        let (entry, stack, ipc_page) = (header.entry_point, STACK_TOP, IPC_PAGE);
        let new = ThreadCreate { process: None, entry, stack, a0: START_PAGE, a1: 0, ipc_page };
        let thread = self.first_thread(&new)?;
        let init = Context::of(self, here, thread, now);
        let given = init.roots(boot)?;
        for &Segment { offset, address, pages, access } in header.segments.iter().filter(|segment| segment.pages > 0) {
            let access = u8::try_from(access).map_err(|_| Error::Corrupt)?;
            if offset != u64::MAX && access & access::WRITE == 0 {
                // Text and constants are mapped where they lie in the image.
                let offset = offset / PAGE_SIZE as u64;
                init.map_whole(Map { process: None, memory: given[0].1, address, offset, pages, access })?;
            } else {
                init.lay(boot.bytes.get(offset as usize..).unwrap_or(&[]), pages, address, access)?;
            }
        }
        let bottom = STACK_TOP - header.stack_pages * PAGE_SIZE as u64;
        init.lay(&[], header.stack_pages, bottom, access::READ | access::WRITE)?;
        let (process, service) = (ProcessId(thread.process.get()), ServiceId(thread.service.get()));
        let info = StartInfo { timebase: self.machine.timebase, ipc_page, process, service, heap_pages: 256 };
        let mut page = [0; PAGE_SIZE];
        let length = start::write(&mut page, &info, &given, &["init"], &[])?;
        init.lay(page.get(..length).unwrap_or(&[]), 1, START_PAGE, access::READ)?;
        thread.begin(&ThreadCreate { a1: length as u64, ..new });
        let _held = self.shards.hold(ShardSet::ALL);
        // No program ran: nobody has a translation to forget, and a hart that is silent would be waited for.
        here.fence.set(0);
        here.since.set(now);
        self.make_ready(here, thread);
        self.settle(here, now);
        Ok(())
    }

    /// The first process and its thread, with nothing but the thread's IPC page.
    fn first_thread(&'static self, new: &ThreadCreate) -> Living<Thread> {
        let _held = self.shards.hold(ShardSet::ALL);
        let (identity, limits) = (const { (ServiceId::service("init"), Name::constant("init")) }, self.all_there_is());
        let process = self.new_process(0, identity, limits, self.frames.allocate().ok_or(Error::Exhausted)?);
        let thread = self.thread_within(process, new)?;
        thread.set_base_class(QosClass::Interactive);
        Ok(thread)
    }

    /// Makes a thread of a process. Holds all shards.
    pub(crate) fn thread_within(&self, process: &'static Process, new: &ThreadCreate) -> Living<Thread> {
        let mut stash = Stash::of(&self.frames, self.frames_for_thread(process, new)?)?;
        Ok(self.new_thread(process, 0, new, &mut stash))
    }

    /// Everything there is, as limits.
    fn all_there_is(&self) -> Limits {
        let [frames, threads, messages] = [&self.frames.pool, &self.threads.pool, &self.messages.pool];
        let [blocks, processes, endpoints] = [&self.blocks.pool, &self.processes.pool, &self.endpoints.pool];
        let [notifications, memories] = [&self.notifications.pool, &self.memories.pool];
        let [mappings, timers, irqs] = [&self.mappings.pool, &self.timers.pool, &self.irqs.pool];
        [frames, threads, messages, blocks, processes, endpoints, notifications, memories, mappings, timers, irqs]
            .map(|pool| pool.left.get())
    }
}

impl Context {
    /// Gives the first process what it begins with, by name.
    fn roots(&self, boot: &First) -> Result<[(Name, Handle); 7], Error> {
        let _held = self.kernel.shards.hold(ShardSet::ALL);
        let mut given = [(GIVEN[0].0, self.give(Kind::Memory, &boot.image_range)?); 7];
        for (place, &(name, kind)) in given[1..].iter_mut().zip(&GIVEN[1..]) {
            *place = (name, self.give(kind, &boot.device_tree)?);
        }
        Ok(given)
    }

    /// Gives the process a root, or memory that is part of the machine. Holds all shards.
    fn give(&self, kind: Kind, part: &Range<u64>) -> Result<Handle, Error> {
        let mut capability = Capability { kind, object: SCOPE_ROOT, shard: 0, rights: Rights::ALL, badge: 0 };
        if kind == Kind::Memory {
            let pages = (part.end - part.start).div_ceil(PAGE_SIZE as u64);
            capability = Capability::full(kind, self.kernel.fixed_memory(self.process(), part.start, pages)?);
            capability.rights = Rights::USE.union(Rights::TRANSFER);
        }
        self.kernel.insert(self.process(), &capability, 0)
    }

    /// Makes a typed call in the thread's name, until it is done. It must be one that does not block.
    pub(crate) fn call<S: Syscall + Clone>(&self, call: S) -> Result<S::Output, Error> {
        let frame = &self.thread.frame;
        loop {
            frame.set(reg::T3, call.clone().encode(&mut |at, word| frame.set_word(at, word)));
            match serve::dispatch(self, S::NUMBER) {
                Err(Stop::Restart) => {}
                Err(Stop::Refuse(error)) => return Err(error),
                _ => return S::Output::decode(frame),
            }
        }
    }

    /// Lays so many pages out that begin with these bytes: memory of which nothing else is kept.
    pub(crate) fn lay(&self, bytes: &[u8], pages: u64, address: u64, access: u8) -> Result<(), Error> {
        let memory = self.call(MemoryCreate { process: None, pages })?.memory;
        while self.call(MemoryGrow { memory, pages })?.total < pages {}
        let object = self.own_memory(memory)?;
        for (page, bytes) in (0..pages as u32).zip(bytes.chunks(PAGE_SIZE)) {
            let entry = self.kernel.entry(object.tree(), 0, page).ok_or(Error::Corrupt)?;
            let frame = self.kernel.frames.of(address_of(entry.get())).ok_or(Error::Corrupt)?;
            for (word, bytes) in frame.0.iter().zip(bytes.chunks(8)) {
                word.set(bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)));
            }
        }
        if access & access::EXECUTE != 0 {
            // A seal waits for fences, which nobody makes yet.
            (self.cpu.fence.get() == 0).then_some(()).ok_or(Error::State)?;
            self.call(MemorySeal { memory })?;
        }
        self.map_whole(Map { process: None, memory, address, offset: 0, pages, access })?;
        self.call(Close { handle: memory }).map(|_| ())
    }

    /// Maps all that `rest` asks for.
    fn map_whole(&self, mut rest: Map) -> Result<(), Error> {
        while rest.pages > 0 {
            let done = self.call(rest)?.pages;
            rest.address += done * PAGE_SIZE as u64;
            rest.offset += done;
            rest.pages -= done;
        }
        Ok(())
    }
}
