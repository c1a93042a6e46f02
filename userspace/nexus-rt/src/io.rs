//! Standard streams, by name.
//!
//! They are `stream` handles that whoever started the program passed on. Without a `stdout` what is printed goes to the
//! log, so that a program says something wherever it runs.

use alloc::{string::String, vec::Vec};
use core::fmt::{self, Write as _};
use core::time::Duration;

use nexus_abi::Error;
use nexus_abi::message::Extent;
use nexus_abi::syscall::ipc;
use nexus_ipc::Transport;
use nexus_proto::stream;

use crate::log::Line;
use crate::sys::{self, Departure};
use crate::{Channel, env, time};

/// Prints to the standard output.
#[macro_export]
macro_rules! print {
    ($($text:tt)*) => { $crate::io::print(format_args!($($text)*), "") };
}

/// Prints a line to the standard output.
#[macro_export]
macro_rules! println {
    () => { $crate::io::print(format_args!(""), "\n") };
    ($($text:tt)*) => { $crate::io::print(format_args!($($text)*), "\n") };
}

/// A stream of bytes.
#[derive(Clone, Debug)]
pub struct Stream<T> {
    client: stream::Client<T>,
}

/// The standard input. `EUNAVAILABLE`: there is none.
pub fn stdin() -> Result<Stream<Channel>, Error> {
    Stream::named("stdin")
}

/// The standard output. `EUNAVAILABLE`: there is none.
pub fn stdout() -> Result<Stream<Channel>, Error> {
    Stream::named("stdout")
}

/// The standard error output. `EUNAVAILABLE`: there is none.
pub fn stderr() -> Result<Stream<Channel>, Error> {
    Stream::named("stderr")
}

impl Stream<Channel> {
    /// A stream that waits for ever: a person or another program is at its other end.
    fn named(name: &str) -> Result<Stream<Channel>, Error> {
        Ok(Stream::new(Channel::new(env::handle(name)?).patient(None)))
    }
}

impl<T: Transport> Stream<T> {
    /// A stream over this transport.
    pub fn new(transport: T) -> Stream<T> {
        Stream { client: stream::Client::new(transport) }
    }

    /// Reads up to `most` bytes; none: the end.
    pub fn read(&mut self, most: usize) -> Result<Vec<u8>, Error> {
        let most = most.min(stream::CHUNK) as u32;
        Ok(self.client.read(most)?.data)
    }

    /// Writes all bytes.
    pub fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let chunk = &rest[..rest.len().min(stream::CHUNK)];
            let written = self.client.write(chunk)?.length as usize;
            if written == 0 || written > chunk.len() {
                return Err(Error::Protocol);
            }
            rest = &rest[written..];
        }
        Ok(())
    }

    /// Tells the other end that nothing more comes.
    pub fn close(&mut self) -> Result<(), Error> {
        self.client.close().map(|_| ())
    }
}

/// Prints text and an ending; what cannot be written is lost, as a closed pipe loses it.
pub fn print(text: fmt::Arguments<'_>, ending: &str) {
    match stdout() {
        Ok(mut stream) => {
            let mut whole = String::new();
            // Writing into a string cannot fail.
            let _ = fmt::write(&mut whole, text);
            whole.push_str(ending);
            let _ = stream.write_all(whole.as_bytes());
        }
        Err(_) => crate::log::write(text),
    }
}

/// How long a program in trouble waits to be heard.
const COMPLAINT: Duration = Duration::from_secs(1);

/// Writes one line to the standard error output, or the standard output, without heap: for a program in trouble.
pub fn complain(text: fmt::Arguments<'_>) {
    let Ok(stream) = env::handle("stderr").or_else(|_| env::handle("stdout")) else { return };
    let mut line = Line::default();
    // An error means that the line is full; what fits is written.
    let _ = line.write_fmt(text);
    let _ = line.write_str("\n");
    let extent = Extent { length: line.length, ..Extent::default() };
    let words = [stream::WRITE, line.length as u64, 0, 0, 0, 0, 0, 0];
    // A stream that does not answer is not worth waiting for.
    let _ = sys::message(&Departure {
        number: ipc::CALL_EXTENDED,
        target: stream.raw(),
        deadline: time::deadline_in(COMPLAINT).0,
        extent: extent.to_word(),
        words,
    });
}
