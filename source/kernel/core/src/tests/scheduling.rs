//! Who runs next: classes, turns, slices, hand-over, kicks, admission.

use super::{calls::Pair, calls::pair, *};
use crate::sched::{guard::GUARD_SLICES, queue::ADMISSION_LIMIT};
use nexus_abi::QosClass;
use nexus_abi::syscall::{EndpointCreate, NotificationCreate, Notify, QosSet, ThreadExit, Wait, Yield, ipc};

/// A process whose threads are the only ones on CPU 1.
struct Crowd {
    stage: Stage,
    home: Home,
}

const SLICE: u64 = 1_000;

impl Crowd {
    fn new() -> Crowd {
        let stage = Stage::new(2);
        let home = stage.process_with("crowd", Quota { threads: 70, frames: 200, ..SMALL });
        Crowd { stage, home }
    }

    fn thread(&self, class: usize) -> &'static Thread {
        let (handle, thread) = self.stage.new_thread(self.home);
        thread.set_cpu(1);
        thread.set_base_class(QosClass::ALL[class]);
        self.stage.does(self.stage.root, ThreadStart { thread: handle });
        thread
    }

    fn current(&self) -> u32 {
        self.stage.kernel.cpus[1].current.get()
    }

    /// Makes the running thread of CPU 1 call, without letting any other run first; a call that restarts is made again.
    fn calls<S: Syscall>(&self, call: S) {
        let thread = self.stage.kernel.threads.at(self.current());
        thread.frame.set(reg::T2, S::NUMBER);
        let target = call.encode(&mut |at, word| thread.frame.set(reg::A0 + at, word));
        thread.frame.set(reg::T3, target);
        let pc = thread.frame.get(0);
        while thread.state() == State::Running && thread.frame.get(0) == pc {
            testing::ecall(self.stage.kernel, 1, self.stage.now.get());
        }
        self.stage.run_dry();
    }

    fn alarm(&self) -> u64 {
        self.stage.kernel.cpus[1].at_rest().alarm()
    }
}

#[test]
fn a_higher_class_runs_at_once_and_until_it_waits() {
    let crowd = Crowd::new();
    let low = crowd.thread(1);
    assert_eq!(crowd.current(), low.index());
    let high = crowd.thread(2);
    assert_eq!(crowd.current(), high.index());
    crowd.calls(Yield {});
    assert_eq!(crowd.current(), high.index(), "nobody of its class is ready");
    crowd.calls(ThreadExit {});
    assert_eq!(crowd.current(), low.index());
    assert_eq!(low.state(), State::Running);
}

#[test]
fn who_was_preempted_is_next_of_its_class() {
    let crowd = Crowd::new();
    let (first, second) = (crowd.thread(1), crowd.thread(1));
    assert_eq!(crowd.current(), first.index());
    crowd.thread(3);
    crowd.calls(ThreadExit {});
    assert_eq!(crowd.current(), first.index());
    crowd.calls(Yield {});
    assert_eq!(crowd.current(), second.index());
}

#[test]
fn threads_of_a_class_take_turns_a_slice_each() {
    let crowd = Crowd::new();
    let threads = [crowd.thread(1), crowd.thread(1), crowd.thread(1)];
    for turn in 0..9 {
        assert_eq!(crowd.current(), threads[turn % 3].index(), "turn {turn}");
        let end = crowd.alarm();
        assert_eq!(end, crowd.stage.now.get() + SLICE);
        crowd.stage.pass_to(end - 1);
        assert_eq!(crowd.current(), threads[turn % 3].index(), "its slice is not over");
        crowd.stage.pass_to(end);
    }
}

#[test]
fn nobody_is_interrupted_for_a_slice_while_nobody_waits() {
    let crowd = Crowd::new();
    crowd.thread(1);
    assert_eq!(crowd.alarm(), u64::MAX);
    crowd.thread(0);
    let guard = crowd.stage.now.get() + GUARD_SLICES * SLICE;
    assert_eq!(crowd.alarm(), guard, "a lower class gets a turn by the guard only");
    let second = crowd.thread(1);
    assert_eq!(crowd.alarm(), crowd.stage.now.get() + SLICE);
    crowd.calls(Yield {});
    assert_eq!(crowd.current(), second.index());
    crowd.calls(ThreadExit {});
    assert_eq!(crowd.alarm(), guard);
}

#[test]
fn two_that_hand_over_to_each_other_do_not_keep_their_class_out() {
    let Pair { stage, server, endpoint, client, door, client_home, .. } = pair();
    let third = stage.thread(client_home);
    stage.post(server, ipc::RECV, Mail::to(endpoint));
    let start = stage.now.get();
    let mut ran = false;
    stage.focus(client);
    for _ in 0..100 {
        stage.now.set(stage.now.get() + SLICE / 10);
        let current = stage.kernel.cpus[0].current.get();
        ran |= current == third.index();
        let thread = stage.kernel.threads.at(current);
        let (number, to) = if current == server.index() { (ipc::REPLY_RECV, endpoint) } else { (ipc::CALL, door) };
        if current == client.index() || current == server.index() {
            thread.frame.set(reg::T2, number);
            thread.frame.set(reg::T3, to.raw());
            testing::ecall(stage.kernel, 0, stage.now.get());
            stage.check();
        }
        if stage.kernel.cpus[0].at_rest().alarm() <= stage.now.get() {
            stage.kernel.timer(stage.kernel.cpus[0].here(), stage.now.get());
            stage.check();
        }
        if ran {
            break;
        }
    }
    assert!(ran && stage.now.get() - start <= 4 * SLICE, "it waited {}", stage.now.get() - start);
}

