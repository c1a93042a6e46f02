//! The table. Numbers are append-only.

use super::{Answer, Description, Syscall, syscalls};
use crate::{Deadline, Error, Handle, Kind, Name, ProcessId, QosClass, Quota, Rights, ServiceId, Shard, field::Words};

/// Numbers of the message calls. Their arguments are the message registers themselves (see [`crate::message`]).
pub mod ipc {
    /// Call: send eight words to an endpoint, wait for the answer for ever.
    pub const CALL: u64 = 0;
    /// Answer the open reply link and receive from the endpoint, for ever. `ESTATE` without a link.
    pub const REPLY_RECV: u64 = 1;
    /// [`CALL`] with a deadline in `t5`.
    pub const CALL_UNTIL: u64 = 2;
    /// [`REPLY_RECV`] with a deadline in `t5`.
    pub const REPLY_RECV_UNTIL: u64 = 3;
    /// [`CALL_UNTIL`] with bytes and handles: their extent in `t6`, the rest in the IPC page.
    pub const CALL_EXTENDED: u64 = 4;
    /// [`REPLY_RECV_UNTIL`] with bytes and handles in the answer.
    pub const REPLY_RECV_EXTENDED: u64 = 5;
    /// Receive with a deadline in `t5`. `ESTATE` while a reply link is open.
    pub const RECV: u64 = 6;
    /// Answer a reply handle, or the open link if `t3` is 0.
    pub const REPLY: u64 = 7;
    /// [`REPLY`] with bytes and handles.
    pub const REPLY_EXTENDED: u64 = 8;
    /// One-way: eight words and the handle in `t6` (0: none) into the endpoint's queue. Full: `EAGAIN`.
    pub const SEND: u64 = 9;

    /// The message calls by number and name.
    pub const ALL: &[(u64, &str)] = &[
        (CALL, "Call"),
        (REPLY_RECV, "ReplyRecv"),
        (CALL_UNTIL, "CallUntil"),
        (REPLY_RECV_UNTIL, "ReplyRecvUntil"),
        (CALL_EXTENDED, "CallExtended"),
        (REPLY_RECV_EXTENDED, "ReplyRecvExtended"),
        (RECV, "Recv"),
        (REPLY, "Reply"),
        (REPLY_EXTENDED, "ReplyExtended"),
        (SEND, "Send"),
    ];
}

