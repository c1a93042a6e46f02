//! Random calls, made from the table of the ABI: arguments of the right type, half of the handles valid.

use nexus_abi::layout::{IPC_PAGE, PAGE_SIZE, SHARED_START, STACK_TOP, START_PAGE, USER_END, USER_START};
use nexus_abi::syscall::{self, Description, Syscall, TYPED, ipc};
use nexus_abi::{Kind, Name, Quota, ServiceId};
use nexus_rt::sys::{Departure, ipc_page, poke};
use nexus_rt::{Instant, env, thread};

use crate::fuzzer::Fuzzer;

/// Where random mappings go: far from everything that the runtime maps.
pub(crate) const ARENA: u64 = SHARED_START + (1 << 34);
/// Pages of it.
const ARENA_PAGES: u64 = 24;
/// Ticks that a random wait lasts at most.
const PATIENCE: u64 = 300;
/// Calls that end what others could go on with, or cost much, and how seldom they come.
const RARE: [(u64, u64); 7] = [
    (syscall::ProcessExit::NUMBER, 16),
    (syscall::ThreadExit::NUMBER, 16),
    (syscall::ProcessKill::NUMBER, 4),
    (syscall::InfoInvariants::NUMBER, 16),
    (syscall::LogWrite::NUMBER, 4),
    (syscall::Revoke::NUMBER, 2),
    (syscall::Close::NUMBER, 2),
];
/// Calls that disturb who shares the address space and the endpoints.
const DISTURBING: [u64; 12] = [
    syscall::Map::NUMBER,
    syscall::Map::NUMBER,
    syscall::Unmap::NUMBER,
    syscall::Protect::NUMBER,
    syscall::MemoryGrow::NUMBER,
    syscall::Notify::NUMBER,
    syscall::Wait::NUMBER,
    syscall::Derive::NUMBER,
    syscall::Bind::NUMBER,
    syscall::TimerSet::NUMBER,
    syscall::WaitSetAdd::NUMBER,
    syscall::Close::NUMBER,
];

/// The argument registers of a typed call, filled in order.
struct Registers {
    target: u64,
    words: [u64; 8],
    targets: usize,
    next: usize,
}

impl Registers {
    fn put(&mut self, word: u64) {
        match self.targets {
            0 => {
                self.words[self.next % 8] = word;
                self.next += 1;
            }
            _ => {
                self.target = word;
                self.targets -= 1;
            }
        }
    }
}

impl Fuzzer {
    /// Any call.
    pub(crate) fn any_call(&mut self) -> Departure {
        if self.dice.one_in(200) {
            let number = self.dice.pick(&[10, 15, 21, 47, 127, 128, 200, 1 << 32, u64::MAX]);
            return Departure { number, target: self.any_handle(), deadline: 0, extent: 0, words: [0; 8] };
        }
        if self.dice.below(10) < 4 {
            return self.message();
        }
        loop {
            let call = self.dice.pick(TYPED);
            let odds = RARE.iter().find(|(number, _)| *number == call.number).map_or(1, |&(_, odds)| odds);
            if self.dice.one_in(odds) {
                return self.typed(&call);
            }
        }
    }

    /// A call that changes mappings or takes part in messages.
    pub(crate) fn disturbing_call(&mut self) -> Departure {
        if self.dice.below(3) > 0 {
            return self.message();
        }
        let number = self.dice.pick(&DISTURBING);
        match TYPED.iter().find(|call| call.number == number) {
            Some(call) => self.typed(call),
            None => self.message(),
        }
    }

