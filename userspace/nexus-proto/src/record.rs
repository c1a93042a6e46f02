//! Records: what a program writes for the log, one at a time, and how it travels.
//!
//! The same bytes go through a sender's ring and through an `append`. They say what happened, never who says so: a field
//! that claims to be the sender makes the whole record invalid.
//!
//! ```text
//! 0 level    1 bytes of the target    2…3 bytes of the text    4…5 bytes of the fields    6… target, text, fields
//! a field: key=value and a zero byte
//! ```

use nexus_abi::Error;

/// Bytes of a record's target at most: which part of the sender it is about.
pub const MAX_TARGET: usize = 32;
/// Bytes of a record's text at most.
pub const MAX_TEXT: usize = 256;
/// Bytes of all fields of a record at most, separators included.
pub const MAX_FIELD_BYTES: usize = 256;
/// Fields of a record at most.
pub const MAX_FIELDS: usize = 8;
/// Bytes of a field's key at most.
pub const MAX_KEY: usize = 16;
/// Bytes of a whole record at most.
pub const MAX_BYTES: usize = HEADER + MAX_TARGET + MAX_TEXT + MAX_FIELD_BYTES;

const HEADER: usize = 6;
/// Keys that would name the sender.
const IDENTITIES: [&str; 8] =
    ["sender", "service", "service_id", "sender_id", "sender_service_id", "process", "pid", "identity"];

const _: () = assert!(MAX_BYTES <= nexus_ipc::ring::MAX_RECORD, "a record fits a ring");

/// How much a record matters. A smaller number matters more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Something failed that should not have.
    Error = 1,
    /// Something is not as it should be.
    Warn = 2,
    /// What a person wants to know; audits too.
    Info = 3,
    /// What a developer wants to know.
    Debug = 4,
    /// Every step.
    Trace = 5,
}

impl Level {
    /// Every level, what matters most first.
    pub const ALL: [Level; 5] = [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];

    /// The level with this number.
    pub fn from_wire(number: u8) -> Option<Level> {
        Level::ALL.into_iter().find(|&level| level as u8 == number)
    }

    /// What listings print and people type.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// How much it matters.
    pub level: Level,
    /// Which part of the sender it is about.
    pub target: &'a str,
    /// What happened, for people.
    pub text: &'a str,
    /// What happened, for programs: `key=value` and a zero byte each.
    pub fields: &'a str,
}

impl<'a> Record<'a> {
    /// Its bytes, in `buffer`. `EINVAL`: a part is longer than its bound, or no field.
    pub fn write<'b>(&self, buffer: &'b mut [u8; MAX_BYTES]) -> Result<&'b [u8], Error> {
        self.check()?;
        buffer[0] = self.level as u8;
        buffer[1] = self.target.len() as u8;
        buffer[2..4].copy_from_slice(&(self.text.len() as u16).to_le_bytes());
        buffer[4..6].copy_from_slice(&(self.fields.len() as u16).to_le_bytes());
        let mut at = HEADER;
        for part in [self.target, self.text, self.fields] {
            buffer[at..at + part.len()].copy_from_slice(part.as_bytes());
            at += part.len();
        }
        Ok(&buffer[..at])
    }

    /// The record in these bytes. `EINVAL`: they are none, or it breaks a bound or claims an identity.
    pub fn read(bytes: &'a [u8]) -> Result<Record<'a>, Error> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>().ok_or(Error::Invalid)?;
        let level = Level::from_wire(header[0]).ok_or(Error::Invalid)?;
        let (target, rest) = text(rest, header[1].into())?;
        let (body, rest) = text(rest, u16::from_le_bytes([header[2], header[3]]).into())?;
        let (fields, rest) = text(rest, u16::from_le_bytes([header[4], header[5]]).into())?;
        let record = Record { level, target, text: body, fields };
        if !rest.is_empty() {
            return Err(Error::Invalid);
        }
        record.check().map(|()| record)
    }

    /// Its fields, as keys and values.
    pub fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.fields.split_terminator('\0').filter_map(|field| field.split_once('='))
    }

    fn check(&self) -> Result<(), Error> {
        let short =
            self.target.len() <= MAX_TARGET && self.text.len() <= MAX_TEXT && self.fields.len() <= MAX_FIELD_BYTES;
        if short && fields_are_sound(self.fields.as_bytes()) { Ok(()) } else { Err(Error::Invalid) }
    }
}

/// True of so many fields with keys, each with a 0 behind it.
fn fields_are_sound(fields: &[u8]) -> bool {
    let Some(fields) = fields.strip_suffix(&[0]) else { return fields.is_empty() };
    let mut count = 0;
    fields.split(|&byte| byte == 0).all(|field| {
        count += 1;
        let key = field.iter().position(|&byte| byte == b'=');
        count <= MAX_FIELDS && key.is_some_and(|end| is_key(&field[..end]))
    })
}

fn text(bytes: &[u8], length: usize) -> Result<(&str, &[u8]), Error> {
    let (head, rest) = bytes.split_at_checked(length).ok_or(Error::Invalid)?;
    Ok((core::str::from_utf8(head).map_err(|_| Error::Invalid)?, rest))
}

fn is_key(key: &[u8]) -> bool {
    let formed = key.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_');
    let identity = || IDENTITIES.iter().any(|identity| identity.as_bytes() == key);
    formed && (1..=MAX_KEY).contains(&key.len()) && !identity()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: Record<'_> =
        Record { level: Level::Info, target: "audit", text: "a grant", fields: "decision=deny\0" };

    fn bytes(record: &Record<'_>) -> Result<alloc::vec::Vec<u8>, Error> {
        record.write(&mut [0; MAX_BYTES]).map(<[u8]>::to_vec)
    }

    #[test]
    fn what_is_written_is_read_back_and_every_truncation_refused() {
        let whole = bytes(&SOUND).expect("sound");
        assert_eq!(Record::read(&whole), Ok(SOUND));
        assert_eq!(SOUND.pairs().collect::<alloc::vec::Vec<_>>(), [("decision", "deny")]);
        for length in 0..whole.len() {
            assert_eq!(Record::read(&whole[..length]), Err(Error::Invalid), "of {length} bytes");
        }
    }

    #[test]
    fn no_byte_of_a_record_makes_reading_fail() {
        let whole = bytes(&SOUND).expect("sound");
        for at in 0..whole.len() {
            for value in 0..=255 {
                let mut damaged = whole.clone();
                damaged[at] = value;
                // Either a record or a refusal.
                let _ = Record::read(&damaged).map(|record| record.pairs().count());
            }
        }
    }

    #[test]
    fn a_field_that_claims_an_identity_or_is_none_is_refused() {
        for key in IDENTITIES {
            let fields = alloc::format!("{key}=init\0");
            assert_eq!(bytes(&Record { fields: &fields, ..SOUND }), Err(Error::Invalid), "{key}");
        }
        for fields in ["decision=deny", "=x\0", "x\0", "Key=x\0", "a_key_of_too_many=x\0"] {
            assert_eq!(bytes(&Record { fields, ..SOUND }), Err(Error::Invalid), "{fields}");
        }
    }
}
