//! A kernel of maps and vectors: enough memory, processes and handles to see what a launch leaves behind.
//!
//! It keeps the real kernel's bounds (batches, sealing before execution, no page twice) and refuses everything after a
//! chosen number of calls, so that every step can fail.

use std::collections::BTreeMap;

use nexus_abi::syscall::{self, Answer, Syscall};
use nexus_abi::{Error, Handle};
use nexus_rt::Kernel;

/// One page as the new process sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) bytes: Vec<u8>,
    pub(crate) access: u8,
}

#[derive(Default)]
struct Memory {
    pages: Vec<Vec<u8>>,
    limit: u64,
    sealed: bool,
}

/// The kernel.
#[derive(Default)]
pub(crate) struct Fake {
    next: u64,
    memories: BTreeMap<u64, Memory>,
    /// What the process can see, by address.
    pub(crate) space: BTreeMap<u64, Page>,
    /// Handles that the caller has.
    pub(crate) open: Vec<u64>,
    /// Grants: source, rights, badge.
    pub(crate) grants: Vec<(u64, u8, u64)>,
    /// Entry, stack, a0, a1 of the thread.
    pub(crate) thread: Option<[u64; 4]>,
    pub(crate) running: bool,
    pub(crate) killed: bool,
    pub(crate) class: Option<(u8, u32)>,
    /// Shares, CPUs of four, ticks of a period in how many.
    pub(crate) limits: Vec<(u32, u64, u64, u64)>,
    /// Calls until every further one but kill and close is refused.
    pub(crate) patience: Option<usize>,
}

impl Fake {
    fn handle(&mut self) -> Handle {
        self.next += 1;
        self.open.push(self.next);
        Handle::from_raw(self.next).expect("counted from 1")
    }

    /// A sealed object with these bytes.
    pub(crate) fn image(&mut self, bytes: &[u8]) -> Handle {
        let pages = bytes.chunks(4096).map(|page| {
            let mut page = page.to_vec();
            page.resize(4096, 0);
            page
        });
        let pages: Vec<_> = pages.collect();
        let handle = self.handle();
        let limit = pages.len() as u64;
        self.memories.insert(handle.raw(), Memory { pages, limit, sealed: true });
        handle
    }

    fn map(&mut self, call: syscall::Map) -> Result<syscall::Mapped, Error> {
        let memory = self.memories.get(&call.memory.raw()).ok_or(Error::BadHandle)?;
        let (read, write, execute) = (call.access & 1, call.access & 2, call.access & 4);
        if call.pages == 0 || call.pages > 64 || !call.address.is_multiple_of(4096) || read | write == 0 {
            return Err(Error::Invalid);
        }
        if memory.sealed && write != 0 || !memory.sealed && execute != 0 {
            return Err(Error::Permission);
        }
        // Less than was asked for, as the real kernel may.
        let pages = call.pages.min(40);
        for page in 0..pages {
            let bytes = memory.pages.get((call.offset + page) as usize).ok_or(Error::Invalid)?.clone();
            let address = call.address + page * 4096;
            if self.space.insert(address, Page { bytes, access: call.access }).is_some() {
                return Err(Error::Exists);
            }
        }
        Ok(syscall::Mapped { pages })
    }

    fn grow(&mut self, call: syscall::MemoryGrow) -> Result<syscall::MemoryGrown, Error> {
        let memory = self.memories.get_mut(&call.memory.raw()).ok_or(Error::BadHandle)?;
        if call.pages > 16 || memory.pages.len() as u64 + call.pages > memory.limit {
            return Err(Error::OverLimit);
        }
        memory.pages.extend((0..call.pages).map(|_| vec![0; 4096]));
        Ok(syscall::MemoryGrown { total: memory.pages.len() as u64 })
    }

    fn create(&mut self, call: syscall::MemoryCreate) -> syscall::MemoryCreated {
        let memory = self.handle();
        self.memories.insert(memory.raw(), Memory { limit: call.pages, ..Memory::default() });
        syscall::MemoryCreated { memory }
    }

