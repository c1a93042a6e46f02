//! The way to init and back: routes by interface name.

use alloc::vec::Vec;
use core::time::Duration;

use nexus_abi::message::Status;
use nexus_abi::syscall::{Close, Derive, EndpointCreate, NotificationCreate, Notify, Wait, ipc};
use nexus_abi::{Deadline, Error, Handle, Name, Rights, ServiceId};
use nexus_ipc::{NonceMismatchBudget, Notice, Pipeline, RouteAnswer, RouteLink, RouteRetryOutcome, Signal};

use crate::channel::{arrived, close_all, send};
use crate::sys::{self, Departure};
use crate::{aside, env, kernel::invoke, time, turns::Turns};

/// Who answers routes.
const INIT: ServiceId = ServiceId::service("init");

/// Answers that can wait in an inbox, and routes on their way at once.
pub const WINDOW: usize = 4;
/// Foreign answers that one route tolerates: as many as can have been waiting.
const FOREIGN: u32 = WINDOW as u32;

/// How long a route may take.
const ROUTE_WAIT: Duration = Duration::from_secs(2);

crate::sys::own! {
    /// What was routed so far. As few as a program has interfaces.
    static ROUTED: Vec<Route> = Vec::new()
}

crate::sys::own! {
    static ASKED: Turns = Turns::none()
}

/// The way to an interface beside that of the start page.
struct Route {
    name: Name,
    handle: Handle,
    leads: Leads,
}

/// Where a handle leads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leads {
    /// To the server, as far as anybody knows.
    There,
    /// To one that is gone. It is kept to be closed once there is another.
    Nowhere,
}

impl Route {
    /// The handle, unless its server is gone.
    fn way(&self) -> Option<Handle> {
        (self.leads == Leads::There).then_some(self.handle)
    }
}

/// The handle to an interface: what was routed last, what the program was started with, or by asking init now.
pub fn find(interface: &str) -> Result<Handle, Error> {
    find_within(interface, ROUTE_WAIT)
}

/// [`find`], but init has this long to answer.
pub fn find_within(interface: &str, wait: Duration) -> Result<Handle, Error> {
    let name = Name::new(interface).ok_or(Error::Invalid)?;
    let known = entry(name);
    match (known, env::handle(interface)) {
        (Some(Some(handle)), _) | (None, Ok(handle)) => Ok(handle),
        (Some(None), _) | (None, Err(_)) => ask(name, wait),
    }
}

/// Asks for those of the interfaces that nobody knows yet, several at once, so that [`find`] has them at hand. An error
/// is the first refusal; what was not refused is known all the same.
pub fn learn(interfaces: &[&str]) -> Result<(), Error> {
    let names = interfaces.iter().map(|interface| Name::new(interface).ok_or(Error::Invalid));
    let names = names.collect::<Result<Vec<Name>, Error>>()?;
    let unknown = |name: &Name| matches!((entry(*name), env::handle(name.as_str())), (Some(None), _) | (None, Err(_)));
    let missing: Vec<Name> = names.into_iter().filter(unknown).collect();
    ask_each(&missing, ROUTE_WAIT).into_iter().try_for_each(|found| found.map(drop))
}

/// What was routed last for an interface.
pub(crate) fn routed(interface: Name) -> Option<Handle> {
    entry(interface).flatten()
}

fn entry(interface: Name) -> Option<Option<Handle>> {
    ROUTED.lock().iter().find(|route| route.name == interface).map(Route::way)
}

/// The handle to an interface after the server behind `dead` is gone: another's that was routed meanwhile, or by asking
/// init, for as long as the deadline allows. `dead` is closed once there is another; until then it goes on to answer
/// `EPEERCLOSED`.
pub fn renew(interface: Name, dead: Handle, deadline: Deadline) -> Result<Handle, Error> {
    if let Some(another) = forget(interface, dead) {
        return Ok(another);
    }
    let left = time::Instant::from_ticks(deadline.0).since(time::Instant::now());
    ask(interface, left.min(ROUTE_WAIT))
}

/// What was routed for an interface in the place of `dead`, which nobody finds any more.
fn forget(interface: Name, dead: Handle) -> Option<Handle> {
    let mut routed = ROUTED.lock();
    match routed.iter_mut().find(|route| route.name == interface) {
        Some(route) if route.handle != dead => return route.way(),
        Some(route) => route.leads = Leads::Nowhere,
        None => routed.push(Route { name: interface, handle: dead, leads: Leads::Nowhere }),
    }
    None
}

