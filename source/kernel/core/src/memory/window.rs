//! Device windows: ranges of device registers, minted once each from the device root.

use super::object::Backing;
use crate::prelude::*;
use core::ops::Range;
use nexus_abi::layout::PAGE_SIZE;

/// First physical address that no page-table entry can hold (privileged specification, "Sv39": 44-bit page numbers).
const PHYSICAL_END: u64 = 1 << 56;
/// Most pages of one window.
const MAX_PAGES: u64 = 1 << 18;

/// The range that a call names. `EINVAL` unless it is page-aligned, not empty, and physical memory can be there.
fn range(address: u64, pages: u64) -> Result<Range<u64>, Error> {
    if !address.is_multiple_of(PAGE_SIZE as u64) || pages == 0 || pages > MAX_PAGES {
        return Err(Error::Invalid);
    }
    let end = address.checked_add(pages * PAGE_SIZE as u64).filter(|&end| end <= PHYSICAL_END);
    Ok(address..end.ok_or(Error::Invalid)?)
}

/// Needs `USE` on the root. `EINVAL`: alignment, size, beyond physical addresses. `EPERM`: memory, or the kernel's own
/// devices. `EEXIST`: overlaps a window. Otherwise as a new memory object.
pub(crate) fn window_mint(context: &Context, call: WindowMint) -> Verdict<WindowMinted> {
    let range = range(call.address, call.pages)?;
    let (kernel, _held) = context.hold_all();
    context.capability(call.root, Kind::DeviceRoot, Rights::USE)?;
    let overlaps = |other: &Range<u64>| other.start < range.end && range.start < other.end;
    if kernel.machine.reserved.iter().chain([&kernel.machine.ram]).any(overlaps) {
        return Err(Error::Permission.into());
    }
    let taken = kernel.memories.iter().any(|(_, memory)| {
        let start = memory.address.get();
        let window = start..start + u64::from(memory.pages.get()) * PAGE_SIZE as u64;
        memory.header.reference() != 0 && memory.is_of(Backing::Device) && overlaps(&window)
    });
    if taken {
        return Err(Error::Exists.into());
    }
    let pages = call.pages as u32;
    let (window, handle) = context.create(&kernel.memories, Kind::Window, context.process())?;
    window.furnish(Backing::Device, range.start, pages, pages);
    kernel.windows.add(1);
    Ok(WindowMinted { window: handle })
}
