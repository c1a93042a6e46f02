//! Who offers what, and who may ask for it: interfaces, routes, and what a route permits.
//!
//! A provider lists its interfaces, each with the permissions that a route may carry; a route names provider, interface
//! and permissions. What remains is a badge: bit `n` is the provider's permission `n`, the top byte says which of its
//! interfaces, so that a handle to one is no handle to another.

use wiring::{Interface, Party, Route, badge};

use super::names::{INIT, wire};
use super::reader::{At, Item};
use super::refusal::{Broken, Rule, broken};
use super::written::Written;

/// `provides = ["stream"]`, or `provides = { exec = ["start", "control"] }`.
#[derive(Clone, Debug)]
pub(super) struct Provided {
    pub(super) name: At<String>,
    pub(super) permits: Vec<At<String>>,
}

/// `name = "server"`, `name = "server:interface"`, or `name = { to = …, may = ["start"] }`.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) name: At<String>,
    pub(super) server: At<String>,
    pub(super) interface: String,
    pub(super) may: Vec<At<String>>,
}

/// Interfaces of one owner, and permissions of one interface, at most: what a badge has room for.
const MOST: usize = 56;

/// Reads the value of `provides`.
pub(super) fn provides(item: Item<'_>) -> Result<Vec<Provided>, Broken> {
    let provided = listed(item)?;
    if provided.len() > MOST || provided.iter().any(|one| one.permits.len() > MOST) {
        let text = format!("more than {MOST} interfaces, or more than {MOST} permissions of one");
        return Err(broken(Rule::TooMany, item.line(), text));
    }
    Ok(provided)
}

fn listed(item: Item<'_>) -> Result<Vec<Provided>, Broken> {
    if let Ok(table) = item.table() {
        let provided = |(name, permits): (_, Item<'_>)| Ok(Provided { name, permits: permits.words()? });
        return table.entries().into_iter().map(provided).collect();
    }
    Ok(item.words()?.into_iter().map(|name| Provided { name, permits: Vec::new() }).collect())
}

/// Reads the value of `routes`.
pub(super) fn routes(item: Item<'_>) -> Result<Vec<Asked>, Broken> {
    let route = |(name, item): (At<String>, Item<'_>)| {
        let (to, may) = match item.table() {
            Ok(table) => {
                let table = table.only(&["to", "may"])?;
                (table.required("to")?.text()?, table.optional("may").map_or(Ok(Vec::new()), Item::words)?)
            }
            Err(_) => (item.text()?, Vec::new()),
        };
        let (server, interface) = to.value.split_once(':').unwrap_or((&to.value, &name.value));
        let server = At { value: server.to_owned(), line: to.line };
        Ok(Asked { interface: interface.to_owned(), server, name, may })
    };
    item.table()?.entries().into_iter().map(route).collect()
}

/// Every interface with its owner, init's first.
pub(super) fn interfaces(written: &Written) -> Result<Vec<Interface>, Broken> {
    let owners = owners(written);
    let all = owners.iter().flat_map(|(owner, provided)| provided.iter().map(|one| (*owner, one)));
    all.map(|(owner, provided)| Ok(Interface { name: wire(&provided.name)?, owner })).collect()
}

/// Every route, resolved to an interface and a badge.
pub(super) fn resolve(written: &Written) -> Result<Vec<Route>, Broken> {
    let services = written.services.iter().enumerate().map(|(index, task)| (Party::Service(index as u16), task));
    let programs = written.programs.iter().enumerate().map(|(index, task)| (Party::Program(index as u16), task));
    let asked =
        services.chain(programs).flat_map(|(holder, task)| task.routes.iter().map(move |route| (holder, route)));
    asked.map(|(holder, route)| one(written, holder, route)).collect()
}

fn one(written: &Written, holder: Party, route: &Asked) -> Result<Route, Broken> {
    let server = party(written, &route.server)?;
    let mut before = 0;
    for (owner, provided) in owners(written) {
        let position = provided.iter().position(|one| one.name.value == route.interface);
        if let Some(position) = position.filter(|_| owner == server) {
            let permits = permits(route, &provided[position])?;
            let interface = (before + position) as u16;
            return Ok(Route { holder, name: wire(&route.name)?, interface, badge: badge(position, permits) });
        }
        before += provided.len();
    }
    let text = format!("`{}` does not provide `{}`", route.server.value, route.interface);
    Err(broken(Rule::UnknownInterface, route.server.line, text))
}

fn permits(route: &Asked, provided: &Provided) -> Result<u64, Broken> {
    route.may.iter().try_fold(0, |bits, word| {
        let position = provided.permits.iter().position(|permit| permit.value == word.value).ok_or_else(|| {
            let text = format!("`{}` has no permission `{}`", provided.name.value, word.value);
            broken(Rule::UnknownWord, word.line, text)
        })?;
        Ok(bits | 1 << position)
    })
}

fn owners(written: &Written) -> Vec<(Party, &[Provided])> {
    let services = written.services.iter().enumerate();
    let services = services.map(|(index, service)| (Party::Service(index as u16), service.provides.as_slice()));
    [(Party::Init, written.init.provides.as_slice())].into_iter().chain(services).collect()
}

/// The party of this name: init or a service.
pub(super) fn party(written: &Written, name: &At<String>) -> Result<Party, Broken> {
    if name.value == INIT {
        return Ok(Party::Init);
    }
    let index = written.services.iter().position(|service| service.name.value == name.value);
    let refuse = || broken(Rule::UnknownService, name.line, format!("there is no service `{}`", name.value));
    index.map(|index| Party::Service(index as u16)).ok_or_else(refuse)
}
