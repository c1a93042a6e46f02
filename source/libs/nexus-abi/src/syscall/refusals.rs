//! What each call may be refused with: part of its contract, checked by whoever provokes it.
//!
//! A refusal comes at once and changes nothing. What may end a wait that a call began is another list: by then others
//! have acted on it. The kernel's tests provoke every pair of both lists, and allow no other; so does the fuzzer.

use super::table::{TYPED, ipc};
use crate::Error::{
    self, Again, BadAddress, BadHandle, Deadlock, Exhausted, Exists, Invalid, NoCall, NotFound, OverLimit, PeerClosed,
    Permission, RateLimited, State, TimedOut, WrongKind,
};

/// What may refuse a call, by the call's name.
#[rustfmt::skip]
pub const REFUSALS: &[(&str, &[Error])] = &[
    ("Call", &[BadHandle, WrongKind, Permission, PeerClosed, Deadlock]),
    ("ReplyRecv", &[BadHandle, WrongKind, Permission, PeerClosed, State]),
    ("CallUntil", &[BadHandle, WrongKind, Permission, PeerClosed, TimedOut, Deadlock]),
    ("ReplyRecvUntil", &[BadHandle, WrongKind, Permission, PeerClosed, State]),
    ("CallExtended", &[BadHandle, WrongKind, Permission, PeerClosed, State, OverLimit, Exhausted, TimedOut, Deadlock]),
    ("ReplyRecvExtended", &[BadHandle, WrongKind, Permission, PeerClosed, State, OverLimit]),
    ("Recv", &[BadHandle, WrongKind, Permission, PeerClosed, State, TimedOut]),
    ("Reply", &[BadHandle, WrongKind, State]),
    ("ReplyExtended", &[BadHandle, WrongKind, Permission, PeerClosed, State, OverLimit]),
    ("Send", &[BadHandle, WrongKind, Permission, PeerClosed, State, OverLimit, Exhausted, Again]),
    ("Whoami", &[]),
    ("Yield", &[]),
    ("ThreadExit", &[]),
    ("ProcessExit", &[]),
    ("Defer", &[State, OverLimit, Exhausted]),
    ("Derive", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid, State, OverLimit, Exhausted]),
    ("Grant", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid, State, OverLimit, Exhausted]),
    ("Close", &[BadHandle]),
    ("Revoke", &[BadHandle]),
    ("Inspect", &[BadHandle, PeerClosed]),
    ("EndpointCreate", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid, OverLimit, Exhausted]),
    ("NotificationCreate", &[BadHandle, WrongKind, Permission, PeerClosed, OverLimit, Exhausted]),
    ("WaitSetCreate", &[BadHandle, WrongKind, Permission, PeerClosed, OverLimit, Exhausted]),
    ("WaitSetAdd", &[BadHandle, WrongKind, Permission, PeerClosed, State, Exists]),
    ("WaitSetRemove", &[BadHandle, WrongKind, Permission, PeerClosed, NotFound]),
    ("Notify", &[BadHandle, WrongKind, Permission, PeerClosed]),
    ("Wait", &[BadHandle, WrongKind, Permission, PeerClosed, State, TimedOut]),
    ("Bind", &[BadHandle, WrongKind, Permission, PeerClosed, State, Exists]),
    ("TimerCreate", &[BadHandle, WrongKind, Permission, PeerClosed, OverLimit, Exhausted]),
    ("TimerSet", &[BadHandle, WrongKind, Permission, PeerClosed]),
    ("MemoryCreate", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid, OverLimit, Exhausted]),
    ("MemoryGrow", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid, State, OverLimit, Exhausted]),
    ("MemorySeal", &[BadHandle, WrongKind, Permission, PeerClosed, State]),
    ("Map", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid, BadAddress, State, Exists, OverLimit, Exhausted]),
    ("Unmap", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid, BadAddress, OverLimit, Exhausted]),
    ("Protect", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid, BadAddress, OverLimit, Exhausted]),
    ("DmaCreate", &[BadHandle, NoCall]),
    ("DmaAddress", &[BadHandle, NoCall]),
    ("WindowMint", &[BadHandle, WrongKind, Permission, Invalid, Exists, OverLimit, Exhausted]),
    ("IrqMint", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid, Exists, OverLimit, Exhausted]),
    ("IrqAck", &[BadHandle, WrongKind, Permission, PeerClosed]),
    ("Quiesce", &[BadHandle, Invalid, NoCall]),
    ("ProcessCreate", &[BadHandle, WrongKind, Permission, Invalid, OverLimit, Exhausted]),
    ("ProcessPrefix", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid]),
    ("ThreadCreate", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid, BadAddress, Exists, OverLimit, Exhausted]),
    ("ThreadStart", &[BadHandle, WrongKind, Permission, PeerClosed, State, Again]),
    ("ProcessKill", &[BadHandle, WrongKind, Permission]),
    ("ProcessWatch", &[BadHandle, WrongKind, Permission, PeerClosed, State]),
    ("ProcessStatus", &[BadHandle, WrongKind, Permission]),
    ("ProcessFaults", &[BadHandle, WrongKind, Permission, PeerClosed]),
    ("SpawnMint", &[BadHandle, WrongKind, Permission, Invalid, OverLimit, Exhausted]),
    ("ProcessOpen", &[BadHandle, WrongKind, Permission, NotFound, OverLimit, Exhausted]),
    ("QosGet", &[BadHandle, WrongKind, Permission, PeerClosed]),
    ("QosSet", &[Permission, Invalid, Again]),
    ("AffinitySet", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid, Again, RateLimited]),
    ("SharesSet", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid]),
    ("LimitsSet", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid]),
    ("InfoProcess", &[BadHandle, WrongKind, Permission, Invalid, NotFound]),
    ("InfoUsage", &[BadHandle, WrongKind, Permission, Invalid, NotFound]),
    ("InfoCpu", &[BadHandle, WrongKind, Permission, Invalid, NotFound]),
    ("InfoObjects", &[BadHandle, WrongKind, Permission, Invalid]),
    ("InfoCapability", &[BadHandle, WrongKind, Permission, Invalid, NotFound]),
    ("InfoInvariants", &[BadHandle, WrongKind, Permission, State]),
    ("InfoLimits", &[BadHandle, WrongKind, Permission, Invalid, NotFound]),
    ("InfoScheduler", &[BadHandle, WrongKind, Permission, Invalid, NotFound]),
    ("PowerOff", &[BadHandle, WrongKind, Permission, Invalid]),
    ("PowerReset", &[BadHandle, WrongKind, Permission]),
    ("LogWrite", &[BadHandle, WrongKind, Permission, Invalid, State, OverLimit]),
    ("LogRead", &[BadHandle, WrongKind, Permission, Invalid, State]),
    ("ConsoleClaim", &[BadHandle, WrongKind, Permission, PeerClosed, Invalid, Exists]),
    ("BootArguments", &[BadHandle, WrongKind, Permission, Invalid, State]),
];

