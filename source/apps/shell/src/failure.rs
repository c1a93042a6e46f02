//! Why a command failed: a stable name and a sentence.

use alloc::string::String;
use core::fmt;
use nexus_abi::Error;

/// What `error: <NAME>: <text>` shows and `status` repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The stable name.
    pub name: &'static str,
    /// For people.
    pub text: String,
}

impl Failure {
    /// A failure with the name of a system error.
    pub fn new(error: Error, text: impl Into<String>) -> Self {
        Failure { name: error.name(), text: text.into() }
    }

    /// `EINVAL`: what was typed cannot be meant.
    pub fn invalid(text: impl Into<String>) -> Self {
        Failure::new(Error::Invalid, text)
    }

    /// A program that did not end with status 0: `EEXIT`, `EKILLED` or `EFAULTED`.
    pub fn ended(name: &'static str, text: impl Into<String>) -> Self {
        Failure { name, text: text.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}: {}", self.name, self.text)
    }
}
