//! A hart that is held stopped through the emulator's debugger stub.

use crate::proof::emulator::Machine;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Until the emulator listens.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the hart is held: longer than any scene takes.
const HELD: Duration = Duration::from_secs(120);

/// The machine stops before its first instruction; then only its first hart goes on.
pub(super) fn first_hart_only(machine: Machine) -> Machine {
    // The port is free now; who else takes one before the emulator starts fails the scene, and nothing worse.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_or(1, |at| at.port());
    std::thread::spawn(move || hold(port));
    machine.with("GDB", port)
}

/// Lets the first hart go on and keeps the connection, for as long as the machine lives.
fn hold(port: u16) -> Option<()> {
    let end = Instant::now() + PATIENCE;
    let mut stub = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stub) => break stub,
            Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(20)),
            Err(_) => return None,
        }
    };
    stub.write_all(packet("vCont;c:1").as_bytes()).ok()?;
    stub.set_read_timeout(Some(HELD)).ok()?;
    let mut answer = [0; 256];
    while stub.read(&mut answer).ok()? > 0 {}
    Some(())
}

/// A packet of the remote protocol: the text and the sum of its bytes.
fn packet(text: &str) -> String {
    let sum = text.bytes().fold(0u8, u8::wrapping_add);
    format!("${text}#{sum:02x}")
}
