//! Who somebody is, by the kernel's own record.

use sha2_const_stable::Sha256;

/// Stable hash of a service's or program's name: the first 8 bytes of its SHA-256, read little-endian, with the top
/// bit forced: 1 for a service, 0 for a program. 0 is the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServiceId(pub u64);

const SERVICE_BIT: u64 = 1 << 63;

impl ServiceId {
    /// The kernel itself.
    pub const KERNEL: ServiceId = ServiceId(0);

    /// As the scope of a spawn capability: any program. Nobody has it.
    pub const ANY_PROGRAM: ServiceId = ServiceId(1);

    /// The id of the service with this name.
    pub const fn service(name: &str) -> ServiceId {
        ServiceId(hash(name) | SERVICE_BIT)
    }

    /// The id of the program with this name (`app/…`).
    pub const fn program(name: &str) -> ServiceId {
        ServiceId(hash(name) & !SERVICE_BIT)
    }

    /// True if this is in the half that only services have.
    pub const fn is_service(self) -> bool {
        self.0 & SERVICE_BIT != 0
    }
}

const fn hash(name: &str) -> u64 {
    let digest = Sha256::new().update(name.as_bytes()).finalize();
    let (mut value, mut byte) = (0, 0);
    while byte < 8 {
        value |= (digest[byte] as u64) << (8 * byte);
        byte += 1;
    }
    value
}

/// A process, and which of all processes that ever had its number: `generation << 32 | index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessId(pub u64);

impl ProcessId {
    /// The short number that people type, unique among living processes.
    pub const fn number(self) -> u32 {
        self.0 as u32
    }
}

/// Bytes of a display name or console prefix at most.
pub const MAX_NAME: usize = 24;

/// A display name or console prefix: at most [`MAX_NAME`] bytes of printable ASCII, zero-padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Name([u8; MAX_NAME]);

impl Name {
    /// The name with this text; `None` if it is longer than that or has a byte that is not printable ASCII.
    pub const fn new(text: &str) -> Option<Name> {
        let (bytes, mut name, mut at) = (text.as_bytes(), [0; MAX_NAME], 0);
        if bytes.len() > MAX_NAME {
            return None;
        }
        while at < bytes.len() {
            if !printable(bytes[at]) {
                return None;
            }
            name[at] = bytes[at];
            at += 1;
        }
        Some(Name(name))
    }

    /// The name with this text, which somebody wrote down: what is none does not compile.
    pub const fn constant(text: &'static str) -> Name {
        Name::new(text).expect("a constant name is short and printable")
    }

    /// The name whose text is `head`, then `tail`.
    pub fn joined(head: &str, tail: &str) -> Option<Name> {
        let (Name(mut bytes), Name(tail_bytes)) = (Name::new(head)?, Name::new(tail)?);
        let room = bytes.get_mut(head.len()..head.len() + tail.len())?;
        room.copy_from_slice(&tail_bytes[..tail.len()]);
        Some(Name(bytes))
    }

    /// The text, without its padding.
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|&byte| byte == 0).unwrap_or(MAX_NAME);
        core::str::from_utf8(&self.0[..length]).unwrap_or("?")
    }

    /// Three little-endian words.
    #[inline(never)]
    pub fn to_words(self) -> [u64; 3] {
        let (words, _) = self.0.as_chunks();
        core::array::from_fn(|at| words.get(at).map_or(0, |bytes| u64::from_le_bytes(*bytes)))
    }

    /// The name in these words; `None` if a byte is not printable or stands behind the padding.
    pub fn from_words(words: [u64; 3]) -> Option<Name> {
        let mut name = [0; MAX_NAME];
        for (bytes, word) in name.as_chunks_mut().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
        let mut padding = false;
        let clean = name.iter().all(|&byte| {
            padding |= byte == 0;
            if padding { byte == 0 } else { printable(byte) }
        });
        clean.then_some(Name(name))
    }
}

const fn printable(byte: u8) -> bool {
    byte >= b' ' && byte <= b'~'
}
