//! What there is of every kind, to be compared.

use nexus_abi::syscall::InfoObjects;
use nexus_abi::{Handle, Kind};
use nexus_rt::kernel::invoke;

/// What the kernel counts beside the kinds: frames, slot blocks, messages, mappings.
const POOLS: [u32; 4] = [0, 64, 65, 66];
const ROWS: usize = POOLS.len() + Kind::ALL.len();

/// Objects by kind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Census([u64; ROWS]);

impl Census {
    pub(crate) fn take(info: Handle) -> Census {
        let number = |row: usize| POOLS.get(row).copied().unwrap_or_else(|| Kind::ALL[row - POOLS.len()] as u32);
        Census(core::array::from_fn(|row| {
            invoke(InfoObjects { info, kind: number(row) }).map_or(0, |found| found.used)
        }))
    }
}
