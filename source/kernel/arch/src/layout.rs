//! The kernel's half of the address space.
//!
//! ```text
//! 0xffff_ffc0_0000_0000 + physical   everything the kernel uses: RAM, its own text and data, device registers
//! ```
//!
//! There is one mapping of each physical page and no alias: the kernel is linked where the direct map shows the place
//! it is loaded at, and the direct map has the kernel's own permissions there. What stands in user space is mapped a
//! second time by the process; a page that is executable there was read-only there before, and only frames of the pool
//! stay writable through the direct map.

/// First address of the direct map: root entries 256 up.
pub const DIRECT: u64 = 0xffff_ffc0_0000_0000;

/// Physical memory that the direct map can show.
pub const DIRECT_SIZE: u64 = 1 << 38;

/// Bytes of a page.
pub const PAGE: u64 = 4096;

/// Virtual address of a physical one, inside [`DIRECT_SIZE`].
pub const fn to_virtual(physical: u64) -> u64 {
    DIRECT.wrapping_add(physical)
}

/// Physical address of a virtual one in the direct map.
pub const fn to_physical(address: u64) -> u64 {
    address.wrapping_sub(DIRECT)
}

/// The start of this page.
pub const fn page_down(address: u64) -> u64 {
    address & !(PAGE - 1)
}

/// The end of the page that the byte before this address is in; saturates.
pub const fn page_up(address: u64) -> u64 {
    page_down(address.saturating_add(PAGE - 1))
}
