//! The emulator's debugger stub: stops the machine, reads its memory, lets it go on.
//!
//! The remote protocol of the GNU debugger (its manual, appendix E), without acknowledgements; physical addresses are an
//! extension of the emulator's.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Until the emulator listens, and for every answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes that one answer brings: twice as many digits fit the stub's packets.
const CHUNK: usize = 1024;

/// A connection.
pub(super) struct Stub {
    stream: TcpStream,
    pending: Vec<u8>,
}

/// A port that was free just now.
pub(super) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("no port is free: {error}"))?;
    listener.local_addr().map(|at| at.port()).map_err(|error| error.to_string())
}

impl Stub {
    /// Meets an emulator that was just started.
    pub(super) fn connect(port: u16) -> Result<Stub, String> {
        let end = Instant::now() + PATIENCE;
        let stream = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => break stream,
                Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(format!("the emulator's debugger port: {error}")),
            }
        };
        stream.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
        let mut stub = Stub { stream, pending: Vec::new() };
        stub.ask("QStartNoAckMode")?;
        stub.write(b"+")?;
        stub.ask("Qqemu.PhyMemMode:1")?;
        Ok(stub)
    }

    /// The machine goes on.
    pub(super) fn go_on(&mut self) -> Result<(), String> {
        self.send("vCont;c")
    }

    /// The machine stands still.
    pub(super) fn halt(&mut self) -> Result<(), String> {
        self.write(&[3])?;
        match self.answer()? {
            stop if stop.starts_with('T') || stop.starts_with('S') => Ok(()),
            other => Err(format!("the machine did not stop: {other}")),
        }
    }

    /// Words of physical memory.
    pub(super) fn words(&mut self, address: u64, count: usize) -> Result<Vec<u64>, String> {
        let mut bytes = Vec::with_capacity(8 * count);
        while bytes.len() < 8 * count {
            let length = CHUNK.min(8 * count - bytes.len());
            let digits = self.ask(&format!("m{:x},{length:x}", address + bytes.len() as u64))?;
            if digits.len() != 2 * length {
                return Err(format!("memory at {address:#x}: {digits}"));
            }
            let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap_or_default());
            let read = pairs.map(|pair| u8::from_str_radix(pair, 16)).collect::<Result<Vec<u8>, _>>();
            bytes.extend(read.map_err(|error| format!("memory at {address:#x}: {error}"))?);
        }
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        Ok(bytes.chunks(8).map(word).collect())
    }

    fn ask(&mut self, text: &str) -> Result<String, String> {
        self.send(text)?;
        self.answer()
    }

    fn send(&mut self, text: &str) -> Result<(), String> {
        self.write(packet(text).as_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream.write_all(bytes).map_err(|error| format!("the emulator's debugger port: {error}"))
    }

    /// The next packet's text.
    fn answer(&mut self) -> Result<String, String> {
        loop {
            if let Some((text, length)) = first_packet(&self.pending) {
                self.pending.drain(..length);
                return Ok(text);
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(count @ 1..) => self.pending.extend(&buffer[..count]),
                Ok(_) => return Err("the emulator closed its debugger port".to_string()),
                Err(error) => return Err(format!("the emulator's debugger port: {error}")),
            }
        }
    }
}

/// The first whole packet's text, and where it ends.
pub(super) fn first_packet(bytes: &[u8]) -> Option<(String, usize)> {
    let start = bytes.iter().position(|byte| *byte == b'$')?;
    let end = start + bytes[start..].iter().position(|byte| *byte == b'#')?;
    let text = String::from_utf8_lossy(&bytes[start + 1..end]).into_owned();
    (bytes.len() >= end + 3).then_some((text, end + 3))
}

/// The text and the sum of its bytes.
pub(super) fn packet(text: &str) -> String {
    let sum = text.bytes().fold(0u8, u8::wrapping_add);
    format!("${text}#{sum:02x}")
}
