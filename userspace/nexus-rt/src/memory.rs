//! Views of memory objects and device windows, and copies into them.
//!
//! A [`View`] is a range of this program's address space that names a memory object or a window. Access goes through
//! bounds-checked loads and stores of whole numbers: what is shared may change at any time, so it is never borrowed.

use alloc::vec::Vec;

use nexus_abi::layout::{MAP_BATCH, PAGE_SIZE, SHARED_START};
use nexus_abi::syscall::{Close, Derive, Inspect, Map, Revoke, Unmap, access};
use nexus_abi::{Error, Handle, Part, Rights};

use crate::{kernel::invoke, sys};

/// One batch of pages at a fixed place through which [`fill`] reaches an object.
const SCRATCH: u64 = SHARED_START;
/// Views start behind it, a guard page apart.
const VIEWS: u64 = SCRATCH + (MAP_BATCH + 1) * PAGE_SIZE as u64;

crate::sys::own! {
    static SCRATCH_OWNER: () = ()
}
crate::sys::own! {
    static RANGES: Ranges = Ranges { next: VIEWS, free: Vec::new() }
}

/// Addresses for views. A freed range serves the next view of its size, so that the address space does not creep.
struct Ranges {
    next: u64,
    free: Vec<(u64, u64)>,
}

impl Ranges {
    fn take(&mut self, pages: u64) -> u64 {
        if let Some(at) = self.free.iter().position(|&(_, size)| size == pages) {
            return self.free.swap_remove(at).0;
        }
        let address = self.next;
        self.next += (pages + 1) * PAGE_SIZE as u64;
        address
    }
}

/// Reserves addresses for `pages` pages with an unmapped page behind them.
pub fn reserve(pages: u64) -> u64 {
    RANGES.lock().take(pages)
}

/// Gives back what [`reserve`] answered; nothing is mapped there any more.
pub fn release(address: u64, pages: u64) {
    RANGES.lock().free.push((address, pages));
}

/// What a view may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Loads.
    Read,
    /// Loads and stores.
    Write,
}

/// Part of an object, in this program's address space until dropped.
#[derive(Debug)]
pub struct View {
    address: u64,
    pages: u64,
    access: Access,
}

impl View {
    /// Maps `pages` pages of an object from page `offset` on.
    pub fn map(object: Handle, offset: u64, pages: u64, access: Access) -> Result<View, Error> {
        let view = View { address: reserve(pages), pages, access };
        map(object, view.address, offset, pages, access)?;
        Ok(view)
    }

    /// Bytes of the view.
    pub fn size(&self) -> usize {
        self.pages as usize * PAGE_SIZE
    }

    fn at<T>(&self, offset: usize, access: Access) -> Result<u64, Error> {
        let inside = offset.is_multiple_of(size_of::<T>()) && offset < self.size();
        let allowed = access == Access::Read || self.access == Access::Write;
        if inside && allowed { Ok(self.address + offset as u64) } else { Err(Error::BadAddress) }
    }

    /// Copies bytes out; `EFAULT` if they are not all inside.
    pub fn read(&self, offset: usize, bytes: &mut [u8]) -> Result<(), Error> {
        if offset.checked_add(bytes.len()).is_none_or(|end| end > self.size()) {
            return Err(Error::BadAddress);
        }
        load_bytes(self.address + offset as u64, bytes);
        Ok(())
    }

    /// Copies bytes in; `EFAULT` if they do not all fit or the view is for reading.
    pub fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), Error> {
        if self.access != Access::Write || offset.checked_add(bytes.len()).is_none_or(|end| end > self.size()) {
            return Err(Error::BadAddress);
        }
        store_bytes(self.address + offset as u64, bytes);
        Ok(())
    }
}

macro_rules! numbers {
    ($($load:ident $store:ident $type:ty;)*) => {
        impl View {$(
            /// Loads one value; `EFAULT` if it is unaligned or outside.
            pub fn $load(&self, offset: usize) -> Result<$type, Error> {
                Ok(sys::load(self.at::<$type>(offset, Access::Read)?))
            }

            /// Stores one value; `EFAULT` if it is unaligned, outside, or the view is for reading.
            pub fn $store(&self, offset: usize, value: $type) -> Result<(), Error> {
                sys::store(self.at::<$type>(offset, Access::Write)?, value);
                Ok(())
            }
        )*}
    };
}

numbers! {
    load_u8 store_u8 u8;
    load_u16 store_u16 u16;
    load_u32 store_u32 u32;
    load_u64 store_u64 u64;
}

impl Drop for View {
    fn drop(&mut self) {
        if unmap(self.address, self.pages).is_ok() {
            release(self.address, self.pages);
        }
    }
}

/// Part of an object that a request carries. The receiver has it until this is dropped: then its handle is void, and what it
/// mapped is unmapped. Who maps memory that another lent ends with a fault if it is taken back meanwhile: a service
/// maps only what it trusts its client not to take back, and lends memory of its own to the others.
#[derive(Debug)]
pub struct Lent(Handle);

