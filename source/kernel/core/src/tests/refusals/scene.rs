//! Where refusals are provoked: a caller with one object of each kind, a child, a peer, and handles to the dead.

use super::super::*;
use nexus_abi::syscall::{
    Derive, EndpointCreate, IrqMint, Map, MemoryCreate, MemoryGrow, NotificationCreate, ProcessKill, Revoke,
    TimerCreate, WaitSetAdd, WaitSetCreate, WindowMint, access,
};
use std::collections::BTreeMap;

/// Registers with which a thread enters.
pub(super) type Registers = Vec<(usize, u64)>;

/// Makes a scene ready for a call, and says with which registers it comes.
pub(super) type Setting = fn(&Scene) -> Registers;

/// Where memory of the child is mapped.
pub(super) const MAPPED: u64 = 0x10_0000_0000;

const CALLER: Quota = Quota {
    frames: 100,
    threads: 8,
    messages: 16,
    slot_blocks: 3,
    processes: 4,
    endpoints: 9,
    notifications: 14,
    memories: 8,
    mappings: 8,
    timers: 4,
    irqs: 3,
};
const CHILD: Quota = Quota {
    frames: 20,
    threads: 2,
    messages: 4,
    slot_blocks: 1,
    processes: 0,
    endpoints: 2,
    notifications: 4,
    memories: 2,
    mappings: 2,
    timers: 0,
    irqs: 0,
};

pub(super) struct Scene {
    pub stage: Stage,
    pub home: Home,
    pub caller: &'static Thread,
    pub second: &'static Thread,
    /// A server elsewhere.
    pub peer_home: Home,
    pub peer: &'static Thread,
    pub peer_endpoint: Handle,
    /// The caller's handle to the peer's endpoint.
    pub door: Handle,
    pub own: BTreeMap<&'static str, Handle>,
    pub dead: BTreeMap<u8, Handle>,
}

/// The registers of a typed call.
pub(super) fn registers<S: Syscall>(call: S) -> Registers {
    let mut registers = Vec::from([(reg::T2, S::NUMBER)]);
    let target = call.encode(&mut |at, word| registers.push((reg::A0 + at, word)));
    registers.push((reg::T3, target));
    registers
}

/// The registers of a message call.
pub(super) fn message(number: u64, mail: Mail) -> Registers {
    Vec::from([(reg::T2, number), (reg::T3, mail.to), (reg::T5, mail.deadline), (reg::T6, mail.extent)])
}

impl Scene {
    pub(super) fn new() -> Scene {
        Scene::on(Stage::new(1))
    }

    pub(super) fn on(stage: Stage) -> Scene {
        let (home, peer_home) = (stage.process_with("caller", CALLER), stage.process("peer"));
        let (caller, second, peer) = (stage.thread(home), stage.thread(home), stage.thread(peer_home));
        let peer_endpoint = stage.does(peer, EndpointCreate { process: None, queue: 1 }).endpoint;
        let door = stage.grant(peer, peer_endpoint, home, (Rights::USE.union(Rights::TRANSFER), 0));
        let (own, dead) = (BTreeMap::new(), BTreeMap::new());
        let mut scene = Scene { stage, home, caller, second, peer_home, peer, peer_endpoint, door, own, dead };
        scene.furnish();
        scene.bury();
        scene
    }

    pub(super) fn does<S: Syscall>(&self, call: S) -> S::Output {
        self.stage.does(self.caller, call)
    }

    /// One of the caller's handles.
    pub(super) fn own(&self, name: &str) -> Handle {
        *self.own.get(name).unwrap_or_else(|| panic!("no `{name}`"))
    }

    fn keep(&mut self, name: &'static str, handle: Handle) {
        self.own.insert(name, handle);
    }

    fn furnish(&mut self) {
        for (name, kind) in [("root", Kind::DeviceRoot), ("spawn", Kind::Spawn), ("info", Kind::Info)] {
            self.keep(name, testing::give(self.stage.kernel, self.home.process, kind, 0, Rights::ALL));
        }
        for (name, kind) in [("power", Kind::Power), ("log", Kind::Log)] {
            self.keep(name, testing::give(self.stage.kernel, self.home.process, kind, 0, Rights::ALL));
        }
        let notification = self.does(NotificationCreate { process: None }).notification;
        let member = self.does(NotificationCreate { process: None }).notification;
        let wait_set = self.does(WaitSetCreate { process: None }).wait_set;
        self.does(WaitSetAdd { wait_set, notification: member, key: 1 });
        let memory = self.does(MemoryCreate { process: None, pages: 6 }).memory;
        self.does(MemoryGrow { memory, pages: 4 });
        let (root, child) = (self.own("root"), self.child());
        let (address, rights) = (MAPPED, access::READ | access::WRITE);
        self.does(Map { process: Some(child), memory, address, offset: 0, pages: 3, access: rights });
        let made = [
            ("notification", notification),
            ("member", member),
            ("wait_set", wait_set),
            ("memory", memory),
            ("child", child),
            ("endpoint", self.does(EndpointCreate { process: None, queue: 1 }).endpoint),
            ("timer", self.does(TimerCreate { notification, bits: 1 }).timer),
            ("window", self.does(WindowMint { root, address: 0x1000_0000, pages: 1 }).window),
            ("irq", self.does(IrqMint { root, line: 3, notification, bits: 1 }).irq),
            ("thread", self.child_thread(child)),
        ];
        made.into_iter().for_each(|(name, handle)| self.keep(name, handle));
    }

