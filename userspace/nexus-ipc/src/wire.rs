//! Types that a declaration may name, and how each travels.
//!
//! A [`Wire`] type says how many words, bytes and handles it needs, so the bounds of every method are known to the
//! compiler. Numbers and the types of `nexus-abi` travel as their words. [`Bytes`] and [`Text`] stand for bounded byte
//! strings: one word for the length, the bytes in the payload. Handles travel beside the words, since the kernel must
//! see them.

use alloc::{string::String, vec::Vec};
use core::convert::Infallible;
use core::hint::black_box;

use nexus_abi::field::Field;
use nexus_abi::message::{Passing, WORDS};
use nexus_abi::{Error, Handle};

use crate::{Handles, Message};

/// A type that can stand in an interface declaration.
pub trait Wire {
    /// What a sender hands over and a service's handler sees.
    type View<'a>;
    /// What a receiver keeps.
    type Owned;
    /// Words it takes.
    const WORDS: usize;
    /// Payload bytes it takes at most.
    const BYTES: usize;
    /// Handles it takes at most.
    const HANDLES: usize;

    /// Appends a value.
    fn put(value: Self::View<'_>, to: &mut Writer<'_>) -> Result<(), Error>;
    /// Takes the next value.
    fn take<'a>(from: &mut Reader<'a>) -> Result<Self::View<'a>, Error>;
    /// Keeps a value.
    fn keep(value: Self::View<'_>) -> Self::Owned;
    /// Looks at a kept value.
    fn view(value: &Self::Owned) -> Self::View<'_>;
}

/// A message under construction: words in registers, where nothing else is declared.
pub struct Writer<'a> {
    words: [u64; WORDS],
    word: usize,
    /// Where bytes and handles go; none: the declaration has neither.
    beside: Option<&'a mut Message>,
}

impl<'a> Writer<'a> {
    /// Starts a message of words alone whose word 0 is `tag`.
    #[inline(always)]
    pub fn plain(tag: u64) -> Writer<'a> {
        Writer { words: [tag, 0, 0, 0, 0, 0, 0, 0], word: 1, beside: None }
    }

    /// Starts a message of any kind over one that has nothing beside its words.
    #[inline(always)]
    pub fn over(message: &'a mut Message, tag: u64) -> Writer<'a> {
        // Not known to be 0 where this is compiled: seven stores, where it would call `memset`.
        let zero = black_box(0);
        Writer { words: [tag, zero, zero, zero, zero, zero, zero, zero], word: 1, beside: Some(message) }
    }

    /// The words; with what was put beside them the message is whole.
    #[inline(always)]
    pub fn finish(self) -> [u64; WORDS] {
        if let Some(message) = self.beside {
            message.words = self.words;
        }
        self.words
    }

    #[inline(always)]
    fn field(&mut self, value: impl FieldWrite) {
        self.word += value.write_at(self.word, &mut self.words);
    }

    fn beside(&mut self) -> Result<&mut Message, Error> {
        self.beside.as_deref_mut().ok_or(Error::OverLimit)
    }
}

/// A message being taken apart. What is not taken is an error at the end: every message has one meaning.
pub struct Reader<'a> {
    words: &'a [u64; WORDS],
    payload: &'a [u8],
    handles: Option<&'a Handles>,
    word: usize,
    byte: usize,
    handle: usize,
}

impl<'a> Reader<'a> {
    /// Starts behind word 0.
    #[inline(always)]
    pub fn new(message: &'a Message) -> Reader<'a> {
        let whole = Reader::plain(&message.words);
        Reader { payload: &message.payload, handles: Some(&message.handles), ..whole }
    }

    /// Starts behind word 0 of a message of words alone.
    #[inline(always)]
    pub fn plain(words: &'a [u64; WORDS]) -> Reader<'a> {
        Reader { words, payload: &[], handles: None, word: 1, byte: 0, handle: 0 }
    }

    /// `EMALFORMED` if bytes, handles or non-zero words are left over.
    #[inline(always)]
    pub fn finish(self) -> Result<(), Error> {
        let beside = self.byte == self.payload.len() && self.handle == self.handles.map_or(0, Handles::len);
        if beside && self.surplus() == 0 { Ok(()) } else { Err(Error::Malformed) }
    }

    /// All bits of the words that nobody took: written out, since what was taken is known where this is compiled.
    #[inline(always)]
    fn surplus(&self) -> u64 {
        let left = |at: usize| if at >= self.word { self.words[at] } else { 0 };
        left(1) | left(2) | left(3) | left(4) | left(5) | left(6) | left(7)
    }

    #[inline(always)]
    fn field<T: Field>(&mut self) -> Result<T, Error> {
        let value = T::read(self.words, self.word)?;
        self.word += T::WORDS;
        Ok(value)
    }

    fn bytes(&mut self, most: usize) -> Result<&'a [u8], Error> {
        let length = usize::try_from(self.field::<u64>()?).map_err(|_| Error::Invalid)?;
        if length > most {
            return Err(Error::TooLong);
        }
        let end = self.byte + length;
        let bytes = self.payload.get(self.byte..end).ok_or(Error::Invalid)?;
        self.byte = end;
        Ok(bytes)
    }

    fn handle(&mut self) -> Result<Handle, Error> {
        let handle = self.handles.and_then(|handles| handles.get(self.handle)).ok_or(Error::BadHandle)?;
        self.handle += 1;
        Ok(handle)
    }
}

trait FieldWrite {
    fn write_at(self, at: usize, words: &mut [u64]) -> usize;
}

impl<T: Field> FieldWrite for T {
    #[inline(always)]
    fn write_at(self, at: usize, words: &mut [u64]) -> usize {
        self.write(at, &mut |at, word| words[at] = word);
        T::WORDS
    }
}

/// Makes types that are fields of `nexus-abi` usable in declarations; also for a protocol's own enums.
#[macro_export]
macro_rules! wire_fields {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::wire::Wire for $type {
            type View<'a> = $type;
            type Owned = $type;
            const WORDS: usize = <$type as $crate::__abi::field::Field>::WORDS;
            const BYTES: usize = 0;
            const HANDLES: usize = 0;

            #[inline(always)]
            fn put(value: $type, to: &mut $crate::wire::Writer<'_>) -> Result<(), $crate::__abi::Error> {
                $crate::wire::put_field(value, to);
                Ok(())
            }

            #[inline(always)]
            fn take<'a>(from: &mut $crate::wire::Reader<'a>) -> Result<$type, $crate::__abi::Error> {
                $crate::wire::take_field(from)
            }

            fn keep(value: $type) -> $type {
                value
            }

            fn view(value: &$type) -> $type {
                *value
            }
        }
    )*};
}

