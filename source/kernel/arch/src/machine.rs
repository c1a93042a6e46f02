//! Finds out what the machine is.

use crate::facts::{Device, Facts};
use crate::layout::{page_up, to_virtual};
use crate::{console, flat::MAGIC, flat::integer, paging::BOOT_GIGABYTES, power, stop, tree};
use core::ops::Range;
use nexus_core::text::Hex;

/// Bytes of a device tree that are looked at; a larger one is refused.
const MOST_BYTES: u32 = 2 << 20;

/// What the device tree says and where it is, console and power open; without a usable one the machine stops with a line
/// that says why.
pub fn discover(boot: u64, device_tree: u64) -> (Facts<'static>, Range<u64>) {
    let Some(blob) = blob(device_tree) else { stop!(DeviceTree, "device tree: none at 0x", Hex(device_tree, 1)) };
    let facts = tree::read(blob, boot).unwrap_or_else(|problem| stop!(DeviceTree, "device tree: unusable: ", problem));
    console::open(&facts);
    power::open(&facts.devices[Device::Test as usize]);
    (facts, device_tree..page_up(device_tree + blob.len() as u64))
}

/// The bytes of the device tree, as its first words count them.
fn blob(address: u64) -> Option<&'static [u8]> {
    let shown = BOOT_GIGABYTES << 30;
    if address == 0 || !address.is_multiple_of(8) || address >= shown - u64::from(MOST_BYTES) {
        return None;
    }
    let start = to_virtual(address) as *const u8;
    // SAFETY: the boot table maps the address. What is read may be anything; no memory
    // there at all is a kernel fault, which prints and stops.
    let words = integer(unsafe { core::slice::from_raw_parts(start, 8) });
    let (magic, length) = ((words >> 32) as u32, words as u32);
    if magic != MAGIC || length > MOST_BYTES {
        return None;
    }
    // SAFETY: mapped as above, and nobody writes there: the memory plan leaves these pages out.
    Some(unsafe { core::slice::from_raw_parts(start, length as usize) })
}
