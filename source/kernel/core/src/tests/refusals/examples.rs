//! One call of each kind that is not refused.

use super::scene::{MAPPED, Scene, Setting, message, registers};
use super::*;
use nexus_abi::{
    Deadline,
    syscall::{
        AffinitySet, Bind, BootArguments, Close, ConsoleClaim, Derive, EndpointCreate, Grant, InfoCapability, InfoCpu,
        InfoInvariants, InfoLimits, InfoObjects, InfoProcess, InfoScheduler, InfoUsage, Inspect, IrqAck, IrqMint,
        LimitsSet, LogRead, LogWrite, Map, MemoryCreate, MemoryGrow, MemorySeal, NotificationCreate, Notify, PowerOff,
        PowerReset, ProcessFaults, ProcessKill, ProcessOpen, ProcessPrefix, ProcessStatus, ProcessWatch, Protect,
        QosGet, QosSet, Revoke, SharesSet, SpawnMint, TimerCreate, TimerSet, Unmap, Wait, WaitSetAdd, WaitSetCreate,
        WaitSetRemove, WindowMint, access, ipc,
    },
};

fn child(scene: &Scene) -> Option<Handle> {
    Some(scene.own("child"))
}

/// A thread that the child can have beside the one it has.
fn more(scene: &Scene) -> ThreadCreate {
    let ipc_page = IPC_PAGE + PAGE_SIZE as u64;
    ThreadCreate { process: child(scene), entry: USER_START, stack: 0, a0: 0, a1: 0, ipc_page }
}

/// A small process.
fn small(scene: &Scene) -> ProcessCreate {
    let (name, quota) = (Name::new("app/more").expect("a short name"), Quota { frames: 2, ..Quota::default() });
    ProcessCreate { spawn: scene.own("spawn"), service: ServiceId::program("app/more"), name, quota, shard: None }
}

/// The example of a call.
pub(super) fn named(name: &str) -> Setting {
    EXAMPLES.iter().find(|(call, _)| *call == name).unwrap_or_else(|| panic!("no example of {name}")).1
}

