//! The straight way of a message, the detour, and the short ways of yields, signals and interrupts leave what the general way leaves.
//!
//! Three kernels live through the same random events, chosen to be mostly calls and answers. In one of them messages may go
//! straight, in one they take the detour at best, in one all take the general way; after every event all must look the same. `NEXUS_SEED` replays a run, `NEXUS_EVENTS` sets its length.

use super::{calls::pair, random::Dice, *};
use crate::{percpu::Here, ways::Way, word::Word};
use nexus_abi::{
    QosClass,
    message::Extent,
    syscall::{
        Bind, Close, Defer, Derive, EndpointCreate, NotificationCreate, Notify, QosSet, ThreadExit, TimerCreate, Wait,
        Yield, ipc,
    },
};
use std::{
    println,
    process::Command,
    string::{String, ToString},
};

/// Events of the test that every run of the host tests makes, and the parts of them that must have gone straight, by the
/// detour, and by a turn.
const EVENTS: u64 = 50_000;
const PERCENT: [u64; 3] = [40, 3, 1];
/// Words of an IPC page that are looked at.
const PAGE: usize = 24;
/// An interrupt line, and the place of the bell, which it rings.
const LINE: u32 = 7;
const BELL: u32 = 2;
/// Events in the life of one pair of kernels.
const LIFE: u64 = 250;

