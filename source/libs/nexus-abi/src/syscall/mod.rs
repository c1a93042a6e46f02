//! System calls: one table yields numbers, decoder, encoder and the types that both sides use.
//!
//! A call is a struct; its fields are its arguments in register order (`t3` first where the call has a target, then
//! `a0`…), its `Output` the answer in `a0`…. The kernel implements one handler a struct, a program invokes the struct:
//! neither writes a register number.

mod refusals;
mod table;

pub use refusals::{ENDS, REFUSALS, refusals};
pub use table::*;

use crate::{Error, field::Words};

/// One typed system call.
pub trait Syscall: Sized {
    /// What goes into `t2`.
    const NUMBER: u64;
    /// The name that traces and tests print.
    const NAME: &'static str;
    /// What comes back in `a0`… when the status is 0.
    type Output: Answer;

    /// Reads the call from the target register and the eight words.
    fn decode(target: u64, words: &impl Words) -> Result<Self, Error>;

    /// Writes the words through `put` and returns the target register.
    fn encode(self, put: &mut impl FnMut(usize, u64)) -> u64;
}

/// The answer of a typed system call.
pub trait Answer: Sized {
    /// Reads it from `a0`….
    fn decode(words: &impl Words) -> Result<Self, Error>;

    /// Writes it through `put`.
    fn encode(self, put: &mut impl FnMut(usize, u64));
}

/// What a golden test or a document prints of one call.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// What goes into `t2`.
    pub number: u64,
    /// The name.
    pub name: &'static str,
    /// How many arguments, 0 or 1, travel in `t3`.
    pub targets: usize,
    /// Arguments in order, with their types.
    pub arguments: &'static [(&'static str, &'static str)],
    /// Results in order, with their types.
    pub results: &'static [(&'static str, &'static str)],
}

/// Declares the typed calls; see `table.rs`.
macro_rules! syscalls {
    ($(
        $(#[$doc:meta])*
        $number:literal $name:ident $(on $target:ident: $target_type:ty)? {
            $($argument:ident: $argument_type:ty),* $(,)?
        } -> $output:ident { $($result:ident: $result_type:ty),* $(,)? };
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            #[allow(missing_docs, reason = "the table documents them")]
            pub struct $name { $(pub $target: $target_type,)? $(pub $argument: $argument_type,)* }

            #[doc = concat!("What [`", stringify!($name), "`] answers.")]
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            #[allow(missing_docs, reason = "the table documents them")]
            pub struct $output { $(pub $result: $result_type,)* }

            impl Syscall for $name {
                const NUMBER: u64 = $number;
                const NAME: &'static str = stringify!($name);
                type Output = $output;

                #[inline(always)]
                #[allow(unused_variables, unused_mut, unused_assignments, reason = "a call may have no fields")]
                fn decode(target: u64, words: &impl Words) -> Result<Self, Error> {
                    let mut at = 0;
                    $(let $target = <$target_type as crate::field::Field>::read(&[target], 0)?;)?
                    $(
                        let $argument = <$argument_type as crate::field::Field>::read(words, at)?;
                        at += <$argument_type as crate::field::Field>::WORDS;
                    )*
                    Ok($name { $($target,)? $($argument,)* })
                }

                #[inline(always)]
                #[allow(unused_variables, unused_mut, unused_assignments, reason = "a call may have no fields")]
                fn encode(self, put: &mut impl FnMut(usize, u64)) -> u64 {
                    let mut at = 0;
                    let mut target = 0;
                    $(crate::field::Field::write(self.$target, 0, &mut |_, word| target = word);)?
                    $(
                        crate::field::Field::write(self.$argument, at, put);
                        at += <$argument_type as crate::field::Field>::WORDS;
                    )*
                    target
                }
            }

            impl Answer for $output {
                #[inline(always)]
                #[allow(unused_variables, unused_mut, unused_assignments, reason = "a call may have no fields")]
                fn decode(words: &impl Words) -> Result<Self, Error> {
                    let mut at = 0;
                    $(
                        let $result = <$result_type as crate::field::Field>::read(words, at)?;
                        at += <$result_type as crate::field::Field>::WORDS;
                    )*
                    Ok($output { $($result,)* })
                }

                #[inline(always)]
                #[allow(unused_variables, unused_mut, unused_assignments, reason = "a call may have no fields")]
                fn encode(self, put: &mut impl FnMut(usize, u64)) {
                    let mut at = 0;
                    $(
                        crate::field::Field::write(self.$result, at, put);
                        at += <$result_type as crate::field::Field>::WORDS;
                    )*
                }
            }
        )*

        /// Every typed call, in table order.
        pub const TYPED: &[Description] = &[$(Description {
            number: $number,
            name: stringify!($name),
            targets: ([$(stringify!($target),)?] as [&str; _]).len(),
            arguments: &[$((stringify!($target), stringify!($target_type)),)? $((stringify!($argument), stringify!($argument_type)),)*],
            results: &[$((stringify!($result), stringify!($result_type)),)*],
        },)*];

        /// Calls the macro `$callback` with the name of every typed call: how the kernel builds its dispatcher, so
        /// that a call without a handler does not compile.
        #[macro_export]
        macro_rules! for_each_syscall {
            ($callback:ident) => { $callback! { $($name)* } };
        }
    };
}

pub(crate) use syscalls;
