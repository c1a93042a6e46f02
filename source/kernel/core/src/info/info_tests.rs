//! What an info capability tells, and every refusal; power.

use crate::{memory::bench::Bench, testing::give};
use nexus_abi::{
    Error, Handle, Kind, Name, ProcessId, QosClass, Rights,
    start::ExitKind,
    syscall::{
        BootArguments, Close, InfoCapability, InfoCpu, InfoInvariants, InfoObjects, InfoProcess, InfoUsage,
        NotificationCreate, PowerOff, PowerReset, WaitSetCreate, WindowMint,
    },
};

impl Bench {
    fn info(&self) -> Handle {
        give(self.kernel, self.process, Kind::Info, 0, Rights::ALL)
    }

    fn used(&self, info: Handle, kind: u32) -> (u64, u64) {
        let objects = self.call(InfoObjects { info, kind }).expect("it has places");
        (objects.used, objects.capacity)
    }
}

/// A capability without the right, one of another kind, and one that was closed.
fn bad_handles(bench: &Bench, good: Handle) -> [(Handle, Error); 3] {
    let weak = bench.weaker(good, Rights::TRANSFER);
    let closed = bench.weaker(good, Rights::ALL);
    bench.call(Close { handle: closed }).map(|_| ()).expect("the handle is good");
    [(weak, Error::Permission), (bench.root, Error::WrongKind), (closed, Error::BadHandle)]
}

#[test]
fn processes_are_listed_one_by_one() {
    let bench = Bench::new(64);
    let info = bench.info();
    let other = Bench::with(bench.kernel, &crate::testing::WIDE);

    let first = bench.call(InfoProcess { info, index: 0 }).expect("there are two");
    assert_eq!(first.id, ProcessId(bench.process.header.me()));
    assert_eq!((first.name, first.state), (Name::new("bench").expect("a name"), ExitKind::Running as u64));
    let second = bench.call(InfoProcess { info, index: first.id.number() + 1 }).expect("there are two");
    assert_eq!(second.id, ProcessId(other.process.header.me()));
    bench.refused(InfoProcess { info, index: second.id.number() + 1 }, Error::NotFound);
    bench.refused(InfoProcess { info, index: u32::MAX }, Error::NotFound);
    for (info, error) in bad_handles(&bench, info) {
        bench.refused(InfoProcess { info, index: 0 }, error);
    }
}

#[test]
fn usage_is_what_the_account_says() {
    let bench = Bench::new(64);
    let info = bench.info();
    bench.memory(4);
    bench.thread.cpu_time.set(70);
    bench.process.cpu_time.set(7);
    bench.thread.set_base_class(QosClass::Interactive);

    let usage = bench.call(InfoUsage { info, index: bench.process.index() }).expect("it lives");

    assert_eq!((usage.cpu, usage.frames, usage.handles, usage.threads), (77, 1 + 1 + 5, 3, 1));
    assert_eq!(usage.class, QosClass::Interactive);
    bench.refused(InfoUsage { info, index: 30 }, Error::NotFound);
    bench.refused(InfoUsage { info, index: u32::MAX }, Error::NotFound);
    for (info, error) in bad_handles(&bench, info) {
        bench.refused(InfoUsage { info, index: 1 }, error);
    }
}

#[test]
fn a_cpu_tells_its_counters() {
    let bench = Bench::new(64);
    let info = bench.info();
    let counters = &bench.kernel.cpus[0].counters;
    counters.timer_interrupts.set(5);
    counters.device_interrupts.set(6);
    counters.tasks.set(1);
    bench.kernel.cpus[0].hart.set(3);
    let cpu = bench.call(InfoCpu { info, cpu: 0 }).expect("there is one");
    assert_eq!((cpu.online, cpu.timer_interrupts, cpu.device_interrupts, cpu.tasks, cpu.hart), (1, 5, 6, 1, 3));
    bench.refused(InfoCpu { info, cpu: 1 }, Error::NotFound);
    bench.refused(InfoCpu { info, cpu: u32::MAX }, Error::NotFound);
    for (info, error) in bad_handles(&bench, info) {
        bench.refused(InfoCpu { info, cpu: 0 }, error);
    }
}

#[test]
fn objects_are_counted_by_kind() {
    let bench = Bench::new(64);
    let info = bench.info();
    let memory = bench.memory(3);
    bench.map(memory, 0, (0, 2), 1).expect("nothing is there");
    bench.call(WindowMint { root: bench.root, address: 0x1000_0000, pages: 1 }).map(|_| ()).expect("nobody has it");
    bench.call(NotificationCreate { process: None }).map(|_| ()).expect("the quota is wide");
    bench.call(NotificationCreate { process: None }).map(|_| ()).expect("the quota is wide");
    bench.call(WaitSetCreate { process: None }).map(|_| ()).expect("the quota is wide");

    let used = |kind: Kind| bench.used(info, kind as u32);
    assert_eq!(used(Kind::Memory), (1, 128));
    assert_eq!(used(Kind::Window), (1, 128));
    assert_eq!(used(Kind::Notification), (2, 64));
    assert_eq!(used(Kind::WaitSet), (1, 64));
    assert_eq!(used(Kind::Process), (1, 32));
    assert_eq!(used(Kind::Thread), (1, 96));
    assert_eq!((used(Kind::Endpoint), used(Kind::Irq), used(Kind::Timer)), ((0, 64), (0, 16), (0, 64)));
    assert_eq!(bench.used(info, 0), (1 + 1 + 4 + 2, 64));
    assert_eq!((bench.used(info, 64).0, bench.used(info, 65).0, bench.used(info, 66).0), (1, 0, 1));
}

