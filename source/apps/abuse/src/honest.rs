//! An honest client: calls, or asks for routes, from one moment to another, and counts what it gets.

use core::time::Duration;

use nexus_abi::syscall::{Close, NotificationCreate, Wait};
use nexus_abi::{Deadline, Error};
use nexus_proto::supervisor;
use nexus_rt::inbox::Inbox;
use nexus_rt::kernel::invoke;
use nexus_rt::{Channel, Instant, env};

/// For one route.
const ROUTE: Duration = Duration::from_millis(20);

/// The exit status: calls that were answered, or routes that were found.
pub(crate) fn count() -> Result<i64, Error> {
    let time = |at| env::arguments().nth(at).and_then(|text| text.parse::<u64>().ok()).ok_or(Error::Invalid);
    let (begin, end) = (time(3)?, time(4)?);
    let mut client = supervisor::Client::new(Channel::to(supervisor::NAME)?);
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
            client.list(0).map(drop)
        };
        got += i64::from(served.is_ok());
    }
    Ok(got)
}
