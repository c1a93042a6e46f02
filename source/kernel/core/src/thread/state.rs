//! What a thread is doing, and with that, which list it is in.
//!
//! Four bits of its gate word hold it, so that one compare tells a direct hand-over whether the partner waits.

/// What a thread is doing. In the comment: the list it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum State {
    /// The place is free, or the thread is dead. None.
    Dead = 0,
    /// Made, not started. None.
    New = 1,
    /// Wants to run. Its CPU's run queue, or that CPU's mailbox.
    Ready = 2,
    /// Runs. It is its CPU's current thread.
    Running = 3,
    /// Its call or fault waits to be received. The endpoint's callers of its class.
    Calling = 4,
    /// Its call was received. The server's link, or a reply capability, names it.
    Awaiting = 5,
    /// Waits for a message. The endpoint's receivers.
    Receiving = 6,
    /// Waits for signals. The notification's waiters.
    Waiting = 7,
    /// Waits for a process to be gone. That process's mourners.
    Mourning = 8,
    /// Its fault was received. As [`State::Awaiting`]; the answer has no message, it goes on where it stopped.
    Faulted = 9,
    /// Wants to run, and its process has used up its time. None.
    Parked = 10,
}

impl State {
    /// The state with this number.
    pub(crate) const fn of(number: u64) -> State {
        match number {
            0 => State::Dead,
            1 => State::New,
            2 => State::Ready,
            3 => State::Running,
            4 => State::Calling,
            5 => State::Awaiting,
            6 => State::Receiving,
            7 => State::Waiting,
            8 => State::Mourning,
            9 => State::Faulted,
            _ => State::Parked,
        }
    }

    /// True while it waits for something that a deadline can end.
    pub const fn blocked(self) -> bool {
        self as u64 >= State::Calling as u64 && self as u64 <= State::Faulted as u64
    }
}
