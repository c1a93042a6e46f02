//! Boot: the first process.

use crate::memory::object::{Memory, Stage};
use crate::memory::{Stash, frames::FRAME_WORDS};
use crate::process::create::{Birth, SCOPE_ROOT};
use crate::{Kernel, caps::Capability, lock::ShardSet, process::Process};
use core::ops::Range;
use nexus_abi::image::{Image, Segment};
use nexus_abi::layout::{IPC_PAGE, PAGE_SIZE, STACK_TOP, START_PAGE};
use nexus_abi::start::{self, StartInfo, first};
use nexus_abi::syscall::{ThreadCreate, access};
use nexus_abi::{Error, Handle, Kind, Name, ProcessId, QosClass, Quota, Rights, ServiceId};

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
        let _held = self.shards.hold(ShardSet::ALL);
        let name = Name::new("init").ok_or(Error::Invalid)?;
        let quota = self.capacity();
        self.may_make_process(&quota)?;
        let birth = Birth { home: 0, service: const { ServiceId::service("init") }, name, quota: &quota };
        let process = self.new_process(&birth, &mut Stash::of(&self.frames, 1)?)?;
        let header = boot.image.header();
        if header.entry_point == 0 {
            return Err(Error::Corrupt);
        }
        for segment in header.segments.iter().filter(|segment| segment.pages > 0) {
            self.lay_segment(process, boot, segment)?;
        }
        let stack = self.boot_memory(process, header.stack_pages)?;
        self.map_first(
            process,
            stack,
            STACK_TOP - header.stack_pages * PAGE_SIZE as u64,
            access::READ | access::WRITE,
        )?;
        let length = self.write_start_page(process, boot)?;
        let (entry, a1) = (header.entry_point, length as u64);
        let new = ThreadCreate { process: None, entry, stack: STACK_TOP, a0: START_PAGE, a1, ipc_page: IPC_PAGE };
        let mut stash = Stash::of(&self.frames, self.frames_for_thread(process, &new)?)?;
        let thread = self.new_thread(process, 0, &new, &mut stash)?;
        thread.set_base_class(QosClass::Interactive);
        self.cpus[0].since.set(now);
        self.make_ready(self.cpus[0].here(), thread);
        self.settle_aside(self.cpus[0].here(), now);
        Ok(())
    }

    /// Everything there is, as a quota.
    fn capacity(&self) -> Quota {
        let short = |count: u32| u16::try_from(count).unwrap_or(u16::MAX);
        Quota {
            frames: self.frames.capacity() - self.frames.used(),
            threads: short(self.threads.capacity()),
            messages: short(self.messages.capacity()),
            slot_blocks: short(self.blocks.capacity()),
            processes: short(self.processes.capacity()),
            endpoints: short(self.endpoints.capacity()),
            notifications: short(self.notifications.capacity()),
            memories: short(self.memories.capacity()),
            mappings: short(self.mappings.capacity()),
            timers: short(self.timers.capacity()),
            irqs: short(self.irqs.capacity()),
        }
    }

    /// Text and constants are mapped where they lie in the image; what can be written is copied.
    fn lay_segment(&'static self, process: &'static Process, boot: &First, segment: &Segment) -> Result<(), Error> {
        let rights = u8::try_from(segment.access).map_err(|_| Error::Corrupt)?;
        if rights & access::WRITE == 0 && segment.offset != u64::MAX {
            let address = boot.image_range.start + segment.offset;
            let memory = self.fixed_memory(process, address, segment.pages)?;
            if rights & access::EXECUTE != 0 {
                memory.set_stage(Stage::Sealed);
            }
            return self.map_first(process, memory, segment.address, rights);
        }
        let memory = self.boot_memory(process, segment.pages)?;
        if segment.offset != u64::MAX {
            let start = segment.offset as usize;
            let bytes = boot.bytes.get(start..start + segment.pages as usize * PAGE_SIZE).ok_or(Error::Corrupt)?;
            self.fill_memory(memory, bytes);
        }
        self.map_first(process, memory, segment.address, rights)
    }

    /// A memory object with all its pages.
    pub(crate) fn boot_memory(&'static self, process: &'static Process, pages: u64) -> Result<&'static Memory, Error> {
        let limit = u32::try_from(pages).map_err(|_| Error::OverLimit)?;
        let memory = self.make_memory(process, limit)?;
        while u64::from(memory.pages.get()) < pages {
            let (batch, frames) = self.growth(memory, pages)?;
            self.append(memory, batch, &mut Stash::of(&self.frames, frames)?);
        }
        Ok(memory)
    }

    /// Copies bytes to the beginning of a memory object.
    pub(crate) fn fill_memory(&self, memory: &Memory, bytes: &[u8]) {
        for (page, bytes) in bytes.chunks(PAGE_SIZE).enumerate() {
            let address = self.page_address(memory, page as u32);
            let Some(frame) = address.and_then(|address| self.frames.index(address)) else { return };
            for (word, bytes) in self.frames.at(frame).0.iter().zip(bytes.chunks(8)).take(FRAME_WORDS) {
                let mut value = [0; 8];
                value[..bytes.len()].copy_from_slice(bytes);
                word.set(u64::from_le_bytes(value));
            }
        }
    }

    fn write_start_page(&'static self, process: &'static Process, boot: &First) -> Result<usize, Error> {
        let named = |name, handle| Ok::<_, Error>((Name::new(name).ok_or(Error::Invalid)?, handle));
        let root = |name, kind| named(name, self.root_capability(process, kind)?);
        let part = |name, range: &Range<u64>| {
            let pages = (range.end - range.start).div_ceil(PAGE_SIZE as u64);
            let memory = self.fixed_memory(process, range.start, pages)?;
            memory.set_stage(Stage::Sealed);
            let rights = Rights::USE.union(Rights::TRANSFER);
            named(name, self.insert(process, &Capability { rights, ..Capability::full(Kind::Memory, memory) }, 0)?)
        };
        let given = [
            root(first::DEVICES, Kind::DeviceRoot)?,
            root(first::SPAWN, Kind::Spawn)?,
            root(first::INFO, Kind::Info)?,
            root(first::POWER, Kind::Power)?,
            root(first::LOG, Kind::Log)?,
            part(first::IMAGE, &boot.image_range)?,
            part(first::DEVICE_TREE, &boot.device_tree)?,
        ];
        let info = StartInfo {
            timebase: self.machine.timebase,
            ipc_page: IPC_PAGE,
            process: ProcessId(process.header.me()),
            service: ServiceId(process.service.get()),
            heap_pages: 256,
        };
        let mut page = [0; PAGE_SIZE];
        let length = start::write(&mut page, &info, &given, &["init"], &[])?;
        let memory = self.boot_memory(process, 1)?;
        self.fill_memory(memory, &page);
        self.map_first(process, memory, START_PAGE, access::READ)?;
        Ok(length)
    }

    fn root_capability(&self, process: &Process, kind: Kind) -> Result<Handle, Error> {
        let capability = Capability { kind, object: SCOPE_ROOT, shard: 0, rights: Rights::ALL, badge: 0 };
        self.insert(process, &capability, 0)
    }
}