    /// A message call. Who owes an answer mostly gives one; waits for ever are seldom.
    fn message(&mut self) -> Departure {
        let answers = [ipc::REPLY, ipc::REPLY_EXTENDED, ipc::REPLY_RECV_UNTIL, ipc::REPLY_RECV_EXTENDED];
        let mut number = match self.linked && !self.dice.one_in(4) {
            true => self.dice.pick(&answers),
            false => self.dice.below(ipc::SEND + 1),
        };
        if matches!(number, ipc::CALL | ipc::REPLY_RECV) && !self.dice.one_in(4) {
            number += ipc::CALL_UNTIL;
        }
        let target = match number {
            ipc::REPLY | ipc::REPLY_EXTENDED if self.dice.below(3) > 0 => 0,
            ipc::REPLY | ipc::REPLY_EXTENDED => self.handle(Kind::Reply),
            _ => self.handle(Kind::Endpoint),
        };
        let handles = if self.dice.one_in(2) { 0 } else { self.dice.below(4) };
        for at in 0..handles {
            poke(ipc_page() + 8 + 8 * at, self.any_handle());
        }
        let extent = match self.dice.below(24) {
            0 => self.dice.next(),
            _ => self.dice.below(40) | handles << 16 | self.dice.below(2) << 24,
        };
        let extent = match number {
            ipc::SEND if self.dice.one_in(2) => 0,
            ipc::SEND => self.any_handle(),
            _ => extent,
        };
        let deadline = self.deadline();
        Departure { number, target, deadline, extent, words: core::array::from_fn(|_| self.dice.next()) }
    }

    /// A typed call.
    pub(crate) fn typed(&mut self, call: &Description) -> Departure {
        let mut registers = Registers { target: 0, words: [0; 8], targets: call.targets, next: 0 };
        for &(name, kind) in call.arguments {
            self.argument(call.number, name, kind, &mut registers);
        }
        let Registers { target, words, .. } = registers;
        Departure { number: call.number, target, deadline: 0, extent: 0, words }
    }

    fn argument(&mut self, number: u64, name: &str, kind: &str, to: &mut Registers) {
        match kind {
            "Handle" => to.put(self.named_handle(number, name)),
            "Option<Handle>" if self.dice.one_in(2) => to.put(0),
            "Option<Handle>" => to.put(self.named_handle(number, name)),
            "Rights" => to.put(if self.dice.one_in(3) { 15 } else { self.dice.below(17) }),
            "Deadline" => to.put(self.deadline()),
            "ProcessId" => to.put(self.process_id()),
            "Option<Shard>" => to.put(self.dice.below(6)),
            "ServiceId" => to.put(self.service()),
            "Name" => {
                let mut words = Name::new("some").unwrap_or_default().to_words();
                words[2] = if self.dice.one_in(10) { self.dice.next() } else { 0 };
                words.into_iter().for_each(|word| to.put(word));
            }
            "Quota" => self.quota().to_words().into_iter().for_each(|word| to.put(word)),
            _ => to.put(self.plain(name)),
        }
    }

    fn service(&mut self) -> u64 {
        match self.dice.below(8) {
            0 => ServiceId::KERNEL.0,
            1 => ServiceId::ANY_PROGRAM.0,
            2 => ServiceId::service("some").0,
            3 => self.dice.next(),
            _ => ServiceId::program("app/some").0,
        }
    }

    /// Its own process, or one that may be or have been there.
    fn process_id(&mut self) -> u64 {
        let own = env::start().map_or(0, |start| start.info().process.0);
        match self.dice.below(4) {
            0 => own,
            1 => own.wrapping_sub(self.dice.below(3)),
            2 => own ^ 1 << self.dice.below(64),
            _ => self.dice.below(20),
        }
    }

    fn quota(&mut self) -> Quota {
        let mut some = |bound: u64| self.dice.below(bound) as u16;
        Quota {
            frames: some(24).into(),
            threads: some(2),
            messages: some(4),
            slot_blocks: some(2),
            processes: some(2),
            endpoints: some(2),
            notifications: some(2),
            memories: some(2),
            mappings: some(3),
            timers: some(2),
            irqs: some(2),
        }
    }

