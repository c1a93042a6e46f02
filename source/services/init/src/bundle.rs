//! The files of the boot image, each checked against its digest before its bytes are used.
//!
//! The image lies in a sealed object, so that what was checked once stays what it was.

use alloc::vec::Vec;

use launch::File;
use nexus_abi::image::{Entry, EntryKind, Image};
use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::{Error, Handle};
use wiring::{Wiring, digest};

/// The name of the resolved manifest.
const MANIFEST: &str = "manifest";

/// The boot image as init sees it.
#[derive(Debug)]
pub struct Bundle {
    image: Image<'static>,
    memory: Handle,
    /// Offsets of the entries whose digest was found right.
    checked: Vec<u64>,
}

impl Bundle {
    /// The image in these bytes of a sealed object.
    pub fn new(bytes: &'static [u8], memory: Handle) -> Result<Self, Error> {
        Ok(Self { image: Image::read(bytes)?, memory, checked: Vec::new() })
    }

    /// The resolved manifest.
    pub fn wiring(&mut self) -> Result<Wiring, Error> {
        let entry = self.entry(MANIFEST, EntryKind::Manifest)?;
        Wiring::read(self.bytes(&entry)?)
    }

    /// The executable of a service. `ENOENT`: there is none. `ECORRUPT`: it is damaged.
    pub fn service(&mut self, name: &str) -> Result<File<'static>, Error> {
        let entry = self.entry(name, EntryKind::Service)?;
        let bytes = self.bytes(&entry)?;
        Ok(File { bytes, memory: self.memory, page: entry.offset / PAGE_SIZE as u64 })
    }

    fn entry(&self, name: &str, kind: EntryKind) -> Result<Entry, Error> {
        self.image.entries().find(|entry| entry.kind == kind && entry.name.as_str() == name).ok_or(Error::NotFound)
    }

    fn bytes(&mut self, entry: &Entry) -> Result<&'static [u8], Error> {
        let bytes = self.image.contents(entry).ok_or(Error::Corrupt)?;
        if !self.checked.contains(&entry.offset) {
            if digest(bytes) != entry.digest {
                return Err(Error::Corrupt);
            }
            self.checked.push(entry.offset);
        }
        Ok(bytes)
    }
}