/// Appends a field's words.
#[inline(always)]
pub fn put_field<T: Field>(value: T, to: &mut Writer<'_>) {
    to.field(value);
}

/// Takes a field's words.
#[inline(always)]
pub fn take_field<T: Field>(from: &mut Reader<'_>) -> Result<T, Error> {
    from.field()
}

wire_fields! {
    u64, i64, u32, u16, u8,
    nexus_abi::Deadline, nexus_abi::Kind, nexus_abi::Limits, nexus_abi::Name, nexus_abi::ProcessId,
    nexus_abi::QosClass, nexus_abi::Quota, nexus_abi::Rights, nexus_abi::ServiceId,
}

/// In a declaration: at most `N` bytes.
pub struct Bytes<const N: usize>(Infallible);

impl<const N: usize> Wire for Bytes<N> {
    type View<'a> = &'a [u8];
    type Owned = Vec<u8>;
    const WORDS: usize = 1;
    const BYTES: usize = N;
    const HANDLES: usize = 0;

    fn put(value: &[u8], to: &mut Writer<'_>) -> Result<(), Error> {
        if value.len() > N {
            return Err(Error::TooLong);
        }
        to.field(value.len() as u64);
        to.beside()?.payload.extend_from_slice(value);
        Ok(())
    }

    fn take<'a>(from: &mut Reader<'a>) -> Result<&'a [u8], Error> {
        from.bytes(N)
    }

    fn keep(value: &[u8]) -> Vec<u8> {
        value.into()
    }

    fn view(value: &Vec<u8>) -> &[u8] {
        value
    }
}

/// In a declaration: UTF-8 of at most `N` bytes.
pub struct Text<const N: usize>(Infallible);

impl<const N: usize> Wire for Text<N> {
    type View<'a> = &'a str;
    type Owned = String;
    const WORDS: usize = 1;
    const BYTES: usize = N;
    const HANDLES: usize = 0;

    fn put(value: &str, to: &mut Writer<'_>) -> Result<(), Error> {
        Bytes::<N>::put(value.as_bytes(), to)
    }

    fn take<'a>(from: &mut Reader<'a>) -> Result<&'a str, Error> {
        core::str::from_utf8(from.bytes(N)?).map_err(|_| Error::Invalid)
    }

    fn keep(value: &str) -> String {
        value.into()
    }

    fn view(value: &String) -> &str {
        value
    }
}

impl Wire for Handle {
    type View<'a> = Handle;
    type Owned = Handle;
    const WORDS: usize = 0;
    const BYTES: usize = 0;
    const HANDLES: usize = 1;

    fn put(value: Handle, to: &mut Writer<'_>) -> Result<(), Error> {
        to.beside()?.handles.push(value)
    }

    fn take<'a>(from: &mut Reader<'a>) -> Result<Handle, Error> {
        from.handle()
    }

    fn keep(value: Handle) -> Handle {
        value
    }

    fn view(value: &Handle) -> Handle {
        *value
    }
}

impl Wire for Option<Handle> {
    type View<'a> = Option<Handle>;
    type Owned = Option<Handle>;
    const WORDS: usize = 1;
    const BYTES: usize = 0;
    const HANDLES: usize = 1;

    fn put(value: Option<Handle>, to: &mut Writer<'_>) -> Result<(), Error> {
        to.field(u64::from(value.is_some()));
        value.map_or(Ok(()), |handle| Handle::put(handle, to))
    }

    fn take<'a>(from: &mut Reader<'a>) -> Result<Option<Handle>, Error> {
        match from.field::<u64>()? {
            0 => Ok(None),
            1 => from.handle().map(Some),
            _ => Err(Error::Invalid),
        }
    }

    fn keep(value: Option<Handle>) -> Option<Handle> {
        value
    }

    fn view(value: &Option<Handle>) -> Option<Handle> {
        *value
    }
}

/// In a declaration: a handle that the sender gives away. Then all handles of that message are given.
pub struct Moved(Infallible);

impl Wire for Moved {
    type View<'a> = Handle;
    type Owned = Handle;
    const WORDS: usize = 0;
    const BYTES: usize = 0;
    const HANDLES: usize = 1;

    fn put(value: Handle, to: &mut Writer<'_>) -> Result<(), Error> {
        let beside = to.beside()?;
        beside.passing = Passing::Move;
        beside.handles.push(value)
    }

    fn take<'a>(from: &mut Reader<'a>) -> Result<Handle, Error> {
        from.handle()
    }

    fn keep(value: Handle) -> Handle {
        value
    }

    fn view(value: &Handle) -> Handle {
        *value
    }
}
