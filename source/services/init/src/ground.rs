//! What init stands on: system calls, one-way messages, lines for the console.

use core::fmt;

use nexus_abi::{Error, Handle};
use nexus_ipc::Message;
use nexus_proto::audit::Audit;
use nexus_rt::{Kernel, Machine};

/// The machine below init; a test supplies its own.
pub trait Ground: Kernel {
    /// Sends a one-way message.
    fn send(&mut self, endpoint: Handle, message: &Message) -> Result<(), Error>;

    /// Prints a line under init's prefix.
    fn line(&mut self, text: fmt::Arguments<'_>);

    /// Records a decision.
    fn audit(&mut self, audit: &Audit<'_>);
}

impl Ground for Machine {
    fn send(&mut self, endpoint: Handle, message: &Message) -> Result<(), Error> {
        nexus_rt::channel::send(endpoint, message)
    }

    fn line(&mut self, text: fmt::Arguments<'_>) {
        nexus_rt::log::write(text);
    }

    fn audit(&mut self, audit: &Audit<'_>) {
        nexus_rt::records::audit(audit);
    }
}
