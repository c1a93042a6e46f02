//! From nothing to a thread's first instruction, and a whole program from start to end.

use crate::row::Row;
use alloc::{boxed::Box, sync::Arc};
use core::sync::atomic::{AtomicU64, Ordering};
use nexus_abi::syscall::{NotificationCreate, Notify, Wait};
use nexus_abi::{Deadline, Error};
use nexus_proto::exec::{self, Fate};
use nexus_rt::sys::retired;
use nexus_rt::{Channel, kernel::invoke, thread};

/// Births that count, and as many before them: a thread's stack stays until its program ends.
const SAMPLES: usize = 6;

/// A thread with a stack of one page and a page for messages, each until it has run.
pub(crate) fn threads() -> Result<(), Error> {
    let mut row = Row::warmed_by("thread create, first instruction", SAMPLES);
    let done = invoke(NotificationCreate { process: None })?.notification;
    for _ in 0..2 * SAMPLES {
        let first = Arc::new(AtomicU64::new(0));
        let theirs = first.clone();
        let body = move || {
            theirs.store(retired(), Ordering::Relaxed);
            // Nobody else has this notification: a refusal would leave the other thread waiting, for all to see.
            let _ = invoke(Notify { notification: done, bits: 1 });
        };
        let before = retired();
        thread::spawn(1, Box::new(body))?;
        invoke(Wait { notification: done, deadline: Deadline::NEVER })?;
        row.add(first.load(Ordering::Relaxed) - before - 1);
    }
    row.print();
    Ok(())
}

/// A program that ends at once: asked for, loaded, run, waited for, all it had taken back.
pub(crate) fn programs() -> Result<(), Error> {
    let mut row = Row::warmed_by("start a program, wait, reap", SAMPLES);
    let mut programs = exec::Client::new(Channel::to(exec::NAME)?);
    for _ in 0..2 * SAMPLES {
        let before = retired();
        let process = programs.start("rogue", &exec::pack(["exit"])?, None, None, None)?.process;
        let ended = programs.wait(process)?;
        row.add(retired() - before - 1);
        if ended.fate()? != Fate::Exited(0) {
            return Err(Error::Protocol);
        }
    }
    row.print();
    Ok(())
}
