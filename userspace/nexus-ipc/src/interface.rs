//! Interfaces: one declaration yields service trait, dispatch, client, limits and idempotency.
//!
//! ```
//! nexus_ipc::interface! {
//!     /// Adds numbers.
//!     "adder" Adder {
//!         /// The sum.
//!         1 add again { left: u32, right: u32 } -> Sum { sum: u64 };
//!         /// Remembers a note.
//!         2 note once { text: nexus_ipc::Text<64> } -> Noted {};
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! Each module holds one interface and gets: the trait (here `Adder`) with one handler a method, the answers (`Sum`,
//! `Noted`), `dispatch`, a typed `Client`, `NAME` and `METHODS`. `again` marks a method that may be repeated with the
//! same meaning; `once` one that may not. A request takes at most seven words: more does not compile.

use nexus_abi::message::{MAX_HANDLES, MAX_INLINE, WORDS};
use nexus_abi::{Error, ServiceId};

use crate::wire::{Reader, Writer};
use crate::{Message, NoAnswer};

/// What an interface says about one of its methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its number in the interface.
    pub number: u16,
    /// Its name.
    pub name: &'static str,
    /// Whether it may be repeated.
    pub repeat: Repeat,
    /// What a request takes at most.
    pub request: Limits,
    /// What an answer takes at most.
    pub answer: Limits,
}

/// Whether a request whose fate is unknown may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Idempotent: again means the same as once.
    Again,
    /// A repetition would act twice.
    Once,
}

/// Whether a message can have bytes or handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Words say it all.
    Never,
    /// It can.
    Perhaps,
}

/// Bounds of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Words beside the tag.
    pub words: usize,
    /// Payload bytes.
    pub bytes: usize,
    /// Handles.
    pub handles: usize,
}

impl Limits {
    /// Adds what a further value takes.
    pub const fn plus(self, words: usize, bytes: usize, handles: usize) -> Limits {
        Limits { words: self.words + words, bytes: self.bytes + bytes, handles: self.handles + handles }
    }

    /// Whether such a message can have bytes or handles.
    pub const fn beside(&self) -> Beside {
        if self.bytes + self.handles == 0 { Beside::Never } else { Beside::Perhaps }
    }

    /// True if such a message can exist.
    pub const fn fits(&self) -> bool {
        self.words < WORDS && self.bytes <= MAX_INLINE && self.handles <= MAX_HANDLES
    }
}

/// The answer of a method, as both sides see it.
pub trait Answer: Sized {
    /// Whether anything can stand beside its words.
    const BESIDE: Beside;

