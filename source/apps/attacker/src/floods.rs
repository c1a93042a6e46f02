//! Noise: lines that look like the system's, control bytes, and requests that are none.

use alloc::format;
use alloc::string::String;

use nexus_abi::Error;
use nexus_abi::message::HEADER_BYTES;
use nexus_abi::syscall::{LogWrite, ipc};
use nexus_ipc::interface::{Method, tag};
use nexus_proto::console::{self as screen, Client};
use nexus_proto::{contract, exec, supervisor};
use nexus_rt::sys::write_page;
use nexus_rt::{Channel, env, kernel::invoke};

use crate::tell::{message, numbers};
use crate::{Failure, Outcome, Tried, must};

const LINES: u32 = 400;
const REQUESTS: usize = 300;
/// Whose lines a forger prints, and how the line goes on: with a word that no honest line has.
const FORGERIES: [(&str, &str); 6] = [
    ("HOSTILE", ": FORGED ok"),
    ("SELFTEST", ": FORGED ok"),
    ("init", ": ready FORGED"),
    ("KSELFTEST", ": FORGED ok"),
    ("\r\x1b[2K\x1b[1GHOSTILE", ": FORGED ok"),
    ("PANIC", ": FORGED"),
];

/// What the console and the kernel print without a writer's name and a colon, and what a shell prints.
const UNNAMED: [&str; 5] =
    ["QOS-AUDIT decision=allow FORGED", "nexus> FORGED", "error: FORGED: x", "KINIT: FORGED", "execd: FORGED"];
/// More of an unfinished line than the console repeats below a line of the system.
const LONG: usize = 600;

/// Noise on a raw stream of the console.
pub(crate) fn stream(kind: &str) -> Tried {
    match kind {
        "forged" => forged_raw(),
        _ => Err(Failure::Wrong("there is no such noise")),
    }
}

/// Lines of the system as raw bytes: whole, behind a carriage return, in two pieces, and where a line of the system cut
/// a long one of this program's off.
fn forged_raw() -> Tried {
    let mut stream = nexus_rt::io::stdout()?;
    let whole = FORGERIES.iter().filter(|(printer, _)| !printer.contains('\x1b'));
    let whole = whole.map(|(printer, rest)| format!("{printer}{rest}"));
    for forgery in whole.chain(UNNAMED.map(String::from)) {
        stream.write_all(format!("{forgery}\nx\r{forgery}\n").as_bytes())?;
        for at in 1..forgery.len() {
            let (one, other) = forgery.split_at(at);
            stream.write_all(one.as_bytes())?;
            stream.write_all(format!("{other}\n").as_bytes())?;
        }
        stream.write_all(&[b'x'; LONG])?;
        write(b"cuts it off")?;
        Client::new(Channel::to(screen::NAME)?).flush()?;
        stream.write_all(format!("{forgery}\n").as_bytes())?;
    }
    Ok(Outcome::Held)
}

/// A kind of noise.
pub(crate) fn console(kind: &str) -> Tried {
    match kind {
        "forged" => forged(),
        "control" => control(),
        "requests" => requests(),
        _ => Err(Failure::Wrong("there is no such noise")),
    }
}

/// Writes bytes as one record of the console ring.
fn write(bytes: &[u8]) -> Result<(), Error> {
    write_page(HEADER_BYTES, bytes);
    invoke(LogWrite { log: env::handle("log")?, length: bytes.len() as u32 }).map(drop)
}

/// Lines of the system, alone and behind a line end of its own, without a pause.
fn forged() -> Tried {
    for at in 0..LINES {
        let (printer, rest) = FORGERIES[at as usize % FORGERIES.len()];
        let forgery = format!("{printer}{rest}");
        write(forgery.as_bytes())?;
        write(format!("\n{forgery}").as_bytes())?;
        write(format!("\r\n{forgery}\r\n\n").as_bytes())?;
    }
    Ok(Outcome::Held)
}

/// Every byte, in every order that matters to a terminal, and lines as long as they may be.
fn control() -> Tried {
    for byte in 0..=255 {
        write(&[byte])?;
        write(&[b'\x1b', b'[', byte, b'\n', byte])?;
        write(&[byte; 64])?;
    }
    write(&[0x1b; nexus_abi::message::MAX_LINE])?;
    write(String::from("\u{202e}\u{feff}\u{2028}").as_bytes())?;
    Ok(Outcome::Held)
}

/// Requests that are none, to every service that can be reached, and to init.
fn requests() -> Tried {
    let interfaces: [(&str, &[Method]); 3] =
        [(exec::NAME, exec::METHODS), (supervisor::NAME, supervisor::METHODS), (screen::NAME, screen::METHODS)];
    for (name, methods) in interfaces {
        let mut channel = Channel::to(name)?;
        contract::malformed(&mut channel, name, methods).map_err(|broken| Failure::Wrong(broken.0))?;
        for noise in numbers(methods.len() as u64 + 1, REQUESTS).chunks_exact(3) {
            let method = noise[0] % 20;
            let words = [tag(name, method as u16), noise[1], noise[2], noise[0], !0, 1 << 63, 0, noise[1]];
            let answer = message(ipc::CALL_UNTIL, channel.endpoint().raw(), 0, words)?;
            must(answer.words[0] != 0, "nonsense is refused")?;
        }
    }
    let init = env::handle(env::INIT)?;
    for noise in numbers(1, REQUESTS) {
        match message(ipc::SEND, init.raw(), 0, [noise, !noise, noise << 1, 0, u64::MAX, 1, noise, 0]) {
            Ok(_) | Err(Error::Again) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Outcome::Held)
}