impl Lent {
    /// Some pages of what `object` reaches, to read or also to write.
    pub fn of(object: Handle, part: Part, access: Access) -> Result<Lent, Error> {
        let rights = match access {
            Access::Read => Rights::USE,
            Access::Write => Rights::USE.union(Rights::TAKE),
        };
        let rights = rights.union(Rights::TRANSFER);
        Ok(Lent(invoke(Derive { source: object, rights, badge: part.badge() })?.handle))
    }

    /// The handle, for a request that lends it.
    pub fn handle(&self) -> Handle {
        self.0
    }

    /// The handle, for a request that gives it away: the receiver keeps it.
    pub fn keep(self) -> Handle {
        core::mem::ManuallyDrop::new(self).0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // The handle is this program's own: neither call has a reason to refuse.
        let _ = invoke(Revoke { handle: self.0 }).and_then(|_| invoke(Close { handle: self.0 }));
    }
}

/// The bytes of a sealed object, for the rest of the program's life. `EPERM`: it is not sealed, so it might change.
pub fn sealed(object: Handle) -> Result<&'static [u8], Error> {
    let pages = invoke(Inspect { handle: object })?.size;
    let address = reserve(pages);
    // Only a sealed object can be mapped executable: the kernel's word that nobody can write to it any more.
    let probe = Map { process: None, memory: object, address, offset: 0, pages: 1, access: access::EXECUTE };
    if invoke(probe)?.pages != 1 {
        return Err(Error::Exhausted);
    }
    unmap(address, 1)?;
    map(object, address, 0, pages, Access::Read)?;
    Ok(sys::sealed_bytes(address, pages as usize * PAGE_SIZE))
}

/// Copies bytes into a memory object, from byte `at` on.
pub fn fill(memory: Handle, at: u64, bytes: &[u8]) -> Result<(), Error> {
    let _owner = SCRATCH_OWNER.lock();
    let (mut at, mut rest) = (at, bytes);
    while !rest.is_empty() {
        let (page, skip) = (at / PAGE_SIZE as u64, at as usize % PAGE_SIZE);
        let pages = ((skip + rest.len()).div_ceil(PAGE_SIZE) as u64).min(MAP_BATCH);
        let (now, later) = rest.split_at(rest.len().min(pages as usize * PAGE_SIZE - skip));
        let mapped = map(memory, SCRATCH, page, pages, Access::Write);
        if mapped.is_ok() {
            store_bytes(SCRATCH + skip as u64, now);
        }
        unmap(SCRATCH, pages).and(mapped)?;
        at += now.len() as u64;
        rest = later;
    }
    Ok(())
}

/// Bytes before the first whole word, of this many at this address.
fn before_words(address: u64, length: usize) -> usize {
    length.min(address.wrapping_neg() as usize % 8)
}

fn store_bytes(address: u64, bytes: &[u8]) {
    let (head, rest) = bytes.split_at(before_words(address, bytes.len()));
    let (words, tail) = rest.as_chunks::<8>();
    let mut at = address;
    let single = |at: &mut u64, byte: &u8| {
        sys::store(*at, *byte);
        *at += 1;
    };
    head.iter().for_each(|byte| single(&mut at, byte));
    for word in words {
        sys::store(at, u64::from_le_bytes(*word));
        at += 8;
    }
    tail.iter().for_each(|byte| single(&mut at, byte));
}

fn load_bytes(address: u64, bytes: &mut [u8]) {
    let (head, rest) = bytes.split_at_mut(before_words(address, bytes.len()));
    let (words, tail) = rest.as_chunks_mut::<8>();
    let mut at = address;
    let single = |at: &mut u64, byte: &mut u8| {
        *byte = sys::load(*at);
        *at += 1;
    };
    head.iter_mut().for_each(|byte| single(&mut at, byte));
    for word in words {
        *word = sys::load::<u64>(at).to_le_bytes();
        at += 8;
    }
    tail.iter_mut().for_each(|byte| single(&mut at, byte));
}

/// Maps pages of an object at a place where nothing is.
pub(crate) fn map(memory: Handle, address: u64, offset: u64, pages: u64, access: Access) -> Result<(), Error> {
    let access = match access {
        Access::Read => access::READ,
        Access::Write => access::WRITE,
    };
    let mut done = 0;
    while done < pages {
        let address = address + done * PAGE_SIZE as u64;
        let batch = (pages - done).min(MAP_BATCH);
        let mapped = invoke(Map { process: None, memory, address, offset: offset + done, pages: batch, access })?.pages;
        if mapped == 0 {
            return Err(Error::Exhausted);
        }
        done += mapped;
    }
    Ok(())
}

fn unmap(address: u64, pages: u64) -> Result<(), Error> {
    let mut done = 0;
    while done < pages {
        let address = address + done * PAGE_SIZE as u64;
        let unmapped = invoke(Unmap { process: None, address, pages: (pages - done).min(MAP_BATCH) })?.pages;
        if unmapped == 0 {
            return Ok(());
        }
        done += unmapped;
    }
    Ok(())
}