/// Calls by name.
#[rustfmt::skip]
pub(super) const EXAMPLES: &[(&str, Setting)] = &[
    ("Call", |s| message(ipc::CALL, Mail::to(s.door))),
    ("ReplyRecv", |s| { s.serve(); message(ipc::REPLY_RECV, Mail::to(s.own("endpoint"))) }),
    ("CallUntil", |s| message(ipc::CALL_UNTIL, Mail::to(s.door))),
    ("ReplyRecvUntil", |s| { s.serve(); message(ipc::REPLY_RECV_UNTIL, Mail::to(s.own("endpoint"))) }),
    ("CallExtended", |s| message(ipc::CALL_EXTENDED, Mail::to(s.door).with(8))),
    ("ReplyRecvExtended", |s| { s.serve(); message(ipc::REPLY_RECV_EXTENDED, Mail::to(s.own("endpoint")).with(8)) }),
    ("Recv", |s| message(ipc::RECV, Mail::to(s.own("endpoint")))),
    ("Reply", |s| message(ipc::REPLY, Mail::to(s.defer()))),
    ("ReplyExtended", |s| message(ipc::REPLY_EXTENDED, Mail::to(s.defer()).with(8))),
    ("Send", |s| message(ipc::SEND, Mail::to(s.door).with(0))),
    ("Defer", |s| { s.serve(); registers(syscall::Defer {}) }),
    ("Derive", |s| registers(Derive { source: s.own("notification"), rights: Rights::USE, badge: 0 })),
    ("Grant", |s| registers(Grant { process: s.own("child"), source: s.own("notification"), rights: Rights::USE, badge: 0 })),
    ("Close", |s| registers(Close { handle: s.own("timer") })),
    ("Revoke", |s| registers(Revoke { handle: s.own("notification") })),
    ("Inspect", |s| registers(Inspect { handle: s.own("notification") })),
    ("EndpointCreate", |s| registers(EndpointCreate { process: child(s), queue: 1 })),
    ("NotificationCreate", |s| registers(NotificationCreate { process: child(s) })),
    ("WaitSetCreate", |s| registers(WaitSetCreate { process: child(s) })),
    ("WaitSetAdd", |s| registers(WaitSetAdd { wait_set: s.own("wait_set"), notification: s.own("notification"), key: 2 })),
    ("WaitSetRemove", |s| registers(WaitSetRemove { wait_set: s.own("wait_set"), notification: s.own("member") })),
    ("Notify", |s| registers(Notify { notification: s.own("notification"), bits: 1 })),
    ("Wait", |s| registers(Wait { notification: s.own("notification"), deadline: Deadline::NEVER })),
    ("Bind", |s| registers(Bind { notification: Some(s.own("notification")) })),
    ("TimerCreate", |s| registers(TimerCreate { notification: s.own("notification"), bits: 1 })),
    ("TimerSet", |s| registers(TimerSet { timer: s.own("timer"), deadline: Deadline::NEVER })),
    ("MemoryCreate", |s| registers(MemoryCreate { process: child(s), pages: 1 })),
    ("MemoryGrow", |s| registers(MemoryGrow { memory: s.own("memory"), pages: 1 })),
    ("MemorySeal", |s| registers(MemorySeal { memory: s.own("memory") })),
    ("Map", |s| registers(Map { process: child(s), memory: s.own("memory"), address: MAPPED + (1 << 16), offset: 0, pages: 1, access: access::READ })),
    ("Unmap", |s| registers(Unmap { process: child(s), address: MAPPED, pages: 1 })),
    ("Protect", |s| registers(Protect { process: child(s), address: MAPPED, pages: 1, access: access::READ })),
    ("WindowMint", |s| registers(WindowMint { root: s.own("root"), address: 0x1200_0000, pages: 1 })),
    ("IrqMint", |s| registers(IrqMint { root: s.own("root"), line: 4, notification: s.own("notification"), bits: 1 })),
    ("IrqAck", |s| registers(IrqAck { irq: s.own("irq") })),
    ("ProcessCreate", |s| registers(small(s))),
    ("ProcessPrefix", |s| registers(ProcessPrefix { spawn: s.own("spawn"), process: s.own("child"), prefix: Name::default() })),
    ("ThreadCreate", |s| registers(more(s))),
    ("ThreadStart", |s| registers(ThreadStart { thread: s.own("thread") })),
    ("ProcessKill", |s| registers(ProcessKill { process: s.own("child"), status: 0 })),
    ("ProcessWatch", |s| registers(ProcessWatch { process: s.own("child"), notification: s.own("notification"), bits: 1 })),
    ("ProcessStatus", |s| registers(ProcessStatus { process: s.own("child") })),
    ("ProcessFaults", |s| registers(ProcessFaults { process: s.own("child"), endpoint: s.own("endpoint") })),
    ("ProcessOpen", |s| registers(ProcessOpen { spawn: s.own("spawn"), process: nexus_abi::ProcessId(s.stage.place(s.caller, s.own("child"))) })),
    ("SpawnMint", |s| registers(SpawnMint { root: s.own("spawn"), service: ServiceId::program("app/some") })),
    ("QosGet", |s| registers(QosGet { thread: Some(s.own("thread")) })),
    ("QosSet", |_| registers(QosSet { class: 0, target: 0 })),
    ("AffinitySet", |s| registers(AffinitySet { thread: Some(s.own("thread")), mask: 1 })),
    ("SharesSet", |s| registers(SharesSet { thread: Some(s.own("thread")), shares: 100 })),
    ("LimitsSet", |s| registers(LimitsSet { process: s.own("child"), shares: 100, mask: 1, budget: 0, period: 0 })),
    ("InfoLimits", |s| registers(InfoLimits { info: s.own("info"), index: 1 })),
    ("InfoScheduler", |s| registers(InfoScheduler { info: s.own("info"), cpu: 0 })),
    ("InfoProcess", |s| registers(InfoProcess { info: s.own("info"), index: 0 })),
    ("InfoUsage", |s| registers(InfoUsage { info: s.own("info"), index: 1 })),
    ("InfoCpu", |s| registers(InfoCpu { info: s.own("info"), cpu: 0 })),
    ("InfoObjects", |s| registers(InfoObjects { info: s.own("info"), kind: 0 })),
    ("InfoCapability", |s| registers(InfoCapability { info: s.own("info"), process: 1, index: 0 })),
    ("InfoInvariants", |s| registers(InfoInvariants { info: s.own("info") })),
    ("PowerOff", |s| registers(PowerOff { power: s.own("power"), status: 0 })),
    ("PowerReset", |s| registers(PowerReset { power: s.own("power") })),
    ("LogWrite", |s| registers(LogWrite { log: s.own("log"), length: 1 })),
    ("LogRead", |s| registers(LogRead { log: s.own("log"), cursor: 0 })),
    ("ConsoleClaim", |s| registers(ConsoleClaim { log: s.own("log"), notification: s.own("notification"), bits: 1 })),
    ("BootArguments", |s| registers(BootArguments { info: s.own("info"), offset: 0 })),
];