    fn child(&self) -> Handle {
        let (spawn, service) = (self.own("spawn"), ServiceId::program("app/child"));
        let name = Name::new("app/child").expect("a short name");
        self.does(ProcessCreate { spawn, service, name, quota: CHILD, shard: None }).process
    }

    fn child_thread(&self, child: Handle) -> Handle {
        self.does(ThreadCreate { process: Some(child), entry: USER_START, stack: 0, a0: 0, a1: 0, ipc_page: IPC_PAGE })
            .thread
    }

    /// Makes an object of each kind whose owner is dead.
    fn bury(&mut self) {
        let gone = self.child();
        let process = Some(gone);
        let maker = self.stage.process("maker");
        let thread = self.stage.thread(maker);
        let root = testing::give(self.stage.kernel, maker.process, Kind::DeviceRoot, 0, Rights::ALL);
        let signal = self.stage.does(thread, NotificationCreate { process: None }).notification;
        let timer = self.stage.does(thread, TimerCreate { notification: signal, bits: 1 }).timer;
        let irq = self.stage.does(thread, IrqMint { root, line: 9, notification: signal, bits: 1 }).irq;
        let window = self.stage.does(thread, WindowMint { root, address: 0x1100_0000, pages: 1 }).window;
        let granted = |handle| self.stage.grant(thread, handle, self.home, (Rights::ALL, 0));
        let dead = [
            (Kind::Timer, granted(timer)),
            (Kind::Irq, granted(irq)),
            (Kind::Window, granted(window)),
            (Kind::Endpoint, self.does(EndpointCreate { process, queue: 0 }).endpoint),
            (Kind::Notification, self.does(NotificationCreate { process }).notification),
            (Kind::WaitSet, self.does(WaitSetCreate { process }).wait_set),
            (Kind::Memory, self.does(MemoryCreate { process, pages: 1 }).memory),
            (Kind::Thread, self.child_thread(gone)),
            (Kind::Process, gone),
        ];
        self.dead = dead.into_iter().map(|(kind, handle)| (kind as u8, handle)).collect();
        self.does(ProcessKill { process: gone, status: 0 });
        self.stage.does(self.stage.root, ProcessKill { process: maker.handle, status: 0 });
    }

    pub(super) fn dead(&self, kind: Kind) -> Handle {
        self.dead[&(kind as u8)]
    }

    /// The same capability without any right; `None` for one that cannot be derived.
    pub(super) fn mute(&self, source: Handle) -> Option<Handle> {
        self.stage.asks(self.caller, Derive { source, rights: Rights::NONE, badge: 0 }).ok().map(|made| made.handle)
    }

    /// Leaves a table without room, and its process without the quota for more.
    pub(super) fn fill(&self, process: &Process) {
        let info = crate::caps::Capability { kind: Kind::Info, object: 0, shard: 0, rights: Rights::NONE, badge: 0 };
        while self.stage.kernel.insert(process, &info, 0).is_ok() {}
    }