/// What may end a wait that a call began, or tell that an answer went nowhere. A queued message's handles are looked at
/// again when it is received; an answer's handles may find no room.
#[rustfmt::skip]
pub const ENDS: &[(&str, &[Error])] = &[
    ("Call", &[PeerClosed, OverLimit, Exhausted]),
    ("CallUntil", &[PeerClosed, TimedOut, OverLimit, Exhausted]),
    ("CallExtended", &[PeerClosed, TimedOut, OverLimit, Exhausted, BadHandle, Permission, State]),
    ("ReplyRecv", &[PeerClosed]),
    ("ReplyRecvUntil", &[PeerClosed, TimedOut]),
    ("ReplyRecvExtended", &[PeerClosed, TimedOut]),
    ("Recv", &[PeerClosed, TimedOut]),
    ("Reply", &[PeerClosed]),
    ("ReplyExtended", &[PeerClosed]),
    ("Wait", &[PeerClosed, TimedOut]),
];

/// The errors with which the call with this number may refuse or its wait end; a number that no call has is refused with
/// `ENOSYS`.
pub fn refusals(number: u64) -> impl Iterator<Item = Error> {
    let typed = TYPED.iter().map(|call| (call.number, call.name));
    let name = typed.chain(ipc::ALL.iter().copied()).find(|(known, _)| *known == number).map(|(_, name)| name);
    let listed = |list: &'static [(&str, &'static [Error])]| {
        list.iter().find(|(call, _)| Some(*call) == name).map_or(&[] as &[Error], |(_, errors)| errors)
    };
    let (first, later) =
        if name.is_some() { (listed(REFUSALS), listed(ENDS)) } else { (&[NoCall] as &[Error], &[] as &[Error]) };
    first.iter().chain(later.iter().filter(|error| !first.contains(error))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_says_the_same_refusal_twice() {
        for number in TYPED.iter().map(|call| call.number).chain(ipc::ALL.iter().map(|&(number, _)| number)) {
            let mut seen = [0; 32];
            refusals(number).for_each(|error| seen[usize::from(error.number())] += 1);
            assert!(seen.iter().all(|&count| count <= 1), "call {number}");
        }
    }

    #[test]
    fn an_unknown_number_is_refused_as_such() {
        assert!(refusals(999).eq([NoCall]));
        assert!(refusals(ipc::REPLY).any(|error| error == PeerClosed));
    }
}
