//! The console's foreground session: keys in, buffered text out, loans to programs.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use nexus_abi::syscall::{Close, NotificationCreate, Wait};
use nexus_abi::{Deadline, Error, Handle};
use nexus_proto::console;
use nexus_rt::Channel;
use nexus_rt::kernel::invoke;
use nexus_rt::time::deadline_in;

/// Text that is collected before it is written.
const BUFFER: usize = console::CHUNK;

/// The notification on which the session waits beside the console.
#[derive(Clone, Copy, Debug)]
pub(super) struct Events(Handle);

impl Events {
    /// Ctrl-C was pressed.
    pub(super) const INTERRUPT: u64 = 1;
    /// A program that was watched has ended.
    pub(super) const ENDED: u64 = 2;

    /// There is a record that was waited for.
    pub(super) const RECORDED: u64 = 4;

    pub(super) fn handle(self) -> Handle {
        self.0
    }

    /// Waits for any of them, and takes them.
    pub(super) fn wait(self) -> Result<u64, Error> {
        invoke(Wait { notification: self.0, deadline: Deadline::NEVER }).map(|waited| waited.bits)
    }

    /// As [`Events::wait`], but not longer than this; then there are none.
    pub(super) fn wait_within(self, patience: Duration) -> Result<u64, Error> {
        self.wait_until(deadline_in(patience))
    }

    /// As [`Events::wait`], but not longer than until then; then there are none.
    pub(super) fn wait_until(self, deadline: Deadline) -> Result<u64, Error> {
        match invoke(Wait { notification: self.0, deadline }) {
            Ok(waited) => Ok(waited.bits),
            Err(Error::TimedOut) => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// Keys and screen. A line is written when it ends, so that it stands before what a program then prints itself.
pub(super) struct Terminal {
    console: console::Client<Channel>,
    events: Events,
    text: String,
    /// The first failure of a write; the next flush says it.
    lost: Option<Error>,
}

impl Terminal {
    /// Becomes the foreground session.
    pub(super) fn open() -> Result<Self, Error> {
        let events = Events(invoke(NotificationCreate { process: None })?.notification);
        let mut console = client()?;
        console.claim(events.handle(), Events::INTERRUPT)?;
        Ok(Terminal { console, events, text: String::new(), lost: None })
    }

    pub(super) fn events(&self) -> Events {
        self.events
    }

    /// Waits for keys.
    pub(super) fn read(&mut self) -> Result<Vec<u8>, Error> {
        self.console.read(console::KEYS as u32).map(|keys| keys.data)
    }

    /// Writes what was collected.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        let text = core::mem::take(&mut self.text);
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let length = self.console.write(&rest[..rest.len().min(console::CHUNK)])?.length as usize;
            rest = rest.get(length..).filter(|_| length > 0).ok_or(Error::Protocol)?;
        }
        self.lost.take().map_or(Ok(()), Err)
    }
}

impl fmt::Write for Terminal {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.push_str(text);
        if (self.text.len() >= BUFFER || text.ends_with('\n'))
            && let Err(error) = self.flush()
        {
            self.lost.get_or_insert(error);
            return Err(fmt::Error);
        }
        Ok(())
    }
}

/// Keys and screen in the hands of a program, until dropped.
pub(super) struct Loan {
    stream: Handle,
}

impl Loan {
    pub(super) fn take() -> Result<Self, Error> {
        client()?.lend().map(|lent| Loan { stream: lent.stream })
    }

    pub(super) fn stream(&self) -> Handle {
        self.stream
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        // A console that is gone has ended the loan itself.
        let _ = client().and_then(|mut console| console.retake());
        let _ = invoke(Close { handle: self.stream });
    }
}

/// A client that waits as long as the person at the keyboard does.
fn client() -> Result<console::Client<Channel>, Error> {
    Ok(console::Client::new(Channel::to(console::NAME)?.patient(None)))
}
