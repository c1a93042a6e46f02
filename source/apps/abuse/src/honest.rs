//! An honest client: calls, or asks for routes, from one moment to another, and counts what it gets.

use core::time::Duration;

use nexus_abi::syscall::{Close, NotificationCreate, Wait};
use nexus_abi::{Deadline, Error};
use nexus_proto::{exec, logs, supervisor, timer};
use nexus_rt::inbox::Inbox;
use nexus_rt::kernel::invoke;
use nexus_rt::{Channel, Instant, env};

/// For one route.
const ROUTE: Duration = Duration::from_millis(20);

/// The service that is called.
enum Service {
    Init(supervisor::Client<Channel>),
    Timed(timer::Client<Channel>),
    Logd(logs::Client<Channel>),
    Execd(exec::Client<Channel>),
}

impl Service {
    fn named(interface: &str) -> Result<Service, Error> {
        let channel = Channel::to(interface)?;
        match interface {
            supervisor::NAME => Ok(Service::Init(supervisor::Client::new(channel))),
            timer::NAME => Ok(Service::Timed(timer::Client::new(channel))),
            logs::NAME => Ok(Service::Logd(logs::Client::new(channel))),
            exec::NAME => Ok(Service::Execd(exec::Client::new(channel))),
            _ => Err(Error::NotFound),
        }
    }

    /// One question, answered.
    fn ask(&mut self) -> Result<(), Error> {
        match self {
            Service::Init(client) => client.list(0).map(drop),
            Service::Timed(client) => client.clock().map(drop),
            Service::Execd(client) => client.list(0).map(drop),
            // Refused by permission: that is an answer too.
            Service::Logd(client) => match client.sender(0) {
                Err(Error::Permission) => Ok(()),
                answered => answered.map(drop),
            },
        }
    }
}

/// The exit status: calls that were answered, or routes that were found.
pub(crate) fn count() -> Result<i64, Error> {
    let time = |at| env::arguments().nth(at).and_then(|text| text.parse::<u64>().ok()).ok_or(Error::Invalid);
    let (begin, end) = (time(3)?, time(4)?);
    let mut service = Service::named(env::arguments().nth(5).unwrap_or(supervisor::NAME))?;
    let mut inbox = Inbox::open()?;
    let routes = env::arguments().nth(2) == Some("routes");
    let never = invoke(NotificationCreate { process: None })?.notification;
    let _ = invoke(Wait { notification: never, deadline: Deadline(begin) });
    let mut got = 0;
    while Instant::now().ticks() < end {
        let served = if routes {
            let found = inbox.route(supervisor::NAME, ROUTE).into_result();
            found.and_then(|handle| invoke(Close { handle }).map(drop))
        } else {
            service.ask()
        };
        got += i64::from(served.is_ok());
    }
    Ok(got)
}
