//! Bytes of the wiring: a header of counts, then the tables one after the other.
//!
//! ```text
//! word 0  magic      1  version     2  total words     3…4  back-off
//! 5…9  counts: services, programs, interfaces, routes, devices       10…  the records, in this order
//! ```
//!
//! All words little-endian. The reader accepts exactly what the writer can have written: known words only, every index
//! inside its table, no byte left over.

use alloc::vec::Vec;

use nexus_abi::Error;
use nexus_abi::field::{Field, Words};
use nexus_abi::image::{EntryKind, Image};

use crate::{Backoff, Party, Wiring, digest};

const MAGIC: u64 = u64::from_le_bytes(*b"NXWIRING");
/// Version of the resolved manifest's layout.
const VERSION: u64 = 3;
const FIXED: usize = 10;

/// Records of one kind in the resolved manifest at most.
pub const MAX_RECORDS: usize = 256;

impl Wiring {
    /// The bytes of this wiring; `EOVERLIMIT` if a table has more than [`MAX_RECORDS`].
    pub fn write(&self) -> Result<Vec<u8>, Error> {
        let counts =
            [self.services.len(), self.programs.len(), self.interfaces.len(), self.routes.len(), self.devices.len()];
        if counts.iter().any(|&count| count > MAX_RECORDS) {
            return Err(Error::OverLimit);
        }
        let mut words = alloc::vec![MAGIC, VERSION, 0, 0, 0];
        words.extend(counts.iter().map(|&count| count as u64));
        self.backoff.write(3, &mut |at, word| words[at] = word);
        append(&mut words, &self.services);
        append(&mut words, &self.programs);
        append(&mut words, &self.interfaces);
        append(&mut words, &self.routes);
        append(&mut words, &self.devices);
        words[2] = words.len() as u64;
        Ok(words.iter().flat_map(|word| word.to_le_bytes()).collect())
    }

    /// The wiring in these bytes. `EPROTO`: another version. `ECORRUPT`: anything that does not add up.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let source = Source(bytes);
        if source.word(0) != MAGIC {
            return Err(Error::Corrupt);
        }
        if source.word(1) != VERSION {
            return Err(Error::Protocol);
        }
        if !bytes.len().is_multiple_of(8) || source.word(2) != (bytes.len() / 8) as u64 {
            return Err(Error::Corrupt);
        }
        let mut tables = Tables { source, table: 5, at: FIXED };
        let wiring = Self {
            backoff: Backoff::read(&source, 3)?,
            services: tables.next()?,
            programs: tables.next()?,
            interfaces: tables.next()?,
            routes: tables.next()?,
            devices: tables.next()?,
        };
        if tables.at == bytes.len() / 8 && wiring.indices_hold() { Ok(wiring) } else { Err(Error::Corrupt) }
    }

    /// The wiring in a boot image. `ECORRUPT`: there is none, or it does not have its digest.
    pub fn of_image(image: &[u8]) -> Result<Self, Error> {
        let image = Image::read(image)?;
        let entry = image.entries().find(|entry| entry.kind == EntryKind::Manifest).ok_or(Error::Corrupt)?;
        let bytes = image.contents(&entry).ok_or(Error::Corrupt)?;
        if digest(bytes) != entry.digest {
            return Err(Error::Corrupt);
        }
        Self::read(bytes)
    }

    fn indices_hold(&self) -> bool {
        let known = |party: Party| match party {
            Party::Init => true,
            Party::Service(index) => usize::from(index) < self.services.len(),
            Party::Program(index) => usize::from(index) < self.programs.len(),
        };
        self.interfaces.iter().all(|interface| known(interface.owner) && !matches!(interface.owner, Party::Program(_)))
            && self.routes.iter().all(|route| {
                known(route.holder)
                    && route.holder != Party::Init
                    && usize::from(route.interface) < self.interfaces.len()
            })
            && self.devices.iter().all(|device| usize::from(device.owner) < self.services.len())
    }
}

fn append<T: Field + Copy>(words: &mut Vec<u64>, records: &[T]) {
    for record in records {
        let at = words.len();
        words.resize(at + T::WORDS, 0);
        record.write(at, &mut |at, word| words[at] = word);
    }
}

#[derive(Clone, Copy)]
struct Source<'a>(&'a [u8]);

impl Words for Source<'_> {
    fn word(&self, at: usize) -> u64 {
        self.0.as_chunks::<8>().0.get(at).map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}

struct Tables<'a> {
    source: Source<'a>,
    table: usize,
    at: usize,
}

impl Tables<'_> {
    fn next<T: Field>(&mut self) -> Result<Vec<T>, Error> {
        let count = usize::try_from(self.source.word(self.table)).map_err(|_| Error::Corrupt)?;
        let end = self.at + count.min(MAX_RECORDS + 1) * T::WORDS;
        if count > MAX_RECORDS || end > self.source.0.len() / 8 {
            return Err(Error::Corrupt);
        }
        let start = core::mem::replace(&mut self.at, end);
        self.table += 1;
        (start..end).step_by(T::WORDS).map(|at| T::read(&self.source, at).map_err(|_| Error::Corrupt)).collect()
    }
}
