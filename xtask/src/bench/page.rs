//! `docs/benchmarks.md` and `docs/accounts.md`: the tables, and where their figures come from.

use crate::doctor;
use std::fs;

/// A page that is written by a program.
pub(super) struct Page {
    /// Where it lies.
    pub(super) path: &'static str,
    title: &'static str,
    notes: &'static str,
}

/// What operations cost.
pub(super) const BENCHMARKS: Page = Page { path: "docs/benchmarks.md", title: "Benchmarks", notes: NOTES };
/// Where it goes.
pub(super) const ACCOUNTS: Page = Page { path: "docs/accounts.md", title: "Accounts", notes: ACCOUNT_NOTES };

const ACCOUNT_NOTES: &str = "One hart, `-icount shift=0,sleep=off`, from the emulator's log of every instruction of the boots that `docs/benchmarks.md` is made
of. Each table has a visit of exactly as many instructions as the row of that page: with the `ecall`, which is the program's, it
is the figure there.

A step is the innermost function of the kernel's source that an instruction came from, by the debug information, in the order in
which steps are met first; what only reaches a field, an element of an arena or a neighbour in a list counts for the function
that reaches for it. Steps without a path are labels of the assembly, and functions that are called through a table.

Of rows that are many visits, the visits of one round, by operation.
What each step does, and what stands between a row and its goal: `docs/rfcs/RFC-0026-ipc-performance-optimization-contract-v1.md`.
";

const NOTES: &str = "One hart, `-icount shift=0,sleep=off`: one instruction is one count, whatever its kind, all privilege levels. Every figure is the
same on every run of the same build; where samples of one run differ, both ends stand. Messages, signals and yields go between two address
spaces. One way is counted from the `ecall` to the `sret` on the other side, both included; rows with user code count that too.
The figures say nothing about caches and translation buffers.

Must: what has to hold, below seL4's fast path at -O2 where it has a figure, else below lean Linux without SMP. Goal: where we are going. The
verdict judges the worst sample. Peers were measured on QEMU 7.2: seL4 on RV64IMAC, Linux 6.12 lean with SMP, xv6.

- General path: the boot argument `undirected` leaves the straight way out; words only, to a partner that waits here. What queues, blocks,
  copies or finds float registers loaded takes longer.
- One typed client call: an interface declared as services declare theirs, its client, the receive loop, the answer.
- Bulk: shared memory; each side touches each of the 16 pages, nothing is copied.
- Thread create: with a stack of one page, a page for messages, until it runs. The first samples also make room in tables.
- Start a program: asked of execd, loaded, run, ended, waited for, all it had taken back; between four address spaces.
- Kernel source: lines of `source/kernel` that are neither tests, blank nor comment. Text and data: what is loaded, constants included.

- Across shards: client and server have different homes in the manifest, and run on one CPU.
- Nested: the caller itself serves a call. Queued: the server works for another caller, then takes the next from its queue.
  Float in use: the caller has float registers that must be kept.
- Page fault: from the load that faults to the first instruction of a handler in another address space, which maps the page and
  answers. Device interrupt: from the trap, in another address space and a lower class, to the first instruction of whoever
  waits. The clock chip's alarm is set to the past, so it rings with the store that sets it.
- First `main`, prompt: from the kernel's first instruction, all privilege levels, firmware called meanwhile too; at the prompt
  the machine sleeps. Smallest memory: the last of 16, 15, … MiB that comes to the prompt.
- Kernel alone: from the emulator's log of every instruction, from the trap to the `sret`; the `ecall` is one more.
- Without a look for interrupts: from a trap, a sleep or a look at the pending bits to the next look, sleep or `sret`. Boot, then
  messages as above and calls with as much as they take at once; boot, then everything that the proof does. Left out: the first
  entry into user mode, which no interrupt precedes.
- Pairs with homes of their own: the same program in two shards; locks that both take, by address.

By the host's clock, never the same twice: `cargo xtask bench --wall` prints round trips of 1 to 4 pairs, each on one CPU or between
two, what two pairs gain on two CPUs beside what two loops gain, and the time from a signal to the first instruction of a thread that
slept on another CPU. With `--linux` the same of Linux on the same emulator, between two runs of ours.
";

impl Page {
    fn text(&self, tables: &str) -> Result<String, String> {
        const HEAD: &str =
            "Written by `cargo xtask bench --write`, checked by `cargo xtask bench --check`; do not edit.";
        Ok(format!("# {}\n\n{HEAD}\n\nEmulator: {}.\n\n{tables}\n{}", self.title, doctor::qemu()?, self.notes))
    }

    /// Writes the page.
    pub(super) fn write(&self, tables: &str) -> Result<(), String> {
        fs::write(crate::root().join(self.path), self.text(tables)?).map_err(|error| format!("{}: {error}", self.path))
    }

    /// Fails where the page does not hold these tables; which emulator ran is no part of that.
    pub(super) fn compare(&self, tables: &str) -> Result<(), String> {
        let page =
            fs::read_to_string(crate::root().join(self.path)).map_err(|error| format!("{}: {error}", self.path))?;
        match differing(&page, tables) {
            None => Ok(()),
            Some(line) => Err(format!("{} lacks `{line}`; `cargo xtask bench --write` makes it anew", self.path)),
        }
    }
}

/// The first line of the tables that the page has not.
fn differing<'a>(page: &str, tables: &'a str) -> Option<&'a str> {
    tables.lines().find(|line| !page.lines().any(|other| other == *line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_the_page_has_not_is_found() {
        let page = "# Head\n\n| call | 7 |\n| reply | 8 |\n\nnotes\n";
        assert_eq!(differing(page, "| call | 7 |\n| reply | 8 |\n"), None);
        assert_eq!(differing(page, "| call | 7 |\n| reply | 9 |\n"), Some("| reply | 9 |"));
    }
}
