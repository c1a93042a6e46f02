//! From the manifest's devices to register windows and interrupt lines, by the device tree.
//!
//! The manifest says what a node is compatible with and which of them it is; addresses and lines are the tree's. What
//! was minted stays with init, because a window can be minted once and its driver may die: the next one gets the same.

use alloc::vec::Vec;

use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::{Node, Property};
use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::syscall::{Close, IrqMint, NotificationCreate, WindowMint};
use nexus_abi::{Error, Handle};
use nexus_rt::Kernel;
use wiring::Device;

/// The notification bit that an interrupt sets.
pub const IRQ_BIT: u64 = 1;

/// Nodes of the device tree nested deeper than this are not looked at.
const DEPTH: usize = 8;

/// Where a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Page-aligned address of its registers.
    pub address: u64,
    /// Pages of registers.
    pub pages: u64,
    /// Its interrupt line, if it has one.
    pub line: Option<u32>,
}

/// A device's capabilities.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Its registers.
    pub window: Handle,
    /// Its interrupt line, and the notification that the line signals.
    pub irq: Option<(Handle, Handle)>,
}

impl Held {
    /// Mints what a device at this place has, or nothing: a window that stayed could never be minted again.
    pub fn mint(kernel: &mut impl Kernel, root: Handle, place: &Place) -> Result<Self, Error> {
        let Place { address, pages, line } = *place;
        let irq = line.map(|line| mint_line(kernel, root, line)).transpose()?;
        match kernel.invoke(WindowMint { root, address, pages }) {
            Ok(minted) => Ok(Self { window: minted.window, irq }),
            Err(error) => {
                irq.into_iter().for_each(|(irq, notification)| close(kernel, [irq, notification]));
                Err(error)
            }
        }
    }
}

/// An interrupt line, and the notification that it signals.
fn mint_line(kernel: &mut impl Kernel, root: Handle, line: u32) -> Result<(Handle, Handle), Error> {
    let notification = kernel.invoke(NotificationCreate { process: None })?.notification;
    match kernel.invoke(IrqMint { root, line, notification, bits: IRQ_BIT }) {
        Ok(minted) => Ok((minted.irq, notification)),
        Err(error) => {
            close(kernel, [notification]);
            Err(error)
        }
    }
}

fn close<const N: usize>(kernel: &mut impl Kernel, handles: [Handle; N]) {
    for handle in handles {
        // It was made just now; an error would mean that it is gone already.
        let _ = kernel.invoke(Close { handle });
    }
}

/// Where the tree says that a device is. `ENOENT`: it has no such node. `ECORRUPT`: it is no tree, or the node no device.
pub fn find(tree: &[u8], device: &Device) -> Result<Place, Error> {
    let tree = Fdt::new(trimmed(tree).ok_or(Error::Corrupt)?).map_err(|_| Error::Corrupt)?;
    let mut places = Vec::new();
    collect(tree.root(), device.compatible.as_str(), DEPTH, &mut places)?;
    places.sort_by_key(|place| place.address);
    places.get(usize::from(device.instance)).copied().ok_or(Error::NotFound)
}

/// Without what lies behind the tree in its last page: word 1 of the header is its size.
fn trimmed(tree: &[u8]) -> Option<&[u8]> {
    let size = tree.get(4..8)?.try_into().ok().map(u32::from_be_bytes)?;
    tree.get(..size as usize)
}

fn collect(node: FdtNode<'_>, compatible: &str, depth: usize, places: &mut Vec<Place>) -> Result<(), Error> {
    if node.compatible().is_some_and(|mut all| all.any(|one| one == compatible)) {
        places.push(place(node)?);
    }
    if depth > 0 {
        for child in node.children() {
            collect(child, compatible, depth - 1, places)?;
        }
    }
    Ok(())
}

fn place(node: FdtNode<'_>) -> Result<Place, Error> {
    let mut registers = node.reg().ok().flatten().ok_or(Error::Corrupt)?;
    let first = registers.next().ok_or(Error::Corrupt)?;
    let (start, size) = (first.address::<u64>(), first.size::<u64>());
    let (Ok(start), Ok(size)) = (start, size) else { return Err(Error::Corrupt) };
    let page = PAGE_SIZE as u64;
    let end = start.checked_add(size.max(1)).ok_or(Error::Corrupt)?;
    let address = start - start % page;
    Ok(Place { address, pages: (end - address).div_ceil(page), line: line(node) })
}

/// The first interrupt: one cell of `interrupts`, or the second of `interrupts-extended`, whose first is the controller.
fn line(node: FdtNode<'_>) -> Option<u32> {
    let cell = |name: &str, at: usize| {
        let property = node.property(name)?;
        let bytes = property.value().get(4 * at..4 * at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    cell("interrupts", 0).or_else(|| cell("interrupts-extended", 1))
}
