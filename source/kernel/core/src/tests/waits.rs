//! Deadlines, signals, wait sets, timers.

use super::{calls::Pair, calls::pair, *};
use nexus_abi::syscall::{
    Bind, Close, NotificationCreate, Notify, TimerCreate, TimerSet, Wait, WaitSetAdd, WaitSetCreate, WaitSetRemove, ipc,
};

/// One thread of one process, and a second one that signals.
struct Solo {
    stage: Stage,
    home: Home,
    thread: &'static Thread,
    other: &'static Thread,
}

fn solo() -> Solo {
    let stage = Stage::new(1);
    let home = stage.process("solo");
    let (thread, other) = (stage.thread(home), stage.thread(home));
    Solo { stage, home, thread, other }
}

impl Solo {
    fn notification(&self) -> Handle {
        self.stage.does(self.thread, NotificationCreate { process: None }).notification
    }

    fn wait_set(&self) -> Handle {
        self.stage.does(self.thread, WaitSetCreate { process: None }).wait_set
    }

    fn wait(&self, notification: Handle, deadline: u64) -> Result<(u64, u64), Error> {
        let waited = self.stage.asks(self.thread, Wait { notification, deadline: Deadline(deadline) });
        waited.map(|waited| (waited.bits, waited.key))
    }

    fn timer(&self, notification: Handle, bits: u64) -> Handle {
        self.stage.does(self.thread, TimerCreate { notification, bits }).timer
    }

    fn set(&self, timer: Handle, deadline: u64) {
        self.stage.does(self.thread, TimerSet { timer, deadline: Deadline(deadline) });
    }

    fn waits(&self, notification: Handle, deadline: u64) {
        self.stage.ask(self.thread, Wait { notification, deadline: Deadline(deadline) });
        assert_eq!(self.thread.state(), State::Waiting);
    }

    fn waited(&self) -> Result<(u64, u64), Error> {
        self.stage.answer::<Wait>(self.thread).map(|waited| (waited.bits, waited.key))
    }
}

#[test]
fn a_call_in_the_queue_ends_at_its_deadline_and_not_before() {
    let Pair { stage, server, endpoint, client, door, .. } = pair();
    stage.post(client, ipc::CALL_UNTIL, Mail::to(door).until(5_000));
    stage.pass_to(4_999);
    assert_eq!(client.state(), State::Calling);

    stage.pass_to(5_000);

    assert_eq!(stage.got(client).status.error(), Some(Error::TimedOut));
    stage.refuses_post(server, ipc::RECV, Mail::to(endpoint).until(0), Error::TimedOut);
}

#[test]
fn a_call_that_is_served_ends_at_its_deadline_and_its_answer_goes_nowhere() {
    let Pair { stage, server, endpoint, client, door, .. } = pair();
    stage.post(client, ipc::CALL_UNTIL, Mail::to(door).until(5_000));
    stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a caller waits");

    stage.pass_to(4_999);
    assert_eq!(client.state(), State::Awaiting);
    stage.pass_to(5_000);

    assert_eq!(stage.got(client).status.error(), Some(Error::TimedOut));
    stage.post(client, ipc::CALL, Mail::to(door).saying([5; 8]));
    let next = stage.posts(server, ipc::REPLY_RECV, Mail::to(endpoint).saying([9; 8]));
    assert_eq!(next.map(|got| got.words), Ok([5; 8]), "the old answer did not reach the new call");
    assert_eq!(client.state(), State::Awaiting);
}

#[test]
fn an_answer_to_a_call_that_ended_does_not_reach_the_next() {
    let Pair { stage, home, server, endpoint, client, door, .. } = pair();
    let second = stage.thread(home);
    stage.post(client, ipc::CALL_UNTIL, Mail::to(door).until(5_000));
    stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a caller waits");
    stage.pass_to(5_000);
    stage.post(client, ipc::CALL, Mail::to(door));
    stage.posts(second, ipc::RECV, Mail::to(endpoint)).expect("a caller waits");

    let late = stage.posts(server, ipc::REPLY, Mail { to: 0, ..Mail::to(door) }.saying([1; 8]));

    assert_eq!((late.err(), client.state()), (Some(Error::PeerClosed), State::Awaiting));
    stage.posts(second, ipc::REPLY, Mail { to: 0, ..Mail::to(door) }.saying([2; 8])).expect("the caller waits");
    assert_eq!(stage.got(client).words, [2; 8]);
}

