//! How typed values travel in words.
//!
//! A [`Field`] reads itself from a cursor over registers and refuses what its type cannot hold: no clamp, no
//! truncation. System calls and interfaces share these rules.

use crate::{Deadline, Error, Handle, Kind, Name, ProcessId, QosClass, Quota, Rights, ServiceId, Shard};

/// Where words come from: a trap frame in the kernel, an array elsewhere.
pub trait Words {
    /// Word `at`; 0 beyond the end.
    fn word(&self, at: usize) -> u64;
}

impl<const N: usize> Words for [u64; N] {
    fn word(&self, at: usize) -> u64 {
        self.get(at).copied().unwrap_or(0)
    }
}

/// A value that travels in one or more words.
pub trait Field: Sized {
    /// How many words it takes.
    const WORDS: usize;
    /// Reads it at `at`, or says why these words are not one.
    fn read(words: &impl Words, at: usize) -> Result<Self, Error>;
    /// Writes its words through `put(index, word)`.
    fn write(self, at: usize, put: &mut impl FnMut(usize, u64));
}

macro_rules! one_word {
    ($($type:ty: $value:ident => $to:expr, $word:ident => $from:expr;)*) => {$(
        impl Field for $type {
            const WORDS: usize = 1;
            #[inline(always)]
            fn read(words: &impl Words, at: usize) -> Result<Self, Error> {
                let $word = words.word(at);
                $from
            }
            #[inline(always)]
            fn write(self, at: usize, put: &mut impl FnMut(usize, u64)) {
                let $value = self;
                put(at, $to);
            }
        }
    )*};
}

one_word! {
    u64: value => value, word => Ok(word);
    i64: value => value as u64, word => Ok(word as i64);
    u32: value => value.into(), word => u32::try_from(word).map_err(|_| Error::Invalid);
    u16: value => value.into(), word => u16::try_from(word).map_err(|_| Error::Invalid);
    u8: value => value.into(), word => u8::try_from(word).map_err(|_| Error::Invalid);
    Handle: value => value.raw(), word => Handle::from_raw(word).ok_or(Error::BadHandle);
    Option<Handle>: value => value.map_or(0, Handle::raw), word => Ok(Handle::from_raw(word));
    Option<Shard>: value => value.map_or(0, |shard| shard.number() as u64 + 1), word => read_shard(word);
    Rights: value => value.bits().into(), word => Rights::from_bits(word).ok_or(Error::Invalid);
    Kind: value => value as u64, word => u8::try_from(word).ok().and_then(Kind::from_number).ok_or(Error::Invalid);
    QosClass: value => value as u64, word => QosClass::from_wire(word).ok_or(Error::Invalid);
    Deadline: value => value.0, word => Ok(Deadline(word));
    ServiceId: value => value.0, word => Ok(ServiceId(word));
    ProcessId: value => value.0, word => Ok(ProcessId(word));
}

/// 0: none; else 1 + its number.
fn read_shard(word: u64) -> Result<Option<Shard>, Error> {
    match word {
        0 => Ok(None),
        more => u8::try_from(more - 1).ok().and_then(Shard::new).map(Some).ok_or(Error::Invalid),
    }
}

macro_rules! three_words {
    ($($type:ty: $value:ident => $to:expr, $words:ident => $from:expr;)*) => {$(
        impl Field for $type {
            const WORDS: usize = 3;
            #[inline(always)]
            fn read(source: &impl Words, at: usize) -> Result<Self, Error> {
                let $words = [source.word(at), source.word(at + 1), source.word(at + 2)];
                $from
            }
            #[inline(always)]
            fn write(self, at: usize, put: &mut impl FnMut(usize, u64)) {
                let $value = self;
                for (offset, word) in $to.into_iter().enumerate() {
                    put(at + offset, word);
                }
            }
        }
    )*};
}

three_words! {
    Name: value => value.to_words(), words => Name::from_words(words).ok_or(Error::Invalid);
    Quota: value => value.to_words(), words => Ok(Quota::from_words(words));
}
