//! Random calls: any number, arguments by their type and name, half of them right.

use super::random::Dice;
use crate::{
    Kernel,
    process::{MAX_BLOCKS, Process},
    thread::{Thread, reg},
};
use nexus_abi::{
    Kind, Name, Quota, ServiceId,
    layout::{PAGE_SIZE, USER_END, USER_START},
    syscall::{self, Description, Syscall, TYPED, ipc},
};
use std::vec::Vec;

/// Calls whose first argument is not in the target register.
const WITHOUT_TARGET: [u64; 8] = [
    syscall::Whoami::NUMBER,
    syscall::Yield::NUMBER,
    syscall::ThreadExit::NUMBER,
    syscall::ProcessExit::NUMBER,
    syscall::Defer::NUMBER,
    syscall::Bind::NUMBER,
    syscall::TimerCreate::NUMBER,
    syscall::QosSet::NUMBER,
];
/// Rare ones: they end what others could go on with, or cost much.
const RARE: [u64; 5] = [
    syscall::ProcessExit::NUMBER,
    syscall::ProcessKill::NUMBER,
    syscall::ThreadExit::NUMBER,
    syscall::InfoInvariants::NUMBER,
    syscall::Revoke::NUMBER,
];

/// What the root process does to fill the machine.
const GROW: [u64; 6] = [
    syscall::ProcessCreate::NUMBER,
    syscall::ThreadCreate::NUMBER,
    syscall::ThreadStart::NUMBER,
    syscall::EndpointCreate::NUMBER,
    syscall::MemoryCreate::NUMBER,
    syscall::Grant::NUMBER,
];
/// What it does to leave nobody a frame, and what then has none.
const HOARD: [u64; 10] = [
    syscall::MemoryCreate::NUMBER,
    syscall::MemoryCreate::NUMBER,
    syscall::MemoryGrow::NUMBER,
    syscall::MemoryGrow::NUMBER,
    syscall::MemoryGrow::NUMBER,
    syscall::MemoryGrow::NUMBER,
    syscall::ThreadCreate::NUMBER,
    syscall::ThreadCreate::NUMBER,
    syscall::ProcessCreate::NUMBER,
    syscall::Map::NUMBER,
];
/// And to empty it.
const SHRINK: [u64; 3] = [syscall::ProcessKill::NUMBER, syscall::Close::NUMBER, syscall::Revoke::NUMBER];

/// What the root process is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Season {
    Grow,
    Hoard,
    Live,
    Shrink,
}

/// Where random arguments come from.
pub(super) struct Source<'a> {
    pub kernel: &'static Kernel,
    pub dice: &'a mut Dice,
    pub process: &'static Process,
    pub now: u64,
    pub root: bool,
    pub season: Season,
}