    /// A number, by the name of its argument; once in 24 times any number.
    fn plain(&mut self, name: &str) -> u64 {
        if self.dice.one_in(24) {
            return self.dice.next() >> self.dice.below(64);
        }
        let page = PAGE_SIZE as u64;
        match name {
            "address" => self.address(),
            "entry" => self.dice.pick(&[thread::exit as fn() -> ! as usize as u64, ARENA, USER_START | 1, 0, USER_END]),
            "stack" => self.dice.pick(&[STACK_TOP - 3 * page, ARENA + page, ARENA, ARENA | 8, USER_END + 16]),
            "ipc_page" => IPC_PAGE + self.dice.below(16) * page + u64::from(self.dice.one_in(12)),
            "pages" => self.dice.below(6),
            "offset" => self.dice.below(3),
            "access" => self.dice.below(9),
            "badge" => self.dice.below(3),
            "queue" => self.dice.below(4),
            "bits" => 1u64.checked_shl(self.dice.below(66) as u32).unwrap_or(0),
            "class" | "key" | "cpu" => self.dice.below(5),
            "target" | "process" | "index" => self.dice.below(20),
            "kind" => self.dice.below(70),
            "mask" => self.dice.below(4),
            "shares" => self.dice.below(1100),
            "line" => self.dice.below(40),
            "length" if self.dice.one_in(8) => 4030 + self.dice.below(6),
            "length" => self.dice.below(8),
            "cursor" => self.dice.pick(&[0, 1, 100, u64::MAX]),
            _ => self.dice.below(70),
        }
    }

    fn address(&mut self) -> u64 {
        let page = PAGE_SIZE as u64;
        match self.dice.below(48) {
            0 => self.dice.next(),
            1 => USER_END - self.dice.below(3) * page,
            2 => self.dice.pick(&[USER_START, START_PAGE, IPC_PAGE, STACK_TOP - page, SHARED_START, 0]),
            3 => 0xffff_ffc0_8020_0000,
            4 | 5 => self.dice.pick(&[0x1000_0000, 0x1000_1000, 0x1000_2000, 0x10_0000, 0x8020_0000, 0x0c00_0000]),
            6 | 7 => ARENA + self.dice.below(ARENA_PAGES * page),
            _ => ARENA + self.dice.below(ARENA_PAGES) * page,
        }
    }

    fn deadline(&mut self) -> u64 {
        match self.dice.below(32) {
            0..8 => 0,
            8 if self.dice.one_in(8) => u64::MAX,
            _ => Instant::now().ticks() + self.dice.below(PATIENCE),
        }
    }

    fn named_handle(&mut self, number: u64, name: &str) -> u64 {
        if number == syscall::ThreadCreate::NUMBER {
            return self.own_process();
        }
        let kind = match name {
            "process" => Kind::Process,
            "thread" => Kind::Thread,
            "endpoint" => Kind::Endpoint,
            "notification" if number == syscall::Wait::NUMBER && self.dice.one_in(2) => Kind::WaitSet,
            "notification" => Kind::Notification,
            "wait_set" => Kind::WaitSet,
            "timer" => Kind::Timer,
            "memory" if self.dice.one_in(8) => Kind::Window,
            "memory" => Kind::Memory,
            "window" => Kind::Window,
            "irq" => Kind::Irq,
            "spawn" => Kind::Spawn,
            "info" => Kind::Info,
            "power" => Kind::Power,
            "log" => Kind::Log,
            "root" if number == syscall::SpawnMint::NUMBER => Kind::Spawn,
            "root" => Kind::DeviceRoot,
            _ => return self.any_handle(),
        };
        self.handle(kind)
    }

    /// Half of the time one of this kind that is, or was, valid.
    fn handle(&mut self, kind: Kind) -> u64 {
        let known = if self.dice.below(16) < 11 { self.pool.of(kind, &mut self.dice) } else { None };
        known.unwrap_or_else(|| self.any_handle())
    }

    /// A handle of any kind, stale, forged, or none at all.
    pub(crate) fn any_handle(&mut self) -> u64 {
        let known = self.pool.any(&mut self.dice).unwrap_or(7);
        match self.dice.below(16) {
            0 => 0,
            1 => known - 1,
            2 => known.wrapping_add(1),
            3 => known ^ 1 << self.dice.below(64),
            4 => self.dice.next(),
            5 => self.dice.next() & !0xffff_ffff_ff00,
            _ => known,
        }
    }
}
