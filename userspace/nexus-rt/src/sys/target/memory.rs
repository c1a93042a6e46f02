//! Memory that a mapping names: loads and stores, and the bytes of sealed objects.

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

/// The bytes of a sealed object, mapped at `address` for the rest of the program's life; [`crate::memory::sealed`] is the
/// only caller and checked that.
pub(crate) fn sealed_bytes(address: u64, length: usize) -> &'static [u8] {
    let first = with_exposed_provenance::<u8>(address as usize);
    // SAFETY: The range is mapped, never unmapped, and cannot be written by anyone: the object is sealed.
    unsafe { core::slice::from_raw_parts(first, length) }
}
