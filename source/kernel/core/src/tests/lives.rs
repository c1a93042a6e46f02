//! Processes: made, killed in every state and from every CPU, faulted, mourned; all comes back.

use super::{calls::Pair, calls::pair, *};
use crate::process::quota::Resource;
use nexus_abi::{
    ProcessId,
    start::ExitKind,
    syscall::{
        Close, Defer, EndpointCreate, NotificationCreate, ProcessExit, ProcessFaults, ProcessKill, ProcessOpen,
        ProcessPrefix, ProcessStatus, ProcessWatch, SpawnMint, ThreadExit, TimerCreate, TimerSet, Wait, WaitSetCreate,
        ipc,
    },
};

impl Stage {
    fn kills(&self, home: Home) {
        self.does(self.root, ProcessKill { process: home.handle, status: -9 });
    }

    /// How a process is: state, detail, pc, address.
    fn status(&self, home: Home) -> (u64, u64, u64, u64) {
        let stated = self.does(self.root, ProcessStatus { process: home.handle });
        (stated.state, stated.detail, stated.pc, stated.address)
    }

    /// What every arena holds, and what the root process is charged.
    fn inventory(&self) -> Vec<u32> {
        let kernel = self.kernel;
        let mut all = Vec::from([
            kernel.processes.pool.used(),
            kernel.threads.pool.used(),
            kernel.endpoints.pool.used(),
            kernel.messages.pool.used(),
            kernel.notifications.pool.used(),
            kernel.memories.pool.used(),
            kernel.mappings.pool.used(),
            kernel.timers.pool.used(),
            kernel.irqs.pool.used(),
            kernel.blocks.pool.used(),
            kernel.frames.pool.used(),
        ]);
        let account = &self.kernel.processes.at(self.root.process.get() as u32).account;
        let resources = [Resource::Frames, Resource::Threads, Resource::Processes, Resource::SlotBlocks];
        all.extend(resources.map(|resource| account.used(resource)));
        all
    }
}

#[test]
fn all_that_a_process_had_comes_back_when_it_is_killed() {
    let stage = Stage::new(1);
    let before = stage.inventory();
    let home = stage.process("rich");
    let thread = stage.thread(home);
    stage.thread(home);
    stage.does(thread, EndpointCreate { process: None, queue: 7 });
    stage.does(thread, WaitSetCreate { process: None });
    let notification = stage.does(thread, NotificationCreate { process: None }).notification;
    let timer = stage.does(thread, TimerCreate { notification, bits: 1 }).timer;
    stage.does(thread, TimerSet { timer, deadline: Deadline(777) });
    stage.does(thread, syscall::MemoryCreate { process: None, pages: 3 });

    stage.kills(home);

    assert_eq!(stage.status(home), (ExitKind::Killed as u64, -9i64 as u64, 0, 0));
    stage.does(stage.root, Close { handle: home.handle });
    assert_eq!(stage.inventory(), before);
}

#[test]
fn a_process_can_be_killed_while_a_thread_waits_in_any_way() {
    let waits: [fn(&Pair); 7] = [
        |pair| pair.stage.post(pair.client, ipc::CALL_UNTIL, Mail::to(pair.door).until(9_000)),
        |pair| {
            pair.stage.post(pair.client, ipc::CALL, Mail::to(pair.door));
            pair.stage.posts(pair.server, ipc::RECV, Mail::to(pair.endpoint)).expect("a caller waits");
        },
        |pair| {
            let endpoint = pair.stage.does(pair.client, EndpointCreate { process: None, queue: 0 }).endpoint;
            pair.stage.post(pair.client, ipc::RECV, Mail::to(endpoint));
        },
        |pair| {
            let notification = pair.stage.does(pair.client, NotificationCreate { process: None }).notification;
            pair.stage.ask(pair.client, Wait { notification, deadline: Deadline::NEVER });
        },
        |pair| {
            pair.stage.post(pair.client, ipc::CALL, Mail::to(pair.door));
            pair.stage.posts(pair.server, ipc::RECV, Mail::to(pair.endpoint)).expect("a caller waits");
            pair.stage.does(pair.server, Defer {});
        },
        |pair| pair.stage.trap(pair.client, 2, 0),
        |_| {},
    ];
    for wait in waits {
        let pair = pair();
        wait(&pair);
        pair.stage.kills(pair.client_home);
        assert!(pair.client_home.process.gone());
        assert_eq!(pair.client.state(), State::Dead);
        pair.stage.pass_to(20_000);
    }
}

