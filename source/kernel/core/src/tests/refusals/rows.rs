//! What else can be wrong with a call: one value of its example, or the state in which it comes.

use super::scene::{MAPPED, Registers, Scene, Setting, message, registers};
use super::{examples::named, *};
use crate::cpu::EXPLICIT_LIMIT;
use nexus_abi::{
    Error::{
        Again, BadAddress, BadHandle, Deadlock, Exhausted, Exists, Invalid, NoCall, NotFound, OverLimit, TimedOut,
        WrongKind,
    },
    QosClass,
    message::{Extent, Passing},
    syscall::{
        AffinitySet, Bind, ConsoleClaim, Derive, DmaAddress, DmaCreate, Map, MemoryGrow, MemorySeal, ProcessWatch,
        Protect, QosSet, Quiesce, Unmap, access, ipc,
    },
};

const HIGH: u64 = 1 << 32;
const A0: usize = reg::A0;

/// Call, error, register of the example, value.
#[rustfmt::skip]
pub(super) const PATCHED: &[(&str, Error, usize, u64)] = &[
    ("CallUntil", TimedOut, reg::T5, 0),
    ("CallExtended", TimedOut, reg::T5, 0),
    ("CallExtended", OverLimit, reg::T6, 4033),
    ("ReplyRecvExtended", OverLimit, reg::T6, 8 << 16),
    ("ReplyExtended", OverLimit, reg::T6, 1 << 25),
    ("Recv", TimedOut, reg::T5, 0),
    ("Wait", TimedOut, A0, 0),
    ("Derive", Invalid, A0, 16),
    ("Grant", Invalid, A0 + 1, 16),
    ("EndpointCreate", Invalid, A0, 1 << 16),
    ("EndpointCreate", OverLimit, A0, 65),
    ("MemoryCreate", Invalid, A0, 0),
    ("MemoryCreate", OverLimit, A0, (1 << 18) + 1),
    ("MemoryGrow", Invalid, A0, 0),
    ("Map", Invalid, A0 + 1, MAPPED + 1),
    ("Map", BadAddress, A0 + 1, 0),
    ("Map", Exists, A0 + 1, MAPPED),
    ("Unmap", Invalid, A0, MAPPED + 1),
    ("Unmap", BadAddress, A0, 0),
    ("Protect", Invalid, A0 + 2, 8),
    ("Protect", BadAddress, A0, 0),
    ("Protect", Error::Permission, A0 + 2, access::EXECUTE as u64),
    ("WindowMint", Invalid, A0, 0x1200_0001),
    ("WindowMint", Exists, A0, 0x1000_0000),
    ("WindowMint", Error::Permission, A0, testing::FRAMES_BASE),
    ("IrqMint", Invalid, A0, 0),
    ("IrqMint", Exists, A0, 3),
    ("ProcessCreate", Invalid, A0, 0),
    ("ProcessCreate", Invalid, A0 + 7, 9),
    ("ProcessCreate", OverLimit, A0 + 4, HIGH - 1),
    ("ProcessPrefix", Invalid, A0 + 1, 10),
    ("ThreadCreate", Invalid, A0, USER_START + 1),
    ("ThreadCreate", BadAddress, A0, 0),
    ("ThreadCreate", Exists, A0 + 4, IPC_PAGE),
    ("ProcessOpen", NotFound, A0, 0),
    ("SpawnMint", Invalid, A0, 0),
    ("QosSet", Error::Permission, A0, 2),
    ("QosSet", Invalid, A0, 4),
    ("AffinitySet", Invalid, A0, 0),
    ("SharesSet", Invalid, A0, 1001),
    ("LimitsSet", Invalid, A0, 0),
    ("LimitsSet", Error::Permission, A0, 501),
    ("InfoLimits", Invalid, A0, HIGH),
    ("InfoLimits", NotFound, A0, 1000),
    ("InfoScheduler", Invalid, A0, HIGH),
    ("InfoScheduler", NotFound, A0, 1000),
    ("InfoProcess", Invalid, A0, HIGH),
    ("InfoProcess", NotFound, A0, 1000),
    ("InfoUsage", Invalid, A0, HIGH),
    ("InfoUsage", NotFound, A0, 1000),
    ("InfoCpu", Invalid, A0, HIGH),
    ("InfoCpu", NotFound, A0, 1000),
    ("InfoObjects", Invalid, A0, 1000),
    ("InfoCapability", Invalid, A0, HIGH),
    ("InfoCapability", NotFound, A0, 1000),
    ("PowerOff", Invalid, A0, HIGH),
    ("LogWrite", Invalid, A0, HIGH),
    ("LogWrite", OverLimit, A0, 1001),
    ("LogRead", Invalid, A0, u64::MAX),
    ("ConsoleClaim", Invalid, A0 + 1, 0),
    ("BootArguments", Invalid, A0, 100),
];