/// Asks init, and remembers. Of several threads one asks, since init takes a second question for one that gave the first up;
/// the others wait for what comes of it, and if nothing does, one of them asks.
fn ask(name: Name, wait: Duration) -> Result<Handle, Error> {
    let until = time::deadline_in(wait);
    let bell = || invoke(NotificationCreate { process: None }).map(|made| made.notification);
    loop {
        let Some(bell) = ASKED.lock().take(name, bell)? else { break };
        let woken = invoke(Wait { notification: bell, deadline: until });
        let _ = invoke(Close { handle: bell });
        woken?;
        if let Some(handle) = routed(name) {
            return Ok(handle);
        }
    }
    let left = time::Instant::from_ticks(until.0).since(time::Instant::now());
    let found = ask_each(&[name], left).pop().unwrap_or(Err(Error::Protocol));
    let waiting = ASKED.lock().end(name);
    for bell in waiting {
        // Who gave up has closed it.
        let _ = invoke(Notify { notification: bell, bits: 1 });
    }
    found
}

/// Asks init for all of these, and remembers what came.
fn ask_each(names: &[Name], wait: Duration) -> Vec<Result<Handle, Error>> {
    let mut found = Vec::new();
    if names.is_empty() {
        return found;
    }
    match Inbox::open() {
        Ok(mut inbox) => inbox.route_each(names, wait, |name, outcome| {
            found.push(outcome.into_result().map(|fresh| keep(name, fresh)));
        }),
        Err(error) => found.resize(names.len(), Err(error)),
    }
    found
}

/// Remembers what was routed, unless another thread was first: then that is kept and this closed. What led to a server
/// that is gone is closed too, however often nobody could be found in its place.
fn keep(name: Name, fresh: Handle) -> Handle {
    let (first, spare) = remember(name, fresh);
    if let Some(handle) = spare {
        let _ = invoke(Close { handle });
    }
    first
}

/// The handle that stands, and the one that nobody needs.
fn remember(name: Name, fresh: Handle) -> (Handle, Option<Handle>) {
    let mut routed = ROUTED.lock();
    let Some(route) = routed.iter_mut().find(|route| route.name == name) else {
        routed.push(Route { name, handle: fresh, leads: Leads::There });
        return (fresh, None);
    };
    match route.leads {
        Leads::There => (route.handle, Some(fresh)),
        Leads::Nowhere => {
            route.leads = Leads::There;
            (fresh, Some(core::mem::replace(&mut route.handle, fresh)))
        }
    }
}

/// A program's inbox for routes, with those that are on their way.
#[derive(Debug)]
pub struct Inbox {
    line: Pipeline<Line, WINDOW>,
}

impl Inbox {
    /// Makes one. Needs the `init` handle from the start page.
    pub fn open() -> Result<Inbox, Error> {
        let init = env::handle(env::INIT)?;
        let endpoint = invoke(EndpointCreate { process: None, queue: WINDOW as u16 })?.endpoint;
        Ok(Inbox { line: Pipeline::over(Line { init, endpoint }, sys::time()) })
    }

    /// Asks init for a handle to an interface, within `wait`.
    pub fn route(&mut self, interface: &str, wait: Duration) -> RouteRetryOutcome {
        let mut routed = RouteRetryOutcome::Rejected(Error::Invalid);
        if let Some(name) = Name::new(interface) {
            self.route_each(&[name], wait, |_, outcome| routed = outcome);
        }
        routed
    }

    /// Asks init for handles to all of these, as many at once as the window allows, all within `wait`; each outcome is
    /// handed over, in order.
    pub fn route_each(&mut self, names: &[Name], wait: Duration, mut routed: impl FnMut(Name, RouteRetryOutcome)) {
        let mut order = names.iter();
        self.line.ask_each(
            names.iter().copied(),
            NonceMismatchBudget::new(FOREIGN),
            time::deadline_in(wait),
            |waited| {
                routed(*order.next().expect("each name ends once"), waited.into());
            },
        );
    }

    /// The requests on their way, for whoever waits for each by itself.
    pub fn line(&mut self) -> &mut Pipeline<Line, WINDOW> {
        &mut self.line
    }
}

/// The way to init, and the endpoint where its answers arrive.
#[derive(Debug)]
pub struct Line {
    init: Handle,
    endpoint: Handle,
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = invoke(Close { handle: self.endpoint });
    }
}

impl RouteLink for Line {
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
        let mut arrival = sys::message(&out);
        if arrival.status.error() == Some(Error::State) {
            aside::put()?;
            arrival = sys::message(&out);
        }
        if let Some(error) = arrival.status.error() {
            return Err(error);
        }
        if arrival.status.has(Status::SIGNAL) {
            // Not for this inbox, and not lost: it is the loop's.
            aside::put_signal(Signal { bits: arrival.words[0], key: arrival.words[1] });
            return Err(Error::Protocol);
        }
        let message = arrived(&arrival);
        let from_init = arrival.status.has(Status::ONE_WAY) && arrival.service == INIT.0;
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
