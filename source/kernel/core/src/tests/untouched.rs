//! What a refused call may write all the same: registers, clocks, scratch, the pool of free frames, an audit line.

use crate::{
    Kernel,
    arena::{Arena, Object},
    percpu::PerCpu,
    thread::Thread,
    word::journal::Change,
};
use core::{any::type_name, ops::Range};
use std::{collections::BTreeSet, format, string::String, vec::Vec};

/// The addresses of a value.
fn place<T>(value: &T) -> Range<usize> {
    let start = core::ptr::from_ref(value).addr();
    start..start + size_of::<T>()
}

/// Fails if a refused call of this thread changed anything that it may not.
pub(crate) fn assert_untouched(kernel: &Kernel, caller: &Thread, changes: &[Change], what: &str) {
    if let Some(change) = changes.iter().find(|change| !excused(kernel, caller, change.address)) {
        panic!("refused, but {change:x?} changed: {}\n{what}", name(kernel, change.address));
    }
}

fn excused(kernel: &Kernel, caller: &Thread, address: usize) -> bool {
    // Whose time is used up is chosen anew after every event.
    let own = [place(&caller.frame), place(&caller.cpu_time), place(&caller.slice_left), place(&caller.switches)];
    let frames = [place(kernel.frames.free_list()[0]), place(kernel.frames.free_list()[1])];
    let ring = kernel.log.bytes.0.as_ptr_range();
    let audit = [place(&kernel.qos_audit), place(&kernel.log), ring.start.addr()..ring.end.addr()];
    own.into_iter().chain(frames).chain(audit).any(|range| range.contains(&address))
        || kernel.cpus.iter().map(PerCpu::at_rest).any(|cpu| {
            let scratch = [place(&cpu.cargo), place(&cpu.requests), place(&cpu.fence), place(&cpu.counters)];
            let clocks = [place(&cpu.slice_end), place(&cpu.since), place(&cpu.floor)];
            scratch.into_iter().chain(clocks).any(|range| range.contains(&address))
        })
        || is_free_frame(kernel, address)
}

/// True for a word of a frame that nobody has.
fn is_free_frame(kernel: &Kernel, address: usize) -> bool {
    let start = core::ptr::from_ref(kernel.frames.at(0)).addr();
    let Some(frame) = address.checked_sub(start).map(|offset| (offset / 4096) as u32) else { return false };
    let mut free = BTreeSet::new();
    kernel.frames.each_free(|frame| {
        free.insert(frame);
    });
    free.contains(&frame)
}

/// What stands at an address.
fn name(kernel: &Kernel, address: usize) -> String {
    let mut names = Vec::new();
    find(&mut names, &kernel.processes, address);
    find(&mut names, &kernel.threads, address);
    find(&mut names, &kernel.endpoints, address);
    find(&mut names, &kernel.messages, address);
    find(&mut names, &kernel.notifications, address);
    find(&mut names, &kernel.memories, address);
    find(&mut names, &kernel.mappings, address);
    find(&mut names, &kernel.timers, address);
    find(&mut names, &kernel.irqs, address);
    for cpu in kernel.cpus.iter().filter(|cpu| place(*cpu).contains(&address)) {
        let parts = [
            ("its queue", place(&cpu.at_rest().ready)),
            ("its wheel", place(&cpu.wheel)),
            ("who runs", place(&cpu.current)),
        ];
        let part = parts.into_iter().find(|(_, range)| range.contains(&address));
        names.push(format!("{} of CPU {}", part.map_or("a part", |(part, _)| part), cpu.id.get()));
    }
    let slots = (0..(kernel.blocks.pool.capacity + 1) * 64).map(|place| (place, kernel.blocks.at(place)));
    names.extend(
        slots.filter(|(_, slot)| place(*slot).contains(&address)).map(|(at, slot)| format!("slot {at} {slot:?}")),
    );
    names.pop().unwrap_or_else(|| format!("{address:#x}"))
}

fn find<T: Object + core::fmt::Debug>(names: &mut Vec<String>, arena: &Arena<T>, address: usize) {
    let found = arena.iter().filter(|(_, item)| place(*item).contains(&address));
    names.extend(found.map(|(index, item)| {
        let offset = address - core::ptr::from_ref(item).addr();
        format!("{} {index} at {offset:#x}: {item:?}", type_name::<T>())
    }));
}
