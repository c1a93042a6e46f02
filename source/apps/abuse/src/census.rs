//! What there is of every kind, to be compared.
//!
//! Slot blocks are left out, since a program keeps those that it once needed; the handles in them are counted instead.

use nexus_abi::syscall::{InfoObjects, InfoProcess, InfoUsage};
use nexus_abi::{Handle, Kind};
use nexus_rt::{kernel::invoke, println};

/// What the kernel counts beside the kinds, with its number there.
const POOLS: [(&str, u32); 3] = [("frames", 0), ("messages", 65), ("mappings", 66)];
const ROWS: usize = POOLS.len() + Kind::ALL.len() + 1;
const HANDLES: usize = ROWS - 1;

/// Objects by kind, and the handles of all programs.
#[derive(Clone, Copy)]
pub(crate) struct Census([u64; ROWS]);

impl Census {
    pub(crate) fn take(info: Handle) -> Census {
        Census(core::array::from_fn(|row| match (POOLS.get(row), row) {
            (Some(&(_, kind)), _) => used(info, kind),
            (None, HANDLES) => handles(info),
            (None, row) => used(info, Kind::ALL[row - POOLS.len()] as u32),
        }))
    }

    /// Prints each kind of which there is another number than `before`; answers how many they are.
    pub(crate) fn differences(&self, before: &Census) -> i64 {
        let rows = before.0.iter().zip(&self.0).enumerate().filter(|(_, (was, is))| was != is);
        rows.map(|(row, (was, is))| println!("{} were {was}, are {is}", name(row))).count() as i64
    }
}

fn used(info: Handle, kind: u32) -> u64 {
    invoke(InfoObjects { info, kind }).map_or(0, |found| found.used)
}

fn handles(info: Handle) -> u64 {
    let following = |index| invoke(InfoProcess { info, index }).ok().map(|found| found.id.number());
    let living = core::iter::successors(following(0), |&index| following(index + 1));
    living.filter_map(|index| invoke(InfoUsage { info, index }).ok()).map(|usage| usage.handles).sum()
}

fn name(row: usize) -> &'static str {
    match (POOLS.get(row), row) {
        (Some(&(name, _)), _) => name,
        (None, HANDLES) => "handles",
        (None, row) => Kind::ALL[row - POOLS.len()].name(),
    }
}