/// A call back to the one whose call the caller serves.
fn circle(scene: &Scene, number: u64) -> Registers {
    scene.serve();
    message(number, Mail::to(scene.door).until(5000))
}

fn example(scene: &Scene, name: &str) -> Registers {
    named(name)(scene)
}

/// An example whose result finds no place in the caller's table: its quota is used up.
macro_rules! full {
    ($name:literal) => {
        ($name, OverLimit, |s| {
            let registers = example(s, $name);
            s.fill(s.home.process);
            registers
        })
    };
}

/// An example whose result finds no place in the caller's table: the machine's blocks are used up.
macro_rules! starved {
    ($name:literal) => {
        ($name, Exhausted, |s| {
            let registers = example(s, $name);
            s.starve_slots(s.home.process);
            registers
        })
    };
}

/// An example with other values.
fn with(registers: Registers, changes: &[(usize, u64)]) -> Registers {
    let kept = registers.into_iter().filter(|(register, _)| changes.iter().all(|(changed, _)| changed != register));
    kept.chain(changes.iter().copied()).collect()
}

/// A message to the peer, who waits for it, with the handle that the caller's page names.
fn to_waiting_peer(scene: &Scene, handle: Handle) -> Registers {
    scene.stage.post(scene.peer, ipc::RECV, Mail::to(scene.peer_endpoint));
    scene.carry(handle);
    message(ipc::CALL_EXTENDED, Mail::to(scene.door).with(one(Passing::Lend)))
}

fn one(passing: Passing) -> u64 {
    Extent { length: 0, handles: 1, passing }.to_word()
}

fn child_of(scene: &Scene) -> &'static Process {
    let place = scene.stage.place(scene.caller, scene.own("child"));
    scene.stage.kernel.processes.get(place).expect("the child lives")
}

/// A second mapping in the child, all that its quota allows.
fn map_more(scene: &Scene) {
    let (process, memory) = (Some(scene.own("child")), scene.own("memory"));
    scene.does(Map { process, memory, address: MAPPED + (2 << 16), offset: 0, pages: 1, access: access::READ });
}

/// Takes the caller's IPC page away, as nothing in the kernel does.
fn pageless(scene: &Scene, name: &str) -> Registers {
    let registers = example(scene, name);
    let kernel = scene.stage.kernel;
    let page = (scene.caller.ipc_page.get() / PAGE_SIZE as u64) as u32;
    kernel.set_pages(scene.home.process, page, 1, 0);
    kernel.frames.release(scene.caller.ipc_frame.get());
    scene.home.process.account.refund(crate::process::quota::Resource::Frames, 1);
    scene.caller.ipc_frame.set(0);
    registers
}

/// A hole in the middle of a mapping.
const MIDDLE: u64 = MAPPED + PAGE_SIZE as u64;

/// The same, where there are two CPUs.
pub(super) const ROWS_OF_TWO: &[(&str, Error, Setting)] = &[
    ("AffinitySet", Again, |s| {
        let other = s.crowd_other();
        registers(AffinitySet { thread: None, mask: 1 << other })
    }),
    ("AffinitySet", Error::RateLimited, |s| {
        let kernel = s.stage.kernel;
        let second = kernel.second(s.stage.now.get());
        let here = s.caller.cpu();
        let explicit = &kernel.cpus[here as usize].here().own().explicit;
        (0..EXPLICIT_LIMIT).for_each(|_| explicit.count(second));
        registers(AffinitySet { thread: None, mask: 1 << here })
    }),
];

