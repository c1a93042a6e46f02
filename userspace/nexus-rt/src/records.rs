//! Records for the log service: the sink behind the `log` crate's macros, in every program.
//!
//! A service writes into the ring that it was started with and rings the bell; a program, which has none, appends by a
//! call, once init has routed it. Neither waits for long, and what cannot be recorded is dropped: logging never fails a
//! program. What a full ring drops is counted in it.

use alloc::string::String;
use core::fmt::{self, Write as _};
use core::sync::atomic::{Ordering, fence};
use core::time::Duration;

use nexus_abi::syscall::Notify;
use nexus_abi::{Error, Handle};
use nexus_ipc::ring::{PAGES, Shared, Writer};
use nexus_proto::audit::Audit;
use nexus_proto::logs;
use nexus_proto::record::{Level, MAX_BYTES, MAX_FIELD_BYTES, MAX_TARGET, MAX_TEXT, Record};

use crate::memory::{Access, View};
use crate::{Channel, env, kernel::invoke, time};

/// The handle of the ring.
pub const RING: &str = "ring";
/// The notification that says: there is something in a ring.
pub const BELL: &str = "bell";
/// What an audit's records are about.
pub const AUDIT: &str = "audit";

/// How long a program's record may take.
const PATIENCE: Duration = Duration::from_millis(50);
/// What the macros of the `log` crate write; tracing every step is for those who ask.
const LOUDEST: log::LevelFilter = log::LevelFilter::Debug;

crate::sys::own! {
    static SINK: Sink = Sink::Unknown
}
static FACADE: Facade = Facade;

/// Where records go.
enum Sink {
    /// Nobody looked yet.
    Unknown,
    /// Into a ring.
    Ring(Writer<View>, Handle),
    /// By calls.
    Calls,
}

/// Makes the macros of the `log` crate write records. The entry of every program does this before its `main`.
pub fn install() {
    // An error means that it was installed already.
    if log::set_logger(&FACADE).is_ok() {
        log::set_max_level(LOUDEST);
    }
}

/// Records into this ring from now on: for init, which was started with none.
pub fn attach(ring: Handle, bell: Handle) -> Result<(), Error> {
    *SINK.lock() = Sink::Ring(Writer::over(View::map(ring, 0, PAGES, Access::Write)?), bell);
    Ok(())
}

/// Adds a record. `EINVAL`: it breaks a bound. `EAGAIN`: the ring is full. Else: why a call failed.
pub fn put(record: &Record<'_>) -> Result<(), Error> {
    let mut buffer = [0; MAX_BYTES];
    let bytes = record.write(&mut buffer)?;
    let mut sink = SINK.lock();
    if let Sink::Unknown = *sink {
        *sink = found();
    }
    match &mut *sink {
        Sink::Ring(writer, bell) => {
            let put = writer.put(bytes);
            let _ = invoke(Notify { notification: *bell, bits: 1 });
            put
        }
        _ => append(bytes),
    }
}

/// Adds the record of a decision.
pub fn audit(audit: &Audit<'_>) {
    let text = cut(format_args!("{} {}", audit.deed, audit.object), MAX_TEXT);
    let fields = cut(format_args!("{}", audit.fields()), MAX_FIELD_BYTES);
    // An audit that is dropped is counted as every other record.
    let _ = put(&Record { level: Level::Info, target: AUDIT, text: &text, fields: &fields });
}

/// Repeats a line of the console ring as a record, where that costs no call.
pub(crate) fn repeat(text: fmt::Arguments<'_>) {
    if env::handle(RING).is_ok() || matches!(*SINK.lock(), Sink::Ring(..)) {
        let _ = put(&Record { level: Level::Info, target: "console", text: &cut(text, MAX_TEXT), fields: "" });
    }
}

fn found() -> Sink {
    let ring = env::handle(RING).and_then(|ring| View::map(ring, 0, PAGES, Access::Write));
    match (ring, env::handle(BELL)) {
        (Ok(view), Ok(bell)) => Sink::Ring(Writer::over(view), bell),
        _ => Sink::Calls,
    }
}

fn append(bytes: &[u8]) -> Result<(), Error> {
    let channel = Channel::to_within(logs::NAME, PATIENCE)?;
    logs::Client::new(channel).until(time::deadline_in(PATIENCE)).append(bytes).map(drop)
}

/// Text of at most that many bytes; what is longer ends early.
fn cut(text: fmt::Arguments<'_>, most: usize) -> String {
    let mut line = Cut { text: String::new(), most };
    // An error means that the line is full; what fits is kept.
    let _ = line.write_fmt(text);
    line.text
}

struct Cut {
    text: String,
    most: usize,
}

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = text.floor_char_boundary(self.most - self.text.len());
        self.text.push_str(&text[..fits]);
        if fits == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

/// The sink as the `log` crate knows it.
struct Facade;

impl log::Log for Facade {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= LOUDEST
    }

    fn log(&self, record: &log::Record<'_>) {
        let level = match record.level() {
            log::Level::Error => Level::Error,
            log::Level::Warn => Level::Warn,
            log::Level::Info => Level::Info,
            log::Level::Debug => Level::Debug,
            log::Level::Trace => Level::Trace,
        };
        let target = cut(format_args!("{}", record.target()), MAX_TARGET);
        let text = cut(*record.args(), MAX_TEXT);
        let _ = put(&Record { level, target: &target, text: &text, fields: "" });
    }

    fn flush(&self) {}
}

impl Shared for View {
    fn load(&self, at: usize) -> u64 {
        self.load_u64(at).expect("a ring's words lie in its pages")
    }

    fn store(&self, at: usize, word: u64) {
        self.store_u64(at, word).expect("a ring's words lie in its pages, which are writable");
    }

    fn publish(&self, at: usize, word: u64) {
        fence(Ordering::Release);
        Shared::store(self, at, word);
    }

    fn observe(&self, at: usize) -> u64 {
        let word = Shared::load(self, at);
        fence(Ordering::Acquire);
        word
    }

    fn read(&self, at: usize, bytes: &mut [u8]) {
        View::read(self, at, bytes).expect("a ring's bytes lie in its pages");
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        View::write(self, at, bytes).expect("a ring's bytes lie in its pages, which are writable");
    }
}