    /// Writes it behind word 0 of an accepting message.
    fn write(&self, to: &mut Writer<'_>) -> Result<(), Error>;
    /// Reads it from behind word 0 of an accepting message.
    fn read(from: Reader<'_>) -> Result<Self, Error>;

    /// The accepting message.
    fn encode(&self) -> Result<Message, Error> {
        let mut message = Message::default();
        let mut writer = Writer::over(&mut message, 0);
        self.write(&mut writer)?;
        writer.finish();
        Ok(message)
    }

    /// Reads an accepting message.
    fn decode(message: &Message) -> Result<Self, Error> {
        Self::read(Reader::new(message))
    }
}

/// Reads an answer, and writes it again.
pub type Reread = fn(&Message) -> Result<Message, Error>;

/// A service of every interface, whose handlers only write down the request that they were called with, and say that
/// they were [`REACHED`]: for whoever examines decoders.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    /// The request, written again from what a handler was given; or why that cannot be.
    pub request: Option<Result<Message, Error>>,
}

/// What the handlers of [`Probe`] say.
pub const REACHED: NoAnswer = NoAnswer::Refused(Error::Cancelled);

/// Word 0 of a request: which interface, and which method of it. A hash: to be computed by the compiler.
pub const fn tag(interface: &str, number: u16) -> u64 {
    ServiceId::program(interface).0 << 16 | number as u64
}

/// True if a request with this word 0 is of the interface whose method 0 has the tag `first`, known method or not.
pub const fn owns(first: u64, tag: u64) -> bool {
    tag & !0xffff == first
}

/// True if neither request nor answer of the method with this number has anything beside its words.
pub const fn plain(methods: &[Method], number: u16) -> bool {
    let mut at = 0;
    while at < methods.len() {
        if methods[at].number == number {
            let (request, answer) = (&methods[at].request, &methods[at].answer);
            return matches!((request.beside(), answer.beside()), (Beside::Never, Beside::Never));
        }
        at += 1;
    }
    false
}

/// Declares the interface of the module it stands in; see the [module](mod@crate::interface).
#[macro_export]
macro_rules! interface {
    (
        $(#[$doc:meta])*
        $text:literal $service:ident {
            $(
                $(#[$method_doc:meta])*
                $number:literal $method:ident $repeat:ident { $($argument:ident: $argument_type:ty),* $(,)? }
                    -> $answer:ident { $($result:ident: $result_type:ty),* $(,)? };
            )*
        }
    ) => {
        /// The interface's name: what handles to it are called at start and in routes.
        pub const NAME: &str = $text;

        /// What the interface says about each of its methods.
        pub const METHODS: &[$crate::interface::Method] = &[$($crate::interface::Method {
            number: $number,
            name: stringify!($method),
            repeat: $crate::__repeat!($repeat),
            request: $crate::interface::Limits { words: 0, bytes: 0, handles: 0 }
                $(.plus(
                    <$argument_type as $crate::wire::Wire>::WORDS,
                    <$argument_type as $crate::wire::Wire>::BYTES,
                    <$argument_type as $crate::wire::Wire>::HANDLES,
                ))*,
            answer: $crate::interface::Limits { words: 0, bytes: 0, handles: 0 }
                $(.plus(
                    <$result_type as $crate::wire::Wire>::WORDS,
                    <$result_type as $crate::wire::Wire>::BYTES,
                    <$result_type as $crate::wire::Wire>::HANDLES,
                ))*,
        },)*];

        const _: () = {
            let mut at = 0;
            while at < METHODS.len() {
                assert!(METHODS[at].request.fits() && METHODS[at].answer.fits(), "a message of this interface is too big");
                at += 1;
            }
        };

        $(
            #[doc = concat!("What `", stringify!($method), "` answers.")]
            #[derive(Clone, Debug, PartialEq, Eq)]
            #[allow(missing_docs, reason = "the interface documents them")]
            pub struct $answer { $(pub $result: <$result_type as $crate::wire::Wire>::Owned,)* }

            impl $crate::interface::Answer for $answer {
                const BESIDE: $crate::interface::Beside = $crate::interface::Limits { words: 0, bytes: 0, handles: 0 }
                    $(.plus(0, <$result_type as $crate::wire::Wire>::BYTES, <$result_type as $crate::wire::Wire>::HANDLES))*
                    .beside();

                #[inline(always)]
                #[allow(unused_variables, reason = "there may be no fields")]
                fn write(&self, to: &mut $crate::wire::Writer<'_>) -> Result<(), $crate::__abi::Error> {
                    $(<$result_type as $crate::wire::Wire>::put(
                        <$result_type as $crate::wire::Wire>::view(&self.$result),
                        to,
                    )?;)*
                    Ok(())
                }

                #[inline(always)]
                #[allow(unused_mut, reason = "there may be no fields")]
                fn read(mut from: $crate::wire::Reader<'_>) -> Result<Self, $crate::__abi::Error> {
                    $(let $result = <$result_type as $crate::wire::Wire>::take(&mut from)?;)*
                    from.finish()?;
                    Ok($answer { $($result: <$result_type as $crate::wire::Wire>::keep($result),)* })
                }
            }
        )*

        $(#[$doc])*
        pub trait $service {
            $(
                $(#[$method_doc])*
                fn $method(
                    &mut self,
                    call: &mut $crate::Call<'_>,
                    $($argument: <$argument_type as $crate::wire::Wire>::View<'_>,)*
                ) -> $crate::Outcome<$answer>;
            )*
        }

        /// Serves a request of this interface. `ENOSYS`: it is another's, or has no such method.
        pub fn dispatch<S: $service + ?Sized>(
            service: &mut S,
            call: &mut $crate::Call<'_>,
            request: &$crate::Message,
        ) -> $crate::Outcome<$crate::Answered> {
            if !owns(request) {
                return Err($crate::NoAnswer::Refused($crate::__abi::Error::NoCall));
            }
            $(
                if request.tag() as u16 == $number {
                    #[allow(unused_mut, reason = "there may be no fields")]
                    let mut reader = $crate::wire::Reader::new(request);
                    $(let $argument = <$argument_type as $crate::wire::Wire>::take(&mut reader)?;)*
                    reader.finish()?;
                    let answer = service.$method(call, $($argument,)*)?;
                    return call.answer(&answer);
                }
            )*
            Err($crate::NoAnswer::Refused($crate::__abi::Error::NoCall))
        }

        impl $service for $crate::interface::Probe {
            $(
                fn $method(
                    &mut self,
                    _: &mut $crate::Call<'_>,
                    $($argument: <$argument_type as $crate::wire::Wire>::View<'_>,)*
                ) -> $crate::Outcome<$answer> {
                    #[allow(unused_mut, reason = "there may be no arguments")]
                    let mut message = $crate::Message::default();
                    #[allow(unused_mut, reason = "there may be no arguments")]
                    let mut writer =
                        $crate::wire::Writer::over(&mut message, const { $crate::interface::tag(NAME, $number) });
                    #[allow(unused_mut, reason = "there may be no arguments")]
                    let mut written = Ok(());
                    $(written = written.and_then(|()| <$argument_type as $crate::wire::Wire>::put($argument, &mut writer));)*
                    writer.finish();
                    self.request = Some(written.map(|()| message));
                    Err($crate::interface::REACHED)
                }
            )*
        }

        /// For each method, in order: reads its answer, and writes it again.
        pub const ANSWERS: &[$crate::interface::Reread] =
            &[$(|answer| $crate::interface::Answer::encode(&<$answer as $crate::interface::Answer>::decode(answer)?),)*];

        /// True if a request is one of this interface's.
        pub fn owns(request: &$crate::Message) -> bool {
            $crate::interface::owns(const { $crate::interface::tag(NAME, 0) }, request.tag())
        }

        /// Calls a service through a transport.
        #[derive(Clone, Debug)]
        pub struct Client<T> {
            stub: $crate::Stub<T>,
        }

        impl<T: $crate::Transport> Client<T> {
            /// A client over this transport.
            pub fn new(transport: T) -> Client<T> {
                Client { stub: $crate::Stub::new(transport) }
            }

            /// Sets the deadline of the next call only; without one the transport's patience holds.
            pub fn until(&mut self, deadline: $crate::__abi::Deadline) -> &mut Client<T> {
                self.stub.until(deadline);
                self
            }

            /// The transport.
            pub fn transport(&mut self) -> &mut T {
                self.stub.transport()
            }

            $(
                $(#[$method_doc])*
                #[allow(unused_mut, reason = "there may be no fields")]
                pub fn $method(
                    &mut self,
                    $($argument: <$argument_type as $crate::wire::Wire>::View<'_>,)*
                ) -> Result<$answer, $crate::__abi::Error> {
                    const TAG: u64 = $crate::interface::tag(NAME, $number);
                    if const { $crate::interface::plain(METHODS, $number) } {
                        let mut writer = $crate::wire::Writer::plain(TAG);
                        $(<$argument_type as $crate::wire::Wire>::put($argument, &mut writer)?;)*
                        let answer = <$answer as $crate::interface::Answer>::read;
                        return self.stub.exchange(writer.finish(), $crate::__repeat!($repeat), answer);
                    }
                    let mut request = $crate::Message::default();
                    let mut writer = $crate::wire::Writer::over(&mut request, TAG);
                    $(<$argument_type as $crate::wire::Wire>::put($argument, &mut writer)?;)*
                    writer.finish();
                    self.stub.call(
                        &request,
                        $crate::__repeat!($repeat),
                        <$answer as $crate::interface::Answer>::decode,
                    )
                }
            )*
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __repeat {
    (again) => {
        $crate::interface::Repeat::Again
    };
    (once) => {
        $crate::interface::Repeat::Once
    };
}