syscalls! {
    /// Who the caller is. The shortest call.
    16 Whoami {} -> Identity { process: ProcessId, service: ServiceId };
    /// Lets other ready threads of the class run.
    17 Yield {} -> Yielded {};
    /// Ends the calling thread; the last one ends the process with status 0.
    18 ThreadExit {} -> NeverThread {};
    /// Ends the calling process with a status.
    19 ProcessExit { status: i64 } -> NeverProcess {};
    /// Turns the open reply link into a one-shot reply handle.
    20 Defer {} -> Deferred { reply: Handle };

    /// Makes a new capability from one: fewer or equal rights, and a badge if the source has none and `MANAGE`
    /// (0: keep the source's). Of memory the badge is a [`crate::Part`] of what the source reaches, and takes no right;
    /// who has a part has no `MANAGE`.
    24 Derive on source: Handle { rights: Rights, badge: u64 } -> Derived { handle: Handle };
    /// [`Derive`] into another process's table; needs `TRANSFER` on the source and `USE` on the process.
    25 Grant on process: Handle { source: Handle, rights: Rights, badge: u64 } -> Granted { handle: Handle };
    /// Closes a handle. What was derived from it stands under its parent.
    26 Close on handle: Handle {} -> Closed {};
    /// Removes everything derived from a handle, mappings too, on every CPU before it returns. The handle stays.
    27 Revoke on handle: Handle {} -> Revoked {};
    /// What a handle is. `size`: pages of memory or a window, else 0. `EPEERCLOSED`: what it names is gone.
    28 Inspect on handle: Handle {} -> Inspected { kind: Kind, rights: Rights, badge: u64, size: u64 };

    /// Makes an endpoint with a queue for `queue` one-way messages, owned by `process` (none: the caller's).
    32 EndpointCreate on process: Option<Handle> { queue: u16 } -> EndpointCreated { endpoint: Handle };
    /// Makes a notification.
    33 NotificationCreate on process: Option<Handle> {} -> NotificationCreated { notification: Handle };
    /// Makes a wait set.
    34 WaitSetCreate on process: Option<Handle> {} -> WaitSetCreated { wait_set: Handle };
    /// Puts a notification into a wait set under a key. A notification is in one set at most.
    35 WaitSetAdd on wait_set: Handle { notification: Handle, key: u64 } -> WaitSetAdded {};
    /// Takes a notification out of its wait set.
    36 WaitSetRemove on wait_set: Handle { notification: Handle } -> WaitSetRemoved {};
    /// ORs bits into a notification and wakes its waiter.
    37 Notify on notification: Handle { bits: u64 } -> Notified {};
    /// Waits until bits are set and takes them. Of a wait set: one ready member's bits, and its key.
    38 Wait on notification: Handle { deadline: Deadline } -> Waited { bits: u64, key: u64 };
    /// Binds a notification or wait set to the calling thread: its signals also end a receive. None: unbinds.
    39 Bind { notification: Option<Handle> } -> Bound {};
    /// Makes a timer that ORs `bits` into a notification.
    40 TimerCreate { notification: Handle, bits: u64 } -> TimerCreated { timer: Handle };
    /// Arms a timer once; `Deadline::NEVER` disarms it.
    41 TimerSet on timer: Handle { deadline: Deadline } -> TimerWasSet {};

    /// Makes a memory object for up to `pages` pages, none of them there yet.
    48 MemoryCreate on process: Option<Handle> { pages: u64 } -> MemoryCreated { memory: Handle };
    /// Adds up to `pages` zeroed pages, at most 16 a call; answers how many the object now has.
    49 MemoryGrow on memory: Handle { pages: u64 } -> MemoryGrown { total: u64 };
    /// Makes it executable and never again writable: removes its writable user mappings first.
    50 MemorySeal on memory: Handle {} -> MemorySealed {};
    /// Maps up to 64 pages into `process` (none: the caller's); answers how many. `access`: see [`access`].
    51 Map on process: Option<Handle> { memory: Handle, address: u64, offset: u64, pages: u64, access: u8 } -> Mapped { pages: u64 };
    /// Unmaps up to 64 pages; answers how many.
    52 Unmap on process: Option<Handle> { address: u64, pages: u64 } -> Unmapped { pages: u64 };
    /// Takes access away from up to 64 mapped pages; answers how many.
    53 Protect on process: Option<Handle> { address: u64, pages: u64, access: u8 } -> Protected { pages: u64 };
    /// Reserved: contiguous, pinned memory for a driver.
    54 DmaCreate on root: Handle { pages: u64 } -> DmaCreated { memory: Handle };
    /// Reserved: its physical address.
    55 DmaAddress on memory: Handle {} -> DmaAddressed { address: u64 };

    /// Mints a window of device registers: page-aligned, no RAM, not minted twice.
    60 WindowMint on root: Handle { address: u64, pages: u64 } -> WindowMinted { window: Handle };
    /// Mints an interrupt line that ORs `bits` into a notification. It starts masked.
    61 IrqMint on root: Handle { line: u32, notification: Handle, bits: u64 } -> IrqMinted { irq: Handle };
    /// Completes the last interrupt and unmasks the line.
    62 IrqAck on irq: Handle {} -> IrqAcked {};
    /// Reserved: the recipe that silences a dead driver's device before its frames are freed.
    63 Quiesce on window: Handle { offset: u64, value: u32 } -> Quiesced {};

    /// Makes a process with an identity that `spawn` covers and a quota carved from the caller's. What it will own lives
    /// in `shard` (none: the caller's).
    72 ProcessCreate on spawn: Handle { service: ServiceId, name: Name, quota: Quota, shard: Option<Shard> } -> ProcessCreated { process: Handle, id: ProcessId };
    /// Sets what the console prints before the process's lines; needs the capability that could stamp its identity.
    73 ProcessPrefix on spawn: Handle { process: Handle, prefix: Name } -> ProcessPrefixed {};
    /// Makes a thread, not yet running, with an IPC page at `ipc_page`. Its first registers: `a0`, `a1`.
    74 ThreadCreate on process: Option<Handle> { entry: u64, stack: u64, a0: u64, a1: u64, ipc_page: u64 } -> ThreadCreated { thread: Handle };
    /// Lets a new thread run.
    75 ThreadStart on thread: Handle {} -> ThreadStarted {};
    /// Ends a process and waits until all it had is back; restarts itself until then.
    76 ProcessKill on process: Handle { status: i64 } -> ProcessKilled {};
    /// Signals `bits` to a notification when the process is gone and all it had is back. One may wait for that: `ESTATE`
    /// while another notification does.
    77 ProcessWatch on process: Handle { notification: Handle, bits: u64 } -> ProcessWatched {};
    /// How a process is: see [`crate::start::ExitKind`]. `detail`: exit status, or fault cause; then pc and address.
    78 ProcessStatus on process: Handle {} -> ProcessStated { state: u64, detail: u64, pc: u64, address: u64 };
    /// Delivers the process's faults as calls to an endpoint, badge and all.
    79 ProcessFaults on process: Handle { endpoint: Handle } -> ProcessFaultsSet {};
    /// Makes a spawn capability for one identity from the root; `ANY_PROGRAM`: for every program's.
    80 SpawnMint on root: Handle { service: ServiceId } -> SpawnMinted { spawn: Handle };
    /// A handle to a running process whose identity `spawn` covers: for who has to look after what a predecessor started.
    81 ProcessOpen on spawn: Handle { process: ProcessId } -> ProcessOpened { process: Handle };

    /// Reads a thread's class (none: the caller's).
    88 QosGet on thread: Option<Handle> {} -> QosGot { class: QosClass };
    /// Sets the class of the caller (target 0) or of every thread of a process by number.
    89 QosSet { class: u8, target: u32 } -> QosWasSet {};
    /// Sets which CPUs a thread may use.
    90 AffinitySet on thread: Option<Handle> { mask: u64 } -> AffinityWasSet { mask: u64 };
    /// Sets a thread's weight inside its class, 1..=1000; without the leave of the boot image's list up to its process's.
    91 SharesSet on thread: Option<Handle> { shares: u32 } -> SharesWereSet {};
    /// Sets what a process may use: the weight of its threads and the highest that they may take, CPUs of those that it makes
    /// from now on, and `budget` ticks of CPU time in each `period` for all its threads together (both 0: any time). Without
    /// the leave of the boot image's list only the first budget, CPUs that it has, and no more shares (500 if none were set).
    92 LimitsSet on process: Handle { shares: u32, mask: u64, budget: u64, period: u64 } -> LimitsWereSet {};

    /// The next living process at or after `index`: identity, name, state, memory. `ENOENT` at the end.
    96 InfoProcess on info: Handle { index: u32 } -> ProcessInfo { id: ProcessId, service: ServiceId, name: Name, state: u64, parent: u32 };
    /// What the process at `index` uses: CPU ticks, frames, handles, threads, faults, class.
    97 InfoUsage on info: Handle { index: u32 } -> Usage { cpu: u64, frames: u64, handles: u64, threads: u64, switches: u64, class: QosClass };
    /// Counters of a CPU. `ENOENT` if there is no such CPU.
    98 InfoCpu on info: Handle { cpu: u32 } -> CpuInfo { online: u64, busy: u64, idle: u64, switches: u64, timer_interrupts: u64, device_interrupts: u64, tasks: u64, hart: u64 };
    /// Used and capacity of a kind: [`Kind`] numbers, 0 frames, 64 slot blocks, 65 queued messages, 66 mappings.
    99 InfoObjects on info: Handle { kind: u32 } -> ObjectInfo { used: u64, capacity: u64 };
    /// The next used slot at or after `index` of the process with that number.
    100 InfoCapability on info: Handle { process: u32, index: u32 } -> CapabilityInfo { index: u32, kind: Kind, rights: Rights, badge: u64, object: u64, shard: u8 };
    /// Runs the kernel's invariant check: violations found, objects checked. `ESTATE` if this kernel was built without one,
    /// as the one that ships is, or the machine was not booted for it.
    101 InfoInvariants on info: Handle {} -> Invariants { violations: u64, checked: u64 };
    /// What the process with that number may use: see [`LimitsSet`]; what is left of the budget, negative while it is in
    /// debt; how often the budget was spent. `ENOENT` if there is none.
    102 InfoLimits on info: Handle { index: u32 } -> Limits { shares: u32, mask: u64, budget: u64, period: u64, left: i64, throttled: u64 };
    /// What the scheduler of a CPU did: tasks given to other CPUs, tasks that ran outside their mask (never), slices of the
    /// starvation guard, tasks set aside until their budget is replenished, classes changed by donation, and of those given
    /// those that went to a CPU which asked.
    103 InfoScheduler on info: Handle { cpu: u32 } -> SchedulerInfo { given: u64, outside: u64, guarded: u64, parked: u64, lifted: u64, stolen: u64 };

    /// Stops the machine with an exit status.
    112 PowerOff on power: Handle { status: u32 } -> NeverOff {};
    /// Resets the machine.
    113 PowerReset on power: Handle {} -> NeverReset {};

    /// Puts one line of at most `MAX_LINE` bytes from the IPC page's payload into the console ring, under the caller's
    /// prefix.
    120 LogWrite on log: Handle { length: u32 } -> LogWritten {};
    /// Reads up to 1,024 ring bytes from `cursor` on into the IPC page: new cursor, length, bytes lost before them.
    121 LogRead on log: Handle { cursor: u64 } -> LogChunk { cursor: u64, length: u32, lost: u64 };
    /// Takes the UART from the kernel; new ring bytes signal `bits`. Ends with the process.
    122 ConsoleClaim on log: Handle { notification: Handle, bits: u64 } -> ConsoleClaimed { cursor: u64 };
    /// Copies boot arguments from `offset` on into the IPC page: their full length.
    123 BootArguments on info: Handle { offset: u32 } -> BootArgumentsRead { length: u32 };
}

/// Access bits of [`Map`] and [`Protect`].
pub mod access {
    /// Readable.
    pub const READ: u8 = 1;
    /// Writable (and readable).
    pub const WRITE: u8 = 2;
    /// Executable (and readable); only of a sealed memory object, never with `WRITE`.
    pub const EXECUTE: u8 = 4;
}
