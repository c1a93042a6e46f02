//! Numbers of calls that do not exist, and words that their types cannot hold.

use nexus_abi::message::{MAX_HANDLES, MAX_INLINE};
use nexus_abi::syscall::{Description, TYPED, ipc};
use nexus_rt::kernel::{Kernel, Machine};
use nexus_rt::log;

use crate::Tried;
use crate::alike::Alike;
use crate::handles::{Hands, Position, arguments};
use crate::tell::{door, message, numbers};

/// Every number below this is tried.
const DENSE: u64 = 4096;
const RANDOM: usize = 200;
const SEED: u64 = 0x6e65_7875_7321;

/// Every number that no call has, and those of calls that are declared and not built.
pub(crate) fn unknown(_: &str) -> Tried {
    let mut alike = Alike::default();
    let high = (12..64).flat_map(|bit| [1 << bit, (1 << bit) - 1, u64::MAX << bit]);
    let known = |number: u64| {
        ipc::ALL.iter().any(|&(other, _)| other == number) || TYPED.iter().any(|call| call.number == number)
    };
    let all = (0..DENSE).chain(high).chain(numbers(SEED, RANDOM)).filter(|&number| !known(number));
    for number in all {
        let got = Machine.raw(number, 0, [0; 8]);
        alike.add("an unknown number", got).inspect_err(|_| log!("it was {number:#x}"))?;
    }
    for call in TYPED.iter().filter(|call| is_reserved(call)) {
        alike.add(call.name, Machine.raw(call.number, 1, [1; 8]))?;
    }
    alike.outcome()
}

/// Whether a call is declared and not built.
pub(crate) fn is_reserved(call: &Description) -> bool {
    matches!(call.name, "DmaCreate" | "DmaAddress" | "Quiesce")
}

/// In each place of each call, values that its type cannot hold.
pub(crate) fn wide(_: &str) -> Tried {
    let hands = Hands::make()?;
    let mut alike = Alike::default();
    for call in TYPED.iter().filter(|call| !is_reserved(call)) {
        for place in arguments(call) {
            let Some(limit) = limit(place.kind) else { continue };
            for value in [limit, limit << 1, 1 << 32 | limit, 1 << 63, u64::MAX] {
                let (target, words) = hands.registers(call, Some((place.index, value)));
                let target = if target == 0 { u64::MAX } else { target };
                alike.add(call.name, Machine.raw(call.number, target, words)).inspect_err(|_| tell(&place, value))?;
            }
        }
    }
    alike.outcome()
}

fn tell(place: &Position, value: u64) {
    log!("{}: {} was {value:#x}", place.name, place.kind);
}

/// The first value that is too much for a type; none: it takes every word.
fn limit(kind: &str) -> Option<u64> {
    match kind {
        "u8" => Some(1 << 8),
        "u16" => Some(1 << 16),
        "u32" => Some(1 << 32),
        "Rights" => Some(1 << 4),
        // Its first word: seven letters and a byte that is none.
        "Name" => Some(0x80),
        _ => None,
    }
}

/// Extents over a bound or with a bit that means nothing.
pub(crate) fn extent(_: &str) -> Tried {
    let (endpoint, _) = door(0)?;
    let bounds = [MAX_INLINE as u64 + 1, 0xffff, (MAX_HANDLES as u64 + 1) << 16, 0xff << 16];
    let bits = (25..64).map(|bit| 1 << bit);
    let mut alike = Alike::default();
    for extent in bounds.into_iter().chain(bits).chain([u64::MAX]) {
        for number in [ipc::CALL_EXTENDED, ipc::REPLY_RECV_EXTENDED, ipc::REPLY_EXTENDED] {
            let got = message(number, endpoint.raw(), extent, [0; 8]);
            alike.add("an extent", got).inspect_err(|_| log!("{number} with {extent:#x}"))?;
        }
    }
    alike.outcome()
}