#[test]
fn a_process_is_killed_from_another_cpu_wherever_its_threads_are() {
    let stage = Stage::new(4);
    let home = stage.process("spread");
    let threads: Vec<_> = (0..4u32)
        .map(|cpu| {
            let (handle, thread) = stage.new_thread(home);
            thread.set_cpu(cpu);
            stage.does(stage.root, syscall::ThreadStart { thread: handle });
            thread
        })
        .collect();
    for (cpu, thread) in threads.iter().enumerate().skip(1) {
        assert_eq!(stage.kernel.cpus[cpu].current.get(), thread.index(), "the kick made it run");
    }

    stage.kills(home);

    assert!(home.process.gone());
    assert!(threads.iter().all(|thread| thread.state() == State::Dead));
    assert!((1..4).all(|cpu| stage.kernel.next(stage.kernel.cpus[cpu].here()) == Next::Idle));
}

#[test]
fn a_killer_waits_and_two_killers_both_hear() {
    let stage = Stage::new(1);
    let (victim, other) = (stage.process("victim"), stage.process("other"));
    let helper = stage.thread(other);
    let object = stage.place(stage.root, victim.handle);
    let process = testing::give(stage.kernel, other.process, Kind::Process, object, Rights::ALL);
    stage.thread(victim);

    stage.does(helper, ProcessKill { process, status: 5 });
    stage.does(stage.root, ProcessKill { process: victim.handle, status: 6 });

    assert_eq!(stage.status(victim).1, 5, "the first reason stays");
}

#[test]
fn a_killer_of_a_higher_class_hurries_the_end() {
    let stage = Stage::new(1);
    let (killers, victim) = (stage.process("killers"), stage.process("victim"));
    let (slow, urgent) = (stage.thread(killers), stage.new_thread(killers));
    stage.thread(victim);
    let object = stage.place(stage.root, victim.handle);
    let process = testing::give(stage.kernel, killers.process, Kind::Process, object, Rights::ALL);
    let kill = |killer: &Thread| {
        killer.frame.set(reg::T2, ProcessKill::NUMBER);
        killer.frame.set(reg::T3, process.raw());
        testing::ecall(stage.kernel, 0, stage.now.get());
        assert_eq!(killer.state(), State::Mourning);
    };
    let notification = stage.does(slow, NotificationCreate { process: None }).notification;
    urgent.1.set_base_class(nexus_abi::QosClass::Interactive);
    stage.does(stage.root, ThreadStart { thread: urgent.0 });
    stage.ask(urgent.1, Wait { notification, deadline: Deadline(5_000) });
    stage.focus(slow);

    kill(slow);
    while victim.process.reap_stage.get() == 0 {
        stage.kernel.reap(stage.kernel.cpus[0].here(), stage.now.get());
    }
    stage.now.set(5_000);
    stage.kernel.timer(stage.kernel.cpus[0].here(), 5_000);
    kill(urgent.1);

    let class = nexus_abi::QosClass::Interactive as u32;
    assert_eq!((victim.process.reap_class.get(), victim.process.lent_class.get()), (class, class));
    assert_eq!(stage.kernel.next(stage.kernel.cpus[0].here()), Next::Reap);
    stage.run_dry();
    assert!([slow, urgent.1].iter().all(|killer| killer.state() != State::Mourning));
}

#[test]
fn an_exit_leaves_its_status_and_signals_the_watcher() {
    let stage = Stage::new(1);
    let home = stage.process("short");
    let thread = stage.thread(home);
    let notification = stage.does(stage.root, NotificationCreate { process: None }).notification;
    stage.does(stage.root, ProcessWatch { process: home.handle, notification, bits: 32 });
    assert_eq!(stage.status(home), (ExitKind::Running as u64, 0, 0, 0));

    stage.ask(thread, ProcessExit { status: 12 });

    assert_eq!(stage.status(home), (ExitKind::Exited as u64, 12, 0, 0));
    assert_eq!(stage.does(stage.root, Wait { notification, deadline: Deadline::POLL }).bits, 32);
    stage.does(stage.root, ProcessWatch { process: home.handle, notification, bits: 4 });
    assert_eq!(stage.does(stage.root, Wait { notification, deadline: Deadline::POLL }).bits, 4, "it is gone already");
    stage.does(stage.root, ProcessKill { process: home.handle, status: 1 });
    assert_eq!(stage.status(home).1, 12);
}

#[test]
fn the_last_thread_that_ends_takes_its_process_with_it() {
    let stage = Stage::new(1);
    let home = stage.process("two");
    let (one, two) = (stage.thread(home), stage.thread(home));

    stage.ask(one, ThreadExit {});
    assert_eq!((one.state(), stage.status(home).0), (State::Dead, ExitKind::Running as u64));
    stage.ask(two, ThreadExit {});

    assert_eq!(stage.status(home), (ExitKind::Exited as u64, 0, 0, 0));
}

