//! The start page: what a program finds at its first instruction, and what is left of it after its last.
//!
//! `a0` = address of this read-only page, `a1` = its length, every other register 0. All words little-endian.
//!
//! ```text
//! 0  magic     8  version, length    16 ticks per second   24 IPC page address
//! 32 process   40 service id         48 heap limit pages   56 counts: handles u16, arguments u16, environment u16
//! 64 handles: {name 24 bytes, handle 8 bytes} …   then strings: u16 length, bytes …, arguments before environment
//! ```

use crate::{ABI_VERSION, Error, Handle, Name, ProcessId, ServiceId, layout::PAGE_SIZE};

const MAGIC: u64 = u64::from_le_bytes(*b"NXSTART\0");
const FIXED: usize = 64;
const ENTRY: usize = 32;

/// Names of the handles that the kernel gives the first process.
pub mod first {
    /// The boot image: a sealed memory object.
    pub const IMAGE: &str = "image";
    /// The device tree: a sealed memory object.
    pub const DEVICE_TREE: &str = "device-tree";
    /// The device root.
    pub const DEVICES: &str = "devices";
    /// The spawn root: covers every identity.
    pub const SPAWN: &str = "spawn";
    /// The system's tables.
    pub const INFO: &str = "info";
    /// The machine's power.
    pub const POWER: &str = "power";
    /// The console ring, with every right.
    pub const LOG: &str = "log";
}

/// Handles a start page can carry.
pub const MAX_START_HANDLES: usize = 48;
/// Arguments a start page can carry, and variables of the environment; all have to fit the page.
pub const MAX_TEXTS: usize = 255;

/// The scalars of a start page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartInfo {
    /// Ticks of the `time` counter per second.
    pub timebase: u64,
    /// Address of the main thread's IPC page.
    pub ipc_page: u64,
    /// The program's own process id.
    pub process: ProcessId,
    /// The program's own service id.
    pub service: ServiceId,
    /// Pages that the heap may grow to.
    pub heap_pages: u64,
}

/// Bytes that [`write()`] fills, if it does not refuse.
pub fn length(handles: usize, texts: &[&[&str]]) -> usize {
    let texts = texts.iter().copied().flatten().map(|text| 2 + text.len());
    FIXED + ENTRY * handles + texts.sum::<usize>()
}

/// Writes a start page into as many bytes as [`length`] says, at least; returns the used length. `EOVERLIMIT`: it does not
/// fit one page, or `page`.
pub fn write(
    page: &mut [u8],
    info: &StartInfo,
    handles: &[(Name, Handle)],
    arguments: &[&str],
    environment: &[&str],
) -> Result<usize, Error> {
    if handles.len() > MAX_START_HANDLES || arguments.len() > MAX_TEXTS || environment.len() > MAX_TEXTS {
        return Err(Error::OverLimit);
    }
    let mut at = FIXED;
    for (name, handle) in handles {
        for (word, value) in name.to_words().into_iter().chain([handle.raw()]).enumerate() {
            put(page, at + 8 * word, value)?;
        }
        at += ENTRY;
    }
    for text in arguments.iter().chain(environment) {
        let end = at + 2 + text.len();
        let space = page.get_mut(at..end).and_then(|space| space.split_first_chunk_mut());
        let (length, bytes) = space.ok_or(Error::OverLimit)?;
        *length = u16::try_from(text.len()).map_err(|_| Error::OverLimit)?.to_le_bytes();
        bytes.copy_from_slice(text.as_bytes());
        at = end;
    }
    let counts = handles.len() as u64 | (arguments.len() as u64) << 16 | (environment.len() as u64) << 32;
    let version = u64::from(ABI_VERSION) | (at as u64) << 32;
    let fixed = [MAGIC, version, info.timebase, info.ipc_page, info.process.0, info.service.0, info.heap_pages, counts];
    for (word, value) in fixed.into_iter().enumerate() {
        put(page, 8 * word, value)?;
    }
    Ok(at)
}

fn put(page: &mut [u8], at: usize, value: u64) -> Result<(), Error> {
    let place = page.get_mut(at..).and_then(|rest| rest.first_chunk_mut()).ok_or(Error::OverLimit)?;
    *place = value.to_le_bytes();
    Ok(())
}

/// A start page that was read and found whole.
#[derive(Clone, Copy, Debug)]
pub struct StartPage<'a> {
    bytes: &'a [u8],
    info: StartInfo,
    handles: usize,
    arguments: usize,
    environment: usize,
}