    fn process(&mut self) -> syscall::ProcessCreated {
        syscall::ProcessCreated { process: self.handle(), id: nexus_abi::ProcessId(7 << 32 | 3) }
    }

    fn close(&mut self, handle: Handle) -> Result<syscall::Closed, Error> {
        let at = self.open.iter().position(|&open| open == handle.raw()).ok_or(Error::BadHandle)?;
        self.open.remove(at);
        Ok(syscall::Closed {})
    }

    fn grant(&mut self, call: syscall::Grant) -> syscall::Granted {
        self.grants.push((call.source.raw(), call.rights.bits(), call.badge));
        let handle = Handle::from_raw(0x1000 + self.grants.len() as u64).expect("not 0");
        syscall::Granted { handle }
    }
}

fn words(answer: impl Answer) -> [u64; 8] {
    let mut words = [0; 8];
    answer.encode(&mut |at, word| words[at] = word);
    words
}

impl Kernel for Fake {
    fn raw(&mut self, number: u64, target: u64, input: [u64; 8]) -> Result<[u64; 8], Error> {
        fn read<S: Syscall>(target: u64, input: &[u64; 8]) -> Result<S, Error> {
            S::decode(target, input)
        }
        let cleaning = [syscall::ProcessKill::NUMBER, syscall::Close::NUMBER].contains(&number);
        match &mut self.patience {
            Some(0) if !cleaning => return Err(Error::Exhausted),
            Some(left) if !cleaning => *left -= 1,
            _ => {}
        }
        match number {
            syscall::ProcessCreate::NUMBER => Ok(words(self.process())),
            syscall::ProcessPrefix::NUMBER => Ok([0; 8]),
            syscall::MemoryCreate::NUMBER => Ok(words(self.create(read(target, &input)?))),
            syscall::MemoryGrow::NUMBER => self.grow(read(target, &input)?).map(words),
            syscall::MemorySeal::NUMBER => {
                self.memories.get_mut(&target).ok_or(Error::BadHandle)?.sealed = true;
                Ok([0; 8])
            }
            syscall::Map::NUMBER => self.map(read(target, &input)?).map(words),
            syscall::Grant::NUMBER => Ok(words(self.grant(read(target, &input)?))),
            syscall::ThreadCreate::NUMBER => {
                let call: syscall::ThreadCreate = read(target, &input)?;
                self.thread = Some([call.entry, call.stack, call.a0, call.a1]);
                Ok(words(syscall::ThreadCreated { thread: self.handle() }))
            }
            syscall::LimitsSet::NUMBER if self.thread.is_some() => Err(Error::State),
            syscall::LimitsSet::NUMBER => {
                let call: syscall::LimitsSet = read(target, &input)?;
                if call.mask & 0b1111 == 0 {
                    return Err(Error::Invalid);
                }
                self.limits.push((call.shares, call.mask, call.budget, call.period));
                Ok([0; 8])
            }
            syscall::QosSet::NUMBER => {
                self.class = Some((input[0] as u8, input[1] as u32));
                Ok([0; 8])
            }
            syscall::ThreadStart::NUMBER => {
                self.running = true;
                Ok([0; 8])
            }
            syscall::ProcessKill::NUMBER => {
                self.killed = true;
                Ok([0; 8])
            }
            syscall::Close::NUMBER => self.close(Handle::from_raw(target).ok_or(Error::BadHandle)?).map(words),
            _ => Err(Error::NoCall),
        }
    }

    fn fill(&mut self, memory: Handle, at: u64, bytes: &[u8]) -> Result<(), Error> {
        let memory = self.memories.get_mut(&memory.raw()).ok_or(Error::BadHandle)?;
        if memory.sealed {
            return Err(Error::Permission);
        }
        for (offset, byte) in bytes.iter().enumerate() {
            let at = at as usize + offset;
            memory.pages[at / 4096][at % 4096] = *byte;
        }
        Ok(())
    }

    fn now(&self) -> u64 {
        0
    }
}
