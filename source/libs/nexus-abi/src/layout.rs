//! Numbers of the user address space and of the machine's pages.

/// Bytes of a page and of a frame.
pub const PAGE_SIZE: usize = 4096;
/// Lowest address a program can map: the first 64 KiB stay unmapped. Programs are linked here.
pub const USER_START: u64 = 0x1_0000;
/// First address above user space (Sv39, lower half).
pub const USER_END: u64 = 1 << 38;
/// Where loaders put the main stack, downward; one unmapped guard page lies under it. Stack, start page and IPC page share
/// the last table of the first GiB, where the program itself lies: what a small program takes is three tables.
pub const STACK_TOP: u64 = 0x3ff0_0000;
/// Where loaders put the start page.
pub const START_PAGE: u64 = 0x3ff1_0000;
/// Where loaders put the IPC page of the main thread; further threads go upward, a page apart at least.
pub const IPC_PAGE: u64 = 0x3ff8_0000;
/// Where `nexus-rt` maps the heap, upward.
pub const HEAP_START: u64 = 0x10_0000_0000;
/// Where programs map what they receive: windows, shared memory, rings.
pub const SHARED_START: u64 = 0x28_0000_0000;
/// Main stack when the manifest names none.
pub const DEFAULT_STACK: usize = 64 * 1024;
/// Pages that one map, unmap or protect call changes at most.
pub const MAP_BATCH: u64 = 64;
/// Pages that one `memory_grow` zeroes and adds at most.
pub const GROW_BATCH: u64 = 16;
