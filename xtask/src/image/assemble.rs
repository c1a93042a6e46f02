//! The layout of the boot image: header page, init's pages, the bundle.
//!
//! The kernel parses no ELF: init's segments are planned here and stand in the image as pages. Everything else goes in
//! as a file with its digest.

use std::fmt;
use std::path::{Path, PathBuf};

use loader::{Access, LoadError, plan};
use nexus_abi::image::{self, Entry, EntryKind, Header, MAX_ENTRIES, MAX_RAISERS, MAX_SEGMENTS, Segment};
use nexus_abi::syscall::access;
use nexus_abi::{Name, ServiceId};

use super::executable::strip;
use crate::manifest::{PROGRAM_PREFIX, Refusal, Resolved};

const PAGE: usize = nexus_abi::layout::PAGE_SIZE;

/// The crate that becomes the first process.
pub(super) const INIT: &str = "init";
/// The name of the resolved manifest's entry.
const MANIFEST: &str = "manifest";

/// A built executable and the crate it comes from.
#[derive(Clone, Debug)]
pub struct File {
    /// The crate's name.
    pub name: String,
    /// The linker's output.
    pub elf: Vec<u8>,
}

/// What lies where, for the table of sizes.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Name, kind, bytes in the image.
    pub rows: Vec<(String, &'static str, usize)>,
    /// Bytes of the whole image.
    pub total: usize,
}

/// Why there is no image.
#[derive(Debug)]
pub enum ImageError {
    /// The manifest broke a rule.
    Manifest(Refusal),
    /// The compiler failed, or could not be started; it has said why.
    Build(String),
    /// A file could not be read or written.
    File(PathBuf, String),
    /// The manifest names a crate whose executable was not given.
    Missing(String),
    /// A program that the loader refuses.
    Program(String, LoadError),
    /// init has segments that begin inside a page, or more of them than the header holds.
    InitLayout,
    /// More files than the header holds.
    TooManyEntries(usize),
    /// The finished image does not read back: a defect of this tool.
    Inconsistent,
}

impl ImageError {
    pub(super) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::File(path.to_owned(), error.to_string())
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(refusal) => refusal.fmt(out),
            Self::Build(what) => write!(out, "{what} does not build"),
            Self::File(path, error) => write!(out, "{}: {error}", path.display()),
            Self::Missing(name) => write!(out, "`{name}` is in the manifest but was not built"),
            Self::Program(name, error) => write!(out, "`{name}` is not a program: {error:?}"),
            Self::InitLayout => write!(out, "init has more than {MAX_SEGMENTS} page-aligned segments"),
            Self::TooManyEntries(count) => write!(out, "{count} files; the header has room for {MAX_ENTRIES}"),
            Self::Inconsistent => write!(out, "the image does not read back"),
        }
    }
}

/// Lays out the image of a resolved manifest and the executables that it names.
///
/// # Errors
/// [`ImageError`]; nothing is half done.
pub fn assemble(resolved: &Resolved, files: &[File]) -> Result<(Vec<u8>, Layout), ImageError> {
    let mut work = Work { bytes: vec![0; PAGE], entries: Vec::new(), layout: Layout::default() };
    work.layout.rows.push(("header".to_owned(), "header", PAGE));
    let mut header = work.init(find(files, INIT)?)?;
    let wiring = resolved.wiring.write().map_err(|_| ImageError::Inconsistent)?;
    work.entry(MANIFEST, ServiceId::KERNEL, EntryKind::Manifest, &wiring)?;
    for service in &resolved.wiring.services {
        let name = service.name.as_str();
        work.entry(name, service.id, EntryKind::Service, &stripped(files, name)?)?;
    }
    for program in &resolved.wiring.programs {
        let name = program.name.as_str();
        let file = name.strip_prefix(PROGRAM_PREFIX).unwrap_or(name);
        work.entry(name, program.id, EntryKind::Program, &stripped(files, file)?)?;
    }
    header.stack_pages = u64::from(resolved.init_stack_pages);
    for (slot, id) in header.raisers.iter_mut().zip(&resolved.raisers) {
        *slot = id.0;
    }
    debug_assert!(resolved.raisers.len() <= MAX_RAISERS, "the manifest's rules bound them");
    work.finish(header)
}

