//! The simulated machine: memory for a kernel, and how a program's loads and stores find theirs.
//!
//! Frames are what costs: a host thread leaks them once, and every kernel that it simulates uses the same. A kernel
//! zeroes what it gives out, so none sees what another left.

use std::cell::OnceCell;
use std::thread_local;

use nexus_core::kernel::{Machine, Storage};
use nexus_core::memory::frames::{FRAME_WORDS, Frame, Frames, Holes};
use nexus_core::thread::Thread;
use nexus_core::{Kernel, arena::Arena, log::Ring, word::Word};

use crate::image::{IMAGE, image};

/// Physical address of frame 0.
const FRAMES: u64 = 0x8000_0000;
/// Frames of the machine: 5 MiB.
const COUNT: usize = 1280;
/// Ticks a second: those of QEMU's `virt`.
pub(crate) const TIMEBASE: u64 = 10_000_000;
/// Ticks of a time slice: 2 ms.
const SLICE: u64 = 20_000;
/// Sv39, by the `mode` field of `satp`.
const SV39: u64 = 8 << 60;
/// The clock chip's registers, by the device tree of `virt`.
const CLOCK: u64 = 0x10_1000;

fn zeroed<T: Default>(count: usize) -> &'static [T] {
    Box::leak((0..count).map(|_| T::default()).collect::<Vec<T>>().into_boxed_slice())
}

fn frames() -> &'static [Frame] {
    thread_local! {
        static FRAMES: OnceCell<&'static [Frame]> = const { OnceCell::new() };
    }
    let make = || {
        let frames: Vec<Frame> = (0..COUNT).map(|_| Frame(core::array::from_fn(|_| Word::default()))).collect();
        &*Box::leak(frames.into_boxed_slice())
    };
    FRAMES.with(|frames| *frames.get_or_init(make))
}

/// A kernel of this many CPUs, all online, that has started nothing.
pub(crate) fn kernel(cpus: usize) -> &'static Kernel {
    let machine = Machine {
        ram: FRAMES..IMAGE + (64 << 20),
        irq_lines: 96,
        satp_mode: SV39,
        raisers: [nexus_abi::ServiceId::service("init").0, nexus_abi::ServiceId::service("execd").0, 0, 0],
        slice: SLICE,
        timebase: TIMEBASE,
        ..Machine::default()
    };
    let storage = Storage {
        cpus: zeroed(cpus),
        processes: Arena::new(zeroed(17), 1),
        threads: Arena::new(zeroed(17), 1),
        endpoints: Arena::new(zeroed(97), 1),
        messages: Arena::new(zeroed(401), 1),
        notifications: Arena::new(zeroed(33), 1),
        memories: Arena::new(zeroed(97), 1),
        mappings: Arena::new(zeroed(257), 1),
        timers: Arena::new(zeroed(3), 1),
        irqs: Arena::new(zeroed(97), 1),
        nodes: Arena::new(zeroed(17 + 3), 1),
        blocks: Arena::new(zeroed(64 * 17), 64),
        frames: Frames::new(frames(), FRAMES, Holes::default()),
        log: Ring::new(zeroed(512)),
        rings: &[],
    };
    let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new(storage, machine)));
    kernel.cpus.iter().for_each(|cpu| cpu.online.set(1));
    kernel
}

/// Where a program's address leads.
enum Place {
    Frame(&'static Word, u32),
    Image(usize),
    Clock(u64),
}

/// Walks a thread's tables (Sv39, privileged specification): three levels of 512 entries, a page number from bit 10 on.
fn physical(kernel: &Kernel, thread: &Thread, address: u64) -> Option<u64> {
    let mut table = (thread.satp.get() & ((1 << 44) - 1)) << 12;
    for level in [2, 1, 0] {
        let at = (address >> (12 + 9 * level)) as usize % FRAME_WORDS;
        let entry = kernel.frames.at(kernel.frames.index(table)?).0[at].get();
        if entry & 1 == 0 {
            return None;
        }
        table = entry >> 10 << 12;
    }
    Some(table | address & 0xfff)
}

fn place(kernel: &Kernel, thread: &Thread, address: u64) -> Option<Place> {
    let physical = physical(kernel, thread, address)?;
    if let Some(frame) = kernel.frames.index(physical) {
        return Some(Place::Frame(&kernel.frames.at(frame).0[physical as usize % 4096 / 8], physical as u32 % 8 * 8));
    }
    match physical {
        CLOCK..=0x10_1fff => Some(Place::Clock(physical - CLOCK)),
        _ => physical.checked_sub(IMAGE).map(|at| Place::Image(at as usize)),
    }
}

/// A load of `bytes` bytes. What is not mapped is a mistake of the program's.
pub(crate) fn load(kernel: &Kernel, thread: &Thread, address: u64, bytes: usize, now: u64) -> u64 {
    let mask = u64::MAX >> (64 - 8 * bytes);
    match place(kernel, thread, address) {
        Some(Place::Frame(word, shift)) => word.get() >> shift & mask,
        Some(Place::Image(at)) => image()
            .get(at..at + bytes)
            .map_or(0, |all| all.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))),
        // The goldfish clock: nanoseconds, low half and high half.
        Some(Place::Clock(at)) => (now * 100) >> (8 * at) & mask,
        None => panic!("a load from {address:#x}, where nothing is"),
    }
}

/// A store of `bytes` bytes.
pub(crate) fn store(kernel: &Kernel, thread: &Thread, address: u64, bytes: usize, value: u64) {
    let mask = u64::MAX >> (64 - 8 * bytes);
    match place(kernel, thread, address) {
        Some(Place::Frame(word, shift)) => word.set(word.get() & !(mask << shift) | (value & mask) << shift),
        _ => panic!("a store to {address:#x}, where no memory is"),
    }
}

/// The bytes of the boot image behind an address.
pub(crate) fn sealed(kernel: &Kernel, thread: &Thread, address: u64, length: usize) -> Option<&'static [u8]> {
    match place(kernel, thread, address)? {
        Place::Image(at) => image().get(at..at + length),
        _ => None,
    }
}