#[test]
fn a_thread_that_leaves_a_dying_process_does_not_lose_the_others() {
    let stage = Stage::new(2);
    let home = stage.process("dying");
    let threads: Vec<_> = [1, 1, 0, 1]
        .map(|cpu| {
            let (handle, thread) = stage.new_thread(home);
            thread.set_cpu(cpu);
            stage.does(stage.root, syscall::ThreadStart { thread: handle });
            thread
        })
        .into();
    let runs = stage.kernel.threads.at(stage.kernel.cpus[1].current.get());
    assert!(threads.iter().any(|thread| core::ptr::eq(*thread, runs)));

    // The kill is under way on CPU 0 and has not reached CPU 1, where a thread leaves by itself.
    stage.focus(stage.root);
    let call = ProcessKill { process: home.handle, status: 1 };
    stage.root.frame.set(reg::T2, ProcessKill::NUMBER);
    let target = call.encode(&mut |at, word| stage.root.frame.set(reg::A0 + at, word));
    stage.root.frame.set(reg::T3, target);
    testing::ecall(stage.kernel, 0, stage.now.get());
    stage.kernel.reap(stage.kernel.cpus[0].here(), stage.now.get());
    runs.frame.set(reg::T2, ThreadExit::NUMBER);
    testing::ecall(stage.kernel, 1, stage.now.get());
    stage.run_dry();

    assert!(home.process.gone());
    assert!(threads.iter().all(|thread| thread.state() == State::Dead));
}

#[test]
fn a_fault_without_an_endpoint_ends_the_process_with_its_record() {
    let stage = Stage::new(1);
    let home = stage.process("faulty");
    let thread = stage.thread(home);

    stage.trap(thread, 15, 0xdead_0000);

    assert_eq!(stage.status(home), (ExitKind::Faulted as u64, 15, USER_START, 0xdead_0000));
}

#[test]
fn a_fault_is_a_call_whose_answer_resumes_with_registers_intact() {
    for queued in [true, false] {
        let Pair { stage, server, endpoint, client, client_home, .. } = pair();
        let door = stage.grant(server, endpoint, client_home, (Rights::USE, 33));
        let place = stage.place(stage.root, client_home.handle);
        let myself = testing::give(stage.kernel, client_home.process, Kind::Process, place, Rights::ALL);
        stage.does(client, ProcessFaults { process: myself, endpoint: door });
        if !queued {
            stage.post(server, ipc::RECV, Mail::to(endpoint));
        }
        stage.focus(client);
        (1..32).for_each(|register| client.frame.set(register, 1000 + register as u64));
        let pc = client.frame.get(0);

        stage.trap(client, 13, 0x42);
        let got = if queued {
            stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a fault waits")
        } else {
            stage.got(server)
        };

        assert_eq!((got.status.0, got.badge), (Status::FAULT, 33));
        assert_eq!((got.words, got.process), ([13, pc, 0x42, 0, 0, 0, 0, 0], client.process.get()));
        assert_eq!(client.state(), State::Faulted);
        stage.posts(server, ipc::REPLY, Mail { to: 0, ..Mail::to(endpoint) }.saying([7; 8])).expect("it waits");
        assert_eq!(client.frame.get(0), pc);
        assert!((1..32).all(|register| client.frame.get(register) == 1000 + register as u64));
        stage.focus(client);
    }
}

#[test]
fn a_fault_that_nobody_will_answer_ends_the_process() {
    for received in [true, false] {
        let Pair { stage, home, server, endpoint, client, client_home, door, .. } = pair();
        let place = stage.place(stage.root, client_home.handle);
        let myself = testing::give(stage.kernel, client_home.process, Kind::Process, place, Rights::ALL);
        stage.does(client, ProcessFaults { process: myself, endpoint: door });
        stage.trap(client, 5, 6);
        if received {
            stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a fault waits");
        }

        stage.kills(home);

        assert_eq!(stage.status(client_home), (ExitKind::Faulted as u64, 5, client.frame.get(0), 6));
    }
}

