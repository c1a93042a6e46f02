//! The way to init and back: routes by interface name.

use alloc::vec::Vec;
use core::time::Duration;

use nexus_abi::message::Status;
use nexus_abi::syscall::{Close, Derive, EndpointCreate, ipc};
use nexus_abi::{Deadline, Error, Handle, Name, Rights, ServiceId};
use nexus_ipc::{NonceMismatchBudget, Notice, RouteAnswer, RouteLink, RouteRetryOutcome, route_with_nonce_budgeted};

use crate::channel::{arrived, close_all, send};
use crate::sys::{self, Departure, Mutex};
use crate::{env, kernel::invoke, time};

/// Answers that can wait in an inbox.
const INBOX: u16 = 4;
/// Foreign answers that one route tolerates: as many as can have been waiting.
const FOREIGN: u32 = INBOX as u32;

/// How long a route may take.
const ROUTE_WAIT: Duration = Duration::from_secs(2);

/// What was routed so far; none: it has to be asked for again. As few as a program has interfaces.
static ROUTED: Mutex<Vec<(Name, Option<Handle>)>> = Mutex::new(Vec::new());

/// The handle to an interface: what was routed before, what the program was started with, or by asking init now.
pub fn find(interface: &str) -> Result<Handle, Error> {
    let name = Name::new(interface).ok_or(Error::Invalid)?;
    let mut routed = ROUTED.lock();
    let known = routed.iter().position(|(known, _)| *known == name);
    match known.map(|at| routed[at].1) {
        Some(Some(handle)) => return Ok(handle),
        Some(None) => {}
        None => {
            if let Ok(handle) = env::handle(interface) {
                return Ok(handle);
            }
        }
    }
    let handle = Inbox::open()?.route(interface, ROUTE_WAIT).into_result()?;
    match known {
        Some(at) => routed[at].1 = Some(handle),
        None => routed.push((name, Some(handle))),
    }
    Ok(handle)
}

/// The server of an interface was restarted: the next [`find`] asks init again. What was routed is closed.
pub fn forget(interface: &str) {
    let Some(name) = Name::new(interface) else { return };
    let mut routed = ROUTED.lock();
    match routed.iter().position(|(known, _)| *known == name) {
        Some(at) => {
            if let Some(handle) = routed[at].1.take() {
                let _ = invoke(Close { handle });
            }
        }
        None => routed.push((name, None)),
    }
}

/// A program's inbox for routes.
#[derive(Debug)]
pub struct Inbox {
    init: Handle,
    endpoint: Handle,
    nonce: u64,
}

impl Inbox {
    /// Makes one. Needs the `init` handle from the start page.
    pub fn open() -> Result<Inbox, Error> {
        let init = env::handle(env::INIT)?;
        let endpoint = invoke(EndpointCreate { process: None, queue: INBOX })?.endpoint;
        Ok(Inbox { init, endpoint, nonce: sys::time() })
    }

    /// Asks init for a handle to an interface, within `wait`.
    pub fn route(&mut self, interface: &str, wait: Duration) -> RouteRetryOutcome {
        let Some(name) = Name::new(interface) else { return RouteRetryOutcome::Rejected(Error::Invalid) };
        self.nonce = self.nonce.wrapping_add(1);
        let (nonce, deadline) = (self.nonce, time::deadline_in(wait));
        route_with_nonce_budgeted(self, name, nonce, NonceMismatchBudget::new(FOREIGN), deadline)
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let _ = invoke(Close { handle: self.endpoint });
    }
}

impl RouteLink for Inbox {
    fn ask(&mut self, interface: Name, nonce: u64) -> Result<(), Error> {
        let rights = Rights::USE.union(Rights::TRANSFER);
        let inbox = invoke(Derive { source: self.endpoint, rights, badge: 0 })?.handle;
        let sent = send(self.init, &Notice::Route { nonce, interface, inbox }.to_message());
        let _ = invoke(Close { handle: inbox });
        sent
    }

    fn answer(&mut self, deadline: Deadline) -> Result<RouteAnswer, Error> {
        let out = Departure {
            number: ipc::RECV,
            target: self.endpoint.raw(),
            deadline: deadline.0,
            extent: 0,
            words: [0; 8],
        };
        let arrival = sys::message(&out);
        if let Some(error) = arrival.status.error() {
            return Err(error);
        }
        let message = arrived(&arrival);
        let from_init = arrival.status.has(Status::ONE_WAY) && arrival.service == ServiceId::service("init").0;
        match Notice::from_message(&message) {
            Ok(Notice::Routed { nonce, result }) if from_init => Ok(RouteAnswer { nonce, result }),
            _ => {
                close_all(&message);
                Err(Error::Protocol)
            }
        }
    }

    fn drop_handle(&mut self, handle: Handle) {
        let _ = invoke(Close { handle });
    }
}