#[test]
fn a_receive_ends_at_its_deadline() {
    let Pair { stage, server, endpoint, client, door, .. } = pair();
    stage.post(server, ipc::RECV, Mail::to(endpoint).until(700));
    stage.pass_to(699);
    assert_eq!(server.state(), State::Receiving);
    stage.pass_to(700);
    assert_eq!(stage.got(server).status.error(), Some(Error::TimedOut));
    stage.post(client, ipc::CALL_UNTIL, Mail::to(door).until(900));
    assert_eq!(client.state(), State::Calling, "nobody receives any more");
}

#[test]
fn a_deadline_that_has_passed_asks_without_waiting() {
    let Pair { stage, server, endpoint, client, door, .. } = pair();
    for number in [ipc::CALL_UNTIL, ipc::CALL_EXTENDED] {
        stage.refuses_post(client, number, Mail::to(door).until(100).with(0), Error::TimedOut);
    }
    stage.refuses_post(server, ipc::RECV, Mail::to(endpoint).until(1), Error::TimedOut);
    stage.posts(client, ipc::SEND, Mail::to(door)).expect("there is a place");
    stage.posts(server, ipc::RECV, Mail::to(endpoint).until(1)).expect("what is there is received");
}

#[test]
fn a_later_wait_with_a_later_deadline_is_not_ended_by_the_first() {
    let solo = solo();
    let notification = solo.notification();
    solo.waits(notification, 1_000);
    solo.stage.does(solo.other, Notify { notification, bits: 1 });
    assert_eq!(solo.waited(), Ok((1, 0)));
    solo.waits(notification, 2_000);

    solo.stage.pass_to(1_999);
    assert_eq!(solo.thread.state(), State::Waiting);
    solo.stage.pass_to(2_000);
    assert_eq!(solo.waited(), Err(Error::TimedOut));
}

#[test]
fn a_later_wait_with_an_earlier_deadline_ends_at_it() {
    let solo = solo();
    let notification = solo.notification();
    solo.waits(notification, 1_000_000);
    solo.stage.does(solo.other, Notify { notification, bits: 1 });
    solo.waits(notification, 3_000);

    solo.stage.pass_to(2_999);
    assert_eq!(solo.thread.state(), State::Waiting);
    solo.stage.pass_to(3_000);
    assert_eq!(solo.waited(), Err(Error::TimedOut));
}

#[test]
fn signals_add_up_until_they_are_taken() {
    let solo = solo();
    let notification = solo.notification();
    assert_eq!(solo.wait(notification, 0), Err(Error::TimedOut));
    for bits in [1, 4, 4, 0, 1 << 63] {
        solo.stage.does(solo.other, Notify { notification, bits });
    }
    assert_eq!(solo.wait(notification, NEVER), Ok((5 | 1 << 63, 0)));
    assert_eq!(solo.wait(notification, 0), Err(Error::TimedOut));
}

#[test]
fn a_signal_without_bits_wakes_nobody() {
    let solo = solo();
    let notification = solo.notification();
    solo.waits(notification, NEVER);
    solo.stage.does(solo.other, Notify { notification, bits: 0 });
    assert_eq!(solo.thread.state(), State::Waiting);
}

#[test]
fn waiters_are_woken_one_by_one_in_order() {
    let solo = solo();
    let third = solo.stage.thread(solo.home);
    let notification = solo.notification();
    solo.waits(notification, NEVER);
    solo.stage.ask(third, Wait { notification, deadline: Deadline::NEVER });

    solo.stage.does(solo.other, Notify { notification, bits: 2 });
    assert_eq!(solo.waited(), Ok((2, 0)));
    assert_eq!(third.state(), State::Waiting);
    solo.stage.does(solo.other, Notify { notification, bits: 8 });
    assert_eq!(solo.stage.answer::<Wait>(third).map(|waited| waited.bits), Ok(8));
}

#[test]
fn closing_a_notification_tells_its_waiters() {
    let solo = solo();
    let notification = solo.notification();
    solo.waits(notification, NEVER);
    solo.stage.does(solo.other, Close { handle: notification });
    assert_eq!(solo.waited(), Err(Error::PeerClosed));
    solo.stage.refuses(solo.other, Notify { notification, bits: 1 }, Error::BadHandle);
}

#[test]
fn a_bound_notification_ends_a_receive() {
    let Pair { stage, server, endpoint, home, .. } = pair();
    let other = stage.thread(home);
    let notification = stage.does(server, NotificationCreate { process: None }).notification;
    stage.does(server, Bind { notification: Some(notification) });
    stage.refuses(other, Bind { notification: Some(notification) }, Error::Exists);
    stage.post(server, ipc::RECV, Mail::to(endpoint));

    stage.does(other, Notify { notification, bits: 6 });

    let got = stage.got(server);
    assert_eq!((got.status.0, got.words[0], got.words[1]), (Status::SIGNAL, 6, 0));
    stage.does(other, Notify { notification, bits: 1 });
    let pending = stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a signal waits");
    assert_eq!((pending.status.0, pending.words[0]), (Status::SIGNAL, 1));
    stage.does(server, Bind { notification: None });
    stage.does(other, Notify { notification, bits: 1 });
    stage.refuses_post(server, ipc::RECV, Mail::to(endpoint).until(0), Error::TimedOut);
}

