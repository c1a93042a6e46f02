//! The kernel's tables, read row by row.

use crate::system::{Cpu, Memory, Power, Process, Slot, State, Status, Terms};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;
use nexus_abi::syscall::{
    InfoCapability, InfoCpu, InfoLimits, InfoObjects, InfoProcess, InfoUsage, PowerOff, PowerReset,
};
use nexus_abi::{Error, Handle, Kind, Rights};
use nexus_proto::console;
use nexus_rt::kernel::invoke;
use nexus_rt::{Channel, Instant, env};

/// What `InfoObjects` counts beside the kinds of objects.
const RESOURCES: [(u32, &str); 4] = [(0, "frames"), (64, "slot-blocks"), (65, "messages"), (66, "mappings")];
const RIGHTS: [(Rights, char); 4] =
    [(Rights::USE, 'u'), (Rights::TAKE, 't'), (Rights::MANAGE, 'm'), (Rights::TRANSFER, 'x')];

/// How long the console may take to send what it still has before the machine stops, and to be found.
const FLUSH: Duration = Duration::from_secs(2);

/// The rights to read the tables and to stop the machine, as far as they were given.
pub(super) struct Tables {
    info: Result<Handle, Error>,
    power: Result<Handle, Error>,
}

impl Tables {
    pub(super) fn open() -> Self {
        Tables { info: env::handle("info"), power: env::handle("power") }
    }

    pub(super) fn processes(&self) -> Result<Vec<Process>, Error> {
        let (info, cpus) = (self.info?, self.cpus()?.len().clamp(1, 64));
        rows(|index| {
            let found = invoke(InfoProcess { info, index })?;
            let pid = found.id.number();
            // It may have gone between the two calls.
            let usage = invoke(InfoUsage { info, index: pid }).ok();
            let terms = invoke(InfoLimits { info, index: pid }).ok().map(|limits| Terms {
                shares: limits.shares,
                affinity: limits.mask & (u64::MAX >> (64 - cpus)),
                budget_us: (limits.period != 0).then(|| (microseconds(limits.budget), microseconds(limits.period))),
            });
            let count = |of: fn(&nexus_abi::syscall::Usage) -> u64| usage.as_ref().map_or(0, of);
            let row = Process {
                pid,
                name: found.name.as_str().to_string(),
                class: usage.as_ref().map(|usage| usage.class),
                terms,
                state: State::Running,
                cpu_us: microseconds(count(|usage| usage.cpu)),
                frames: count(|usage| usage.frames),
                handles: count(|usage| usage.handles),
                threads: count(|usage| usage.threads),
            };
            Ok((row, pid))
        })
    }

    pub(super) fn cpus(&self) -> Result<Vec<Cpu>, Error> {
        let info = self.info?;
        rows(|number| {
            let found = invoke(InfoCpu { info, cpu: number })?;
            let row = Cpu {
                number,
                hart: found.hart,
                online: if found.online == 0 { Status::Down } else { Status::Up },
                busy_us: microseconds(found.busy),
                idle_us: microseconds(found.idle),
                tasks: found.tasks,
                switches: found.switches,
                timer_interrupts: found.timer_interrupts,
                device_interrupts: found.device_interrupts,
            };
            Ok((row, number))
        })
    }

    pub(super) fn memory(&self) -> Result<Vec<Memory>, Error> {
        let info = self.info?;
        let kinds = Kind::ALL.iter().map(|kind| (*kind as u32, kind.name()));
        let counted = RESOURCES.into_iter().chain(kinds).map(|(number, kind)| {
            let found = invoke(InfoObjects { info, kind: number })?;
            Ok(Memory { kind, used: found.used, capacity: found.capacity })
        });
        // A kind that nobody can make is none that the kernel counts.
        counted.filter(|row| *row != Err(Error::Invalid)).collect()
    }

    pub(super) fn capabilities(&self, pid: u32) -> Result<Vec<Slot>, Error> {
        let info = self.info?;
        if invoke(InfoProcess { info, index: pid })?.id.number() != pid {
            return Err(Error::NotFound);
        }
        rows(|index| {
            let found = invoke(InfoCapability { info, process: pid, index })?;
            let letters = RIGHTS.iter().filter(|(right, _)| found.rights.contains(*right));
            let row = Slot {
                index: found.index,
                kind: found.kind.name(),
                rights: letters.map(|(_, letter)| *letter).collect(),
                badge: found.badge,
                object: found.object,
                shard: found.shard,
                to: None,
            };
            Ok((row, found.index))
        })
    }

    /// As [`Tables::capabilities`], and who receives at each endpoint: who holds the right to.
    pub(super) fn capabilities_to(&self, pid: u32) -> Result<Vec<Slot>, Error> {
        let mut slots = self.capabilities(pid)?;
        let endpoint = |slot: &Slot| slot.kind == Kind::Endpoint.name();
        for process in self.processes()? {
            // It may have gone between the two calls.
            let receives = self.capabilities(process.pid).unwrap_or_default();
            let receives = receives.iter().filter(|slot| endpoint(slot) && slot.rights.contains('t'));
            for object in receives.map(|slot| slot.object) {
                let there = slots.iter_mut().filter(|slot| endpoint(slot) && slot.object == object);
                there.for_each(|slot| slot.to = Some(process.name.clone()));
            }
        }
        Ok(slots)
    }

    /// What was printed before is sent first; a console that cannot, or is written to without end, holds nothing up.
    pub(super) fn power(&self, power: Power) -> Error {
        let _ = Channel::to_within(console::NAME, FLUSH).and_then(|console| {
            let deadline = Instant::now().after(FLUSH);
            console::Client::new(console).until(deadline).flush()
        });
        let asked = self.power.and_then(|handle| match power {
            Power::Reset => invoke(PowerReset { power: handle }).map(drop),
            Power::Off(status) => invoke(PowerOff { power: handle, status }).map(drop),
        });
        asked.err().unwrap_or(Error::State)
    }

    /// The boot arguments; none where the kernel does not say.
    pub(super) fn boot_arguments(&self) -> String {
        let read = self.info.and_then(env::boot_arguments);
        String::from_utf8(read.unwrap_or_default()).unwrap_or_default()
    }
}

/// Reads a table whose rows say at which index they stood, up to its end.
fn rows<T>(read: impl Fn(u32) -> Result<(T, u32), Error>) -> Result<Vec<T>, Error> {
    let (mut rows, mut index) = (Vec::new(), 0);
    loop {
        match read(index) {
            Ok((row, at)) => {
                rows.push(row);
                index = at.max(index) + 1;
            }
            Err(Error::NotFound) => return Ok(rows),
            Err(error) => return Err(error),
        }
    }
}

/// Ticks of the `time` counter in microseconds.
pub(super) fn microseconds(ticks: u64) -> u64 {
    let time = Instant::from_ticks(ticks).since(Instant::from_ticks(0));
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