#[test]
fn info_objects_refuses() {
    let bench = Bench::new(64);
    let info = bench.info();
    let placeless = [Kind::Reply, Kind::DmaMemory, Kind::DeviceRoot, Kind::Spawn, Kind::Info, Kind::Power, Kind::Log];
    for kind in placeless.map(|kind| kind as u32).into_iter().chain([17, 63, 67, 256, u32::MAX]) {
        bench.refused(InfoObjects { info, kind }, Error::Invalid);
    }
    for (info, error) in bad_handles(&bench, info) {
        bench.refused(InfoObjects { info, kind: 0 }, error);
    }
}

#[test]
fn capabilities_are_listed_slot_by_slot() {
    let bench = Bench::new(64);
    let info = bench.info();
    let process = bench.process.index();
    let memory = bench.memory(1);

    let (mut index, mut kinds) = (0, std::vec::Vec::new());
    while let Ok(found) = bench.call(InfoCapability { info, process, index }) {
        kinds.push(found.kind);
        if found.kind == Kind::Memory {
            assert_eq!((found.rights, found.index as usize), (Rights::ALL, memory.index()));
        }
        index = found.index + 1;
    }

    assert_eq!(kinds, [Kind::DeviceRoot, Kind::Info, Kind::Memory]);
    bench.refused(InfoCapability { info, process, index }, Error::NotFound);
    bench.refused(InfoCapability { info, process, index: u32::MAX }, Error::NotFound);
    bench.refused(InfoCapability { info, process: 30, index: 0 }, Error::NotFound);
    for (info, error) in bad_handles(&bench, info) {
        bench.refused(InfoCapability { info, process, index: 0 }, error);
    }
}

#[test]
fn the_invariant_check_counts_and_finds() {
    let bench = Bench::new(64);
    let info = bench.info();
    let memory = bench.memory(3);
    bench.map(memory, 0, (0, 2), 1).expect("nothing is there");
    for (info, error) in bad_handles(&bench, info) {
        bench.refused(InfoInvariants { info }, error);
    }
    let clean = bench.call(InfoInvariants { info }).expect("booted for it");
    assert!(clean.checked > 20);
    assert_eq!(clean.violations, 0);

    let page = (crate::memory::bench::BASE / 4096) as u32;
    bench.kernel.set_pages(bench.process, page, 1, 0);
    let broken = crate::testing::call(bench.kernel, bench.thread, InfoInvariants { info }).expect("booted for it");
    assert_eq!(broken.violations, 2, "an entry and the number of entries");
}

#[test]
fn the_invariant_check_runs_only_when_booted_for_it() {
    let booted_with = |arguments: &'static [u8]| {
        let facts = crate::kernel::Machine { arguments, ..Default::default() };
        Bench::with(crate::testing::machine_with(1, 64, facts), &crate::testing::WIDE)
    };
    let bench = booted_with(b"panic=exit selftests");
    let info = bench.info();
    bench.refused(InfoInvariants { info }, Error::State);

    let bench = booted_with(b"selftest=hostile");
    let info = bench.info();
    assert_eq!(bench.call(InfoInvariants { info }).map(|found| found.violations), Ok(0));
}

#[test]
fn boot_arguments_are_read_from_an_offset() {
    let bench = Bench::new(64);
    let info = bench.info();
    assert_eq!(bench.call(BootArguments { info, offset: 0 }).map(|read| read.length), Ok(8));
    assert_eq!(bench.payload(8), b"selftest");
    assert_eq!(bench.call(BootArguments { info, offset: 4 }).map(|read| read.length), Ok(8));
    assert_eq!(bench.payload(4), b"test");
    assert!(bench.call(BootArguments { info, offset: 8 }).is_ok());
    bench.refused(BootArguments { info, offset: 9 }, Error::Invalid);
    bench.refused(BootArguments { info, offset: u32::MAX }, Error::Invalid);
    for (info, error) in bad_handles(&bench, info) {
        bench.refused(BootArguments { info, offset: 0 }, error);
    }
    bench.process.account.refund(crate::process::quota::Resource::Frames, 1);
    bench.kernel.frames.release(bench.thread.ipc_frame.get());
    bench.thread.ipc_frame.set(0);
    bench.refused(BootArguments { info, offset: 0 }, Error::State);
}

#[test]
fn power_asks_the_machine_and_refuses_others() {
    let bench = Bench::new(64);
    let power = give(bench.kernel, bench.process, Kind::Power, 0, Rights::ALL);
    let requests = &bench.kernel.cpus[0].at_rest().requests;
    for (power, error) in bad_handles(&bench, power) {
        bench.refused(PowerOff { power, status: 3 }, error);
        bench.refused(PowerReset { power }, error);
    }
    assert_eq!(requests.power.get(), 0);

    bench.call(PowerOff { power, status: 3 }).map(|_| ()).expect("the handle is good");
    assert_eq!((requests.power.get(), requests.status.get()), (1, 3));
    requests.power.set(0);
    bench.call(PowerReset { power }).map(|_| ()).expect("the handle is good");
    assert_eq!(requests.power.get(), 2);
}
