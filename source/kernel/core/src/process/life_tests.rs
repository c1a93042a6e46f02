//! What a process had comes back, whoever dies first, and those who still name it hear so.

use super::{Process, quota::Resource};
use crate::{
    Kernel,
    cpu::Next,
    testing::{Outcome, WIDE, call, call_at, give, machine, process, thread},
    thread::Thread,
};
use nexus_abi::{
    Deadline, Error, Handle, Kind, Name, Quota, Rights, ServiceId,
    syscall::{Close, Inspect, NotificationCreate, ProcessCreate, ProcessKill, Wait},
};

const CHILD: Quota = Quota {
    frames: 8,
    threads: 1,
    messages: 0,
    slot_blocks: 1,
    processes: 2,
    endpoints: 0,
    notifications: 1,
    memories: 0,
    mappings: 0,
    timers: 0,
    irqs: 0,
};

struct Family {
    kernel: &'static Kernel,
    parent: &'static Process,
    thread: &'static Thread,
    spawn: Handle,
}

impl Family {
    fn new() -> Family {
        let kernel = machine(1, 256);
        let parent = process(kernel, "parent", &WIDE);
        let spawn = give(kernel, parent, Kind::Spawn, 0, Rights::ALL);
        Family { kernel, parent, thread: thread(kernel, parent), spawn }
    }

    fn child(&self) -> Handle {
        self.child_of(self.thread, self.spawn, CHILD).0
    }

    fn child_of(&self, thread: &'static Thread, spawn: Handle, quota: Quota) -> (Handle, &'static Process) {
        let (service, name) = (ServiceId::program("child"), Name::new("child").expect("it is short"));
        let created = call(self.kernel, thread, ProcessCreate { spawn, service, name, quota, shard: None })
            .expect("the quota is wide");
        (created.process, self.kernel.processes.get(created.id.0).expect("it was just made"))
    }

    fn kill(&self, thread: &'static Thread, process: Handle) {
        let outcome = call_at(self.kernel, thread, ProcessKill { process, status: 1 }, 0);
        assert_eq!(outcome, Outcome::Waits);
        self.settle();
    }

    /// A thread of this process waits for ever.
    fn sleep_in(&self, process: &'static Process) {
        let sleeper = thread(self.kernel, process);
        let created = call(self.kernel, sleeper, NotificationCreate { process: None }).expect("the quota allows one");
        let wait = Wait { notification: created.notification, deadline: Deadline::NEVER };
        assert_eq!(call_at(self.kernel, sleeper, wait, 0), Outcome::Waits);
    }

    fn close(&self, handle: Handle) {
        call(self.kernel, self.thread, Close { handle }).map(|_| ()).expect("the handle is good");
    }

    fn settle(&self) {
        for _ in 0..10_000 {
            if self.kernel.next(self.kernel.cpus[0].here()) != Next::Reap {
                return;
            }
            crate::testing::honour(self.kernel);
            self.kernel.reap(self.kernel.cpus[0].here(), 0);
        }
        panic!("taking a process back does not end");
    }

    fn used(&self) -> [u32; 11] {
        let all = [
            Resource::Frames,
            Resource::Threads,
            Resource::Messages,
            Resource::SlotBlocks,
            Resource::Processes,
            Resource::Endpoints,
            Resource::Notifications,
            Resource::Memories,
            Resource::Mappings,
            Resource::Timers,
            Resource::Irqs,
        ];
        all.map(|resource| self.parent.account.used(resource))
    }
}

#[test]
fn many_short_lives_cost_their_parent_nothing() {
    let family = Family::new();
    let before = family.used();

    for _ in 0..40 {
        let child = family.child();
        family.kill(family.thread, child);
        family.close(child);
        assert_eq!(family.used(), before);
    }
}

#[test]
fn the_record_of_a_child_that_is_gone_stays_charged() {
    let family = Family::new();
    let before = family.parent.account.used(Resource::Processes);

    let child = family.child();
    family.kill(family.thread, child);

    assert_eq!(family.parent.account.used(Resource::Processes), before + 1);
    family.close(child);
    assert_eq!(family.parent.account.used(Resource::Processes), before);
}

#[test]
fn what_a_dead_child_had_of_its_own_children_comes_back_too() {
    let family = Family::new();
    let before = family.used();
    let roomy = Quota { frames: 40, threads: 2, slot_blocks: 3, processes: 8, ..CHILD };
    let (handle, child) = family.child_of(family.thread, family.spawn, roomy);
    let spawn = give(family.kernel, child, Kind::Spawn, 0, Rights::ALL);
    let thread = thread(family.kernel, child);

    // One grandchild is gone and its record still named, one lives on.
    let (gone, _) = family.child_of(thread, spawn, CHILD);
    family.kill(thread, gone);
    let (living, heir) = family.child_of(thread, spawn, CHILD);
    let _ = living;
    family.sleep_in(heir);
    let kept = give(family.kernel, family.parent, Kind::Process, heir.header.me(), Rights::ALL);
    family.kill(family.thread, handle);
    family.close(handle);

    let one_child = family.used()[4] - before[4];
    assert_eq!(one_child, 1 + u32::from(CHILD.processes));
    family.kill(family.thread, kept);
    family.close(kept);
    assert_eq!(family.used(), before);
}

#[test]
fn a_handle_to_what_a_dead_process_owned_says_that_it_is_gone() {
    let family = Family::new();
    let child = family.child();
    let create = NotificationCreate { process: Some(child) };
    let handle = call(family.kernel, family.thread, create).expect("the quota allows one").notification;
    let inspect = Inspect { handle };
    assert_eq!(call(family.kernel, family.thread, inspect).map(|found| found.kind), Ok(Kind::Notification));

    family.kill(family.thread, child);

    assert_eq!(call(family.kernel, family.thread, inspect).map(|_| ()), Err(Error::PeerClosed));
    family.close(handle);
}