impl<'a> StartPage<'a> {
    /// Checks a start page: `EPROTO` for another version, `ECORRUPT` for anything that does not add up.
    pub fn read(bytes: &'a [u8]) -> Result<StartPage<'a>, Error> {
        let word = |at: usize| word(bytes, at).ok_or(Error::Corrupt);
        let (version, counts) = (word(8)?, word(56)?);
        if word(0)? != MAGIC || (version >> 32) as usize != bytes.len() || bytes.len() > PAGE_SIZE {
            return Err(Error::Corrupt);
        }
        if version as u32 != ABI_VERSION {
            return Err(Error::Protocol);
        }
        let info = StartInfo {
            timebase: word(16)?,
            ipc_page: word(24)?,
            process: ProcessId(word(32)?),
            service: ServiceId(word(40)?),
            heap_pages: word(48)?,
        };
        let count = |shift: u32| (counts >> shift & 0xffff) as usize;
        let page = StartPage { bytes, info, handles: count(0), arguments: count(16), environment: count(32) };
        page.check(counts)?;
        Ok(page)
    }

    fn check(&self, counts: u64) -> Result<(), Error> {
        if counts >> 48 != 0 || self.handles > MAX_START_HANDLES {
            return Err(Error::Corrupt);
        }
        for index in 0..self.handles {
            self.entry(index).ok_or(Error::Corrupt)?;
        }
        let mut at = FIXED + ENTRY * self.handles;
        for _ in 0..self.arguments + self.environment {
            at = text(self.bytes, at).ok_or(Error::Corrupt)?.1;
        }
        if at == self.bytes.len() { Ok(()) } else { Err(Error::Corrupt) }
    }

    /// The scalars.
    pub fn info(&self) -> StartInfo {
        self.info
    }

    /// The handle that was given under this interface name.
    pub fn handle(&self, name: &str) -> Option<Handle> {
        let wanted = Name::new(name)?.to_words();
        let entry = (0..self.handles).map(|index| FIXED + ENTRY * index).find(|at| {
            let given = |part| word(self.bytes, at + 8 * part);
            wanted.iter().enumerate().all(|(part, wanted)| given(part) == Some(*wanted))
        })?;
        Handle::from_raw(word(self.bytes, entry + 24)?)
    }

    /// All handles with their names.
    pub fn handles(&self) -> impl Iterator<Item = (Name, Handle)> + use<'a> {
        let page = *self;
        (0..self.handles).filter_map(move |index| page.entry(index))
    }

    fn entry(&self, index: usize) -> Option<(Name, Handle)> {
        let at = FIXED + ENTRY * index;
        let words = [word(self.bytes, at)?, word(self.bytes, at + 8)?, word(self.bytes, at + 16)?];
        Some((Name::from_words(words)?, Handle::from_raw(word(self.bytes, at + 24)?)?))
    }

    /// The arguments; the first is the program's own name.
    pub fn arguments(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.texts().take(self.arguments)
    }

    /// The environment, `NAME=value` each.
    pub fn environment(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.texts().skip(self.arguments).take(self.environment)
    }

    fn texts(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let (bytes, mut at) = (self.bytes, FIXED + ENTRY * self.handles);
        core::iter::from_fn(move || {
            let (found, next) = text(bytes, at)?;
            at = next;
            Some(found)
        })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}

fn text(bytes: &[u8], at: usize) -> Option<(&str, usize)> {
    let length = u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?) as usize;
    let end = at + 2 + length;
    Some((core::str::from_utf8(bytes.get(at + 2..end)?).ok()?, end))
}

/// How a process is, or how it ended: `state` of `process_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum ExitKind {
    /// It lives.
    Running = 0,
    /// Its resources are being taken back.
    Dying = 1,
    /// It ended itself, with a status.
    Exited = 2,
    /// It was ended by a killer, with a status.
    Killed = 3,
    /// It was ended by a fault: cause, pc, address.
    Faulted = 4,
}

impl ExitKind {
    /// The kind with this wire value.
    pub const fn from_wire(value: u64) -> Option<ExitKind> {
        match value {
            0 => Some(ExitKind::Running),
            1 => Some(ExitKind::Dying),
            2 => Some(ExitKind::Exited),
            3 => Some(ExitKind::Killed),
            4 => Some(ExitKind::Faulted),
            _ => None,
        }
    }
}
