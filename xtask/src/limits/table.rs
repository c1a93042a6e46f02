//! Which constants are bounds and values that somebody outside their file can meet: by file and name, with a unit.
//!
//! What they are worth and what they mean stands in the source. [`is_bound`] is what a name says of itself: such a
//! constant has to be in the list.

/// A constant of the list.
pub(super) struct Bound {
    /// Path of its file.
    pub(super) path: &'static str,
    /// Its name there.
    pub(super) name: &'static str,
    /// What it counts; `address` is printed in hexadecimal.
    pub(super) unit: &'static str,
}

/// A heading and what stands below it.
pub(super) struct Section {
    /// The heading.
    pub(super) title: &'static str,
    /// The constants, in order.
    pub(super) bounds: &'static [Bound],
}

const fn bound(path: &'static str, name: &'static str, unit: &'static str) -> Bound {
    Bound { path, name, unit }
}

/// Every constant of the page.
#[rustfmt::skip]
pub(super) const SECTIONS: &[Section] = &[
    Section { title: "Versions and names", bounds: &[
        bound("source/libs/nexus-abi/src/lib.rs", "ABI_VERSION", "version"),
        bound("source/libs/nexus-abi/src/image.rs", "FORMAT", "version"),
        bound("userspace/wiring/src/codec.rs", "VERSION", "version"),
        bound("source/libs/nexus-abi/src/identity.rs", "MAX_NAME", "bytes"),
    ] },
    Section { title: "Handles and capabilities", bounds: &[
        bound("source/libs/nexus-abi/src/handle.rs", "MAX_SLOTS", "slots"),
        bound("source/libs/nexus-abi/src/handle.rs", "MAX_SHARDS", "shards"),
        bound("source/libs/nexus-abi/src/handle.rs", "GENERATION_END", "generations"),
        bound("source/kernel/core/src/process/mod.rs", "MAX_BLOCKS", "blocks"),
        bound("source/libs/nexus-abi/src/handle.rs", "SHARDS", "shards"),
        bound("source/kernel/core/src/caps/revoke.rs", "REVOKE_BATCH", "capabilities"),
    ] },
    Section { title: "CPUs, classes and time", bounds: &[
        bound("source/kernel/core/src/cpu.rs", "MAX_CPUS", "CPUs"),
        bound("source/kernel/core/src/sched/queue.rs", "ADMISSION_LIMIT", "tasks"),
        bound("source/kernel/core/src/audit.rs", "MAX_QOS_AUDITS", "lines a second"),
        bound("source/libs/nexus-abi/src/limits.rs", "MAX_SHARES", "shares"),
        bound("source/kernel/core/src/process/mod.rs", "FREE_SHARES", "shares"),
        bound("source/kernel/core/src/qos.rs", "MAX_PERIOD", "ticks"),
        bound("source/libs/nexus-abi/src/limits.rs", "SHORTEST_US", "µs"),
        bound("source/kernel/core/src/sched/guard.rs", "GUARD_SLICES", "slices"),
        bound("source/kernel/core/src/sched/guard.rs", "RISE_SLICES", "slices"),
        bound("source/kernel/arch/src/system.rs", "SLICES_PER_SECOND", "slices"),
        bound("source/kernel/core/src/time/mod.rs", "EXPIRE_BATCH", "timers and deadlines"),
        bound("source/kernel/core/src/time/wheel.rs", "LEVELS", "levels"),
        bound("source/kernel/arch/src/harts.rs", "START_PATIENCE_MS", "ms"),
        bound("source/kernel/core/src/sched/spread.rs", "STEAL_BOUND", "tasks"),
        bound("source/kernel/core/src/cpu.rs", "EXPLICIT_LIMIT", "requests a second"),
    ] },
    Section { title: "Messages", bounds: &[
        bound("source/libs/nexus-abi/src/message.rs", "WORDS", "words"),
        bound("source/libs/nexus-abi/src/message.rs", "MAX_INLINE", "bytes"),
        bound("source/libs/nexus-abi/src/message.rs", "MAX_LINE", "bytes"),
        bound("source/libs/nexus-abi/src/message.rs", "MAX_HANDLES", "handles"),
        bound("source/libs/nexus-abi/src/message.rs", "HEADER_BYTES", "bytes"),
        bound("source/libs/nexus-abi/src/message.rs", "MAX_CALL_DEPTH", "calls"),
        bound("source/kernel/core/src/ipc/endpoint.rs", "MAX_QUEUE", "messages"),
        bound("userspace/nexus-rt/src/channel.rs", "PATIENCE", "ms"),
        bound("userspace/nexus-rt/src/sys/target/seat.rs", "SEATS", "threads of a program"),
        bound("source/apps/shell/src/machine/services.rs", "PATIENCE", "ms"),
        bound("userspace/nexus-ipc/src/local.rs", "PATIENCE", "ticks"),
        bound("userspace/nexus-rt/src/inbox.rs", "WINDOW", "messages"),
        bound("userspace/nexus-rt/src/inbox.rs", "FOREIGN", "messages"),
        bound("userspace/nexus-rt/src/inbox.rs", "ROUTE_WAIT", "ms"),
    ] },
    Section { title: "Memory", bounds: &[
        bound("source/libs/nexus-abi/src/layout.rs", "PAGE_SIZE", "bytes"),
        bound("source/libs/nexus-abi/src/layout.rs", "MAP_BATCH", "pages"),
        bound("source/libs/nexus-abi/src/layout.rs", "GROW_BATCH", "pages"),
        bound("source/kernel/core/src/memory/object.rs", "MAX_PAGES", "pages"),
        bound("source/kernel/core/src/memory/window.rs", "MAX_PAGES", "pages"),
        bound("source/kernel/core/src/memory/window.rs", "PHYSICAL_END", "address"),
        bound("source/kernel/core/src/memory/tree.rs", "FREE_BATCH", "frames"),
        bound("source/libs/nexus-abi/src/layout.rs", "USER_START", "address"),
        bound("source/libs/nexus-abi/src/layout.rs", "HEAP_START", "address"),
        bound("source/libs/nexus-abi/src/layout.rs", "STACK_TOP", "address"),
        bound("source/libs/nexus-abi/src/layout.rs", "START_PAGE", "address"),
        bound("source/libs/nexus-abi/src/layout.rs", "IPC_PAGE", "address"),
        bound("source/libs/nexus-abi/src/layout.rs", "SHARED_START", "address"),
        bound("source/libs/nexus-abi/src/layout.rs", "USER_END", "address"),
        bound("source/libs/nexus-abi/src/layout.rs", "DEFAULT_STACK", "bytes"),
        bound("source/kernel/arch/src/layout.rs", "DIRECT_SIZE", "bytes"),
    ] },
    Section { title: "The end of a process", bounds: &[
        bound("source/kernel/core/src/process/reap.rs", "BATCH", "threads or capabilities"),
        bound("source/kernel/core/src/memory/destroy.rs", "DROP_BATCH", "records"),
    ] },
    Section { title: "The machine at boot", bounds: &[
        bound("source/kernel/arch/src/plan.rs", "LEAST_RAM", "bytes"),
        bound("source/kernel/arch/src/plan.rs", "SCALE_BYTES", "bytes"),
        bound("source/kernel/arch/src/plan.rs", "MAX_SCALE", "times"),
        bound("source/kernel/arch/src/plan.rs", "MAX_RUNS", "runs"),
        bound("source/kernel/arch/src/facts.rs", "MAX_BANKS", "banks"),
        bound("source/kernel/arch/src/facts.rs", "MAX_RESERVED", "ranges"),
        bound("source/kernel/arch/src/machine.rs", "MOST_BYTES", "bytes"),
        bound("source/kernel/arch/src/paging.rs", "BOOT_GIGABYTES", "GiB"),
        bound("source/kernel/arch/src/console.rs", "PATIENCE", "looks"),
        bound("source/kernel/arch/src/panic.rs", "CALLERS", "callers"),
        bound("source/kernel/arch/src/panic.rs", "LAST_LINES", "bytes"),
        bound("source/kernel/core/src/log/mod.rs", "DRAIN_BATCH", "bytes"),
        bound("source/kernel/core/src/log/calls.rs", "READ_BATCH", "bytes"),
    ] },
    Section { title: "Boot image, programs and start page", bounds: &[
        bound("source/libs/nexus-abi/src/image.rs", "MAX_ENTRIES", "entries"),
        bound("source/libs/nexus-abi/src/image.rs", "MAX_SEGMENTS", "segments"),
        bound("source/libs/nexus-abi/src/image.rs", "MAX_RAISERS", "identities"),
        bound("source/libs/nexus-abi/src/image.rs", "MAX_STACK_PAGES", "pages"),
        bound("userspace/loader/src/lib.rs", "MAX_HEADERS", "headers"),
        bound("userspace/loader/src/plan.rs", "MAX_SEGMENTS", "segments"),
        bound("source/libs/nexus-abi/src/start.rs", "MAX_START_HANDLES", "handles"),
        bound("source/libs/nexus-abi/src/start.rs", "MAX_TEXTS", "texts"),
        bound("userspace/nexus-proto/src/exec.rs", "TEXTS", "bytes"),
    ] },
    Section { title: "Manifest and services", bounds: &[
        bound("userspace/wiring/src/codec.rs", "MAX_RECORDS", "records"),
        bound("source/services/init/src/devices.rs", "DEPTH", "levels"),
        bound("source/services/init/src/furnish.rs", "QUEUE", "messages"),
        bound("source/services/init/src/roots.rs", "QUEUE", "messages"),
        bound("source/services/init/src/routes.rs", "MAX_WAITING", "answers"),
        bound("source/services/init/src/serve.rs", "MAX_EXPECTING", "callers"),
        bound("source/services/init/src/watch.rs", "PATIENCE_MS", "ms"),
        bound("source/services/init/src/watch.rs", "PROBE_MS", "ms"),
        bound("source/services/execd/src/table.rs", "MAX_RECORDS", "programs"),
        bound("source/services/execd/src/table.rs", "MAX_WAITERS", "callers"),
    ] },
    Section { title: "Policy", bounds: &[
        bound("source/services/policyd/src/rules.rs", "MAX_DELEGATIONS", "delegations"),
        bound("source/services/policyd/src/lib.rs", "MAX_REVOCATIONS", "revocations"),
        bound("source/services/policyd/src/lib.rs", "PATIENCE_MS", "ms"),
        bound("userspace/nexus-proto/src/audit.rs", "MAX_AUDITS", "audits"),
        bound("userspace/nexus-proto/src/audit.rs", "MAX_ALLOWANCES", "allowances"),
        bound("source/services/init/src/leave.rs", "MAX_ASKED", "questions"),
        bound("source/services/init/src/leave.rs", "MAX_GIVEN", "grants"),
        bound("source/services/init/src/leave.rs", "PATIENCE_MS", "ms"),
        bound("source/services/execd/src/ground.rs", "ROUTE", "ms"),
        bound("source/services/execd/src/ground.rs", "PATIENCE", "ms"),
    ] },
    Section { title: "Records and the log", bounds: &[
        bound("userspace/nexus-ipc/src/ring.rs", "PAGES", "pages"),
        bound("userspace/nexus-ipc/src/ring.rs", "CAPACITY", "bytes"),
        bound("userspace/nexus-ipc/src/ring.rs", "MAX_RECORD", "bytes"),
        bound("userspace/nexus-proto/src/record.rs", "MAX_BYTES", "bytes"),
        bound("userspace/nexus-proto/src/record.rs", "MAX_TARGET", "bytes"),
        bound("userspace/nexus-proto/src/record.rs", "MAX_TEXT", "bytes"),
        bound("userspace/nexus-proto/src/record.rs", "MAX_FIELD_BYTES", "bytes"),
        bound("userspace/nexus-proto/src/record.rs", "MAX_FIELDS", "fields"),
        bound("userspace/nexus-proto/src/record.rs", "MAX_KEY", "bytes"),
        bound("userspace/nexus-proto/src/logs.rs", "BURST", "records"),
        bound("userspace/nexus-proto/src/logs.rs", "RATE", "records a second"),
        bound("userspace/nexus-rt/src/records.rs", "PATIENCE", "ms"),
        bound("source/services/logd/src/account.rs", "MAX_SENDERS", "senders"),
        bound("source/services/logd/src/shelf.rs", "LEVEL_RECORDS", "records"),
        bound("source/services/logd/src/shelf.rs", "LEVEL_BYTES", "bytes"),
        bound("source/services/logd/src/lib.rs", "MAX_WATCHES", "callers"),
    ] },
    Section { title: "Timers", bounds: &[
        bound("userspace/nexus-proto/src/timer.rs", "MAX_TIMERS_PER_OWNER", "timers"),
        bound("userspace/nexus-proto/src/timer.rs", "MAX_TIMERS", "timers"),
        bound("userspace/nexus-proto/src/timer.rs", "LEAST_PERIOD", "ms"),
        bound("userspace/nexus-proto/src/timer.rs", "WINDOW_IDLE", "ms"),
        bound("userspace/nexus-proto/src/timer.rs", "WINDOW_NORMAL", "ms"),
        bound("userspace/nexus-proto/src/timer.rs", "WINDOW_INTERACTIVE", "ms"),
        bound("userspace/nexus-proto/src/timer.rs", "WINDOW_PERF_BURST", "ms"),
    ] },
    Section { title: "Console, streams and shell", bounds: &[
        bound("source/apps/shell/src/editor.rs", "MAX_LINE", "bytes"),
        bound("source/apps/shell/src/history.rs", "KEPT", "lines"),
        bound("userspace/nexus-proto/src/console.rs", "CHUNK", "bytes"),
        bound("userspace/nexus-proto/src/console.rs", "KEYS", "bytes"),
        bound("userspace/nexus-proto/src/stream.rs", "CHUNK", "bytes"),
        bound("userspace/nexus-proto/src/pipe.rs", "PIPES", "pipes"),
        bound("userspace/nexus-proto/src/pipe.rs", "CAPACITY", "bytes"),
        bound("source/drivers/consoled/src/screen.rs", "QUEUE", "bytes"),
        bound("source/drivers/consoled/src/screen.rs", "SESSION_QUEUE", "bytes"),
        bound("source/drivers/consoled/src/screen.rs", "SMALLEST", "bytes"),
        bound("source/drivers/consoled/src/screen.rs", "LINE", "bytes"),
        bound("source/drivers/consoled/src/screen.rs", "REPEATED", "bytes"),
        bound("source/drivers/consoled/src/guard.rs", "NAME", "bytes"),
        bound("source/drivers/consoled/src/keyboard.rs", "HELD", "bytes"),
        bound("source/drivers/consoled/src/lib.rs", "WRITERS", "writers"),
        bound("source/drivers/consoled/src/lib.rs", "TURN", "bytes"),
        bound("source/drivers/consoled/src/uart.rs", "QUEUE", "bytes"),
        bound("userspace/nexus-rt/src/io.rs", "COMPLAINT", "ms"),
    ] },
];

/// Whether a constant of this name has to be in the list. An error under another name is none.
pub(super) fn is_bound(name: &str) -> bool {
    const WORDS: [&str; 9] = ["MAX", "MOST", "LEAST", "LIMIT", "BATCH", "CAPACITY", "QUEUE", "DEPTH", "PATIENCE"];
    !name.starts_with("STATUS_") && name.split('_').any(|word| WORDS.contains(&word))
}
