//! What the tests of memory share: a process with a thread, and short ways to make and map objects.

use crate::{
    Kernel,
    process::Process,
    testing::{self, WIDE, call, give},
    thread::Thread,
};
use nexus_abi::{
    Error, Handle, Kind, Quota, Rights,
    layout::PAGE_SIZE,
    syscall::{Map, MemoryCreate, MemoryGrow, NotificationCreate, Unmap},
};

/// Where the tests map.
pub(crate) const BASE: u64 = 0x10_0000_0000;
pub(crate) const PAGE: u64 = PAGE_SIZE as u64;

/// A process, its thread, and the roots it was given.
pub(crate) struct Bench {
    pub(crate) kernel: &'static Kernel,
    pub(crate) process: &'static Process,
    pub(crate) thread: &'static Thread,
    pub(crate) root: Handle,
}

impl Bench {
    pub(crate) fn new(frames: usize) -> Bench {
        Bench::with(testing::machine(1, frames), &WIDE)
    }

    /// One more process on the same machine.
    pub(crate) fn with(kernel: &'static Kernel, quota: &Quota) -> Bench {
        let process = testing::process(kernel, "bench", quota);
        let root = give(kernel, process, Kind::DeviceRoot, 0, Rights::ALL);
        Bench { kernel, process, thread: testing::thread(kernel, process), root }
    }

    /// A memory object with all of its pages.
    pub(crate) fn memory(&self, pages: u64) -> Handle {
        let memory = self.call(MemoryCreate { process: None, pages }).expect("the quota is wide").memory;
        while self.call(MemoryGrow { memory, pages }).expect("there are frames").total < pages {}
        memory
    }

    pub(crate) fn notification(&self) -> Handle {
        self.call(NotificationCreate { process: None }).expect("the quota is wide").notification
    }

    pub(crate) fn map(&self, memory: Handle, at: u64, range: (u64, u64), access: u8) -> Result<u64, Error> {
        let (offset, pages) = range;
        let address = BASE + at * PAGE;
        self.call(Map { process: None, memory, address, offset, pages, access }).map(|mapped| mapped.pages)
    }

    pub(crate) fn unmap(&self, at: u64, pages: u64) -> Result<u64, Error> {
        self.call(Unmap { process: None, address: BASE + at * PAGE, pages }).map(|unmapped| unmapped.pages)
    }

    /// What the page tables say of a page: physical address and access.
    pub(crate) fn page(&self, at: u64) -> Option<(u64, u8)> {
        let entry = self.kernel.entry(self.process.tree(), 0, (BASE / PAGE + at) as u32)?;
        crate::memory::tree::invariant::read_leaf(entry.get())
    }

    /// Makes a call and checks every invariant.
    pub(crate) fn call<S: nexus_abi::syscall::Syscall>(&self, request: S) -> Result<S::Output, Error> {
        let answer = call(self.kernel, self.thread, request);
        testing::check(self.kernel);
        answer
    }

    /// A call that must be refused and change nothing.
    pub(crate) fn refused<S: nexus_abi::syscall::Syscall + core::fmt::Debug>(&self, request: S, error: Error) {
        testing::refused(self.kernel, self.thread, request, error);
        testing::check(self.kernel);
    }

    /// The same capability with fewer rights.
    pub(crate) fn weaker(&self, source: Handle, rights: Rights) -> Handle {
        let derive = nexus_abi::syscall::Derive { source, rights, badge: 0 };
        self.call(derive).expect("rights only shrink").handle
    }
}
