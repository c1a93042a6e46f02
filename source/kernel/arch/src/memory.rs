//! Takes the machine's memory: the kernel's own page tables, the tables of the core, and the rest for programs.
//!
//! Everything is cut from the free runs of the memory plan, front to back, once. Only what is carved for tables is
//! zeroed; frames are zeroed when they are given out.

use crate::{
    arguments::Tracing,
    csr,
    facts::Facts,
    float::Registers,
    hart::{STACK_BYTES, STACK_STRIDE},
    layout::{DIRECT_SIZE, page_down, page_up, to_physical, to_virtual},
    paging::{Access, SV39, Tables},
    plan::{self, Counts, Pool, Runs},
    power::{self, Status},
    say,
};
use core::ops::Range;
use nexus_core::{
    caps::slot::Slot,
    cpu::Own,
    ipc::{
        endpoint::{Endpoint, Message},
        notification::Notification,
    },
    kernel::{Machine, Storage},
    memory::{frames::Frame, irq::Irq, mapping::Mapping, object::Memory as MemoryObject},
    percpu::PerCpu,
    process::Process,
    sched::spread::Spread,
    thread::Thread,
    time::{timer::Timer, wheel::Node},
    trace::RING_WORDS,
    word::Word,
};

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
    static kernel_start: u8;
    static text_end: u8;
    static rodata_end: u8;
    static data_end: u8;
    static boot_stack_bottom: u8;
    static boot_stack_top: u8;
    static emergency_stack_bottom: u8;
    static emergency_stack_top: u8;
    static kernel_end: u8;
}

/// Physical address of a symbol of the linker script.
macro_rules! place {
    ($symbol:ident) => {
        to_physical(&raw const $symbol as u64)
    };
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
    let kernel = place!(kernel_start)..place!(kernel_end);
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
    tables.map(&(place!(kernel_start)..place!(text_end)), Access::Execute);
    tables.map(&(place!(text_end)..place!(rodata_end)), Access::Read);
    tables.map(&(place!(rodata_end)..place!(data_end)), Access::Write);
    tables.map(&(place!(boot_stack_bottom)..place!(boot_stack_top)), Access::Write);
    tables.map(&(place!(emergency_stack_bottom)..place!(emergency_stack_top)), Access::Write);
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
    let bytes = page_up((count * size_of::<T>()) as u64);
    let Some(start) = plan::take(runs, bytes) else {
        refuse(format_args!("no room for {count} of {}", core::any::type_name::<T>()));
    };
    let table = to_virtual(start) as *mut T;
    if bytes > 0 {
        // SAFETY: the pages were free and nobody else gets them; both kernel tables map them writable.
        unsafe { zero_lines(table.cast(), table.cast::<u8>().wrapping_add(bytes as usize)) };
    }
    // SAFETY: these pages are this table's alone from now on, page-aligned, long enough, and zero is a `T`.
    unsafe { core::slice::from_raw_parts(table, count) }
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
    pub fn carve(&mut self, facts: &Facts, tracing: Tracing) -> Carved {
        let counts = Counts::for_ram(self.bytes);
        let lines = facts.plic.as_ref().map_or(0, |plic| plic.lines as usize);
        let runs = &mut self.runs;
        let (threads, timers) = (1 + counts.threads, 1 + counts.timers);
        let mut storage = Storage {
            cpus: zeroed(runs, facts.harts.as_slice().len()),
            processes: zeroed(runs, 1 + counts.processes),
            threads: zeroed(runs, threads),
            endpoints: zeroed(runs, 1 + counts.endpoints),
            messages: zeroed(runs, 1 + counts.messages),
            notifications: zeroed(runs, 1 + counts.notifications),
            memories: zeroed(runs, 1 + counts.memories),
            mappings: zeroed(runs, 1 + counts.mappings),
            timers: zeroed(runs, timers),
            irqs: zeroed(runs, 1 + lines),
            nodes: zeroed(runs, threads + timers + 1 + counts.processes),
            slots: zeroed(runs, 64 * (1 + counts.slot_blocks)),
            frames: &[],
            log: zeroed(runs, counts.log_words),
            rings: match tracing {
                Tracing::Off => &[],
                Tracing::On => zeroed(runs, facts.harts.as_slice().len() * RING_WORDS),
            },
        };
        let float = zeroed(runs, threads);
        let Some(pool) = plan::pool(runs, &self.kernel) else {
            refuse(format_args!("nothing is left for programs"));
        };
        storage.frames = frames(&pool);
        Carved { storage, pool, float }
    }

    /// The facts that the core needs.
    pub fn machine(&self, facts: &Facts<'static>, pool: &Pool, raisers: [u64; 4]) -> Machine {
        let banks = facts.ram.as_slice();
        let end = banks.iter().map(|bank| bank.end).max().unwrap_or(0);
        let range_of = |range: Option<&Range<u64>>| range.cloned().unwrap_or(0..0);
        Machine {
            frames_base: pool.base,
            frame_holes: pool.holes.clone(),
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
            spread: Spread::default(),
            donation: Default::default(),
            slice: facts.timebase / SLICES_PER_SECOND,
            timebase: facts.timebase,
            arguments: facts.arguments,
            refused: 0,
        }
    }
}

/// The pool as frames.
fn frames(pool: &Pool) -> &'static [Frame] {
    // SAFETY: the frames outside the holes were free and are nobody else's from now on. The core never touches those in
    // the holes, so what they show (boot image, device tree, nothing) does not matter.
    unsafe { core::slice::from_raw_parts(to_virtual(pool.base) as *const Frame, pool.frames) }
}