#[test]
fn a_wake_on_another_cpu_is_mail_and_one_kick() {
    let crowd = Crowd::new();
    let (one, two) = (crowd.thread(1), crowd.thread(1));
    let root = crowd.stage.root;
    let kernel = crowd.stage.kernel;
    let place = |thread| crowd.stage.grant(root, thread, crowd.home, (Rights::ALL, 0));
    let notifications: Vec<_> =
        (0..2).map(|_| crowd.stage.does(root, NotificationCreate { process: None }).notification).collect();
    let theirs: Vec<_> = notifications.iter().map(|handle| place(*handle)).collect();
    for notification in theirs {
        crowd.calls(Wait { notification, deadline: Deadline::NEVER });
    }
    assert_eq!((one.state(), two.state(), crowd.current()), (State::Waiting, State::Waiting, 0));

    for notification in notifications {
        root.frame.set(reg::T2, Notify::NUMBER);
        root.frame.set(reg::T3, notification.raw());
        root.frame.set(reg::A0, 1);
        testing::ecall(kernel, 0, 200);
        crowd.stage.check();
    }

    assert_eq!(kernel.cpus[0].at_rest().requests.kicks.get(), 2, "CPU 1 is to be kicked");
    assert_eq!(kernel.cpus[1].kicked.get(), 1);
    assert_eq!(crowd.current(), 0, "only CPU 1 touches its queue");
    let kicks = kernel.cpus[1].counters.kicks.get();
    crowd.stage.run_dry();
    assert_eq!(kernel.cpus[1].counters.kicks.get(), kicks + 1, "one kick for both");
    assert_ne!(crowd.current(), 0);
    assert_eq!(kernel.cpus[1].load.count(nexus_abi::QosClass::Normal), 1);
}

#[test]
fn a_kick_that_finds_its_mail_taken_lets_the_next_one_through() {
    let crowd = Crowd::new();
    let kernel = crowd.stage.kernel;
    kernel.cpus[1].kicked.set(1);
    kernel.kick(kernel.cpus[1].here(), 300);
    assert_eq!(kernel.cpus[1].kicked.get(), 0);
}

#[test]
fn the_sixty_fifth_runnable_thread_of_a_class_is_refused() {
    let crowd = Crowd::new();
    for _ in 0..=ADMISSION_LIMIT {
        crowd.thread(1);
    }
    let (handle, thread) = crowd.stage.new_thread(crowd.home);
    thread.set_cpu(1);
    crowd.stage.refuses(crowd.stage.root, ThreadStart { thread: handle }, Error::Again);
    crowd.calls(ThreadExit {});
    crowd.stage.does(crowd.stage.root, ThreadStart { thread: handle });
    crowd.stage.refuses(crowd.stage.root, ThreadStart { thread: handle }, Error::State);
}

#[test]
fn a_server_runs_in_its_callers_class_until_it_has_answered() {
    let crowd = Crowd::new();
    let low = crowd.thread(0);
    let stage = &crowd.stage;
    let endpoint = stage.does(low, EndpointCreate { process: None, queue: 0 }).endpoint;
    stage.post(low, ipc::RECV, Mail::to(endpoint));
    let high = crowd.thread(2);
    stage.post(high, ipc::CALL, Mail::to(endpoint));

    assert_eq!((low.class(), low.base_class()), (QosClass::Interactive, QosClass::Idle));
    assert_eq!(crowd.current(), low.index());
    stage.post(low, ipc::REPLY, Mail { to: 0, ..Mail::to(endpoint) });
    assert_eq!(low.class(), QosClass::Idle);
    assert_eq!(crowd.current(), high.index());
}

#[test]
fn lowering_its_class_lets_others_run() {
    let crowd = Crowd::new();
    let (one, two) = (crowd.thread(2), crowd.thread(2));
    let other = crowd.thread(1);
    crowd.calls(QosSet { class: 0, target: 0 });
    assert_eq!(crowd.current(), two.index());
    crowd.calls(ThreadExit {});
    assert_eq!(crowd.current(), other.index());
    assert_eq!(one.state(), State::Ready);
}

#[test]
fn whose_class_another_cpu_lowered_is_queued_anew_before_anybody_is_chosen() {
    let crowd = Crowd::new();
    crowd.thread(2);
    let (lowered, other) = (crowd.thread(2), crowd.thread(1));
    // As another CPU lowers it: this one's queue stays as it was.
    lowered.set_base_class(QosClass::Idle);
    crowd.stage.kernel.cpus[1].changed.set(1);
    crowd.calls(ThreadExit {});
    assert_eq!(crowd.current(), other.index());
    crowd.calls(ThreadExit {});
    assert_eq!(crowd.current(), lowered.index());
}