#[test]
fn orphans_go_to_their_grandparent_and_their_quota_with_them() {
    let stage = Stage::new(1);
    let before = stage.inventory();
    let parent = stage.process("parent");
    let thread = stage.thread(parent);
    let spawn = testing::give(stage.kernel, parent.process, Kind::Spawn, 0, Rights::ALL);
    let quota = Quota { frames: 5, threads: 1, slot_blocks: 1, ..Quota::default() };
    let name = Name::new("orphan").expect("a short name");
    let made =
        stage.does(thread, ProcessCreate { spawn, service: ServiceId::service("orphan"), name, quota, shard: None });
    let orphan = stage.kernel.processes.get(made.id.0).expect("it was just made");
    let handle = testing::give(
        stage.kernel,
        stage.kernel.processes.at(stage.root.process.get() as u32),
        Kind::Process,
        orphan.header.me(),
        Rights::ALL,
    );
    stage.thread(Home { process: orphan, handle });

    stage.kills(parent);

    assert!(orphan.running());
    assert_eq!(orphan.header.owner.get(), stage.root.process.get() as u32);
    stage.kills(Home { process: orphan, handle });
    stage.does(stage.root, Close { handle });
    stage.does(stage.root, Close { handle: parent.handle });
    assert_eq!(stage.inventory(), before);
}

#[test]
fn an_orphan_that_never_ran_ends_with_its_maker_even_if_it_names_itself() {
    let stage = Stage::new(1);
    let before = stage.inventory();
    let parent = stage.process("parent");
    let thread = stage.thread(parent);
    let spawn = testing::give(stage.kernel, parent.process, Kind::Spawn, 0, Rights::ALL);
    let quota = Quota { frames: 9, threads: 1, slot_blocks: 1, ..Quota::default() };
    let (service, name) = (ServiceId::service("orphan"), Name::default());
    let process = stage.does(thread, ProcessCreate { spawn, service, name, quota, shard: None }).process;
    stage.does(thread, syscall::Grant { process, source: process, rights: Rights::ALL, badge: 0 });
    let (entry, ipc_page) = (USER_START, IPC_PAGE);
    stage.does(thread, ThreadCreate { process: Some(process), entry, stack: 0, a0: 0, a1: 0, ipc_page });

    stage.kills(parent);

    stage.does(stage.root, Close { handle: parent.handle });
    assert_eq!(stage.inventory(), before);
}

#[test]
fn a_process_whose_last_handle_closes_before_it_had_a_thread_goes() {
    let stage = Stage::new(1);
    let before = stage.inventory();
    let home = stage.process("stillborn");
    stage.does(stage.root, Close { handle: home.handle });
    assert_eq!(stage.inventory(), before);
}

#[test]
fn a_process_can_kill_itself() {
    let stage = Stage::new(1);
    let home = stage.process("self");
    let thread = stage.thread(home);
    let place = stage.place(stage.root, home.handle);
    let myself = testing::give(stage.kernel, home.process, Kind::Process, place, Rights::ALL);
    stage.ask(thread, ProcessKill { process: myself, status: 2 });
    assert_eq!(stage.status(home), (ExitKind::Killed as u64, 2, 0, 0));
}

#[test]
fn identities_need_a_spawn_capability_that_covers_them() {
    let stage = Stage::new(1);
    let (root, spawn) = (stage.root, stage.spawn);
    let name = Name::new("x").expect("a short name");
    let create = |spawn, service| ProcessCreate { spawn, service, name, quota: SMALL, shard: None };
    let (one, any) = (ServiceId::service("one"), ServiceId::ANY_PROGRAM);
    let only = stage.does(root, SpawnMint { root: spawn, service: one }).spawn;
    let programs = stage.does(root, SpawnMint { root: spawn, service: any }).spawn;

    stage.refuses(root, create(spawn, ServiceId::KERNEL), Error::Invalid);
    stage.refuses(root, create(spawn, any), Error::Invalid);
    stage.refuses(root, create(only, ServiceId::service("two")), Error::Permission);
    stage.refuses(root, create(programs, one), Error::Permission);
    stage.refuses(root, SpawnMint { root: only, service: one }, Error::Permission);
    stage.refuses(root, SpawnMint { root: spawn, service: ServiceId::KERNEL }, Error::Invalid);
    let process = stage.does(root, create(only, one)).process;
    stage.does(root, create(programs, ServiceId::program("app/x")));
    let prefix = Name::new("one").expect("a short name");
    stage.refuses(root, ProcessPrefix { spawn: programs, process, prefix }, Error::Permission);
    stage.does(root, ProcessPrefix { spawn: only, process, prefix });
}

