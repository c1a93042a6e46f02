//! With which errors each system call may refuse: part of its contract, checked by whoever provokes them.
//!
//! The fuzzer must meet every pair of call and error that stands here and can be met, and none that does not.

use super::table::*;
use super::{Syscall, table::ipc};
use crate::Error;
use Error::{
    Again, BadAddress, BadHandle, Exhausted, Exists, Invalid, NoCall, NotFound, OverLimit, PeerClosed, Permission,
    State, TimedOut, WrongKind,
};

/// A handle that must name a root with a right.
const ROOT: &[Error] = &[BadHandle, WrongKind, Permission];
/// A handle that must name a living object with a right.
const OBJECT: &[Error] = &[BadHandle, WrongKind, Permission, PeerClosed];
/// Something new is charged, and its handle put into a table.
const NEW: &[Error] = &[OverLimit, Exhausted];
/// A value that its type or the call does not know.
const VALUE: &[Error] = &[Invalid];
/// A range of user addresses.
const RANGE: &[Error] = &[Invalid, BadAddress];

/// One call: its number, and its refusals in groups.
type Row = (u64, &'static [&'static [Error]]);

const ROWS: &[Row] = &[
    (ipc::CALL, &[OBJECT, NEW]),
    (ipc::REPLY_RECV, &[OBJECT, &[State]]),
    (ipc::CALL_UNTIL, &[OBJECT, NEW, &[TimedOut]]),
    (ipc::REPLY_RECV_UNTIL, &[OBJECT, &[State, TimedOut]]),
    (ipc::CALL_EXTENDED, &[OBJECT, NEW, &[State, TimedOut]]),
    (ipc::REPLY_RECV_EXTENDED, &[OBJECT, &[OverLimit, State, TimedOut]]),
    (ipc::RECV, &[OBJECT, &[State, TimedOut]]),
    (ipc::REPLY, &[OBJECT, &[State]]),
    (ipc::REPLY_EXTENDED, &[OBJECT, &[OverLimit, State]]),
    (ipc::SEND, &[OBJECT, NEW, &[State, Again]]),
    (Whoami::NUMBER, &[]),
    (Yield::NUMBER, &[]),
    (ThreadExit::NUMBER, &[]),
    (ProcessExit::NUMBER, &[]),
    (Defer::NUMBER, &[NEW, &[State]]),
    (Derive::NUMBER, &[OBJECT, NEW, VALUE, &[State]]),
    (Grant::NUMBER, &[OBJECT, NEW, VALUE, &[State]]),
    (Close::NUMBER, &[&[BadHandle]]),
    (Revoke::NUMBER, &[&[BadHandle]]),
    (Inspect::NUMBER, &[&[BadHandle, PeerClosed]]),
    (EndpointCreate::NUMBER, &[OBJECT, NEW, VALUE]),
    (NotificationCreate::NUMBER, &[OBJECT, NEW]),
    (WaitSetCreate::NUMBER, &[OBJECT, NEW]),
    (WaitSetAdd::NUMBER, &[OBJECT, &[Exists, State]]),
    (WaitSetRemove::NUMBER, &[OBJECT, &[NotFound]]),
    (Notify::NUMBER, &[OBJECT]),
    (Wait::NUMBER, &[OBJECT, &[State, TimedOut]]),
    (Bind::NUMBER, &[OBJECT, &[Exists, State]]),
    (TimerCreate::NUMBER, &[OBJECT, NEW]),
    (TimerSet::NUMBER, &[OBJECT]),
    (MemoryCreate::NUMBER, &[OBJECT, NEW, VALUE]),
    (MemoryGrow::NUMBER, &[OBJECT, NEW, VALUE, &[State]]),
    (MemorySeal::NUMBER, &[OBJECT, &[State]]),
    (Map::NUMBER, &[OBJECT, NEW, RANGE, &[Exists, State]]),
    (Unmap::NUMBER, &[OBJECT, NEW, RANGE]),
    (Protect::NUMBER, &[OBJECT, NEW, RANGE]),
    (DmaCreate::NUMBER, &[&[BadHandle, NoCall]]),
    (DmaAddress::NUMBER, &[&[BadHandle, NoCall]]),
    (WindowMint::NUMBER, &[ROOT, NEW, VALUE, &[Exists]]),
    (IrqMint::NUMBER, &[OBJECT, NEW, VALUE, &[Exists]]),
    (IrqAck::NUMBER, &[OBJECT]),
    (Quiesce::NUMBER, &[&[BadHandle, NoCall], VALUE]),
    (ProcessCreate::NUMBER, &[ROOT, NEW, VALUE]),
    (ProcessPrefix::NUMBER, &[OBJECT, VALUE]),
    (ThreadCreate::NUMBER, &[OBJECT, NEW, RANGE, &[Exists]]),
    (ThreadStart::NUMBER, &[OBJECT, &[State, Again]]),
    (ProcessKill::NUMBER, &[OBJECT]),
    (ProcessWatch::NUMBER, &[OBJECT]),
    (ProcessStatus::NUMBER, &[OBJECT]),
    (ProcessFaults::NUMBER, &[OBJECT]),
    (SpawnMint::NUMBER, &[ROOT, NEW, VALUE]),
    (QosGet::NUMBER, &[OBJECT]),
    (QosSet::NUMBER, &[VALUE, &[Permission, Again]]),
    (AffinitySet::NUMBER, &[OBJECT, VALUE]),
    (SharesSet::NUMBER, &[OBJECT, VALUE]),
    (InfoProcess::NUMBER, &[ROOT, VALUE, &[NotFound]]),
    (InfoUsage::NUMBER, &[ROOT, VALUE, &[NotFound]]),
    (InfoCpu::NUMBER, &[ROOT, VALUE, &[NotFound]]),
    (InfoObjects::NUMBER, &[ROOT, VALUE]),
    (InfoCapability::NUMBER, &[ROOT, VALUE, &[NotFound]]),
    (InfoInvariants::NUMBER, &[ROOT, &[State]]),
    (PowerOff::NUMBER, &[ROOT, VALUE]),
    (PowerReset::NUMBER, &[ROOT]),
    (LogWrite::NUMBER, &[ROOT, VALUE, &[OverLimit, State]]),
    (LogRead::NUMBER, &[ROOT, VALUE, &[State]]),
    (ConsoleClaim::NUMBER, &[OBJECT, VALUE, &[Exists]]),
    (BootArguments::NUMBER, &[ROOT, VALUE, &[State]]),
];

/// The errors with which the call with this number may refuse; a number that no call has is refused with `ENOSYS`.
pub fn refusals(number: u64) -> impl Iterator<Item = Error> {
    let row = ROWS.iter().find(|(known, _)| *known == number);
    row.map_or(&[&[NoCall] as &[Error]] as &[&[Error]], |&(_, groups)| groups)
        .iter()
        .flat_map(|group| group.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_says_once_how_it_refuses() {
        let typed = TYPED.iter().map(|call| call.number);
        for number in typed.chain(ipc::ALL.iter().map(|&(number, _)| number)) {
            assert_eq!(ROWS.iter().filter(|(known, _)| *known == number).count(), 1, "call {number}");
        }
        assert_eq!(ROWS.len(), TYPED.len() + ipc::ALL.len());
    }

    #[test]
    fn no_call_says_the_same_refusal_twice() {
        for (number, _) in ROWS {
            let mut seen = [0; 32];
            refusals(*number).for_each(|error| seen[usize::from(error.number())] += 1);
            assert!(seen.iter().all(|&count| count <= 1), "call {number}");
        }
    }

    #[test]
    fn an_unknown_number_is_refused_as_such() {
        assert!(refusals(999).eq([NoCall]));
    }
}