/// One of the kernels.
struct World {
    stage: Stage,
    servers: [&'static Thread; 2],
    clients: [&'static Thread; 3],
    endpoints: [Handle; 2],
    /// Handles to call, by client and by server.
    doors: Vec<(u64, Handle)>,
    signal: Handle,
    /// To wait for, and to ring: by the servers, and by clients of their shard.
    bell: [Handle; 2],
    way: Way,
}

impl World {
    /// A server process with two threads, a client process in its shard, and one in another.
    fn new(way: Way) -> World {
        let stage = Stage::new(1);
        let homes = [1, 1, 2].map(|shard: u8| {
            stage.homes.set(shard - 1);
            stage.process(["server", "near", "far"][usize::from(shard) - 1])
        });
        let [server, near, far] = homes;
        let servers = [(); 2].map(|()| stage.thread(server));
        let clients = [near, near, far].map(|home| stage.thread(home));
        let endpoints = [(); 2].map(|()| stage.does(servers[0], EndpointCreate { process: None, queue: 2 }).endpoint);
        let mut doors = Vec::new();
        for (badge, endpoint) in endpoints.into_iter().enumerate() {
            for home in homes {
                let door = stage.grant(servers[0], endpoint, home, (Rights::USE, 10 + badge as u64));
                doors.push((home.process.header.me(), door));
            }
        }
        let signal = stage.does(servers[0], NotificationCreate { process: None }).notification;
        stage.does(servers[0], Bind { notification: Some(signal) });
        let bell = stage.does(servers[0], NotificationCreate { process: None }).notification;
        let bell = [bell, stage.grant(servers[0], bell, near, (Rights::USE, 0))];
        let never = stage.does(stage.root, NotificationCreate { process: None }).notification;
        stage.ask(stage.root, Wait { notification: never, deadline: Deadline::NEVER });
        for low in [clients[1], servers[1]] {
            stage.does(low, QosSet { class: QosClass::Idle as u8, target: 0 });
        }
        let line = stage.kernel.irqs.at(LINE);
        line.notification.set(stage.kernel.notifications.at(BELL).header.me());
        line.bits.set(4);
        World { stage, servers, clients, endpoints, doors, signal, bell, way }
    }

    fn cpu(&self) -> Here {
        self.stage.kernel.cpus[0].here()
    }

    /// One event, chosen by the dice and by what runs.
    fn live(&self, dice: &mut Dice) -> Way {
        let current = self.cpu().current.get();
        if current == 0 || dice.one_in(48) {
            self.pass(dice);
            return Way::General;
        }
        if dice.one_in(48) {
            return self.stage.kernel.interrupted(self.cpu(), LINE, (self.way, self.stage.now.get()));
        }
        let thread = self.stage.kernel.threads.at(current);
        if self.servers.iter().any(|server| core::ptr::eq(*server, thread)) {
            self.serve(thread, dice)
        } else if self.clients.iter().any(|client| core::ptr::eq(*client, thread)) {
            self.call(thread, dice)
        } else {
            unreachable!("the root waits")
        }
    }

    /// Time goes on, and the alarms in between ring.
    fn pass(&self, dice: &mut Dice) {
        self.stage.pass_to(self.stage.now.get() + 1 + dice.below(400));
    }

    fn call(&self, client: &'static Thread, dice: &mut Dice) -> Way {
        let process = client.process.get();
        let mine: Vec<Handle> = self.doors.iter().filter(|door| door.0 == process).map(|door| door.1).collect();
        let (door, seldom) = (mine[0], mine[1]);
        let deadline = self.stage.now.get() + dice.below(600);
        if dice.one_in(48) {
            return self.message(client, ipc::CALL_UNTIL, seldom.raw(), deadline, dice);
        }
        match dice.below(64) {
            0 => self.message(client, ipc::SEND, door.raw(), 0, dice),
            1 | 25 => self.typed(client, Yield {}),
            26..=28 => self.typed(client, Notify { notification: self.bell[1], bits: dice.below(3) }),
            2 => self.message(client, ipc::CALL, nowhere(dice), 0, dice),
            3 => self.typed(client, QosSet { class: dice.below(2) as u8, target: 0 }),
            4 => {
                client.trace.set(dice.next());
                Way::General
            }
            5..=18 => self.message(client, ipc::CALL_UNTIL, door.raw(), deadline, dice),
            19..=24 => self.message(client, ipc::CALL_EXTENDED, door.raw(), deadline, dice),
            _ => self.message(client, ipc::CALL, door.raw(), NEVER, dice),
        }
    }

    fn serve(&self, server: &'static Thread, dice: &mut Dice) -> Way {
        let endpoint = self.endpoints[usize::from(dice.one_in(48))].raw();
        let deadline = self.stage.now.get() + dice.below(600);
        let open = server.link.get() != 0;
        match dice.below(64) {
            0 if open => self.typed(server, Defer {}),
            1 => self.typed(server, Notify { notification: self.signal, bits: 1 << dice.below(3) }),
            2 => self.message(server, ipc::REPLY, 0, 0, dice),
            3 => {
                let process = server.process.get();
                let doors: Vec<Handle> =
                    self.doors.iter().filter(|door| door.0 == process).map(|door| door.1).collect();
                self.message(server, ipc::CALL_UNTIL, dice.pick(&doors).raw(), deadline, dice)
            }
            4 if dice.one_in(64) => self.typed(server, Close { handle: self.endpoints[1] }),
            5 => {
                server.gate.hold_float();
                let way = self.message(server, ipc::REPLY_RECV, endpoint, NEVER, dice);
                server.gate.drop_float();
                assert_eq!(way, Way::General, "its float registers are loaded");
                way
            }
            27..=28 => self.typed(server, Wait { notification: self.bell[0], deadline: Deadline(deadline) }),
            _ if !open => {
                self.message(server, ipc::RECV, endpoint, if dice.one_in(2) { deadline } else { NEVER }, dice)
            }
            6..=19 => self.message(server, ipc::REPLY_RECV_UNTIL, endpoint, deadline, dice),
            20..=25 => self.message(server, ipc::REPLY_RECV_EXTENDED, endpoint, deadline, dice),
            26 => self.message(server, ipc::REPLY_RECV, nowhere(dice), NEVER, dice),
            _ => self.message(server, ipc::REPLY_RECV, endpoint, NEVER, dice),
        }
    }

    fn typed<S: Syscall>(&self, thread: &'static Thread, call: S) -> Way {
        thread.frame.set(reg::T2, S::NUMBER);
        let target = call.encode(&mut |at, word| thread.frame.set(reg::A0 + at, word));
        thread.frame.set(reg::T3, target);
        let way = testing::ecall_from(self.way, self.stage.kernel, 0, self.stage.now.get());
        self.stage.run_dry();
        way
    }

    fn message(&self, thread: &'static Thread, number: u64, to: u64, deadline: u64, dice: &mut Dice) -> Way {
        let extended = matches!(number, ipc::CALL_EXTENDED | ipc::REPLY_RECV_EXTENDED);
        let extent = if extended { self.fill_page(thread, dice) } else { 0 };
        let registers = [(reg::T2, number), (reg::T3, to), (reg::T5, deadline), (reg::T6, extent)];
        registers.into_iter().for_each(|(register, value)| thread.frame.set(register, value));
        thread.frame.set_message(core::array::from_fn(|_| dice.next()));
        let straight = testing::ecall_from(self.way, self.stage.kernel, 0, self.stage.now.get());
        self.stage.run_dry();
        straight
    }

    /// Writes something into a thread's IPC page; an extent that covers some of it, or sometimes is none or names handles.
    fn fill_page(&self, thread: &Thread, dice: &mut Dice) -> u64 {
        self.page(thread).iter().for_each(|word| word.set(dice.next()));
        let extent = Extent { length: dice.below(8 * PAGE as u64) as usize, ..Extent::default() };
        if dice.one_in(8) { extent.to_word() | 1 << (16 + dice.below(10)) } else { extent.to_word() }
    }

    /// The beginning of a thread's IPC page.
    fn page(&self, thread: &Thread) -> &'static [Word] {
        &self.stage.kernel.frames.at(thread.ipc_frame.get()).0[..PAGE]
    }

    /// Everything that all kernels must agree on.
    fn looks(&self) -> String {
        let (kernel, cpu) = (self.stage.kernel, self.cpu());
        let threads: Vec<_> = kernel.threads.iter().take(kernel.threads.pool.used() as usize).collect();
        let pages: Vec<_> = threads.iter().map(|(_, thread)| self.page(thread)).collect();
        let endpoints: Vec<_> = kernel.endpoints.iter().take(kernel.endpoints.pool.used() as usize).collect();
        let signals: Vec<_> = kernel.notifications.iter().take(3).collect();
        let nodes: Vec<_> = (0..=threads.len() as u32).map(|index| kernel.nodes.at(index)).collect();
        let clock = (cpu.current.get(), cpu.slice_end.get(), cpu.floor.get(), cpu.wheel.next.get(), cpu.guard_at.get());
        let payer = cpu.payer.get();
        format!(
            "{threads:?} {pages:?} {endpoints:?} {signals:?} {nodes:?} {clock:?} {payer} {:?} {:?}",
            cpu.ready, cpu.load
        )
    }
}

/// A target that no handle has; also those that a kernel would keep where there is none.
fn nowhere(dice: &mut Dice) -> u64 {
    let random = dice.next();
    dice.pick(&[0, u64::MAX, random])
}

/// What the environment says, or else this.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn a_message_that_goes_straight_leaves_what_the_general_way_leaves() {
    compare(number("NEXUS_SEED", 13), number("NEXUS_EVENTS", EVENTS));
}

