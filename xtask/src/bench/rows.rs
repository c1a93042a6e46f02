//! The rows of the table: what is measured, what others need for the same, and how much it may be.
//!
//! Others' figures are measured on the same emulator with the same unit: seL4 16 at -O2, fast path and general path,
//! from `ecall` to `sret`; Linux 6.12 lean (SMP); xv6. Theirs for round trips and switches are between two address spaces.

use super::reading::Boot;

/// What others need, in instructions; a dash where there is nothing to compare.
pub(super) struct Peers {
    pub(super) fast: &'static str,
    pub(super) general: &'static str,
    pub(super) linux: &'static str,
    pub(super) xv6: &'static str,
}

/// One row: where its figure comes from, what it is beside, what it may be.
pub(super) struct Row {
    /// What it is called in the table.
    pub(super) name: &'static str,
    /// The boot that measures it.
    pub(super) boot: Boot,
    /// What the program calls it.
    pub(super) printed: &'static str,
    pub(super) peers: Peers,
    /// The most that it may be, and the most that it should be.
    pub(super) bars: Option<(u64, u64)>,
}

const fn row(name: &'static str, peers: [&'static str; 4], bars: Option<(u64, u64)>) -> Row {
    let [fast, general, linux, xv6] = peers;
    Row { name, boot: Boot::Normal, printed: name, peers: Peers { fast, general, linux, xv6 }, bars }
}

/// A row of the boot in which no message goes straight to its partner.
const fn general(name: &'static str, printed: &'static str, fast: &'static str, bars: Option<(u64, u64)>) -> Row {
    Row { boot: Boot::Undirected, printed, ..row(name, ["-", fast, "-", "-"], bars) }
}

/// A row of the boot in which the bench stands in a service's place.
const fn held(name: &'static str, printed: &'static str, peers: [&'static str; 4], bars: Option<(u64, u64)>) -> Row {
    Row { boot: Boot::Held, printed, ..row(name, peers, bars) }
}

/// A row that the program does not print.
const fn still(name: &'static str, printed: &'static str, peers: [&'static str; 4], bars: Option<(u64, u64)>) -> Row {
    Row { boot: Boot::None, printed, ..row(name, peers, bars) }
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row("null system call", ["115", "-", "225", "1130"], Some((114, 50))),
    row("call", ["235", "-", "-", "-"], None),
    row("reply and receive", ["274", "-", "-", "-"], None),
    row("round trip, 0 to 8 words", ["509", "1733", "7825", "95817"], Some((240, 220))),
    row("round trip in a loop with its user code", ["517", "-", "-", "-"], Some((516, 260))),
    general("call, general path", "call", "-", None),
    general("reply and receive, general path", "reply and receive", "-", None),
    general("round trip, general path", "round trip, 0 to 8 words", "1733", Some((450, 450))),
    held("round trip across shards", "round trip, 0 to 8 words", ["-", "-", "-", "-"], Some((300, 300))),
    row("round trip, nested", ["-", "1733", "-", "-"], Some((450, 450))),
    row("round trip, queued", ["-", "1733", "-", "-"], Some((1732, 450))),
    row("round trip, float in use", ["-", "1733", "-", "-"], Some((450, 450))),
    row("call with deadline", ["-", "-", "-", "-"], None),
    row("reply and receive with deadline", ["-", "-", "-", "-"], None),
    row("round trip with deadlines", ["-", "-", "-", "-"], Some((265, 240))),
    row("one typed client call", ["-", "-", "-", "-"], Some((400, 400))),
    row("call, 512 bytes", ["-", "-", "-", "-"], None),
    row("reply and receive, 512 bytes", ["-", "-", "-", "-"], None),
    row("round trip, 512 bytes", ["2506", "2496", "-", "648850"], Some((2505, 700))),
    row("bulk 64 KiB round trip", ["-", "-", "118260", "-"], Some((118_259, 1000))),
    row("signal, nobody waits", ["-", "-", "-", "-"], None),
    row("signal, a higher-priority waiter runs", ["599", "612", "3283", "-"], Some((598, 250))),
    row("yield to another thread", ["404", "418", "1211", "-"], Some((403, 180))),
    held("page fault, its handler runs", "page fault, its handler runs", ["635", "652", "8238", "-"], Some((634, 350))),
    held("device interrupt, a user thread runs", "device interrupt, a user thread runs", ["383", "400", "-", "-"], Some((382, 250))),
    row("map one page", ["724", "715", "-", "-"], Some((723, 450))),
    row("unmap one page", ["682", "625", "-", "-"], Some((681, 450))),
    row("thread create, first instruction", ["5067", "5928", "30480", "-"], Some((5066, 3000))),
    row("start a program, wait, reap", ["-", "-", "103000", "1592450"], Some((82_094, 60_000))),
    Row { printed: "kernel entry to first user instruction", ..row("kernel entry, first user instruction", ["136900", "137200", "48 M", "417 M"], Some((1_000_000, 1_000_000))) },
    still("kernel entry, first user `main`", "kernel entry to the first main", ["136900", "137200", "48 M", "417 M"], Some((1_000_000, 1_000_000))),
    still("kernel entry, the shell's prompt", "kernel entry to the shell's prompt", ["-", "-", "-", "-"], Some((20_000_000, 20_000_000))),
    still("smallest memory to the prompt, MiB", "smallest memory, MiB", ["-", "-", "10", "-"], Some((16, 16))),
    Row { boot: Boot::None, ..row("kernel text and data, bytes", ["40.9 K", "39.9 K", "4.2 M", "35 K"], Some((98_304, 98_304))) },
    Row { boot: Boot::None, ..row("kernel source, lines of code", ["16377", "-", "millions", "6100"], Some((9000, 9000))) },
];

/// What the timers of a class took: wake-ups, the fewest possible, and microseconds behind the window.
pub(super) struct Timers {
    pub(super) class: &'static str,
    pub(super) window: &'static str,
    pub(super) linux: &'static str,
}

/// Linux 6.12 lean with its timer slack set to the same window; it has no PerfBurst.
pub(super) const TIMERS: &[Timers] = &[
    Timers { class: "idle", window: "8 ms", linux: "15" },
    Timers { class: "normal", window: "4 ms", linux: "16" },
    Timers { class: "interactive", window: "1 ms", linux: "46" },
    Timers { class: "perfburst", window: "none", linux: "-" },
];
