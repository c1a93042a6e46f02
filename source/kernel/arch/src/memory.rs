//! Takes the machine's memory: the kernel's own page tables, the tables of the core, and the rest for programs.
//!
//! Everything is cut from the free runs of the memory plan, front to back, once. Only what is carved for tables is
//! zeroed; frames are zeroed when they are given out.

use crate::arguments::{Arguments, Asked};
use crate::hart::{STACK_BYTES, STACK_STRIDE};
use crate::layout::{DIRECT_SIZE, page_down, page_up, to_physical, to_virtual};
use crate::paging::{Access, SV39, Tables};
use crate::plan::{self, Counts, Pool, Runs};
use crate::power::{self, Status};
use crate::{csr, facts::Facts, float::Registers, linked, say};
use core::ops::Range;
use nexus_core::arena::{Arena, Object};
use nexus_core::caps::{Blocks, slot::Slot};
use nexus_core::ipc::endpoint::{Endpoint, Message};
use nexus_core::ipc::notification::Notification;
use nexus_core::kernel::{Machine, Storage};
use nexus_core::memory::frames::{Frame, Frames, Holes};
use nexus_core::memory::{irq::Irq, mapping::Mapping, object::Memory as MemoryObject};
use nexus_core::time::{timer::Timer, wheel::Node};
use nexus_core::{cpu::Own, log::Ring, percpu::PerCpu, process::Process, thread::Thread};
use nexus_core::{trace::RING_WORDS, word::Word};

/// Time slices in a second: a thread whose place somebody of its class waits for runs for one.
const SLICES_PER_SECOND: u64 = 200;

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
    root: &'static Frame,
    kernel: Range<u64>,
    bytes: u64,
    /// The stacks of the further harts, in the direct map.
    pub(crate) stacks: Range<u64>,
    /// The page range of the boot image; empty if there is none.
    pub image: Range<u64>,
    /// The page range of the device tree.
    pub device_tree: Range<u64>,
}

/// What was carved.
pub struct Carved {
    /// For the core.
    pub storage: Storage,
    /// What programs can own.
    pub pool: Pool,
    /// Float registers, parallel to the threads.
    pub(crate) float: &'static [Registers],
}

/// Builds the kernel's page tables and switches to them. Stops the machine if its memory does not do.
pub fn map(facts: &Facts, device_tree: Range<u64>) -> Memory {
    let kernel = place(linked::kernel());
    let image = facts.initrd.clone().map_or(0..0, |range| page_down(range.start)..page_up(range.end));
    let bytes = plan::ram_bytes(facts);
    if bytes < plan::LEAST_RAM {
        refuse(format_args!("{} KiB of RAM, {} needed", bytes >> 10, plan::LEAST_RAM >> 10));
    }
    let inside = |range: &Range<u64>| facts.ram.as_slice().iter().any(|bank| contains(bank, range));
    if !inside(&kernel) || !(image.is_empty() || inside(&image)) || facts.ram.as_slice().iter().any(beyond) {
        refuse(format_args!("the device tree does not describe where kernel and boot image are"));
    }
    let taken = [image.clone(), device_tree.clone()];
    let Ok(free) = plan::free_runs(facts, &kernel, &taken) else {
        refuse(format_args!("free memory lies in too many pieces"));
    };
    let mut runs = free;
    let further = facts.harts.as_slice().len() as u64 - 1;
    let Some(stacks) = plan::take(&mut runs, further * STACK_STRIDE).map(|start| start..start + further * STACK_STRIDE)
    else {
        refuse(format_args!("no room for the stacks of {further} harts"));
    };
    let free = runs.clone();
    let root = build(facts, &free, &mut runs, (&taken, &stacks));
    // SAFETY: `build` mapped the kernel at its present place with the rights that it uses.
    unsafe { csr::set_satp(SV39 | to_physical(core::ptr::from_ref(root) as u64) >> 12) };
    csr::fence_all();
    let stacks = to_virtual(stacks.start)..to_virtual(stacks.end);
    Memory { runs, root, kernel, bytes, stacks, image, device_tree }
}

fn build(facts: &Facts, free: &Runs, runs: &mut Runs, rest: (&[Range<u64>], &Range<u64>)) -> &'static Frame {
    let mut allocate = || &zeroed::<Frame>(runs, 1)[0];
    let mut tables = Tables::new(&mut allocate);
    free.as_slice().iter().for_each(|run| tables.map(run, Access::Write));
    tables.map(&place(linked::text()), Access::Execute);
    tables.map(&place(linked::constants()), Access::Read);
    for part in [linked::data(), linked::boot_stack(), linked::emergency_stack()] {
        tables.map(&place(part), Access::Write);
    }
    let (taken, stacks) = rest;
    taken.iter().for_each(|range| tables.map(range, Access::Read));
    let tops = (stacks.start..stacks.end).step_by(STACK_STRIDE as usize).map(|guard| guard + STACK_STRIDE);
    tops.for_each(|top| tables.map(&(top - STACK_BYTES..top), Access::Write));
    let devices = [facts.uart.as_ref().map(|uart| &uart.range), facts.plic.as_ref().map(|plic| &plic.range)];
    for range in devices.into_iter().flatten().chain(&facts.test) {
        if beyond(range) {
            refuse(format_args!("a device at {:#x} is out of reach", range.start));
        }
        tables.map(range, Access::Write);
    }
    tables.root()
}

