//! What is left of a neighbour that is killed.

use nexus_abi::syscall::{ConsoleClaim, IrqAck, NotificationCreate, ProcessKill, TimerSet};
use nexus_abi::{Deadline, Error, Handle};
use nexus_rt::env;

use crate::fuzzer::Fuzzer;
use crate::tally::Word;

pub(super) fn play(fuzzer: &mut Fuzzer) -> Result<(), Error> {
    let inherited = |at| Handle::from_raw(fuzzer.tally.word(Word::Heritage, at)).ok_or(Error::NotFound);
    let (timer, irq) = (inherited(0)?, inherited(1)?);
    let log = env::handle("console")?;
    let notification = fuzzer.ask(NotificationCreate { process: None })?.notification;
    let _ = fuzzer.ask(ConsoleClaim { log, notification, bits: 1 });
    if fuzzer.dice.one_in(2) {
        return Ok(());
    }
    fuzzer.ask(ProcessKill { process: env::handle("neighbour")?, status: 1 })?;
    let _ = fuzzer.ask(TimerSet { timer, deadline: Deadline(0) });
    let _ = fuzzer.ask(IrqAck { irq });
    let _ = fuzzer.ask(ConsoleClaim { log, notification: env::handle("near-signal")?, bits: 1 });
    Ok(())
}
