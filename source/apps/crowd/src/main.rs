//! Fills a class of the first CPU with threads that can run, for proofs: as many as its quota allows.
//!
//! Each thread lowers itself to Idle and spins, so that nobody of a higher class is kept waiting. Says how many there are
//! and waits to be killed.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::boxed::Box;
use nexus_abi::syscall::{AffinitySet, NotificationCreate, Notify, QosSet, Wait};
use nexus_abi::{Deadline, Error, Handle, QosClass};
use nexus_rt::{kernel::invoke, println, thread};

nexus_rt::program!(main);

fn main() -> Result<(), Error> {
    invoke(AffinitySet { thread: None, mask: 1 })?;
    let lowered = invoke(NotificationCreate { process: None })?.notification;
    let mut runnable = 0;
    while thread::spawn(1, Box::new(move || idle(lowered))).is_ok() {
        // Until it has lowered itself it takes a place in the class of everybody else.
        invoke(Wait { notification: lowered, deadline: Deadline::NEVER })?;
        runnable += 1;
    }
    println!("crowd: {runnable} threads");
    invoke(Wait { notification: lowered, deadline: Deadline::NEVER }).map(drop)
}

/// Lowers itself, says so, and spins. One that is refused says so by never being there: whoever waits for it finds out.
fn idle(lowered: Handle) {
    let pinned = invoke(AffinitySet { thread: None, mask: 1 }).map(drop);
    let done = pinned.and_then(|()| invoke(QosSet { class: QosClass::Idle as u8, target: 0 }).map(drop));
    if done.and_then(|()| invoke(Notify { notification: lowered, bits: 1 }).map(drop)).is_ok() {
        loop {
            core::hint::spin_loop();
        }
    }
}