/// A million events, in processes of their own: the kernels of a life are never given back.
#[test]
#[ignore = "long: for the daily programme"]
fn a_message_that_goes_straight_leaves_what_the_general_way_leaves_for_long() {
    const SLICE: u64 = 100_000;
    let (seed, events) = (number("NEXUS_SEED", 13), number("NEXUS_EVENTS", 1_000_000));
    for slice in 0..events.div_ceil(SLICE) {
        let test = "tests::straight::a_message_that_goes_straight_leaves_what_the_general_way_leaves";
        let mut run = Command::new(std::env::current_exe().expect("a test runs"));
        run.args([test, "--exact", "--nocapture"]).env("NEXUS_EVENTS", SLICE.to_string());
        let ended = run.env("NEXUS_SEED", (seed + slice * SLICE / LIFE).to_string()).status().expect("it starts");
        assert!(ended.success(), "slice {slice}");
    }
}

fn compare(seed: u64, events: u64) {
    println!("seed {seed}, {events} events");
    let mut taken = [0; 3];
    for life in 0..events.div_ceil(LIFE) {
        let kernels = [Way::Straight, Way::Detour, Way::General].map(World::new);
        let mut dice = [(); 3].map(|()| Dice::new(seed.wrapping_add(life)));
        for step in 0..LIFE {
            let [way, detour, general] = [0, 1, 2].map(|kernel: usize| kernels[kernel].live(&mut dice[kernel]));
            assert!(detour != Way::Straight && general == Way::General, "it takes no way that it may not take");
            assert_eq!(way == Way::General, detour == Way::General, "what goes straight can take the detour too");
            if way != Way::General {
                taken[way as usize] += 1;
            }
            let looks = kernels.each_ref().map(World::looks);
            assert_eq!(looks[0], looks[2], "seed {seed}, life {life}, step {step}");
            assert_eq!(looks[1], looks[2], "seed {seed}, life {life}, step {step}, detour");
        }
    }
    println!("of {events} events {} went straight, {} by the detour, {} by a turn", taken[0], taken[1], taken[2]);
    for (way, (taken, percent)) in taken.into_iter().zip(PERCENT).enumerate() {
        assert!(taken * 100 >= events * percent, "too few took way {way}: {taken} of {events}");
    }
}