#[test]
fn process_calls_refuse_handles_that_do_not_allow_them() {
    let stage = Stage::new(1);
    let (root, home) = (stage.root, stage.process("one"));
    let other = stage.does(root, NotificationCreate { process: None }).notification;
    let endpoint = stage.does(root, EndpointCreate { process: None, queue: 0 }).endpoint;
    let mute = stage.does(root, syscall::Derive { source: home.handle, rights: Rights::NONE, badge: 0 }).handle;
    let bad = Handle::from_raw(5 << 52 | 9).expect("not 0");
    for (process, error) in [(bad, Error::BadHandle), (other, Error::WrongKind), (mute, Error::Permission)] {
        stage.refuses(root, ProcessKill { process, status: 0 }, error);
        stage.refuses(root, ProcessStatus { process }, error);
        stage.refuses(root, ProcessWatch { process, notification: other, bits: 1 }, error);
        stage.refuses(root, ProcessFaults { process, endpoint }, error);
        stage.refuses(root, ProcessPrefix { spawn: stage.spawn, process, prefix: Name::default() }, error);
        stage.refuses(root, EndpointCreate { process: Some(process), queue: 0 }, error);
        stage.refuses(root, syscall::Grant { process, source: other, rights: Rights::NONE, badge: 0 }, error);
    }
    let process = home.handle;
    stage.refuses(root, ProcessWatch { process, notification: bad, bits: 1 }, Error::BadHandle);
    stage.refuses(root, ProcessWatch { process, notification: endpoint, bits: 1 }, Error::WrongKind);
    stage.refuses(root, ProcessFaults { process, endpoint: other }, Error::WrongKind);
    let (thread, _) = stage.new_thread(home);
    stage.kills(home);
    stage.refuses(root, EndpointCreate { process: Some(process), queue: 0 }, Error::PeerClosed);
    stage.refuses(root, NotificationCreate { process: Some(process) }, Error::PeerClosed);
    stage.refuses(root, syscall::ThreadStart { thread }, Error::PeerClosed);
    stage.refuses(root, syscall::ThreadStart { thread: process }, Error::WrongKind);
}

#[test]
fn one_notification_waits_for_the_end_of_a_process() {
    let stage = Stage::new(1);
    let (root, home) = (stage.root, stage.process("watched"));
    let [first, second] = [0, 1].map(|_| stage.does(root, NotificationCreate { process: None }).notification);
    let watch = |notification, bits| ProcessWatch { process: home.handle, notification, bits };
    stage.does(root, watch(first, 1));
    stage.refuses(root, watch(second, 2), Error::State);
    stage.does(root, watch(first, 4));
    stage.kills(home);
    assert_eq!(stage.does(root, Wait { notification: first, deadline: Deadline(0) }).bits, 4);
    stage.refuses(root, Wait { notification: second, deadline: Deadline(0) }, Error::TimedOut);
    stage.does(root, watch(second, 8));
    assert_eq!(stage.does(root, Wait { notification: second, deadline: Deadline(0) }).bits, 8, "it is gone already");
}

#[test]
fn a_watcher_that_is_gone_makes_room() {
    let stage = Stage::new(1);
    let (root, home) = (stage.root, stage.process("watched"));
    let [first, second] = [0, 1].map(|_| stage.does(root, NotificationCreate { process: None }).notification);
    let watch = |notification| ProcessWatch { process: home.handle, notification, bits: 1 };
    stage.does(root, watch(first));
    stage.does(root, Close { handle: first });
    stage.does(root, watch(second));
    stage.kills(home);
    assert_eq!(stage.does(root, Wait { notification: second, deadline: Deadline(0) }).bits, 1);
}

#[test]
fn who_may_make_an_identity_may_look_after_what_has_it() {
    let stage = Stage::new(1);
    let (root, spawn) = (stage.root, stage.spawn);
    let name = Name::new("x").expect("a short name");
    let programs = stage.does(root, SpawnMint { root: spawn, service: ServiceId::ANY_PROGRAM }).spawn;
    let other = stage.does(root, SpawnMint { root: spawn, service: ServiceId::service("other") }).spawn;
    let program = ServiceId::program("app/x");
    let made = stage.does(root, ProcessCreate { spawn: programs, service: program, name, quota: SMALL, shard: None });

    stage.refuses(root, ProcessOpen { spawn: other, process: made.id }, Error::Permission);
    stage.refuses(root, ProcessOpen { spawn: programs, process: ProcessId(made.id.0 ^ 1 << 32) }, Error::NotFound);
    stage.refuses(root, ProcessOpen { spawn: programs, process: ProcessId(0) }, Error::NotFound);
    let process = stage.does(root, ProcessOpen { spawn: programs, process: made.id }).process;
    assert_ne!(process, made.process);
    stage.does(root, ProcessKill { process, status: 5 });
    assert_eq!(stage.does(root, ProcessStatus { process: made.process }).detail, 5);
    stage.refuses(root, ProcessOpen { spawn: programs, process: made.id }, Error::NotFound);
}