fn contains(bank: &Range<u64>, range: &Range<u64>) -> bool {
    bank.start <= range.start && range.end <= bank.end
}

fn beyond(range: &Range<u64>) -> bool {
    range.end > DIRECT_SIZE
}

fn refuse(why: core::fmt::Arguments) -> ! {
    say!("memory: {why}");
    power::stop(Status::Memory)
}

/// Cuts a zeroed table from the free runs.
fn zeroed<T: Zeroed>(runs: &mut Runs, count: usize) -> &'static [T] {
    let start = zeroed_pages(runs, (count * size_of::<T>()) as u64);
    // SAFETY: these pages are this table's alone from now on, page-aligned, long enough, and zero is a `T`.
    unsafe { core::slice::from_raw_parts(start.cast(), count) }
}

fn zeroed_pages(runs: &mut Runs, bytes: u64) -> *const u8 {
    let bytes = page_up(bytes);
    let Some(start) = plan::take(runs, bytes) else { refuse(format_args!("no room for a table of {bytes} bytes")) };
    let start = to_virtual(start) as *mut u8;
    if bytes > 0 {
        // SAFETY: the pages were free and nobody else gets them; both kernel tables map them writable.
        unsafe { zero_lines(start, start.wrapping_add(bytes as usize)) };
    }
    start
}

/// An arena for so many objects.
fn arena<T: Object + Zeroed>(runs: &mut Runs, objects: usize) -> Arena<T> {
    Arena::new(zeroed(runs, 1 + objects))
}

impl Memory {
    /// The boot image's bytes.
    pub fn image_bytes(&self) -> &'static [u8] {
        let start = to_virtual(self.image.start) as *const u8;
        // SAFETY: the kernel's tables map these pages, read-only; an empty range is at a place that is never read.
        unsafe { core::slice::from_raw_parts(start, (self.image.end - self.image.start) as usize) }
    }

    /// The same as words.
    pub fn image_words(&self) -> &'static [u64] {
        let start = to_virtual(self.image.start) as *const u64;
        // SAFETY: as for the bytes; the range is whole pages, so it is aligned and has whole words.
        unsafe { core::slice::from_raw_parts(start, (self.image.end - self.image.start) as usize / 8) }
    }

    /// The kernel's root table.
    pub(crate) fn root(&self) -> &'static Frame {
        self.root
    }

    /// Cuts the core's tables, then leaves the rest to programs.
    pub fn carve(&mut self, facts: &Facts, arguments: &Arguments) -> Carved {
        let counts = Counts::for_ram(self.bytes);
        let lines = facts.plic.as_ref().map_or(0, |plic| plic.lines as usize);
        let runs = &mut self.runs;
        let mut storage = Storage {
            cpus: zeroed(runs, facts.harts.as_slice().len()),
            processes: arena(runs, counts.processes),
            threads: arena(runs, counts.threads),
            endpoints: arena(runs, counts.endpoints),
            messages: arena(runs, counts.messages),
            notifications: arena(runs, counts.notifications),
            memories: arena(runs, counts.memories),
            mappings: arena(runs, counts.mappings),
            timers: arena(runs, counts.timers),
            irqs: arena(runs, lines),
            nodes: zeroed(runs, counts.threads + counts.timers + counts.processes + 3),
            blocks: Blocks::new(zeroed(runs, 64 * (1 + counts.slot_blocks))),
            frames: Frames::new(&[], 0, Holes::default()),
            log: Ring::new(zeroed(runs, counts.log_words)),
            rings: match arguments.tracing {
                Asked::No => &[],
                Asked::Yes => zeroed(runs, facts.harts.as_slice().len() * RING_WORDS),
            },
        };
        let float = zeroed(runs, 1 + counts.threads);
        let Some(pool) = plan::pool(runs, &self.kernel) else {
            refuse(format_args!("nothing is left for programs"));
        };
        storage.frames = Frames::new(frames(&pool), pool.base, pool.holes.clone());
        Carved { storage, pool, float }
    }

    /// The facts that the core needs.
    pub fn machine(&self, facts: &Facts<'static>, arguments: &Arguments, raisers: [u64; 4]) -> Machine {
        let banks = facts.ram.as_slice();
        let end = banks.iter().map(|bank| bank.end).max().unwrap_or(0);
        let range_of = |range: Option<&Range<u64>>| range.cloned().unwrap_or(0..0);
        Machine {
            ram: banks.iter().map(|bank| bank.start).min().unwrap_or(0)..end,
            reserved: [
                range_of(facts.plic.as_ref().map(|plic| &plic.range)),
                facts.clint.clone(),
                range_of(facts.test.as_ref()),
                0..0,
            ],
            irq_lines: facts.plic.as_ref().map_or(0, |plic| plic.lines),
            kernel_root: Some(&self.root().0),
            satp_mode: SV39,
            raisers,
            slice: facts.timebase / SLICES_PER_SECOND,
            timebase: facts.timebase,
            arguments: facts.arguments,
            refused: arguments.refused,
            ..Machine::default()
        }
    }
}

/// The pool as frames.
fn frames(pool: &Pool) -> &'static [Frame] {
    // SAFETY: the frames outside the holes were free and are nobody else's from now on. The core never touches those in
    // the holes, so what they show (boot image, device tree, nothing) does not matter.
    unsafe { core::slice::from_raw_parts(to_virtual(pool.base) as *const Frame, pool.frames) }
}