fn find<'a>(files: &'a [File], name: &str) -> Result<&'a [u8], ImageError> {
    let file = files.iter().find(|file| file.name == name);
    file.map(|file| file.elf.as_slice()).ok_or_else(|| ImageError::Missing(name.to_owned()))
}

fn stripped(files: &[File], name: &str) -> Result<Vec<u8>, ImageError> {
    strip(find(files, name)?).map_err(|error| ImageError::Program(name.to_owned(), error))
}

/// The image so far: always whole pages.
struct Work {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    layout: Layout,
}

impl Work {
    /// Appends `bytes` and zeroes up to the next page; answers where they begin.
    fn append(&mut self, bytes: &[u8]) -> u64 {
        let offset = self.bytes.len();
        self.bytes.extend(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(PAGE), 0);
        offset as u64
    }

    /// Appends init's pages: bytes as they are, whole pages of zeroes as a segment without bytes.
    fn init(&mut self, elf: &[u8]) -> Result<Header, ImageError> {
        let plan = plan(elf).map_err(|error| ImageError::Program(INIT.to_owned(), error))?;
        let start = self.bytes.len();
        let mut segments = Vec::new();
        for part in plan.segments() {
            if part.skip != 0 {
                return Err(ImageError::InitLayout);
            }
            let access = u64::from(match part.access {
                Access::Read => access::READ,
                Access::ReadWrite => access::READ | access::WRITE,
                Access::ReadExecute => access::READ | access::EXECUTE,
            });
            let laid = part.bytes.div_ceil(PAGE as u64);
            if laid > 0 {
                let offset = self.append(&elf[part.offset as usize..(part.offset + part.bytes) as usize]);
                segments.push(Segment { offset, address: part.vaddr, pages: laid, access });
            }
            if part.pages > laid {
                let address = part.vaddr + laid * PAGE as u64;
                segments.push(Segment { offset: u64::MAX, address, pages: part.pages - laid, access });
            }
        }
        if segments.len() > MAX_SEGMENTS {
            return Err(ImageError::InitLayout);
        }
        self.layout.rows.push((INIT.to_owned(), "stage 0", self.bytes.len() - start));
        segments.resize(MAX_SEGMENTS, Segment::default());
        let segments = segments.try_into().expect("resized to the length of the array");
        Ok(Header { entry_point: plan.entry(), segments, ..Header::default() })
    }

    fn entry(&mut self, name: &str, id: ServiceId, kind: EntryKind, bytes: &[u8]) -> Result<(), ImageError> {
        let name = Name::new(name).ok_or(ImageError::Inconsistent)?;
        let offset = self.append(bytes);
        let digest = wiring::digest(bytes);
        self.entries.push(Entry { name, id, kind, offset, length: bytes.len() as u64, digest });
        let kind = match kind {
            EntryKind::Manifest => "manifest",
            EntryKind::Service => "service",
            EntryKind::Program => "program",
            EntryKind::Data => "data",
        };
        self.layout.rows.push((name.as_str().to_owned(), kind, bytes.len().next_multiple_of(PAGE)));
        Ok(())
    }

    fn finish(mut self, mut header: Header) -> Result<(Vec<u8>, Layout), ImageError> {
        if self.entries.len() > MAX_ENTRIES {
            return Err(ImageError::TooManyEntries(self.entries.len()));
        }
        header.length = self.bytes.len() as u64;
        header.entries = self.entries.len();
        image::seal(&mut self.bytes, &header, &self.entries).map_err(|_| ImageError::Inconsistent)?;
        let read = image::Image::read(&self.bytes).map_err(|_| ImageError::Inconsistent)?;
        if !read.entries().eq(self.entries.iter().copied()) || *read.header() != header {
            return Err(ImageError::Inconsistent);
        }
        self.layout.total = self.bytes.len();
        Ok((self.bytes, self.layout))
    }
}
