//! The manifest as it was written: every key read, every value typed, nothing compared with anything else yet.
//!
//! Names are still names here; [`super::resolve`] turns them into indices.

use nexus_abi::layout::{DEFAULT_STACK, PAGE_SIZE};
use nexus_abi::{Budget, Limits, QosClass, Quota, Shard, handle::SHARDS};
use wiring::{Backoff, Grant, Restart};

use super::reader::{At, Item, Table};
use super::refusal::{Broken, Rule, broken};
use super::talk::{self, Asked, Provided};

/// The whole file.
pub(super) struct Written {
    pub(super) capacity: Quota,
    pub(super) policy: Policy,
    pub(super) backoff: At<Backoff>,
    pub(super) init: Init,
    pub(super) services: Vec<Task>,
    pub(super) programs: Vec<Task>,
    pub(super) devices: Vec<Device>,
}

/// What classes there may be, and who may raise them.
pub(super) struct Policy {
    pub(super) services: QosClass,
    pub(super) programs: QosClass,
    pub(super) raise: Vec<At<String>>,
}

/// init's own block.
pub(super) struct Init {
    pub(super) quota: At<Quota>,
    pub(super) stack_pages: u16,
    pub(super) provides: Vec<Provided>,
}

/// A service or a program; what only services have is empty in a program.
pub(super) struct Task {
    pub(super) name: At<String>,
    pub(super) prefix: Option<At<String>>,
    pub(super) quota: At<Quota>,
    pub(super) qos: At<QosClass>,
    pub(super) limits: At<Limits>,
    pub(super) stack_pages: u16,
    pub(super) shard: Option<Shard>,
    pub(super) restart: Restart,
    pub(super) grants: Vec<At<Grant>>,
    pub(super) provides: Vec<Provided>,
    pub(super) routes: Vec<Asked>,
    pub(super) after: Vec<At<String>>,
    pub(super) devices: Vec<At<String>>,
}

/// A node of the device tree under a name of ours.
pub(super) struct Device {
    pub(super) name: At<String>,
    pub(super) compatible: At<String>,
    pub(super) instance: u16,
}

const TOP: [&str; 8] = ["capacity", "policy", "restart", "init", "programs", "service", "program", "device"];
const PROGRAM: [&str; 11] =
    ["name", "prefix", "quota", "qos", "shares", "cpus", "budget", "stack_kib", "shard", "grants", "routes"];
const SERVICE: [&str; 15] = [
    "name",
    "prefix",
    "quota",
    "qos",
    "shares",
    "cpus",
    "budget",
    "stack_kib",
    "shard",
    "grants",
    "routes",
    "restart",
    "provides",
    "after",
    "devices",
];

impl Written {
    /// Reads the top table.
    pub(super) fn read(top: Table<'_>) -> Result<Self, Broken> {
        let top = top.only(&TOP)?;
        let (default_quota, default_routes) = match top.optional("programs") {
            Some(item) => {
                let table = item.table()?.only(&["quota", "routes"])?;
                (Some(quota(table.required("quota")?)?), routes(table)?)
            }
            None => (None, Vec::new()),
        };
        let service = |table: Table<'_>| task(table.only(&SERVICE)?, None);
        let program = |table: Table<'_>| {
            let mut program = task(table.only(&PROGRAM)?, default_quota.clone())?;
            let own = program.routes.len();
            let named = |route: &&Asked| program.routes[..own].iter().any(|other| other.name.value == route.name.value);
            let missing: Vec<Asked> = default_routes.iter().filter(|route| !named(route)).cloned().collect();
            program.routes.extend(missing);
            Ok(program)
        };
        Ok(Self {
            capacity: quota(top.required("capacity")?)?.value,
            policy: policy(top.required("policy")?.table()?)?,
            backoff: backoff(top.required("restart")?.table()?)?,
            init: init(top.required("init")?.table()?)?,
            services: top.tables("service")?.into_iter().map(service).collect::<Result<_, _>>()?,
            programs: top.tables("program")?.into_iter().map(program).collect::<Result<_, _>>()?,
            devices: top.tables("device")?.into_iter().map(device).collect::<Result<_, _>>()?,
        })
    }
}

