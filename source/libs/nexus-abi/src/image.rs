//! The boot image: what the kernel is handed as its initial RAM disk.
//!
//! ```text
//! page 0   header: words of [`Header`], then the entry table; the rest zero
//! page 1…  init's segments, pre-laid, page-aligned: text is mapped in place
//!          the entries' bytes, page-aligned each
//!          signature room (offset and length in the header; empty now)
//! ```
//!
//! All words little-endian. The kernel checks magic, versions, bounds and a checksum over page 0 and init's segments (a
//! damage check, not a defence); every entry carries a digest that init checks before it uses the bytes.

use crate::{
    ABI_VERSION, Error, Name, ServiceId,
    layout::{HEAP_START, PAGE_SIZE, USER_START},
    syscall::access,
};

const MAGIC: u64 = u64::from_le_bytes(*b"NEXUSIMG");
/// Version of the boot image's layout.
const FORMAT: u64 = 1;

/// Segments that init can have.
pub const MAX_SEGMENTS: usize = 4;
/// Identities that may raise QoS classes.
pub const MAX_RAISERS: usize = 4;
/// Pages of init's stack at most.
pub const MAX_STACK_PAGES: u64 = 1024;
/// Words of the header before the entry table.
const HEADER_WORDS: usize = 12 + MAX_RAISERS + 4 * MAX_SEGMENTS;
/// Words of one entry: name 3, id, kind, offset, length, digest 4.
const ENTRY_WORDS: usize = 11;
/// Entries that fit the header page.
pub const MAX_ENTRIES: usize = (PAGE_SIZE / 8 - HEADER_WORDS) / ENTRY_WORDS;

/// One pre-laid segment of init.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Page-aligned offset in the image; `u64::MAX` means zeroed pages without bytes.
    pub offset: u64,
    /// Page-aligned user address.
    pub address: u64,
    /// Pages.
    pub pages: u64,
    /// Access bits of [`crate::syscall::access`].
    pub access: u64,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum EntryKind {
    /// The resolved manifest.
    Manifest = 1,
    /// A service's executable.
    Service = 2,
    /// A program's executable.
    Program = 3,
    /// Plain bytes.
    Data = 4,
}

/// One file of the bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: Name,
    /// Its identity, 0 for what is not run.
    pub id: ServiceId,
    /// What it is.
    pub kind: EntryKind,
    /// Page-aligned offset in the image.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// BLAKE2b, 256 bits, of these bytes.
    pub digest: [u8; 32],
}

/// Everything the header says, entries apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the whole image, a multiple of the page size.
    pub length: u64,
    /// Init's entry point.
    pub entry_point: u64,
    /// Pages of init's stack.
    pub stack_pages: u64,
    /// Entries in the table.
    pub entries: usize,
    /// Identities that may raise QoS classes, 0-padded.
    pub raisers: [u64; MAX_RAISERS],
    /// Init's segments; those with no pages are unused.
    pub segments: [Segment; MAX_SEGMENTS],
    /// Offset and length of the signature; 0 and 0 while there is none.
    pub signature: (u64, u64),
}

/// An image whose header was checked.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    bytes: &'a [u8],
    header: Header,
}

