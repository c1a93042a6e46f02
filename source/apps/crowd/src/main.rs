//! Fills a class of the first CPU with threads that can run, for proofs: as many as its quota allows.
//!
//! Each thread lowers itself to Idle and spins, so that nobody of a higher class is kept waiting. Says how many there are
//! and waits to be killed.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::boxed::Box;
use nexus_abi::syscall::{AffinitySet, NotificationCreate, QosGet, QosSet, Wait, Yield};
use nexus_abi::{Deadline, Error, QosClass};
use nexus_rt::{kernel::invoke, println, thread};

nexus_rt::program!(main);

fn main() -> Result<(), Error> {
    invoke(AffinitySet { thread: None, mask: 1 })?;
    let mut runnable = 0;
    while let Ok(thread) = thread::spawn(1, Box::new(idle)) {
        // Until it has lowered itself it takes a place in the class of everybody else.
        while invoke(QosGet { thread: Some(thread) })?.class != QosClass::Idle {
            invoke(Yield {})?;
        }
        runnable += 1;
    }
    println!("crowd: {runnable} threads");
    let notification = invoke(NotificationCreate { process: None })?.notification;
    invoke(Wait { notification, deadline: Deadline::NEVER }).map(drop)
}

fn idle() {
    let pinned = invoke(AffinitySet { thread: None, mask: 1 }).map(drop);
    let lowered = pinned.and_then(|()| invoke(QosSet { class: QosClass::Idle as u8, target: 0 }).map(drop));
    if lowered.is_ok() {
        loop {
            core::hint::spin_loop();
        }
    }
}
