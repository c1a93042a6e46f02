//! What there is of every kind, to be compared.

use nexus_abi::syscall::{InfoObjects, InfoUsage};
use nexus_abi::{Handle, Kind};
use nexus_rt::kernel::invoke;
use nexus_rt::println;

/// What the kernel counts beside the kinds: frames, slot blocks, messages, mappings.
const POOLS: [u32; 4] = [0, 64, 65, 66];
const ROWS: usize = POOLS.len() + Kind::ALL.len();
/// Processes whose handles are counted.
const PROCESSES: usize = 16;

/// Objects by kind, and the handles of all processes together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Census {
    objects: [u64; ROWS],
    handles: u64,
}

impl Census {
    pub(crate) fn take(info: Handle) -> Census {
        let number = |row: usize| POOLS.get(row).copied().unwrap_or_else(|| Kind::ALL[row - POOLS.len()] as u32);
        let used = |row| invoke(InfoObjects { info, kind: number(row) }).map_or(0, |found| found.used);
        let handles = |index| invoke(InfoUsage { info, index }).map_or(0, |usage| usage.handles);
        Census { objects: core::array::from_fn(used), handles: (0..PROCESSES as u32).map(handles).sum() }
    }

    /// Prints what differs; answers how much does.
    pub(crate) fn differences(&self, before: &Census) -> u64 {
        let mut differ = 0;
        for (row, (was, is)) in before.objects.iter().zip(&self.objects).enumerate().filter(|(_, (was, is))| was != is)
        {
            println!("chaos: objects of row {row} were {was}, are {is}");
            differ += 1;
        }
        if before.handles != self.handles {
            println!("chaos: handles were {}, are {}", before.handles, self.handles);
            differ += 1;
        }
        println!("chaos: {differ} of {} counts differ", ROWS + 1);
        differ
    }
}
