//! The programs of the boot image.

use nexus_abi::image::{Entry, EntryKind, Image};
use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::{Error, Name, ServiceId};
use wiring::{Wiring, digest};

/// What programs of the boot image are called: this, and their file's name.
pub const PREFIX: &str = "app/boot/";

/// A sound boot image and its manifest.
#[derive(Debug)]
pub struct Bundle<'a> {
    image: Image<'a>,
    wiring: Wiring,
}

/// A program that may be started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program<'a> {
    pub(crate) record: wiring::Program,
    pub(crate) bytes: &'a [u8],
    /// The image's page at which its file begins.
    pub(crate) page: u64,
}

impl Program<'_> {
    /// Its display name.
    pub(crate) fn name(&self) -> Name {
        self.record.name
    }
}

impl<'a> Bundle<'a> {
    /// Checks image and manifest.
    pub fn read(bytes: &'a [u8]) -> Result<Bundle<'a>, Error> {
        let image = Image::read(bytes)?;
        let manifest = image.entries().find(|entry| entry.kind == EntryKind::Manifest).ok_or(Error::Corrupt)?;
        let wiring = Wiring::read(intact(&image, &manifest)?)?;
        Ok(Bundle { image, wiring })
    }

    /// What the manifest calls this identity.
    pub(crate) fn name_of(&self, id: ServiceId) -> Option<Name> {
        self.wiring.name_of(id)
    }

    /// The program with this file name. `ENOENT`: there is none. `ECORRUPT`: its file is damaged.
    pub(crate) fn program(&self, name: &str) -> Result<Program<'a>, Error> {
        let called = |record: &&wiring::Program| record.name.as_str().strip_prefix(PREFIX) == Some(name);
        let record = *self.wiring.programs.iter().find(called).ok_or(Error::NotFound)?;
        let file = |entry: &Entry| entry.kind == EntryKind::Program && entry.id == record.id;
        let entry = self.image.entries().find(file).ok_or(Error::NotFound)?;
        Ok(Program { record, bytes: intact(&self.image, &entry)?, page: entry.offset / PAGE_SIZE as u64 })
    }
}

/// An entry's bytes, checked against its digest.
fn intact<'a>(image: &Image<'a>, entry: &Entry) -> Result<&'a [u8], Error> {
    let bytes = image.contents(entry).ok_or(Error::Corrupt)?;
    if digest(bytes) == entry.digest { Ok(bytes) } else { Err(Error::Corrupt) }
}
