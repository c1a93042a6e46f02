//! `supervisor`: what init knows about services, and what may be asked of it.
//!
//! Routes and probes are not here: they are one-way messages ([`nexus_ipc::Notice`]), since init waits for nobody.
//! Whoever holds a handle may list; killing and restarting takes one whose badge has [`CONTROL`].

use nexus_abi::{Name, ProcessId};
use nexus_ipc::{Text, interface};

/// Permission `control` of the manifest: may kill and restart services.
pub const CONTROL: u64 = 1;

interface! {
    /// Keeps the services of the manifest running.
    "supervisor" Supervisor {
        /// The service at `index`, in start order. `state`: see [`State`]. `ENOENT`: the end.
        1 list again { index: u32 } -> Service { name: Name, process: ProcessId, state: u8, restarts: u32 };
        /// Ends a service; its policy decides what follows. `EPERM`: not by this caller. `ENOENT`: no such service.
        2 kill once { service: Text<24> } -> Killed {};
        /// Starts a service that has ended or was given up, and forgives its crashes. `ESTATE`: it runs.
        3 restart once { service: Text<24> } -> Restarted { process: ProcessId };
        /// Is answered when each service has been started and is up, has ended, or was given up; ever after at once.
        /// `EAGAIN`: too many wait for that.
        4 settled again {} -> Settled {};
    }
}

/// How a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Not started yet.
    Waiting = 0,
    /// Started; its answer to the probe has not come.
    Starting = 1,
    /// Its loop runs.
    Up = 2,
    /// It ended and will be started again after a pause.
    BackingOff = 3,
    /// It ended and its policy says to leave it.
    Ended = 4,
    /// It crashed too often.
    GivenUp = 5,
}

impl State {
    /// Every state, in numeric order.
    pub const ALL: [State; 6] =
        [State::Waiting, State::Starting, State::Up, State::BackingOff, State::Ended, State::GivenUp];

    /// The state with this number.
    pub fn from_wire(number: u8) -> Option<State> {
        State::ALL.into_iter().find(|&state| state as u8 == number)
    }

    /// The name that listings print.
    pub const fn name(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Starting => "starting",
            State::Up => "up",
            State::BackingOff => "backing-off",
            State::Ended => "ended",
            State::GivenUp => "given-up",
        }
    }
}
