//! Harts that are held stopped, or let go first, through the emulator's debugger stub.
//!
//! The machine waits for the debugger before its first instruction; a thread of ours is the debugger for as long as the
//! machine lives. What it does not come to leaves the machine standing, and the scene fails by its own deadlines.

use crate::proof::emulator::Machine;
use elf::{ElfBytes, endian::LittleEndian};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Until the emulator listens, and until the machine comes to a place.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a hart is held: longer than any scene takes.
const HELD: Duration = Duration::from_secs(120);
/// What a hart gets to finish what it began before it is held.
const SETTLE: Duration = Duration::from_millis(300);

/// The kernel's first test that other CPUs take part in.
const BEFORE_INTERRUPTS: &str = "Trial22nothing_without_a_send";
/// The first that moves a thread.
const BEFORE_STEALING: &str = "Trial6steals";

/// Where the emulator tells the firmware which hart is to boot: behind the ten words of its reset code. The record begins
/// with `OSBI` (OpenSBI, `fw_dynamic.h`).
const FIRMWARE_INFO: u64 = 0x1028;
const BOOT_HART: u64 = 40;

/// Only the first hart ever goes on.
pub(super) fn from_the_start(machine: Machine) -> Machine {
    debugged(machine, |stub| stub.let_go("c:1"))
}

/// The second hart is held when it is online, before the first one interrupts it.
pub(super) fn before_interrupts(machine: Machine) -> Machine {
    debugged(machine, |stub| stub.hold_the_other(BEFORE_INTERRUPTS))
}

/// The second hart is held when it has answered, before it may steal.
pub(super) fn before_stealing(machine: Machine) -> Machine {
    debugged(machine, |stub| stub.hold_the_other(BEFORE_STEALING))
}

/// Hart 2 arrives first; the others go on when it is in the kernel.
pub(super) fn hart_2_first(machine: Machine) -> Machine {
    debugged(machine, |stub| {
        stub.send(&format!("m{FIRMWARE_INFO:x},8"))?;
        match stub.answer()?.as_str() {
            "4f53424900000000" => stub.ask(&format!("M{:x},8:0200000000000000", FIRMWARE_INFO + BOOT_HART))?,
            other => return Err(io::Error::other(format!("no boot information for the firmware: {other}"))),
        }
        stub.run_to("arrived", "c:3")?;
        stub.let_go("c")
    })
}

fn debugged(machine: Machine, act: fn(&mut Stub) -> io::Result<()>) -> Machine {
    // The port is free now; who else takes one before the emulator starts fails the scene, and nothing worse.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_or(1, |at| at.port());
    std::thread::spawn(move || {
        if let Err(error) = Stub::connect(port).and_then(|mut stub| act(&mut stub).and_then(|()| stub.stay())) {
            println!("debugger: {error}");
        }
    });
    machine.with("GDB", port)
}

/// The emulator's end of the remote protocol. Threads are harts, counted from 1.
struct Stub(TcpStream);

impl Stub {
    fn connect(port: u16) -> io::Result<Stub> {
        let end = Instant::now() + PATIENCE;
        loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(PATIENCE))?;
                    return Ok(Stub(stream));
                }
                Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(error),
            }
        }
    }

    /// Runs everything until the kernel comes to this place, then lets only the hart go on that did.
    fn hold_the_other(&mut self, place: &str) -> io::Result<()> {
        let here = self.run_to(place, "c")?;
        let other = if here == "1" { "2" } else { "1" };
        // It holds no lock of kernel or firmware when it sleeps.
        self.let_go(&format!("c:{other}"))?;
        std::thread::sleep(SETTLE);
        self.0.write_all(&[3])?;
        self.answer()?;
        self.let_go(&format!("c:{here}"))
    }

    /// Lets harts go on until one is at the symbol whose name holds `place`; which one.
    fn run_to(&mut self, place: &str, who: &str) -> io::Result<String> {
        let address = address_of(place)?;
        self.ask(&format!("Z0,{address:x},2"))?;
        self.let_go(who)?;
        let stop = self.answer()?;
        self.ask(&format!("z0,{address:x},2"))?;
        let thread = stop.split_once("thread:").and_then(|(_, rest)| rest.split(';').next()?.rsplit('.').next());
        let number = thread.and_then(|thread| u32::from_str_radix(thread, 16).ok());
        number.map(|number| number.to_string()).ok_or_else(|| io::Error::other(format!("it stopped with {stop}")))
    }

    fn let_go(&mut self, who: &str) -> io::Result<()> {
        self.send(&format!("vCont;{who}"))
    }

    fn ask(&mut self, text: &str) -> io::Result<()> {
        self.send(text)?;
        let answer = self.answer()?;
        if answer == "OK" { Ok(()) } else { Err(io::Error::other(format!("{text}: {answer}"))) }
    }

    fn send(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(packet(text).as_bytes())
    }

    /// The text of the next packet; acknowledgements before it are passed over.
    fn answer(&mut self) -> io::Result<String> {
        while self.byte()? != b'$' {}
        let mut text = String::new();
        loop {
            match self.byte()? {
                b'#' => break,
                byte => text.push(byte.into()),
            }
        }
        self.byte()?;
        self.byte()?;
        self.0.write_all(b"+")?;
        Ok(text)
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.0.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    /// Keeps the connection for as long as the machine lives: without it every hart would go on.
    fn stay(&mut self) -> io::Result<()> {
        self.0.set_read_timeout(Some(HELD))?;
        let mut rest = [0; 256];
        while self.0.read(&mut rest)? > 0 {}
        Ok(())
    }
}

/// A packet of the remote protocol: the text and the sum of its bytes.
fn packet(text: &str) -> String {
    let sum = text.bytes().fold(0u8, u8::wrapping_add);
    format!("${text}#{sum:02x}")
}

/// Where the one function of the kernel lies whose symbol's name holds `part`.
fn address_of(part: &str) -> io::Result<u64> {
    let file = std::fs::read(crate::root().join("build/kernel"))?;
    let elf = ElfBytes::<LittleEndian>::minimal_parse(&file).map_err(io::Error::other)?;
    let table = elf.symbol_table().map_err(io::Error::other)?;
    let found = table.and_then(|(symbols, strings)| {
        let called = |name: &str| name == part || name.starts_with("_ZN") && name.contains(part);
        symbols.iter().find(|symbol| strings.get(symbol.st_name as usize).is_ok_and(called))
    });
    found.map(|symbol| symbol.st_value).ok_or_else(|| io::Error::other(format!("no `{part}` in the kernel's symbols")))
}
