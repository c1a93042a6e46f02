//! From names to indices: the manifest as the running system wants it.

use nexus_abi::{Name, Quota, ServiceId};
use wiring::{Device, Grants, MAX_RECORDS, Party, Program, Service, Wiring};

use super::names::{PROGRAM_PREFIX, printable, program_name, wire};
use super::reader::At;
use super::refusal::{Broken, Rule, broken};
use super::written::{Task, Written};
use super::{graph, limits, names, talk};

/// A manifest that broke no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// What init and execd read.
    pub wiring: Wiring,
    /// What init itself may own.
    pub init_quota: Quota,
    /// Pages of init's stack.
    pub init_stack_pages: u16,
    /// Everything the machine must be able to give away.
    pub capacity: Quota,
    /// Identities that may raise classes.
    pub raisers: Vec<ServiceId>,
}

/// Checks every rule and resolves every name.
pub(super) fn resolve(written: &Written) -> Result<Resolved, Broken> {
    names::check(written)?;
    bounded("services", written.services.len())?;
    bounded("programs", written.programs.len())?;
    let interfaces = talk::interfaces(written)?;
    bounded("interfaces", interfaces.len())?;
    let routes = talk::resolve(written)?;
    bounded("routes", routes.len())?;
    let devices = devices(written)?;
    let order = graph::start_order(&written.services)?;
    limits::check(written)?;
    let mut wiring = Wiring {
        backoff: written.backoff.value,
        services: written.services.iter().map(service).collect::<Result<_, _>>()?,
        programs: written.programs.iter().map(program).collect::<Result<_, _>>()?,
        interfaces,
        routes,
        devices,
    };
    reorder(&mut wiring, &order);
    Ok(Resolved {
        wiring,
        init_quota: written.init.quota.value,
        init_stack_pages: written.init.stack_pages,
        capacity: written.capacity,
        raisers: raisers(written)?,
    })
}

fn bounded(what: &str, count: usize) -> Result<(), Broken> {
    if count > MAX_RECORDS {
        return Err(broken(Rule::TooMany, 1, format!("{count} {what}; there is room for {MAX_RECORDS}")));
    }
    Ok(())
}

fn service(task: &Task) -> Result<Service, Broken> {
    Ok(Service {
        name: wire(&task.name)?,
        id: ServiceId::service(&task.name.value),
        prefix: task.prefix.as_ref().map_or_else(|| wire(&task.name), printable)?,
        quota: task.quota.value,
        qos: task.qos.value,
        limits: task.limits.value,
        stack_pages: task.stack_pages,
        restart: task.restart,
        grants: grants(task),
        shard: task.shard,
    })
}

fn program(task: &Task) -> Result<Program, Broken> {
    Ok(Program {
        name: program_name(&task.name)?,
        id: ServiceId::program(&format!("{PROGRAM_PREFIX}{}", task.name.value)),
        prefix: task.prefix.as_ref().map_or_else(|| program_name(&task.name), printable)?,
        quota: task.quota.value,
        qos: task.qos.value,
        limits: task.limits.value,
        stack_pages: task.stack_pages,
        grants: grants(task),
        shard: task.shard,
    })
}

fn grants(task: &Task) -> Grants {
    task.grants.iter().fold(Grants::default(), |grants, grant| grants.with(grant.value))
}

fn raisers(written: &Written) -> Result<Vec<ServiceId>, Broken> {
    let max = nexus_abi::image::MAX_RAISERS;
    if let Some(name) = written.policy.raise.get(max) {
        return Err(broken(Rule::TooMany, name.line, format!("at most {max} services may raise classes")));
    }
    let id = |name: &At<String>| talk::party(written, name).map(|_| ServiceId::service(&name.value));
    written.policy.raise.iter().map(id).collect()
}

/// The devices that somebody owns, each once.
fn devices(written: &Written) -> Result<Vec<Device>, Broken> {
    one_name_a_node(written)?;
    let mut owned: Vec<Device> = Vec::new();
    for (owner, service) in written.services.iter().enumerate() {
        for name in &service.devices {
            let device = written.devices.iter().find(|device| device.name.value == name.value).ok_or_else(|| {
                broken(Rule::UnknownDevice, name.line, format!("there is no device `{}`", name.value))
            })?;
            let wire_name: Name = wire(&device.name)?;
            if let Some(earlier) = owned.iter().find(|earlier| earlier.name == wire_name) {
                let first = &written.services[usize::from(earlier.owner)].name.value;
                let text = format!("`{first}` owns device `{}` already", name.value);
                return Err(broken(Rule::DeviceOwners, name.line, text));
            }
            let compatible = printable(&device.compatible)?;
            owned.push(Device { name: wire_name, compatible, instance: device.instance, owner: owner as u16 });
        }
    }
    bounded("devices", owned.len()).map(|()| owned)
}

fn one_name_a_node(written: &Written) -> Result<(), Broken> {
    for (index, device) in written.devices.iter().enumerate() {
        printable(&device.compatible)?;
        let same = |other: &&super::written::Device| {
            other.compatible.value == device.compatible.value && other.instance == device.instance
        };
        if let Some(other) = written.devices[..index].iter().find(same) {
            let text = format!("`{}` and `{}` are the same node", device.name.value, other.name.value);
            return Err(broken(Rule::DeviceAlias, device.name.line, text));
        }
    }
    Ok(())
}

/// Puts the services into `order` and every index with them.
fn reorder(wiring: &mut Wiring, order: &[usize]) {
    let place = |old: u16| {
        order.iter().position(|&at| at == usize::from(old)).expect("the order names every service once") as u16
    };
    let party = |party: Party| match party {
        Party::Service(old) => Party::Service(place(old)),
        other => other,
    };
    wiring.services = order.iter().map(|&old| wiring.services[old]).collect();
    wiring.interfaces.iter_mut().for_each(|interface| interface.owner = party(interface.owner));
    wiring.routes.iter_mut().for_each(|route| route.holder = party(route.holder));
    wiring.devices.iter_mut().for_each(|device| device.owner = place(device.owner));
}