    /// Somebody who may own all there is.
    fn hog(&self) -> &'static Process {
        let wide = Quota { slot_blocks: 64, mappings: 1000, frames: 4000, memories: 100, threads: 96, ..WIDE };
        testing::process(self.stage.kernel, "hog", &wide)
    }

    /// Leaves no slot block to the machine, and to this process no slot.
    pub(super) fn starve_slots(&self, process: &Process) {
        let kernel = self.stage.kernel;
        self.fill(self.hog());
        assert!(kernel.blocks.pool.left.get() == 0);
        let info = crate::caps::Capability { kind: Kind::Info, object: 0, shard: 0, rights: Rights::NONE, badge: 0 };
        while process.free_slot_count.get() > 0 {
            kernel.insert(process, &info, 0).expect("there is a slot");
        }
        assert!(process.account.left(crate::process::quota::Resource::SlotBlocks) > 0);
    }

    /// Leaves no frame to the machine.
    pub(super) fn starve_frames(&self) {
        let kernel = self.stage.kernel;
        let _held = kernel.shards.hold(crate::lock::ShardSet::ALL);
        let memory = kernel.create(&kernel.memories, Kind::Memory, self.hog()).expect("the arena has room");
        memory.furnish(crate::memory::object::Backing::Frames, 0, 0, 500);
        for wanted in [16, 1] {
            while let Ok((pages, frames)) = kernel.growth(memory, wanted) {
                let Ok(mut stash) = crate::memory::Stash::of(&kernel.frames, frames) else { break };
                kernel.append(memory, pages, &mut stash);
            }
        }
    }

    /// Leaves no mapping record to the machine.
    pub(super) fn starve_mappings(&self) {
        let kernel = self.stage.kernel;
        let hog = self.hog();
        let memory = kernel.fixed_memory(hog, 0, 1).expect("room");
        let memory = kernel.insert(hog, &crate::caps::Capability::full(Kind::Memory, memory), 0).expect("room");
        let hog = crate::event::Context::of(kernel, kernel.cpus[0].here(), testing::thread(kernel, hog), 0);
        let map = |address| Map { process: None, memory, address, offset: 0, pages: 1, access: access::READ };
        let mut address = USER_START;
        while hog.call(map(address)).is_ok() {
            address += 2 * PAGE_SIZE as u64;
        }
        assert_eq!(kernel.mappings.pool.used(), kernel.mappings.pool.capacity);
    }

    /// Fills the queue of the caller's class with ready threads.
    pub(super) fn crowd(&self, class: nexus_abi::QosClass) {
        let (kernel, hog) = (self.stage.kernel, self.hog());
        while kernel.cpus[0].load.count(class) < crate::sched::queue::ADMISSION_LIMIT {
            let thread = testing::thread(kernel, hog);
            thread.set_base_class(class);
            testing::wake(kernel, kernel.cpus[0].here(), thread);
        }
    }

    /// Sends the caller's class one thread more than it admits on the CPU, of two, that the caller does not use; which.
    pub(super) fn crowd_other(&self) -> u32 {
        let (kernel, hog) = (self.stage.kernel, self.hog());
        let (here, other) = (self.caller.cpu(), 1 - self.caller.cpu());
        for _ in 0..=crate::sched::queue::ADMISSION_LIMIT {
            let thread = testing::thread(kernel, hog);
            thread.set_cpu(other);
            testing::wake(kernel, kernel.cpus[here as usize].here(), thread);
        }
        other
    }

    /// Begins to revoke a handle of the caller, by its second thread, and stops half-way.
    pub(super) fn half_revoke(&self, handle: Handle) {
        for _ in 0..20 {
            self.does(Derive { source: handle, rights: Rights::NONE, badge: 0 });
        }
        self.stage.focus(self.second);
        registers(Revoke { handle }).into_iter().for_each(|(register, value)| self.second.frame.set(register, value));
        let pc = self.second.frame.get(0);
        testing::ecall(self.stage.kernel, 0, self.stage.now.get());
        assert_eq!(self.second.frame.get(0), pc, "a revoke of twenty takes two steps");
    }

    /// The caller serves a call of the peer.
    pub(super) fn serve(&self) {
        let endpoint = self.own("endpoint");
        let door = self.stage.grant(self.caller, endpoint, self.peer_home, (Rights::USE, 0));
        self.stage.post(self.peer, nexus_abi::syscall::ipc::CALL, Mail::to(door));
        self.stage.posts(self.caller, nexus_abi::syscall::ipc::RECV, Mail::to(endpoint)).expect("a caller waits");
    }

    /// The caller waits: its second thread derives a capability without rights.
    pub(super) fn muted_by_second(&self, name: &str) -> Handle {
        self.stage.does(self.second, Derive { source: self.own(name), rights: Rights::NONE, badge: 0 }).handle
    }

    /// [`Scene::serve`], with the call turned into a reply handle.
    pub(super) fn defer(&self) -> Handle {
        self.serve();
        self.does(syscall::Defer {}).reply
    }

    /// Puts a handle into the caller's IPC page.
    pub(super) fn carry(&self, handle: Handle) {
        self.stage.page(self.caller, 1).set(handle.raw());
    }

    /// The caller enters with these registers. `None`: it was not refused. A refusal has changed nothing.
    pub(super) fn enter(&self, registers: &[(usize, u64)], what: &str) -> Option<Error> {
        self.stage.focus(self.caller);
        let me = self.caller.header.me();
        journal::begin();
        self.stage.enter(self.caller, registers);
        let changes = journal::end();
        self.stage.run_dry();
        if self.caller.header.me() != me || !matches!(self.caller.state(), State::Ready | State::Running) {
            return None;
        }
        let error = self.stage.got(self.caller).status.error()?;
        assert_untouched(self.stage.kernel, self.caller, &changes, what);
        Some(error)
    }
}