#[test]
fn a_wait_set_answers_with_the_key_of_each_member_in_turn() {
    let solo = solo();
    let (set, one, two) = (solo.wait_set(), solo.notification(), solo.notification());
    solo.stage.does(solo.other, Notify { notification: two, bits: 16 });
    solo.stage.does(solo.thread, WaitSetAdd { wait_set: set, notification: one, key: 11 });
    solo.stage.does(solo.thread, WaitSetAdd { wait_set: set, notification: two, key: 22 });
    assert_eq!(solo.wait(set, NEVER), Ok((16, 22)), "a member that was signalled before is ready");

    solo.stage.does(solo.other, Notify { notification: one, bits: 1 });
    solo.stage.does(solo.other, Notify { notification: two, bits: 2 });
    solo.stage.does(solo.other, Notify { notification: one, bits: 4 });
    assert_eq!(solo.wait(set, NEVER), Ok((5, 11)));
    assert_eq!(solo.wait(set, NEVER), Ok((2, 22)));
    assert_eq!(solo.wait(set, 0), Err(Error::TimedOut));
    solo.waits(set, NEVER);
    solo.stage.does(solo.other, Notify { notification: one, bits: 3 });
    assert_eq!(solo.waited(), Ok((3, 11)));
}

#[test]
fn members_leave_their_set_by_removal_and_by_death() {
    let solo = solo();
    let (set, one, two) = (solo.wait_set(), solo.notification(), solo.notification());
    solo.stage.does(solo.thread, WaitSetAdd { wait_set: set, notification: one, key: 1 });
    solo.stage.does(solo.thread, WaitSetAdd { wait_set: set, notification: two, key: 2 });
    solo.stage.does(solo.other, Notify { notification: one, bits: 1 });
    solo.stage.does(solo.other, Notify { notification: two, bits: 1 });

    solo.stage.does(solo.thread, WaitSetRemove { wait_set: set, notification: one });
    solo.stage.refuses(solo.thread, WaitSetRemove { wait_set: set, notification: one }, Error::NotFound);
    solo.stage.does(solo.thread, Close { handle: two });

    assert_eq!(solo.wait(set, 0), Err(Error::TimedOut));
    assert_eq!(solo.wait(one, 0), Ok((1, 0)), "it keeps its signals");
}

#[test]
fn members_stand_alone_when_their_set_dies() {
    let solo = solo();
    let (set, one) = (solo.wait_set(), solo.notification());
    solo.stage.does(solo.thread, WaitSetAdd { wait_set: set, notification: one, key: 1 });
    solo.stage.refuses(solo.thread, Wait { notification: one, deadline: Deadline::NEVER }, Error::State);
    solo.stage.does(solo.thread, Close { handle: set });

    solo.stage.does(solo.other, Notify { notification: one, bits: 9 });
    assert_eq!(solo.wait(one, 0), Ok((9, 0)));
    let set = solo.wait_set();
    solo.stage.does(solo.thread, WaitSetAdd { wait_set: set, notification: one, key: 1 });
}

#[test]
fn wait_sets_and_bindings_refuse_what_would_have_two_takers() {
    let solo = solo();
    let (set, other_set, one, two) = (solo.wait_set(), solo.wait_set(), solo.notification(), solo.notification());
    let add = |wait_set, notification| WaitSetAdd { wait_set, notification, key: 0 };
    solo.stage.does(solo.thread, add(set, one));
    solo.stage.refuses(solo.thread, add(set, one), Error::Exists);
    solo.stage.refuses(solo.thread, add(other_set, one), Error::Exists);
    solo.stage.refuses(solo.thread, Bind { notification: Some(one) }, Error::State);
    solo.stage.does(solo.thread, Bind { notification: Some(two) });
    solo.stage.refuses(solo.thread, add(set, two), Error::State);
    solo.stage.refuses(solo.thread, add(set, other_set), Error::WrongKind);
    solo.stage.refuses(solo.thread, add(one, two), Error::WrongKind);
    solo.stage.refuses(solo.thread, Notify { notification: set, bits: 1 }, Error::WrongKind);
    let third = solo.notification();
    solo.waits(third, NEVER);
    solo.stage.refuses(solo.other, add(set, third), Error::State);
}

