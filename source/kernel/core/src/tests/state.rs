//! The whole state as text, to see that a refusal changed nothing.

use super::StateText;
use crate::{Kernel, arena::Arena, arena::Object, thread::Thread};
use core::fmt::Debug;
use std::{format, string::String};

/// Every used place, as text. Of the thread that calls, registers are left out; of all, the scratch for handles.
pub(super) fn state(kernel: &Kernel, caller: &Thread) -> StateText {
    let mut lines = StateText::new();
    objects(&mut lines, &kernel.processes);
    objects(&mut lines, &kernel.endpoints);
    objects(&mut lines, &kernel.messages);
    objects(&mut lines, &kernel.notifications);
    objects(&mut lines, &kernel.memories);
    objects(&mut lines, &kernel.mappings);
    objects(&mut lines, &kernel.timers);
    objects(&mut lines, &kernel.irqs);
    for (index, thread) in kernel.threads.iter().filter(|(_, thread)| thread.header.alive()) {
        let text = without(&format!("{thread:?}"), "cargo: [", "]");
        let text = if core::ptr::eq(thread, caller) { without(&text, "frame: Frame([", "])") } else { text };
        lines.push(format!("thread {index} {}", without(&text, "cpu_time: ", ",")));
        let page = &kernel.frames.at(thread.ipc_frame.get()).0;
        lines.push(format!("page {index} {page:?}"));
    }
    for place in 64..(kernel.blocks.touched() + 1) * 64 {
        let slot = kernel.blocks.at(place);
        if slot.key.get() != 0 {
            lines.push(format!("slot {place} {slot:?}"));
        }
    }
    for (index, node) in kernel.nodes.iter().enumerate().filter(|(_, node)| node.queued()) {
        lines.push(format!("node {index} {node:?}"));
    }
    for cpu in kernel.cpus {
        lines.push(format!("cpu {:?} {:?} {:?}", cpu.id, cpu.current, cpu.queue));
    }
    let used = [kernel.frames.used(), kernel.blocks.used(), kernel.threads.used()];
    lines.push(format!("used {used:?}"));
    lines
}

fn objects<T: Object + Debug>(lines: &mut StateText, arena: &Arena<T>) {
    for (index, item) in arena.iter().filter(|(_, item)| item.header().reference() != 0) {
        lines.push(format!("{index} {}", without(&format!("{item:?}"), "cpu_time: ", ",")));
    }
}

fn without(text: &str, from: &str, to: &str) -> String {
    let Some(start) = text.find(from) else { return text.into() };
    let end = text[start + from.len()..].find(to).map_or(text.len(), |end| start + from.len() + end);
    format!("{}{}", &text[..start], &text[end..])
}

/// Fails with the first line that differs.
pub(super) fn assert_same(before: &StateText, after: &StateText, what: &str) {
    for (one, other) in before.iter().zip(after) {
        assert_eq!(one, other, "refused, but something changed: {what}");
    }
    assert_eq!(before.len(), after.len(), "refused, but something came or went: {what}");
}