fn policy(table: Table<'_>) -> Result<Policy, Broken> {
    let table = table.only(&["services", "programs", "raise"])?;
    Ok(Policy {
        services: class(table.required("services")?)?.value,
        programs: class(table.required("programs")?)?.value,
        raise: words(table, "raise")?,
    })
}

fn backoff(table: Table<'_>) -> Result<At<Backoff>, Broken> {
    let table = table.only(&["first_ms", "most_ms", "limit", "window_ms"])?;
    let value = Backoff {
        first_ms: table.required("first_ms")?.number()?.value,
        most_ms: table.required("most_ms")?.number()?.value,
        limit: table.required("limit")?.number()?.value,
        window_ms: table.required("window_ms")?.number()?.value,
    };
    Ok(At { value, line: table.line })
}

fn init(table: Table<'_>) -> Result<Init, Broken> {
    let table = table.only(&["quota", "stack_kib", "provides"])?;
    Ok(Init {
        quota: quota(table.required("quota")?)?,
        stack_pages: stack_pages(table)?,
        provides: table.optional("provides").map_or(Ok(Vec::new()), talk::provides)?,
    })
}

fn device(table: Table<'_>) -> Result<Device, Broken> {
    let table = table.only(&["name", "compatible", "instance"])?;
    Ok(Device {
        name: table.required("name")?.text()?,
        compatible: table.required("compatible")?.text()?,
        instance: table.optional("instance").map_or(Ok(0), |item| item.number().map(|at| at.value))?,
    })
}

fn task(table: Table<'_>, default_quota: Option<At<Quota>>) -> Result<Task, Broken> {
    let name = table.required("name")?.text()?;
    let own_quota = match (table.optional("quota"), default_quota) {
        (None, Some(default)) => default,
        _ => quota(table.required("quota")?)?,
    };
    let normal = At { value: QosClass::Normal, line: name.line };
    Ok(Task {
        prefix: table.optional("prefix").map(Item::text).transpose()?,
        quota: own_quota,
        qos: table.optional("qos").map_or(Ok(normal), class)?,
        limits: limits(table)?,
        stack_pages: stack_pages(table)?,
        shard: table.optional("shard").map(shard).transpose()?,
        restart: table.optional("restart").map_or(Ok(Restart::Always), restart)?,
        grants: table.optional("grants").map_or(Ok(Vec::new()), grants)?,
        provides: table.optional("provides").map_or(Ok(Vec::new()), talk::provides)?,
        routes: routes(table)?,
        after: words(table, "after")?,
        devices: words(table, "devices")?,
        name,
    })
}

fn routes(table: Table<'_>) -> Result<Vec<Asked>, Broken> {
    table.optional("routes").map_or(Ok(Vec::new()), talk::routes)
}

fn words(table: Table<'_>, key: &'static str) -> Result<Vec<At<String>>, Broken> {
    table.optional(key).map_or(Ok(Vec::new()), Item::words)
}

/// A quota: any of the ABI's resources by its name there, the others 0.
fn quota(item: Item<'_>) -> Result<At<Quota>, Broken> {
    let table = item.table()?.only(Quota::NAMES)?;
    fn number<T: TryFrom<u64> + Default>(table: Table<'_>, key: &'static str) -> Result<T, Broken> {
        table.optional(key).map_or(Ok(T::default()), |item| item.number().map(|at| at.value))
    }
    let value = Quota {
        frames: number(table, "frames")?,
        threads: number(table, "threads")?,
        messages: number(table, "messages")?,
        slot_blocks: number(table, "slot_blocks")?,
        processes: number(table, "processes")?,
        endpoints: number(table, "endpoints")?,
        notifications: number(table, "notifications")?,
        memories: number(table, "memories")?,
        mappings: number(table, "mappings")?,
        timers: number(table, "timers")?,
        irqs: number(table, "irqs")?,
    };
    Ok(At { value, line: item.line() })
}