#[test]
fn a_timer_fires_once_at_its_time() {
    let solo = solo();
    let notification = solo.notification();
    let timer = solo.timer(notification, 4);
    solo.set(timer, 10_000);
    solo.waits(notification, NEVER);

    solo.stage.pass_to(9_999);
    assert_eq!(solo.thread.state(), State::Waiting);
    solo.stage.pass_to(10_000);
    assert_eq!(solo.waited(), Ok((4, 0)));
    solo.stage.pass_to(1_000_000);
    assert_eq!(solo.wait(notification, 0), Err(Error::TimedOut));
}

#[test]
fn a_timer_can_be_set_earlier_later_and_off() {
    let solo = solo();
    let notification = solo.notification();
    let timer = solo.timer(notification, 1);
    solo.set(timer, 10_000);
    solo.set(timer, 5_000);
    solo.stage.pass_to(5_000);
    assert_eq!(solo.wait(notification, 0), Ok((1, 0)));
    solo.set(timer, 6_000);
    solo.set(timer, 8_000);
    solo.stage.pass_to(7_999);
    assert_eq!(solo.wait(notification, 0), Err(Error::TimedOut));
    solo.stage.pass_to(8_000);
    assert_eq!(solo.wait(notification, 0), Ok((1, 0)));
    solo.set(timer, 9_000);
    solo.set(timer, NEVER);
    solo.stage.pass_to(20_000);
    assert_eq!(solo.wait(notification, 0), Err(Error::TimedOut));
    solo.set(timer, 1);
    solo.stage.pass_to(20_000);
    assert_eq!(solo.wait(notification, 0), Ok((1, 0)), "a time that has passed fires at once");
}

#[test]
fn a_dead_owners_timer_does_not_fire_for_the_next() {
    let solo = solo();
    let notification = solo.notification();
    let timer = solo.timer(notification, 1);
    solo.set(timer, 10_000);
    solo.stage.does(solo.stage.root, syscall::ProcessKill { process: solo.home.handle, status: 0 });
    let home = solo.stage.process("next");
    let thread = solo.stage.thread(home);
    let notification = solo.stage.does(thread, NotificationCreate { process: None }).notification;
    let timer = solo.stage.does(thread, TimerCreate { notification, bits: 2 }).timer;
    solo.stage.does(thread, TimerSet { timer, deadline: Deadline(30_000) });

    solo.stage.pass_to(29_999);
    let poll = Wait { notification, deadline: Deadline::POLL };
    solo.stage.refuses(thread, poll, Error::TimedOut);
    solo.stage.pass_to(30_000);
    assert_eq!(solo.stage.does(thread, poll).bits, 2);
}

#[test]
fn calls_on_signals_and_timers_refuse_handles_that_do_not_allow_them() {
    let solo = solo();
    let (stage, thread) = (&solo.stage, solo.thread);
    let (notification, set) = (solo.notification(), solo.wait_set());
    let timer = solo.timer(notification, 1);
    let bad = Handle::from_raw(1 << 52 | 77).expect("not 0");
    let less = |source| stage.does(thread, syscall::Derive { source, rights: Rights::NONE, badge: 0 }).handle;
    let (mute, mute_set, mute_timer) = (less(notification), less(set), less(timer));
    let poll = |notification| Wait { notification, deadline: Deadline::POLL };
    let never = |timer| TimerSet { timer, deadline: Deadline::NEVER };
    let cases = [(bad, Error::BadHandle), (timer, Error::WrongKind), (mute, Error::Permission)];
    for (notification, error) in cases {
        stage.refuses(thread, Notify { notification, bits: 1 }, error);
        stage.refuses(thread, poll(notification), error);
        stage.refuses(thread, Bind { notification: Some(notification) }, error);
        stage.refuses(thread, TimerCreate { notification, bits: 1 }, error);
        stage.refuses(thread, WaitSetAdd { wait_set: set, notification, key: 0 }, error);
        stage.refuses(thread, WaitSetRemove { wait_set: set, notification }, error);
    }
    for (wait_set, error) in [(bad, Error::BadHandle), (timer, Error::WrongKind), (mute_set, Error::Permission)] {
        stage.refuses(thread, WaitSetAdd { wait_set, notification, key: 0 }, error);
        stage.refuses(thread, WaitSetRemove { wait_set, notification }, error);
    }
    for (timer, error) in [(bad, Error::BadHandle), (set, Error::WrongKind), (mute_timer, Error::Permission)] {
        stage.refuses(thread, never(timer), error);
    }
}
