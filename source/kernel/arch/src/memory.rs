//! Takes the machine's memory: the kernel's own page tables, the tables of the core, and the rest for programs.
//!
//! Everything is cut from the free runs of the memory plan, front to back, once. Only what is carved for tables is
//! zeroed; frames are zeroed when they are given out.

use crate::facts::{Device, Facts, ranges};
use crate::hart::{STACK_BYTES, STACK_STRIDE};
use crate::layout::{DIRECT_SIZE, PAGE, page_down, page_up, to_physical, to_virtual};
use crate::paging::{Access, SV39, Tables};
use crate::plan::{self, Runs};
use crate::{arguments::Arguments, csr, float::Registers, linked, stop};
use core::ops::Range;
use nexus_core::arena::Arena;
use nexus_core::caps::slot::Slot;
use nexus_core::ipc::endpoint::{Endpoint, Message};
use nexus_core::ipc::notification::Notification;
use nexus_core::kernel::Storage;
use nexus_core::memory::frames::{Frame, Frames};
use nexus_core::memory::{irq::Irq, mapping::Mapping, object::Memory as MemoryObject};
use nexus_core::time::{timer::Timer, wheel::Node};
use nexus_core::{cpu::Own, log::Ring, percpu::PerCpu, process::Process, thread::Thread};
use nexus_core::{text::Hex, trace::RING_WORDS, word::Word};

/// A type that is valid as zeroed memory.
///
/// # Safety
/// All-zero bytes must be a value of it, and it must not care where it lives.
unsafe trait Zeroed: 'static {}

macro_rules! zeroed {
    ($($type:ty)*) => {$(
        // SAFETY: it is made of atomic words and halves only, for which zero is a value.
        unsafe impl Zeroed for $type {}
    )*};
}

zeroed! {
    PerCpu<Own> Process Thread Endpoint Message Notification MemoryObject Mapping Timer Irq Node Slot Frame Word Registers
}

unsafe extern "C" {
    /// Clears memory from one multiple of 128 to another; see `entry.S`.
    fn zero_lines(start: *mut u8, end: *mut u8);
}

/// Where a part of the kernel lies.
fn place(part: Range<u64>) -> Range<u64> {
    to_physical(part.start)..to_physical(part.end)
}

/// The machine's memory while it is being shared out.
pub struct Memory {
    runs: Runs,
    kernel: Range<u64>,
    /// The kernel's root table.
    pub(crate) root: &'static Frame,
    /// The stacks of the further harts, in the direct map.
    pub(crate) stacks: Range<u64>,
    /// The page range of the boot image; empty if there is none.
    pub image: Range<u64>,
    /// The page range of the device tree.
    pub device_tree: Range<u64>,
}

/// Builds the kernel's page tables and switches to them. Stops the machine if its memory does not do.
pub fn map(facts: &Facts, device_tree: Range<u64>) -> Memory {
    let kernel = place(linked::kernel());
    let image = page_down(facts.initrd.start)..page_up(facts.initrd.end);
    let bytes = plan::ram_bytes(facts);
    if bytes < plan::LEAST_RAM {
        stop!(Memory, "memory: ", bytes >> 10, " KiB of RAM, ", plan::LEAST_RAM >> 10, " needed");
    }
    let ram = ranges(&facts.ram);
    let inside = |part: &Range<u64>| ram.iter().any(|bank| bank.start <= part.start && part.end <= bank.end);
    if [&kernel, &image].into_iter().any(|part| !part.is_empty() && !inside(part)) || facts.ram_end() > DIRECT_SIZE {
        stop!(Memory, "memory: the device tree does not describe where kernel and boot image are");
    }
    let taken = [image.clone(), device_tree.clone()];
    let Some(mut runs) = plan::free_runs(facts, &kernel, &taken) else {
        stop!(Memory, "memory: free memory lies in too many pieces");
    };
    let bytes = (facts.harts().len() as u64 - 1) * STACK_STRIDE;
    let stacks = cut(&mut runs, bytes);
    let stacks = stacks..stacks + bytes;
    let root = build(facts, &mut runs, (&taken, &stacks));
    // SAFETY: `build` mapped the kernel at its present place with the rights that it uses.
    unsafe { csr::set_satp(SV39 | to_physical(core::ptr::from_ref(root) as u64) >> 12) };
    csr::fence_all();
    let stacks = to_virtual(stacks.start)..to_virtual(stacks.end);
    Memory { runs, kernel, root, stacks, image, device_tree }
}