/// Sends a message by no shorter way than `first`; the way it took.
fn sends(first: Way, stage: &Stage, thread: &'static Thread, number: u64, mail: Mail) -> Way {
    stage.focus(thread);
    let registers = [(reg::T2, number), (reg::T3, mail.to), (reg::T5, mail.deadline), (reg::T6, 0)];
    registers.into_iter().for_each(|(register, value)| thread.frame.set(register, value));
    thread.frame.set_message(mail.words);
    let way = testing::ecall_from(first, stage.kernel, thread.cpu() as usize, stage.now.get());
    stage.check();
    way
}

#[test]
fn a_closed_door_is_not_gone_through_straight() {
    let pair = pair();
    pair.stage.post(pair.server, ipc::RECV, Mail::to(pair.endpoint));
    pair.stage.does(pair.client, Close { handle: pair.door });
    assert_eq!(sends(Way::Straight, &pair.stage, pair.client, ipc::CALL, Mail::to(pair.door)), Way::General);
    assert_eq!(pair.stage.got(pair.client).status.error(), Some(Error::BadHandle));
}

/// A call to another shard goes by this way only while no other CPU holds that one.
fn waits_for_no_shard(way: impl Fn(&Stage, &'static Thread, u64) -> bool) {
    let world = World::new(Way::General);
    let (stage, server, client) = (&world.stage, world.servers[0], world.clients[2]);
    let far = |door: &&(u64, Handle)| door.0 == client.process.get();
    let door = world.doors.iter().find(far).expect("every client has a door").1;
    stage.post(server, ipc::RECV, Mail::to(world.endpoints[0]));
    // Its first message goes the general way anyhow.
    sends(Way::General, stage, client, ipc::CALL, Mail::to(door));
    sends(Way::General, stage, server, ipc::REPLY_RECV, Mail::to(world.endpoints[0]));
    stage.focus(client);

    let held = stage.kernel.shards.hold_one(server.header.shard());
    let beside = way(stage, client, door.raw());
    drop(held);

    assert!(!beside && way(stage, client, door.raw()), "it goes as soon as that CPU lets go");
}

#[test]
fn the_straight_way_takes_no_shard_that_another_cpu_holds() {
    waits_for_no_shard(|stage, client, door| stage.kernel.call_direct(client, || door, None::<fn() -> u64>).is_ok());
}

#[test]
fn the_detour_takes_no_shard_that_another_cpu_holds() {
    waits_for_no_shard(|stage, client, door| {
        stage.kernel.call_detour((client, ipc::CALL), door, None::<fn() -> u64>).is_some()
    });
}

#[test]
fn a_call_across_shards_needs_the_right_to_call() {
    let stage = Stage::new(1);
    let homes = ["server", "caller"].map(|name| stage.process(name));
    let [server, caller] = homes.map(|home| stage.thread(home));
    let endpoint = stage.does(server, EndpointCreate { process: None, queue: 2 }).endpoint;
    let [open, door] = [Rights::USE, Rights::MANAGE].map(|rights| stage.grant(server, endpoint, homes[1], (rights, 0)));
    stage.post(server, ipc::RECV, Mail::to(endpoint));
    // Of its messages the first goes the general way, which finds out where its slots are.
    sends(Way::General, &stage, caller, ipc::CALL, Mail::to(open));
    sends(Way::General, &stage, server, ipc::REPLY_RECV, Mail::to(endpoint));

    for way in [Way::Straight, Way::Detour] {
        assert_eq!(sends(way, &stage, caller, ipc::CALL, Mail::to(door)), Way::General);
        assert_eq!(stage.got(caller).status.error(), Some(Error::Permission));
    }

    assert_eq!(server.state(), State::Receiving, "nobody called it");
}

/// A message by each shorter way is refused as a handle that is none, and leaves everything as it was.
fn refused_by_every_way(stage: &Stage, thread: &'static Thread, number: u64, to: u64) {
    for way in [Way::Straight, Way::Detour] {
        let mail = Mail { to, words: [0; 8], deadline: NEVER, extent: 0 };
        assert_eq!(sends(way, stage, thread, number, mail), Way::General, "{to:#x}");
        assert_eq!(stage.got(thread).status.error(), Some(Error::BadHandle), "{to:#x}");
    }
}

#[test]
fn no_handle_opens_no_door_whatever_stands_in_the_first_slot() {
    let pair = pair();
    let stage = &pair.stage;
    stage.homes.set((pair.server.header.shard() + SHARDS - 1) as u8 % SHARDS as u8);
    let thief = stage.thread(stage.process("thief"));
    let signal = stage.does(thief, NotificationCreate { process: None }).notification;
    let timer = stage.does(thief, TimerCreate { notification: signal, bits: 1 }).timer;
    // It has waited once, so that the straight way knows its slots.
    let later = Deadline(stage.now.get() + 1);
    stage.ask(thief, Wait { notification: signal, deadline: later });
    stage.pass_to(later.0 + 1);
    stage.does(thief, Close { handle: signal });
    let first = stage.does(thief, Derive { source: timer, rights: Rights::ALL, badge: 99 }).handle;
    assert_eq!(first.index(), 0, "its timer stands in its first slot");
    assert_eq!(
        stage.place(thief, first),
        stage.place(pair.server, pair.endpoint),
        "and is numbered as the endpoint is"
    );
    stage.post(pair.server, ipc::RECV, Mail::to(pair.endpoint));

    refused_by_every_way(stage, thief, ipc::CALL, 0);

    assert_eq!(pair.server.state(), State::Receiving, "nobody called it");
}

#[test]
fn who_takes_a_servers_place_among_the_threads_does_not_receive_for_it() {
    let pair = pair();
    let stage = &pair.stage;
    let second = stage.thread(pair.home);
    stage.post(second, ipc::RECV, Mail::to(pair.endpoint));
    stage.post(pair.client, ipc::CALL, Mail::to(pair.door));
    stage.homes.set((second.header.shard() + SHARDS - 1) as u8 % SHARDS as u8);
    let home = stage.process("thief");
    stage.ask(second, ThreadExit {});
    let [thief, friend] = [(); 2].map(|()| stage.thread(home));
    assert!(core::ptr::eq(thief, second), "it has the place of a thread that received there");
    let own = stage.does(thief, EndpointCreate { process: None, queue: 0 }).endpoint;
    stage.post(friend, ipc::CALL, Mail::to(own));
    stage.posts(thief, ipc::RECV, Mail::to(own)).expect("its friend waits");

    for never in [u64::MAX, 0] {
        refused_by_every_way(stage, thief, ipc::REPLY_RECV, never);
    }

    assert_eq!(friend.state(), State::Awaiting, "nothing was answered");
}
