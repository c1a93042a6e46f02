//! `timer`: signals at their time, and a machine that sleeps in between.
//!
//! A timer may fire a little late: anywhere in [deadline, deadline + window], and the window is that of the class that
//! its owner names. So timers that lie close together share one wake-up. Who fires when is timed's business; that none
//! is early and none later than its window is the promise.
//!
//! The owner is the calling process, by the kernel's record. It names its timers by tokens of its own, so that after a
//! restart of the service it registers them again and nothing else has to be remembered. What a caller may do beyond
//! coarse timers of its own is in the badge of its handle: [`PRECISE`], [`CONTROL`].

use core::time::Duration;

use nexus_abi::field::{Field, Words};
use nexus_abi::{Deadline, Error, Handle, ProcessId, QosClass};
use nexus_ipc::{interface, wire_fields};

/// Permission `precise` of the manifest: may name the classes Interactive and PerfBurst.
pub const PRECISE: u64 = 1;
/// Permission `control` of the manifest: sees everybody's timers.
pub const CONTROL: u64 = 2;

/// Timers that one owner has pending at most.
pub const MAX_TIMERS_PER_OWNER: usize = 64;
/// Timers that are pending at most.
pub const MAX_TIMERS: usize = 256;
/// The shortest time from one firing of a periodic timer to the next.
pub const LEAST_PERIOD: Duration = Duration::from_millis(1);

/// Window of the class Idle.
pub const WINDOW_IDLE: Duration = Duration::from_millis(8);
/// Window of the class Normal.
pub const WINDOW_NORMAL: Duration = Duration::from_millis(4);
/// Window of the class Interactive.
pub const WINDOW_INTERACTIVE: Duration = Duration::from_millis(1);
/// Window of the class PerfBurst: none, it wakes the machine for itself.
pub const WINDOW_PERF_BURST: Duration = Duration::from_millis(0);

/// A registration has more in it, or less, than a registration has.
pub const STATUS_MALFORMED: Error = Error::Malformed;
/// A registration whose values cannot be meant: no bit to signal, a deadline that never comes, a period that is too short.
pub const STATUS_INVALID_ARGS: Error = Error::Invalid;
/// The owner, or the service, has as many timers as it may have; nothing was enqueued.
pub const STATUS_OVER_LIMIT: Error = Error::OverLimit;

/// Word 0 of a `register`, for whoever has to say what became of one.
pub const REGISTER: u64 = nexus_ipc::interface::tag(NAME, 1);

interface! {
    /// Fires timers inside their windows.
    "timer" Timer {
        /// Signals `bits` to `notification` at its turns, each inside the window of `class`. A token that is pending already gets this meaning instead. `EPERM`: no such class for this
        /// caller. For the others see [`STATUS_OVER_LIMIT`] and its neighbours.
        1 register again {
            token: u64,
            class: QosClass,
            turns: Turns,
            bits: u64,
            notification: Handle,
        } -> Registered {};
        /// It will not fire any more. `ENOENT`: it is not pending; if it ever was, it has fired.
        2 cancel again { token: u64 } -> Cancelled {};
        /// The pending timer at or after `index` in the table of those that the caller may see. `ENOENT`: the end.
        3 list again { index: u32 }
            -> Listed { index: u32, owner: ProcessId, token: u64, class: QosClass, turns: Turns };
        /// What happened to the timers of a class. `coalesced` went along with the wake-up of another, `woken` had the
        /// service wake for them; `saved`: wake-ups more it would have been if each had fired at its own deadline.
        4 count again { class: QosClass }
            -> Counted { pending: u64, registered: u64, refused: u64, fired: u64, coalesced: u64, woken: u64, saved: u64 };
        /// How long after the end of their windows the timers of a class were signalled: inside the window, within 10
        /// and 100 µs of its end, within 1 and 10 ms, later.
        5 lateness again { class: QosClass }
            -> Lateness { inside: u64, us_10: u64, us_100: u64, ms_1: u64, ms_10: u64, later: u64 };
        /// The wall clock: nanoseconds since 1970 (UTC), and the tick of the `time` counter at which they were read.
        /// Never less than an earlier answer of the same service.
        6 clock again {} -> Clock { unix_ns: u64, ticks: u64 };
    }
}

/// When a timer fires: once, or again and again until it is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turns {
    /// Not before this time; each turn has a deadline.
    pub deadline: Deadline,
    /// Ticks from one deadline to the next; 0: there is no next.
    pub period: u64,
}

impl Turns {
    /// One turn.
    pub const fn once(deadline: Deadline) -> Turns {
        Turns { deadline, period: 0 }
    }

    /// A turn every `period` ticks from `deadline` on.
    pub const fn every(period: u64, deadline: Deadline) -> Turns {
        Turns { deadline, period }
    }
}

impl Field for Turns {
    const WORDS: usize = 2;

    fn read(words: &impl Words, at: usize) -> Result<Turns, Error> {
        Ok(Turns { deadline: Deadline(words.word(at)), period: words.word(at + 1) })
    }

    fn write(self, at: usize, put: &mut impl FnMut(usize, u64)) {
        put(at, self.deadline.0);
        put(at + 1, self.period);
    }
}

wire_fields!(Turns);

/// The window of a class.
pub const fn window(class: QosClass) -> Duration {
    match class {
        QosClass::Idle => WINDOW_IDLE,
        QosClass::Normal => WINDOW_NORMAL,
        QosClass::Interactive => WINDOW_INTERACTIVE,
        QosClass::PerfBurst => WINDOW_PERF_BURST,
    }
}

/// Ticks in a duration, rounded down: a window never ends late.
pub const fn ticks(duration: Duration, timebase: u64) -> u64 {
    (duration.as_nanos() * timebase as u128 / 1_000_000_000) as u64
}