fn class(item: Item<'_>) -> Result<At<QosClass>, Broken> {
    one_of(item, &QosClass::ALL, |class| class.name())
}

fn restart(item: Item<'_>) -> Result<Restart, Broken> {
    one_of(item, &Restart::ALL, |restart| restart.name()).map(|at| at.value)
}

fn grants(item: Item<'_>) -> Result<Vec<At<Grant>>, Broken> {
    item.words()?.iter().map(|word| known(word, &Grant::ALL, |grant| grant.name())).collect()
}

fn one_of<T: Copy>(item: Item<'_>, all: &[T], name: fn(&T) -> &'static str) -> Result<At<T>, Broken> {
    known(&item.text()?, all, name)
}

fn known<T: Copy>(word: &At<String>, all: &[T], name: fn(&T) -> &'static str) -> Result<At<T>, Broken> {
    let value = all.iter().find(|value| name(value) == word.value).copied().ok_or_else(|| {
        let names: Vec<_> = all.iter().map(name).collect();
        broken(Rule::UnknownWord, word.line, format!("`{}` is none of {}", word.value, names.join(", ")))
    })?;
    Ok(At { value, line: word.line })
}

fn shard(item: Item<'_>) -> Result<Shard, Broken> {
    let number = item.number::<u8>()?;
    Shard::new(number.value).ok_or_else(|| {
        let text = format!("there is no shard {}; they are 0 to {}", number.value, SHARDS - 1);
        broken(Rule::OutOfRange, number.line, text)
    })
}

/// The line is that of the last of the keys.
fn limits(table: Table<'_>) -> Result<At<Limits>, Broken> {
    let mut limits = At { value: Limits::NONE, line: table.line };
    if let Some(item) = table.optional("shares") {
        (limits.value.shares, limits.line) = (item.number()?.value, item.line());
    }
    if let Some(item) = table.optional("cpus") {
        (limits.value.cpus, limits.line) = (cpus(item)?, item.line());
    }
    if let Some(item) = table.optional("budget") {
        (limits.value.budget, limits.line) = (budget(item)?, item.line());
    }
    Ok(limits)
}

/// Numbers of CPUs as a set.
fn cpus(item: Item<'_>) -> Result<u8, Broken> {
    let mut mask = 0;
    for number in item.list()? {
        let number = number.number::<u8>()?;
        let bit = 1u8.checked_shl(number.value.into()).ok_or_else(|| {
            let text = format!("there is no CPU {}; they are 0 to {}", number.value, u8::BITS - 1);
            broken(Rule::OutOfRange, number.line, text)
        })?;
        if mask & bit != 0 {
            return Err(broken(Rule::Repeated, number.line, format!("CPU {} is there twice", number.value)));
        }
        mask |= bit;
    }
    Ok(mask)
}

fn budget(item: Item<'_>) -> Result<Budget, Broken> {
    let table = item.table()?.only(&["time_us", "period_us"])?;
    let number = |key, default| table.optional(key).map_or(Ok(default), |item| item.number().map(|at| at.value));
    let Budget { time_us, period_us } = Budget::DEFAULT;
    Ok(Budget { time_us: number("time_us", time_us)?, period_us: number("period_us", period_us)? })
}

fn stack_pages(table: Table<'_>) -> Result<u16, Broken> {
    const PAGE_KIB: u32 = (PAGE_SIZE / 1024) as u32;
    let Some(item) = table.optional("stack_kib") else {
        return Ok((DEFAULT_STACK / PAGE_SIZE) as u16);
    };
    let kib = item.number::<u16>()?;
    let size = u32::from(kib.value);
    if size == 0 || !size.is_multiple_of(PAGE_KIB) {
        let text = format!("a stack of {size} KiB is not one or more whole pages of {PAGE_KIB} KiB");
        return Err(broken(Rule::StackSize, kib.line, text));
    }
    Ok((size / PAGE_KIB) as u16)
}