/// Call, error, and what has to be before.
#[rustfmt::skip]
pub(super) const ROWS: &[(&str, Error, Setting)] = &[
    full!("Defer"), full!("Derive"), full!("NotificationCreate"), full!("WaitSetCreate"), full!("TimerCreate"),
    full!("WindowMint"), full!("IrqMint"), full!("ThreadCreate"), full!("SpawnMint"), full!("ProcessOpen"),
    starved!("Defer"), starved!("Derive"), starved!("EndpointCreate"), starved!("NotificationCreate"),
    starved!("WaitSetCreate"), starved!("TimerCreate"), starved!("MemoryCreate"), starved!("WindowMint"),
    starved!("IrqMint"), starved!("ProcessCreate"), starved!("ThreadCreate"), starved!("SpawnMint"), starved!("ProcessOpen"),
    ("ProcessWatch", Error::State, |s| {
        s.does(ProcessWatch { process: s.own("child"), notification: s.own("member"), bits: 1 });
        example(s, "ProcessWatch")
    }),
    ("Call", Deadlock, |s| circle(s, ipc::CALL)),
    ("CallUntil", Deadlock, |s| circle(s, ipc::CALL_UNTIL)),
    ("CallExtended", Deadlock, |s| circle(s, ipc::CALL_EXTENDED)),
    ("Grant", OverLimit, |s| { s.fill(child_of(s)); example(s, "Grant") }),
    ("Grant", Exhausted, |s| { s.starve_slots(child_of(s)); example(s, "Grant") }),
    ("ReplyRecv", Error::State, |s| message(ipc::REPLY_RECV, Mail::to(s.own("endpoint")))),
    ("ReplyRecvUntil", Error::State, |s| message(ipc::REPLY_RECV_UNTIL, Mail::to(s.own("endpoint")))),
    ("ReplyRecvExtended", Error::State, |s| message(ipc::REPLY_RECV_EXTENDED, Mail::to(s.own("endpoint")))),
    ("Recv", Error::State, |s| { s.serve(); example(s, "Recv") }),
    ("Reply", Error::State, |s| message(ipc::REPLY, Mail { to: 0, ..Mail::to(s.door) })),
    ("ReplyExtended", Error::State, |s| message(ipc::REPLY_EXTENDED, Mail { to: 0, ..Mail::to(s.door) })),
    ("ReplyExtended", Error::Permission, |s| {
        s.carry(s.mute(s.own("notification")).expect("it can be derived"));
        message(ipc::REPLY_EXTENDED, Mail::to(s.defer()).with(one(Passing::Lend)))
    }),
    ("ReplyExtended", Error::PeerClosed, |s| {
        s.carry(s.dead(Kind::Notification));
        message(ipc::REPLY_EXTENDED, Mail::to(s.defer()).with(one(Passing::Lend)))
    }),
    ("CallExtended", OverLimit, |s| { s.fill(s.peer_home.process); to_waiting_peer(s, s.own("notification")) }),
    ("CallExtended", Exhausted, |s| { s.starve_slots(s.peer_home.process); to_waiting_peer(s, s.own("notification")) }),
    ("CallExtended", Error::State, |s| {
        s.mute(s.own("notification"));
        with(to_waiting_peer(s, s.own("notification")), &[(reg::T6, one(Passing::Move))])
    }),
    ("Send", Error::State, |s| {
        let registers = with(example(s, "Send"), &[(reg::T6, s.own("notification").raw())]);
        s.half_revoke(s.own("notification"));
        registers
    }),
    ("Send", OverLimit, |s| { s.fill(s.peer_home.process); with(example(s, "Send"), &[(reg::T6, s.own("notification").raw())]) }),
    ("Send", Exhausted, |s| { s.starve_slots(s.peer_home.process); with(example(s, "Send"), &[(reg::T6, s.own("notification").raw())]) }),
    ("Send", Again, |s| { s.stage.posts(s.caller, ipc::SEND, Mail::to(s.door).with(0)).expect("room for one"); example(s, "Send") }),
    ("Defer", Error::State, |_| registers(syscall::Defer {})),
    ("Derive", WrongKind, |s| registers(Derive { source: s.defer(), rights: Rights::NONE, badge: 0 })),
    ("Derive", Error::Permission, |s| {
        let source = s.mute(s.own("notification")).expect("it can be derived");
        registers(Derive { source, rights: Rights::USE, badge: 0 })
    }),
    ("Derive", Error::State, |s| { let registers = example(s, "Derive"); s.half_revoke(s.own("notification")); registers }),
    ("Grant", Error::State, |s| { let registers = example(s, "Grant"); s.half_revoke(s.own("notification")); registers }),
    ("Map", Error::State, |s| { let registers = example(s, "Map"); s.half_revoke(s.own("memory")); registers }),
    ("WaitSetAdd", Exists, |s| with(example(s, "WaitSetAdd"), &[(A0, s.own("member").raw())])),
    ("WaitSetAdd", Error::State, |s| { s.does(Bind { notification: Some(s.own("notification")) }); example(s, "WaitSetAdd") }),
    ("WaitSetRemove", NotFound, |s| with(example(s, "WaitSetRemove"), &[(A0, s.own("notification").raw())])),
    ("Wait", Error::State, |s| with(example(s, "Wait"), &[(reg::T3, s.own("member").raw())])),
    ("Bind", Error::State, |s| registers(Bind { notification: Some(s.own("member")) })),
    ("Bind", Exists, |s| { s.stage.does(s.second, Bind { notification: Some(s.own("notification")) }); example(s, "Bind") }),
    ("MemoryGrow", OverLimit, |s| { s.does(MemoryGrow { memory: s.own("memory"), pages: 2 }); example(s, "MemoryGrow") }),
    ("MemoryGrow", Exhausted, |s| { s.starve_frames(); example(s, "MemoryGrow") }),
    ("MemoryGrow", Error::State, |s| { s.does(MemorySeal { memory: s.own("memory") }); example(s, "MemoryGrow") }),
    ("MemorySeal", Error::State, |s| { s.does(MemorySeal { memory: s.own("memory") }); example(s, "MemorySeal") }),
    ("Map", OverLimit, |s| { map_more(s); example(s, "Map") }),
    ("Map", Exhausted, |s| { s.starve_mappings(); example(s, "Map") }),
    ("Unmap", OverLimit, |s| { map_more(s); registers(Unmap { process: Some(s.own("child")), address: MIDDLE, pages: 1 }) }),
    ("Unmap", Exhausted, |s| { s.starve_mappings(); registers(Unmap { process: Some(s.own("child")), address: MIDDLE, pages: 1 }) }),
    ("Protect", OverLimit, |s| { map_more(s); registers(Protect { process: Some(s.own("child")), address: MAPPED, pages: 1, access: access::READ }) }),
    ("Protect", Exhausted, |s| { s.starve_mappings(); registers(Protect { process: Some(s.own("child")), address: MAPPED, pages: 1, access: access::READ }) }),
    ("DmaCreate", NoCall, |s| registers(DmaCreate { root: s.own("root"), pages: 1 })),
    ("DmaCreate", BadHandle, |s| with(registers(DmaCreate { root: s.own("root"), pages: 1 }), &[(reg::T3, 0)])),
    ("DmaAddress", NoCall, |s| registers(DmaAddress { memory: s.own("memory") })),
    ("DmaAddress", BadHandle, |s| with(registers(DmaAddress { memory: s.own("memory") }), &[(reg::T3, 0)])),
    ("Quiesce", NoCall, |s| registers(Quiesce { window: s.own("window"), offset: 0, value: 0 })),
    ("Quiesce", BadHandle, |s| with(registers(Quiesce { window: s.own("window"), offset: 0, value: 0 }), &[(reg::T3, 0)])),
    ("Quiesce", Invalid, |s| with(registers(Quiesce { window: s.own("window"), offset: 0, value: 0 }), &[(A0 + 1, HIGH)])),
    ("ThreadStart", Error::State, |s| { s.does(ThreadStart { thread: s.own("thread") }); example(s, "ThreadStart") }),
    ("ThreadStart", Again, |s| { s.crowd(QosClass::Normal); example(s, "ThreadStart") }),
    ("QosSet", Again, |s| { s.crowd(QosClass::Idle); registers(QosSet { class: 0, target: 0 }) }),
    ("ConsoleClaim", Exists, |s| {
        let log = testing::give(s.stage.kernel, s.peer_home.process, Kind::Log, 0, Rights::ALL);
        let notification = s.stage.does(s.peer, syscall::NotificationCreate { process: None }).notification;
        s.stage.does(s.peer, ConsoleClaim { log, notification, bits: 1 });
        example(s, "ConsoleClaim")
    }),
    ("LogWrite", Error::State, |s| pageless(s, "LogWrite")),
    ("LogRead", Error::State, |s| pageless(s, "LogRead")),
    ("BootArguments", Error::State, |s| pageless(s, "BootArguments")),
];