impl<'a> Image<'a> {
    /// Checks header, bounds and checksum. `EPROTO`: another format or ABI version. `ECORRUPT`: anything else.
    pub fn read(bytes: &'a [u8]) -> Result<Image<'a>, Error> {
        Image::read_by(bytes, |at| word_of(bytes, at))
    }

    /// [`Image::read`] for whoever can read whole words of the image faster than eight bytes each: `word` gives the
    /// little-endian word at an index, 0 beyond the end.
    pub fn read_by(bytes: &'a [u8], word: impl Fn(usize) -> u64) -> Result<Image<'a>, Error> {
        let words = Page::of(bytes)?;
        if words.at(0) != MAGIC {
            return Err(Error::Corrupt);
        }
        if words.at(1) != FORMAT | u64::from(ABI_VERSION) << 32 {
            return Err(Error::Protocol);
        }
        let header = words.header();
        let image = Image { bytes, header };
        image.check_bounds()?;
        if words.at(3) != image.checksum(word) {
            return Err(Error::Corrupt);
        }
        for index in 0..header.entries {
            image.entry(index).ok_or(Error::Corrupt)?;
        }
        Ok(image)
    }

    fn check_bounds(&self) -> Result<(), Error> {
        let header = &self.header;
        let whole = header.length as usize == self.bytes.len() || header.length < self.bytes.len() as u64;
        let sane = whole
            && header.length.is_multiple_of(PAGE_SIZE as u64)
            && header.length >= PAGE_SIZE as u64
            && header.entries <= MAX_ENTRIES
            && header.stack_pages > 0
            && header.stack_pages <= MAX_STACK_PAGES
            && header.segments.iter().all(|segment| self.segment_fits(segment))
            && self.segments_make_a_program();
        if sane { Ok(()) } else { Err(Error::Corrupt) }
    }

    fn segment_fits(&self, segment: &Segment) -> bool {
        let page = PAGE_SIZE as u64;
        let bytes = segment.pages.saturating_mul(page);
        let inside = segment.offset == u64::MAX
            || segment.offset >= page
                && segment.offset.is_multiple_of(page)
                && segment.offset.checked_add(bytes).is_some_and(|end| end <= self.header.length);
        let below_heap =
            segment.address >= USER_START && segment.address.checked_add(bytes).is_some_and(|end| end <= HEAP_START);
        let write_and_execute = u64::from(access::WRITE | access::EXECUTE);
        let allowed = segment.access != 0
            && segment.access & !(u64::from(access::READ) | write_and_execute) == 0
            && segment.access & write_and_execute != write_and_execute;
        segment.pages == 0 || inside && below_heap && allowed && segment.address.is_multiple_of(page)
    }

    /// The segments lie apart and the entry point in one that can be executed; an image of files alone has neither.
    fn segments_make_a_program(&self) -> bool {
        let end = |segment: &Segment| segment.address + segment.pages * PAGE_SIZE as u64;
        let used = || self.header.segments.iter().filter(|segment| segment.pages > 0);
        let apart = |one: &Segment, other: &Segment| end(one) <= other.address || end(other) <= one.address;
        let all_apart = used().all(|one| used().all(|other| core::ptr::eq(one, other) || apart(one, other)));
        let entry = self.header.entry_point;
        let enters = used().any(|segment| {
            (segment.address..end(segment)).contains(&entry) && segment.access & u64::from(access::EXECUTE) != 0
        });
        all_apart && if used().next().is_some() { enters && entry.is_multiple_of(2) } else { entry == 0 }
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Entry `index`; `None` if there is none, or it is malformed or out of bounds.
    pub fn entry(&self, index: usize) -> Option<Entry> {
        if index >= self.header.entries {
            return None;
        }
        let words = Page::of(self.bytes).ok()?;
        let at = HEADER_WORDS + ENTRY_WORDS * index;
        let kind = match words.at(at + 4) {
            1 => EntryKind::Manifest,
            2 => EntryKind::Service,
            3 => EntryKind::Program,
            4 => EntryKind::Data,
            _ => return None,
        };
        let mut digest = [0; 32];
        for (word, bytes) in digest.chunks_exact_mut(8).enumerate() {
            bytes.copy_from_slice(&words.at(at + 7 + word).to_le_bytes());
        }
        let name = Name::from_words([words.at(at), words.at(at + 1), words.at(at + 2)])?;
        let entry = Entry {
            name,
            id: ServiceId(words.at(at + 3)),
            kind,
            offset: words.at(at + 5),
            length: words.at(at + 6),
            digest,
        };
        self.contents(&entry).map(|_| entry)
    }

    /// All entries.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + use<'a> {
        let image = *self;
        (0..image.header.entries).filter_map(move |index| image.entry(index))
    }

    /// The entry with this name.
    pub fn find(&self, name: &str) -> Option<Entry> {
        self.entries().find(|entry| entry.name.as_str() == name)
    }

    /// An entry's bytes, not yet checked against its digest.
    pub fn contents(&self, entry: &Entry) -> Option<&'a [u8]> {
        if !entry.offset.is_multiple_of(PAGE_SIZE as u64) || entry.offset < PAGE_SIZE as u64 {
            return None;
        }
        let end = entry.offset.checked_add(entry.length).filter(|&end| end <= self.header.length)?;
        self.bytes.get(entry.offset as usize..end as usize)
    }

    fn checksum(&self, word: impl Fn(usize) -> u64) -> u64 {
        let mut sum = Checksum::default();
        (0..PAGE_SIZE / 8).filter(|&at| at != 3).for_each(|at| sum.add(word(at)));
        for segment in self.header.segments.iter().filter(|segment| segment.pages > 0 && segment.offset != u64::MAX) {
            let start = segment.offset as usize / 8;
            (start..start + segment.pages as usize * (PAGE_SIZE / 8)).for_each(|at| sum.add(word(at)));
        }
        sum.value()
    }
}

fn word_of(bytes: &[u8], at: usize) -> u64 {
    bytes.as_chunks::<8>().0.get(at).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Writes the header page into the first page of `bytes`, whose rest is already in place.
pub fn seal(bytes: &mut [u8], header: &Header, entries: &[Entry]) -> Result<(), Error> {
    if bytes.len() < PAGE_SIZE || entries.len() > MAX_ENTRIES || header.entries != entries.len() {
        return Err(Error::Invalid);
    }
    bytes[..PAGE_SIZE].fill(0);
    let mut at = 0;
    let mut put = |value: u64| {
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        at += 8;
    };
    let fixed =
        [MAGIC, FORMAT | u64::from(ABI_VERSION) << 32, header.length, 0, header.entry_point, header.stack_pages];
    let counts = [header.entries as u64, header.signature.0, header.signature.1, 0, 0, 0];
    fixed.into_iter().chain(counts).chain(header.raisers).for_each(&mut put);
    for segment in &header.segments {
        [segment.offset, segment.address, segment.pages, segment.access].into_iter().for_each(&mut put);
    }
    for entry in entries {
        let scalars = [entry.id.0, entry.kind as u64, entry.offset, entry.length];
        entry.name.to_words().into_iter().chain(scalars).for_each(&mut put);
        for word in entry.digest.as_chunks::<8>().0 {
            put(u64::from_le_bytes(*word));
        }
    }
    let image = Image { bytes, header: *header };
    image.check_bounds()?;
    let checksum = image.checksum(|at| word_of(bytes, at));
    bytes[24..32].copy_from_slice(&checksum.to_le_bytes());
    Ok(())
}

struct Page<'a>(&'a [u8; PAGE_SIZE]);

impl<'a> Page<'a> {
    fn of(bytes: &'a [u8]) -> Result<Page<'a>, Error> {
        bytes.first_chunk().map(Page).ok_or(Error::Corrupt)
    }

    #[inline(never)]
    fn at(&self, word: usize) -> u64 {
        self.0.as_chunks::<8>().0.get(word).map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    fn header(&self) -> Header {
        let segment = |index: usize| {
            let at = 12 + MAX_RAISERS + 4 * index;
            Segment { offset: self.at(at), address: self.at(at + 1), pages: self.at(at + 2), access: self.at(at + 3) }
        };
        Header {
            length: self.at(2),
            entry_point: self.at(4),
            stack_pages: self.at(5),
            entries: self.at(6) as usize,
            raisers: core::array::from_fn(|index| self.at(12 + index)),
            segments: core::array::from_fn(segment),
            signature: (self.at(7), self.at(8)),
        }
    }
}

/// Two running sums over words, folded into one: three instructions a word. Against damage, not against intent.
#[derive(Default)]
struct Checksum {
    first: u64,
    second: u64,
}

impl Checksum {
    fn add(&mut self, word: u64) {
        self.first = self.first.wrapping_add(word).wrapping_add(1);
        self.second = self.second.wrapping_add(self.first);
    }

    fn value(&self) -> u64 {
        self.first ^ self.second.rotate_left(32)
    }
}
