//! The programs of the boot image.
//!
//! The image is sealed: what was read once stays as it is, so a program's digest is checked at its first start only.

use alloc::vec::Vec;

use nexus_abi::image::{Entry, EntryKind, Image};
use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::{Error, Limits, Name, QosClass, ServiceId};
use wiring::{Wiring, digest};

/// What programs of the boot image are called: this, and their file's name.
pub const PREFIX: &str = "app/boot/";

/// A sound boot image and its manifest.
#[derive(Debug)]
pub struct Bundle<'a> {
    image: Image<'a>,
    wiring: Wiring,
    /// Programs of the manifest, in its order: the files that were found to be what their digests say.
    intact: Vec<Option<Found<'a>>>,
}

/// A program's file in the image.
#[derive(Clone, Copy, Debug)]
struct Found<'a> {
    bytes: &'a [u8],
    page: u64,
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
        let intact = wiring.programs.iter().map(|_| None).collect();
        Ok(Bundle { image, wiring, intact })
    }

    /// What the manifest calls this identity.
    pub(crate) fn name_of(&self, id: ServiceId) -> Option<Name> {
        self.wiring.name_of(id)
    }

    /// Class and limits of the program with this file name.
    pub(crate) fn terms(&self, name: &str) -> Option<(QosClass, Limits)> {
        let record = self.wiring.programs.get(self.index(name)?)?;
        Some((record.qos, record.limits))
    }

    /// The program with this file name. `ENOENT`: there is none. `ECORRUPT`: its file is damaged.
    pub(crate) fn program(&mut self, name: &str) -> Result<Program<'a>, Error> {
        let index = self.index(name).ok_or(Error::NotFound)?;
        let record = *self.wiring.programs.get(index).ok_or(Error::NotFound)?;
        let known = self.intact.get_mut(index).ok_or(Error::NotFound)?;
        let Found { bytes, page } = match *known {
            Some(found) => found,
            None => *known.insert(find(&self.image, record.id)?),
        };
        Ok(Program { record, bytes, page })
    }

    /// Which program of the manifest has this file name.
    fn index(&self, name: &str) -> Option<usize> {
        let name = Name::joined(PREFIX, name)?;
        self.wiring.programs.iter().position(|record| record.name == name)
    }
}

/// The file of the program with this identity. `ENOENT`, `ECORRUPT`.
fn find<'a>(image: &Image<'a>, id: ServiceId) -> Result<Found<'a>, Error> {
    let file = |entry: &Entry| entry.kind == EntryKind::Program && entry.id == id;
    let entry = image.entries().find(file).ok_or(Error::NotFound)?;
    Ok(Found { bytes: intact(image, &entry)?, page: entry.offset / PAGE_SIZE as u64 })
}

/// An entry's bytes, checked against its digest.
fn intact<'a>(image: &Image<'a>, entry: &Entry) -> Result<&'a [u8], Error> {
    let bytes = image.contents(entry).ok_or(Error::Corrupt)?;
    if digest(bytes) == entry.digest { Ok(bytes) } else { Err(Error::Corrupt) }
}
