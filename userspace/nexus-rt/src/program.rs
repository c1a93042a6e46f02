//! How a program ends.

use nexus_abi::Error;
use nexus_abi::syscall::ProcessExit;

use crate::kernel::invoke;

/// Exit status of a program that panicked.
pub const PANIC_STATUS: i64 = 101;

/// Ends the process with a status.
pub fn exit(status: i64) -> ! {
    loop {
        let _ = invoke(ProcessExit { status });
    }
}

/// What `main` may return.
pub trait Status {
    /// The exit status.
    fn of(self) -> i64;
}

impl Status for () {
    fn of(self) -> i64 {
        0
    }
}

impl Status for i64 {
    fn of(self) -> i64 {
        self
    }
}

impl Status for core::convert::Infallible {
    fn of(self) -> i64 {
        match self {}
    }
}

impl<T: Status> Status for Result<T, Error> {
    fn of(self) -> i64 {
        match self {
            Ok(value) => value.of(),
            Err(error) => {
                crate::log!("ended: {}", error.name());
                error.number().into()
            }
        }
    }
}
