//! Loads and stores at addresses that a mapping names: device registers and shared memory.

use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

/// Loads one value. The address is aligned and inside a live mapping; [`crate::memory`] checks that.
pub(crate) fn load<T: Copy>(address: u64) -> T {
    let from = with_exposed_provenance::<T>(address as usize);
    // SAFETY: `memory::View` owns the mapping and checked bounds and alignment; `T` is an unsigned integer there.
    unsafe { from.read_volatile() }
}

/// Stores one value. The address is aligned and inside a live mapping; [`crate::memory`] checks that.
pub(crate) fn store<T: Copy>(address: u64, value: T) {
    let to = with_exposed_provenance_mut::<T>(address as usize);
    // SAFETY: As for `load`.
    unsafe { to.write_volatile(value) };
}
