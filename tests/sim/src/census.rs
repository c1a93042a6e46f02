//! What there is of every kind, and who holds what, to be compared.

use std::collections::BTreeMap;

use nexus_abi::{Kind, Name, ServiceId};
use nexus_core::Kernel;

/// Objects by kind, and handles by holder and kind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Census {
    objects: [(&'static str, u32); 12],
    handles: BTreeMap<(u64, u8), u32>,
}

impl Census {
    pub(crate) fn take(kernel: &Kernel) -> Census {
        let mut handles = BTreeMap::new();
        for slot in (1..64 * kernel.blocks.pool.capacity).map(|place| kernel.blocks.at(place)) {
            if let Some(kind) = slot.kind() {
                let holder = kernel.processes.at(slot.process.get()).service.get();
                *handles.entry((holder, kind as u8)).or_default() += 1;
            }
        }
        let objects = [
            ("processes", kernel.processes.pool.used()),
            ("threads", kernel.threads.pool.used()),
            ("endpoints", kernel.endpoints.pool.used()),
            ("messages", kernel.messages.pool.used()),
            ("notifications", kernel.notifications.pool.used()),
            ("memories", kernel.memories.pool.used()),
            ("mappings", kernel.mappings.pool.used()),
            ("timers", kernel.timers.pool.used()),
            ("irqs", kernel.irqs.pool.used()),
            ("frames", kernel.frames.pool.used()),
            ("slot blocks", kernel.blocks.pool.used()),
            ("wait sets", kernel.wait_sets.get()),
        ];
        Census { objects, handles }
    }

    /// An error names what differs.
    pub(crate) fn same_as(&self, before: &Census) -> Result<(), String> {
        if self == before {
            return Ok(());
        }
        let mut text = String::from("what there is differs:");
        for ((kind, now), (_, was)) in self.objects.iter().zip(&before.objects).filter(|(now, was)| now != was) {
            text += &format!(" {kind} were {was}, are {now};");
        }
        let holders = self.handles.keys().chain(before.handles.keys());
        for key in holders.collect::<std::collections::BTreeSet<_>>() {
            let [now, was] = [self, before].map(|census| census.handles.get(key).copied().unwrap_or(0));
            if now != was {
                let name = crate::cast::wiring().name_of(ServiceId(key.0));
                let name = name.as_ref().map_or("init", Name::as_str);
                let kind = Kind::ALL.iter().find(|&&kind| kind as u8 == key.1);
                text += &format!(" {name} held {was} of {kind:?}, holds {now};");
            }
        }
        Err(text)
    }
}
