//! Does what no program should, for proofs: its first argument says what.
//!
//! Each of these must end in a fault record, a refusal or a bound, never in trouble for anybody else.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::{boxed::Box, vec::Vec};
use core::time::Duration;

use nexus_abi::syscall::{EndpointCreate, NotificationCreate, QosSet, Wait};
use nexus_abi::{Deadline, Error, QosClass};
use nexus_ipc::Message;
use nexus_proto::exec;
use nexus_proto::timer::{self, Turns};
use nexus_rt::kernel::invoke;
use nexus_rt::sys::{Wrong, provoke};
use nexus_rt::{Channel, Instant, channel, env, println, thread};

nexus_rt::program!(main);

fn main() -> Result<i64, Error> {
    match env::arguments().nth(1).unwrap_or("spin") {
        "spin" => spin(),
        "threads" => threads(),
        "memory" => memory(),
        "objects" => objects(),
        "flood" => flood(),
        "timers" => timers(),
        "inversion" => inversion(),
        "route" => Ok(route()),
        "late" => late(),
        "hold" => hold(),
        "alarm" => alarm(),
        "panic" => panic!("on purpose"),
        "exit" => Ok(env::arguments().nth(2).and_then(|status| status.parse().ok()).unwrap_or(0)),
        name => match Wrong::ALL.into_iter().find(|wrong| wrong.name() == name) {
            Some(wrong) => provoke(wrong),
            None => {
                println!("rogue: I do not know how to `{name}`");
                Err(Error::Invalid)
            }
        },
    }
}

/// Asks for a route by the name behind; ends with the number of the error, or 0 if it got one and it works.
fn route() -> i64 {
    let asked = Channel::to(asked_for()).and_then(list);
    asked.map_or_else(|error| error.number().into(), |()| 0)
}

/// Gets a route and uses it again and again; ends with the number of the error with which that ends.
fn hold() -> Result<i64, Error> {
    let channel = Channel::to(asked_for())?;
    list(channel)?;
    println!("held");
    let notification = invoke(NotificationCreate { process: None })?.notification;
    for _ in 0..HOLDS {
        // Nobody signals it: the wait is a pause.
        let _ = invoke(Wait { notification, deadline: Instant::now().after(Duration::from_millis(5)) });
        if let Err(error) = list(Channel::new(channel.endpoint())) {
            return Ok(error.number().into());
        }
    }
    Ok(0)
}

/// Records something, but not soon.
fn late() -> Result<i64, Error> {
    let notification = invoke(NotificationCreate { process: None })?.notification;
    // Nobody signals it: the wait is a pause.
    let _ = invoke(Wait { notification, deadline: Instant::now().after(LATE) });
    log::warn!("it is late");
    Ok(0)
}

/// Waits for a timer that the service may forget: behind its window it is registered again, by the same token. Ends with the
/// number of registrations that it took.
fn alarm() -> Result<i64, Error> {
    const TOKEN: u64 = 1;
    let mut service = timer::Client::new(Channel::to(timer::NAME)?);
    let notification = invoke(NotificationCreate { process: None })?.notification;
    let at = Instant::now().after(Duration::from_secs(5));
    for count in 1..=3 {
        service.register(TOKEN, QosClass::Normal, Turns::once(at), 1, notification)?;
        // Well behind the window's end; from now on, if that has passed.
        let deadline = Instant::now().max(Instant::from_ticks(at.0)).after(Duration::from_millis(500));
        if invoke(Wait { notification, deadline }).is_ok() {
            return Ok(count);
        }
    }
    Err(Error::TimedOut)
}

/// When it is.
const LATE: Duration = Duration::from_secs(3);

/// Times that a route is used before its holder gives up.
const HOLDS: u32 = 400;

fn asked_for() -> &'static str {
    env::arguments().nth(2).unwrap_or(exec::NAME)
}

/// The end of the list is an answer too.
fn list(channel: Channel) -> Result<(), Error> {
    match exec::Client::new(channel).list(0) {
        Ok(_) | Err(Error::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Uses all the time it gets.
fn spin() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// Starts threads that spin until it may start no more.
fn threads() -> Result<i64, Error> {
    let mut started = 0;
    while thread::spawn(1, Box::new(|| spin())).is_ok() {
        started += 1;
    }
    println!("rogue: {started} threads");
    spin()
}

/// Shares the heap with a thread of a lower class, and often wakes while that one holds its lock.
fn inversion() -> Result<i64, Error> {
    let idle = || {
        // Lowering itself is allowed to everybody.
        let _ = invoke(QosSet { class: 0, target: 0 });
        loop {
            allocate();
        }
    };
    thread::spawn(4, Box::new(idle))?;
    let notification = invoke(NotificationCreate { process: None })?.notification;
    for _ in 0..1000 {
        // Nobody signals it: the wait is a pause.
        let _ = invoke(Wait { notification, deadline: Instant::now().after(Duration::from_micros(300)) });
        allocate();
    }
    println!("rogue: both classes ran");
    Ok(0)
}

fn allocate() {
    let kept: Vec<Box<[u8; 48]>> = (0..200).map(|byte| Box::new([byte; 48])).collect();
    drop(core::hint::black_box(kept));
}

/// Takes memory until there is no more; the end is a panic.
fn memory() -> Result<i64, Error> {
    let mut taken = Vec::new();
    loop {
        taken.push([1u8; 4096]);
    }
}

/// Makes endpoints until it may make no more.
fn objects() -> Result<i64, Error> {
    let mut made = 0;
    loop {
        match invoke(EndpointCreate { process: None, queue: 1 }) {
            Ok(_) => made += 1,
            Err(Error::OverLimit) => return Ok(made),
            Err(error) => return Err(error),
        }
    }
}

/// Registers timers that do not come until it may register no more, says how many, and waits for ever.
fn timers() -> Result<i64, Error> {
    let mut service = timer::Client::new(Channel::to(timer::NAME)?);
    let notification = invoke(NotificationCreate { process: None })?.notification;
    let (mut token, far) = (0, Turns::once(Deadline(u64::MAX - 1)));
    while service.register(token, QosClass::Normal, far, 1, notification).is_ok() {
        token += 1;
    }
    println!("rogue: {token} timers");
    invoke(Wait { notification, deadline: Deadline::NEVER })?;
    Ok(0)
}

/// Sends init nonsense as fast as it can, for ever.
fn flood() -> Result<i64, Error> {
    let init = env::handle(env::INIT)?;
    let nonsense = Message::tagged(u64::MAX);
    loop {
        match channel::send(init, &nonsense) {
            Ok(()) | Err(Error::Again) => {}
            Err(error) => return Err(error),
        }
    }
}
