//! What execd stands on: system calls, policy's word, and the log.

use core::time::Duration;

use nexus_abi::syscall::NotificationCreate;
use nexus_abi::{Error, Name, ServiceId};
use nexus_proto::audit::Audit;
use nexus_proto::policy::{Client, NAME, Rule};
use nexus_rt::{Channel, Kernel, Machine, Server, env, inbox, kernel::invoke, memory, records, time};

use crate::{Execd, Holdings};

/// How long the way to policy may take to find: a policy that is being started anew is not waited for.
const ROUTE: Duration = Duration::from_millis(20);
/// How long policy may take to answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The service over what the start page names, with the programs that a predecessor started; and the loop to serve it with.
pub fn open() -> Result<(Execd<Machine>, Server), Error> {
    let ends = invoke(NotificationCreate { process: None })?.notification;
    let holdings = Holdings {
        image: env::handle("image")?,
        spawn: env::handle("spawn")?,
        ends,
        init: env::handle(env::INIT).ok(),
        log: env::handle(env::LOG).ok(),
        info: env::handle("info").ok(),
        timebase: env::start()?.info().timebase,
    };
    let mut service = Execd::new(Machine, memory::sealed(holdings.image)?, holdings)?;
    service.recover()?;
    Ok((service, Server::of_start_page()?.bound_to(ends)?))
}

/// The machine below execd; a test supplies its own.
pub trait Ground: Kernel {
    /// Asks policy. `EPERM`: it denies. `EUNAVAILABLE`: it is not there, or does not answer.
    fn decide(&mut self, subject: ServiceId, interface: Name, permits: u64) -> Result<Rule, Error>;

    /// Records a decision.
    fn audit(&mut self, audit: &Audit<'_>);
}

impl Ground for Machine {
    fn decide(&mut self, subject: ServiceId, interface: Name, permits: u64) -> Result<Rule, Error> {
        // A client that does not look for the next policy by itself: it would wait for it.
        let endpoint = Channel::to_within(NAME, ROUTE).map_err(|_| Error::Unavailable)?.endpoint();
        let ask = |endpoint| {
            let mut client = Client::new(Channel::new(endpoint));
            client.until(time::deadline_in(PATIENCE)).decide(subject, interface, permits)
        };
        let decided = match ask(endpoint) {
            // That was the way to one that died. The next is asked, if it runs by now.
            Err(Error::PeerClosed) => {
                let policy = Name::new(NAME).ok_or(Error::Invalid)?;
                inbox::renew(policy, endpoint, time::deadline_in(ROUTE)).and_then(ask)
            }
            decided => decided,
        };
        match decided {
            Ok(decided) => Rule::from_wire(decided.rule).ok_or(Error::Unavailable),
            Err(Error::Permission) => Err(Error::Permission),
            Err(_) => Err(Error::Unavailable),
        }
    }

    fn audit(&mut self, audit: &Audit<'_>) {
        records::audit(audit);
    }
}