fn build(facts: &Facts, runs: &mut Runs, rest: (&[Range<u64>], &Range<u64>)) -> &'static Frame {
    let free = runs.clone();
    let mut allocate = || &zeroed::<Frame>(runs, 1)[0];
    let mut tables = Tables { root: allocate(), allocate: &mut allocate };
    free.iter().for_each(|run| tables.map(run, Access::Write));
    tables.map(&place(linked::text()), Access::Execute);
    tables.map(&place(linked::constants()), Access::Read);
    for part in [linked::data(), linked::boot_stack(), linked::emergency_stack()] {
        tables.map(&place(part), Access::Write);
    }
    let (taken, stacks) = rest;
    taken.iter().for_each(|range| tables.map(range, Access::Read));
    for hart in 1..facts.harts().len() as u64 {
        let top = stacks.start + hart * STACK_STRIDE;
        tables.map(&(top - STACK_BYTES..top), Access::Write);
    }
    for device in &facts.devices[Device::Plic as usize..] {
        if device.end > DIRECT_SIZE {
            stop!(Memory, "memory: a device at 0x", Hex(device.start, 1), " is out of reach");
        }
        tables.map(device, Access::Write);
    }
    tables.root
}

/// Cuts whole pages for so many bytes from the free runs.
fn cut(runs: &mut Runs, bytes: u64) -> u64 {
    plan::take(runs, bytes)
        .unwrap_or_else(|| stop!(Memory, "memory: no room for ", bytes, " bytes of tables or stacks"))
}

/// Cuts a zeroed table from the free runs.
fn zeroed<T: Zeroed>(runs: &mut Runs, count: usize) -> &'static [T] {
    let start = zeroed_pages(runs, count, size_of::<T>());
    // SAFETY: these pages are this table's alone from now on, page-aligned, long enough, and zero is a `T`.
    unsafe { core::slice::from_raw_parts(start.cast(), count) }
}

#[inline(never)]
fn zeroed_pages(runs: &mut Runs, count: usize, size: usize) -> *const u8 {
    let bytes = page_up((count * size) as u64);
    let start = to_virtual(cut(runs, bytes)) as *mut u8;
    if bytes > 0 {
        // SAFETY: the pages were free and nobody else gets them; both kernel tables map them writable.
        unsafe { zero_lines(start, start.wrapping_add(bytes as usize)) };
    }
    start
}

/// An arena for so many objects.
fn arena<T: Zeroed>(runs: &mut Runs, objects: usize) -> Arena<T> {
    Arena::new(zeroed(runs, 1 + objects), 1)
}

impl Memory {
    /// The boot image as words, which are whole pages.
    pub fn image_words(&self) -> &'static [u64] {
        let start = to_virtual(self.image.start) as *const u64;
        // SAFETY: the kernel's tables map these pages, read-only; an empty range is at a place that is never read.
        unsafe { core::slice::from_raw_parts(start, (self.image.end - self.image.start) as usize / 8) }
    }

    /// The same as bytes.
    pub fn image_bytes(&self) -> &'static [u8] {
        // SAFETY: any word is eight bytes.
        unsafe { self.image_words().align_to().1 }
    }

    /// Cuts the core's tables and the threads' float registers, then leaves the rest to programs.
    pub(crate) fn carve(&mut self, facts: &Facts, arguments: &Arguments) -> (Storage, Arena<Registers>) {
        let (scale, cpus) = (plan::scale(plan::ram_bytes(facts)), facts.harts().len());
        let (threads, timers, processes) = (scale * plan::THREADS, scale * plan::TIMERS, scale * plan::PROCESSES);
        let runs = &mut self.runs;
        let float = arena(runs, threads);
        let storage = Storage {
            cpus: zeroed(runs, cpus),
            processes: arena(runs, processes),
            threads: arena(runs, threads),
            endpoints: arena(runs, scale * plan::ENDPOINTS),
            messages: arena(runs, scale * plan::MESSAGES),
            notifications: arena(runs, scale * plan::NOTIFICATIONS),
            memories: arena(runs, scale * plan::MEMORIES),
            mappings: arena(runs, scale * plan::MAPPINGS),
            timers: arena(runs, timers),
            irqs: arena(runs, facts.lines as usize),
            nodes: arena(runs, threads + timers + processes + 2),
            blocks: Arena::new(zeroed(runs, 64 * (1 + scale * plan::SLOT_BLOCKS)), 64),
            log: Ring::new(zeroed(runs, plan::LOG_WORDS)),
            rings: if arguments.tracing { zeroed(runs, cpus * RING_WORDS) } else { &[] },
            frames: pool(runs, &self.kernel),
        };
        (storage, float)
    }
}

/// What is left, for programs.
fn pool(runs: &Runs, kernel: &Range<u64>) -> Frames {
    let Some((pool, holes)) = plan::pool(runs, kernel) else { stop!(Memory, "memory: nothing is left for programs") };
    let (first, count) = (to_virtual(pool.start) as *const Frame, (pool.end - pool.start) / PAGE);
    // SAFETY: the frames outside the holes were free and are nobody else's from now on. The core never touches those in the
    // holes, so what they show (boot image, device tree, nothing) does not matter.
    Frames::new(unsafe { core::slice::from_raw_parts(first, count as usize) }, pool.start, holes)
}
