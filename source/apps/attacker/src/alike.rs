//! Many calls that must all be refused in the same way.

use nexus_abi::Error;
use nexus_rt::log;

use crate::{Failure, Outcome, Tried};

/// What the calls so far were refused with.
#[derive(Default)]
pub(crate) struct Alike {
    error: Option<Error>,
}

impl Alike {
    /// Takes note of one call.
    pub(crate) fn add<T>(&mut self, what: &str, got: Result<T, Error>) -> Result<(), Failure> {
        match (got.err(), self.error) {
            (None, _) => {
                log!("{what}: let through");
                Err(Failure::Wrong("everything is refused"))
            }
            (Some(error), Some(first)) if error != first => {
                log!("{what}: {}, others before it {}", error.name(), first.name());
                Err(Failure::Wrong("all are refused alike"))
            }
            (Some(error), _) => {
                self.error = Some(error);
                Ok(())
            }
        }
    }

    /// The error of all of them.
    pub(crate) fn outcome(self) -> Tried {
        self.error.map(Outcome::Refused).ok_or(Failure::Wrong("something was tried"))
    }
}
