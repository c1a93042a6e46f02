//! The one table of errors.
//!
//! Numbers are append-only. An error says whose fault it is, so that a caller knows whether to mend its arguments,
//! wait, or give up on the peer. System calls return the number in `t0`; interfaces put it in a reply word.

/// Who has to change something before the same request can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The caller: its arguments, rights or state are wrong.
    Caller,
    /// The partner of the conversation: it died, closed, or did not answer.
    Peer,
    /// The system: a bound is reached, a device failed, a service is absent.
    System,
}

macro_rules! errors {
    ($($(#[$doc:meta])* $number:literal $variant:ident $name:literal $fault:ident;)*) => {
        /// Why a request was refused. A refused request changed nothing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u64)]
        pub enum Error { $($(#[$doc])* $variant = $number,)* }

        impl Error {
            /// Every error, in numeric order.
            pub const ALL: &'static [Error] = &[$(Error::$variant,)*];

            /// The stable E-name, as the shell prints it.
            pub const fn name(self) -> &'static str {
                match self { $(Error::$variant => $name,)* }
            }

            /// Whose fault it is.
            pub const fn fault(self) -> Fault {
                match self { $(Error::$variant => Fault::$fault,)* }
            }

            /// The error with this number; `None` for 0 (success) and for numbers this version does not know.
            pub const fn from_number(number: u16) -> Option<Error> {
                match number { $($number => Some(Error::$variant),)* _ => None }
            }
        }
    };
}

errors! {
    /// An argument is malformed, out of range or overflows its type.
    1 Invalid "EINVAL" Caller;
    /// The capability is real but lacks the right, or the caller's identity may not do this.
    2 Permission "EPERM" Caller;
    /// The handle names nothing: never valid, closed, or revoked.
    3 BadHandle "EBADHANDLE" Caller;
    /// The handle names an object of another kind.
    4 WrongKind "EKIND" Caller;
    /// A bound or quota would be exceeded.
    5 OverLimit "EOVERLIMIT" Caller;
    /// The object or partner behind a valid handle is gone.
    6 PeerClosed "EPEERCLOSED" Peer;
    /// The deadline passed first.
    7 TimedOut "ETIMEDOUT" Peer;
    /// Full or busy now; the same request may succeed later.
    8 Again "EAGAIN" System;
    /// Waiting would close a cycle of callers.
    9 Deadlock "EDEADLK" Caller;
    /// No system call or operation has this number.
    10 NoCall "ENOSYS" Caller;
    /// An address range is outside user space, unmapped, or lacks the access.
    11 BadAddress "EFAULT" Caller;
    /// What is to be made exists already.
    12 Exists "EEXIST" Caller;
    /// What is asked for does not exist.
    13 NotFound "ENOENT" Caller;
    /// The object or thread is not in the state that this needs.
    14 State "ESTATE" Caller;
    /// Input is longer than its bound.
    15 TooLong "ETOOLONG" Caller;
    /// The machine's memory or an arena is used up, although the quota is not.
    16 Exhausted "ENOMEM" System;
    /// The service is absent or given up.
    17 Unavailable "EUNAVAILABLE" System;
    /// A device reported failure or timed out.
    18 Device "EIO" System;
    /// Stored or received data fails its check.
    19 Corrupt "ECORRUPT" Peer;
    /// The peer answered in a way its interface does not allow.
    20 Protocol "EPROTO" Peer;
    /// A sender went over its rate.
    21 RateLimited "ERATELIMITED" Caller;
    /// The wait or operation was cancelled.
    22 Cancelled "ECANCELLED" System;
    /// The message has more in it than its method takes.
    23 Malformed "EMALFORMED" Caller;
}

impl Error {
    /// The number that travels in a status register or a reply word. Never 0.
    pub const fn number(self) -> u16 {
        self as u16
    }
}
