//! A process that owns what a fuzzing child has handles to, drives the console, and can be killed by that child.

use nexus_abi::syscall::{ConsoleClaim, Grant, IrqMint, NotificationCreate, Notify, TimerCreate, Wait};
use nexus_abi::{Deadline, Error, Rights};
use nexus_rt::env;
use nexus_rt::kernel::invoke;

use crate::tally::{Tally, Word};

/// An interrupt line that no device of the machine uses.
const LINE: u32 = 50;
/// What its owner is signalled when it is ready.
pub(crate) const READY: u64 = 2;

/// Makes a timer and an interrupt line, gives both to the child, claims the console and waits to be killed.
pub(crate) fn run() -> Result<i64, Error> {
    let tally = Tally::given()?;
    let (heir, root, log) = (env::handle("heir")?, env::handle("devices")?, env::handle("console")?);
    let notification = invoke(NotificationCreate { process: None })?.notification;
    let timer = invoke(TimerCreate { notification, bits: 1 })?.timer;
    let irq = invoke(IrqMint { root, line: LINE, notification, bits: 2 })?.irq;
    for (at, source) in [timer, irq].into_iter().enumerate() {
        let granted = invoke(Grant { process: heir, source, rights: Rights::ALL, badge: 0 })?;
        tally.set_word(Word::Heritage, at, granted.handle.raw());
    }
    invoke(ConsoleClaim { log, notification, bits: 4 })?;
    invoke(Notify { notification: env::handle("gone")?, bits: READY })?;
    loop {
        // Nobody signals it on purpose; whatever comes, it stays.
        let _ = invoke(Wait { notification, deadline: Deadline::NEVER });
    }
}