/// A name, a number, and registers.
type Call = (&'static str, u64, Vec<(usize, u64)>);

impl Source<'_> {
    pub(super) fn call(&mut self, thread: &'static Thread) -> Call {
        if self.dice.one_in(500) {
            return ("no call", self.dice.pick(&[10, 15, 200, u64::MAX]), Vec::from([(reg::T2, 10)]));
        }
        if self.root && self.dice.one_in(2) && self.season != Season::Live {
            let wanted = match self.season {
                Season::Grow => self.dice.pick(&GROW),
                Season::Hoard => self.dice.pick(&HOARD),
                Season::Live | Season::Shrink => self.dice.pick(&SHRINK),
            };
            let typed = TYPED.iter().find(|call| call.number == wanted).expect("it is in the table");
            return self.typed(typed);
        }
        let linked = thread.link.get() != 0 && self.dice.one_in(2);
        if linked || self.dice.below(10) < 5 {
            let reply = [ipc::REPLY, ipc::REPLY_EXTENDED, ipc::REPLY_RECV_UNTIL, ipc::REPLY_RECV_EXTENDED];
            let number = if linked { self.dice.pick(&reply) } else { self.dice.below(10) };
            return self.message(thread, number);
        }
        loop {
            let typed: &Description = &TYPED[self.dice.below(TYPED.len() as u64) as usize];
            if !RARE.contains(&typed.number) || self.dice.one_in(6) {
                return self.typed(typed);
            }
        }
    }

    fn message(&mut self, thread: &'static Thread, number: u64) -> Call {
        let name = ipc::ALL.iter().find(|(found, _)| *found == number).map_or("?", |(_, name)| name);
        let reply = matches!(number, ipc::REPLY | ipc::REPLY_EXTENDED);
        let target = match reply {
            true if self.dice.one_in(2) => 0,
            true => self.handle(Kind::Reply),
            false => self.handle(Kind::Endpoint),
        };
        let page = &self.kernel.frames.at(thread.ipc_frame.get()).0;
        for place in &page[1..8] {
            place.set(self.any_handle());
        }
        let handles = if self.dice.one_in(2) { 0 } else { self.dice.below(4) };
        let extent = self.dice.below(40) | handles << 16 | self.dice.below(2) << 24;
        let extent = if self.dice.one_in(40) { self.dice.next() } else { extent };
        let send = number == ipc::SEND;
        let extra = match send {
            true if self.dice.one_in(2) => 0,
            true => self.any_handle(),
            false => extent,
        };
        let mut registers = Vec::from([(reg::T2, number), (reg::T3, target), (reg::T6, extra)]);
        registers.push((reg::T5, self.deadline()));
        registers.extend((0..8).map(|at| (reg::A0 + at, self.dice.next())));
        (name, number, registers)
    }

    fn typed(&mut self, call: &'static Description) -> Call {
        let mut registers = Vec::from([(reg::T2, call.number)]);
        let mut place = if WITHOUT_TARGET.contains(&call.number) { 0 } else { usize::MAX };
        for (name, kind) in call.arguments {
            let words = self.argument(call, name, kind);
            for word in words {
                registers.push((if place == usize::MAX { reg::T3 } else { reg::A0 + place % 8 }, word));
                place = place.wrapping_add(1);
            }
        }
        (call.name, call.number, registers)
    }

    fn argument(&mut self, call: &Description, name: &str, kind: &str) -> Vec<u64> {
        match kind {
            "Handle" => Vec::from([self.named_handle(call, name)]),
            "Option<Handle>" if self.own() => Vec::from([0]),
            "Option<Handle>" => Vec::from([self.named_handle(call, name)]),
            "Rights" => Vec::from([if self.dice.one_in(3) { 15 } else { self.dice.below(17) }]),
            "Deadline" => Vec::from([self.deadline()]),
            "ServiceId" if self.dice.one_in(8) => Vec::from([self.dice.pick(&[0, ServiceId::ANY_PROGRAM.0])]),
            "ServiceId" => Vec::from([self.dice.pick(&[
                ServiceId::service("some").0,
                ServiceId::program("app/some").0,
                ServiceId::program("app/other").0,
            ])]),
            "Name" => {
                let mut words = Name::new("some").expect("a short name").to_words();
                words[2] = if self.dice.one_in(10) { self.dice.next() } else { 0 };
                words.into()
            }
            "ProcessId" => Vec::from([self.process_id()]),
            "Option<Shard>" => Vec::from([self.dice.below(6)]),
            "Quota" => self.quota().to_words().into(),
            "u64" if call.number == syscall::Map::NUMBER => Vec::from([self.span(name)]),
            _ => Vec::from([self.plain(name)]),
        }
    }

    /// Of a process that is there, most of the time; never the root's, which has to live.
    fn process_id(&mut self) -> u64 {
        let index = 2 + self.dice.below(6) as u32;
        let me = self.kernel.processes.at(index).header.me();
        if self.dice.one_in(8) { me ^ 1 << 32 } else { me }
    }

    fn hoards(&self) -> bool {
        self.root && self.season == Season::Hoard
    }

    /// True if a call should be about the caller's own process.
    fn own(&mut self) -> bool {
        let odds = if self.root && !self.hoards() { 6 } else { 2 };
        self.dice.one_in(odds)
    }

    /// Part of an object, and where to map it: small, so that some objects have it.
    fn span(&mut self, name: &str) -> u64 {
        match name {
            "pages" if !self.dice.one_in(4) => 1 + self.dice.below(3),
            "offset" if !self.dice.one_in(4) => self.dice.below(2),
            _ => self.plain(name),
        }
    }

    fn quota(&mut self) -> Quota {
        let mut some = |bound: u64| self.dice.below(bound) as u16;
        Quota {
            frames: 6 + u32::from(some(60)),
            threads: some(8),
            messages: some(12),
            slot_blocks: some(4),
            processes: some(4),
            endpoints: some(6),
            notifications: some(7),
            memories: some(5),
            mappings: some(9),
            timers: some(4),
            irqs: some(3),
        }
    }

    fn plain(&mut self, name: &str) -> u64 {
        if self.dice.one_in(30) {
            return self.dice.next();
        }
        match name {
            "address" => self.address(),
            "entry" => USER_START + 2 * self.dice.below(100) + u64::from(self.dice.one_in(20)),
            "stack" => 16 * self.dice.below(1000) + u64::from(self.dice.one_in(20)),
            "ipc_page" if self.hoards() => 0x20_0000_0000 + self.dice.below(1 << 12) * PAGE_SIZE as u64,
            "ipc_page" => 0x20_0000_0000 + self.dice.below(64) * PAGE_SIZE as u64 + u64::from(self.dice.one_in(20)),
            "pages" if self.hoards() => 16 + self.dice.below(48),
            "pages" => self.dice.below(24),
            "offset" => self.dice.below(6),
            "access" => self.dice.below(6),
            "badge" => self.dice.below(3) | self.dice.below(2) << 32,
            "queue" => self.dice.below(5),
            "bits" => 1 << self.dice.below(64),
            "class" | "key" => self.dice.below(5),
            "target" | "process" | "kind" => self.dice.below(20),
            "mask" => self.dice.below(20),
            "shares" => self.dice.below(1100),
            "budget" => 3000 * self.dice.below(4),
            "period" => 10_000 * self.dice.below(3),
            "line" => self.dice.below(40),
            _ => self.dice.below(70),
        }
    }

    fn address(&mut self) -> u64 {
        match self.dice.below(12) {
            0 => self.dice.next(),
            1 => USER_END - self.dice.below(3) * PAGE_SIZE as u64,
            2 => 0x1000_0000 + self.dice.below(4) * PAGE_SIZE as u64,
            _ => USER_START + self.dice.below(64) * PAGE_SIZE as u64,
        }
    }

    fn deadline(&mut self) -> u64 {
        match self.dice.below(10) {
            0 | 1 => 0,
            2 if !self.root && self.dice.one_in(3) => u64::MAX,
            3 => self.now + self.dice.below(1 << 16),
            _ => self.now + self.dice.below(2000),
        }
    }

    fn named_handle(&mut self, call: &Description, name: &str) -> u64 {
        let kind = match name {
            "process" => Kind::Process,
            "thread" => Kind::Thread,
            "endpoint" => Kind::Endpoint,
            "notification" if call.number == syscall::Wait::NUMBER && self.dice.one_in(2) => Kind::WaitSet,
            "notification" => Kind::Notification,
            "wait_set" => Kind::WaitSet,
            "timer" => Kind::Timer,
            "memory" => Kind::Memory,
            "window" => Kind::Window,
            "irq" => Kind::Irq,
            "spawn" => Kind::Spawn,
            "info" => Kind::Info,
            "power" => Kind::Power,
            "log" => Kind::Log,
            "root" if call.number == syscall::SpawnMint::NUMBER => Kind::Spawn,
            "root" => Kind::DeviceRoot,
            _ => return self.any_handle(),
        };
        self.handle(kind)
    }

    /// A handle of this kind if there is one, most of the time.
    fn handle(&mut self, kind: Kind) -> u64 {
        if self.dice.one_in(8) {
            return self.any_handle();
        }
        let mut keys = self.keys(Some(kind));
        if kind == Kind::Process && !self.dice.one_in(6) {
            keys.retain(|&key| {
                let block = self.process.blocks[(key >> 52 & 63) as usize].get();
                let slot = self.kernel.blocks.at(block * 64 + (key >> 58) as u32);
                self.kernel.processes.get(slot.object.get()).is_some_and(|process| process.running())
            });
        }
        if keys.is_empty() { self.any_handle() } else { self.dice.pick(&keys) }
    }

    fn any_handle(&mut self) -> u64 {
        let keys = self.keys(None);
        match self.dice.below(10) {
            0 => self.dice.pick(&[0, 1, u64::MAX]),
            1 => self.dice.next() & !0xffff_ffff_ff00,
            2 if !keys.is_empty() => self.dice.pick(&keys) - 1,
            _ if keys.is_empty() => 7,
            _ => self.dice.pick(&keys),
        }
    }

    fn keys(&self, kind: Option<Kind>) -> Vec<u64> {
        let blocks =
            (0..MAX_BLOCKS).map(|block| (self.process.blocks[block].get(), self.process.free_slots[block].get()));
        let blocks = blocks.filter(|(block, free)| *block != 0 && *free != u64::MAX);
        let slots = blocks
            .flat_map(|(block, free)| (0..64).filter(move |at| free & 1 << at == 0).map(move |at| block * 64 + at));
        let slots = slots.map(|place| self.kernel.blocks.at(place));
        slots.filter(|slot| kind.is_none() || slot.kind() == kind).map(|slot| slot.key.get()).collect()
    }
}
