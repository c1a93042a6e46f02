//! The policy of the scheduler: the guard, weights, budgets, masks.

use super::*;
use crate::{sched::guard::GUARD_SLICES, ways::Way};
use nexus_abi::QosClass::{self, Idle, Interactive, Normal, PerfBurst};
use nexus_abi::syscall::{
    AffinitySet, EndpointCreate, InfoLimits, LimitsSet, NotificationCreate, Notify, SharesSet, Wait, ipc,
};

const SLICE: u64 = 1_000;
/// Ticks that the tests call a second: 200 slices.
const SECOND: u64 = 200 * SLICE;

/// A machine on whose CPU 1 only the threads of a test run.
struct Field {
    stage: Stage,
}

impl Field {
    fn new() -> Field {
        let stage = Stage::new(2);
        stage.root.service.set(testing::RAISER.0);
        Field { stage }
    }

    /// A process with these limits, and its thread, which spins.
    fn spinner(&self, class: QosClass, limits: (u32, u64, u64)) -> (Home, &'static Thread) {
        let home = self.stage.process("spinner");
        let (shares, budget, period) = limits;
        self.stage.does(self.stage.root, LimitsSet { process: home.handle, shares, mask: 2, budget, period });
        (home, self.thread(home, class))
    }

    fn thread(&self, home: Home, class: QosClass) -> &'static Thread {
        let (handle, thread) = self.stage.new_thread(home);
        thread.set_cpu(1);
        thread.wish(class, class);
        thread.set_class(class);
        self.stage.does(self.stage.root, ThreadStart { thread: handle });
        thread
    }

    fn current(&self) -> u32 {
        self.stage.kernel.cpus[1].current.get()
    }

    /// Lets time go on; ticks in which each of these threads had the CPU, and the longest time that each waited for it.
    fn watch<const N: usize>(&self, ticks: u64, threads: [&'static Thread; N]) -> ([u64; N], [u64; N]) {
        let end = self.stage.now.get() + ticks;
        let (mut ran, mut waits, mut since) = ([0; N], [0; N], [self.stage.now.get(); N]);
        while self.stage.now.get() < end {
            let (now, current) = (self.stage.now.get(), self.current());
            let next = self.stage.kernel.cpus[1].at_rest().alarm().clamp(now + 1, end);
            for at in 0..N {
                if threads[at].index() == current {
                    waits[at] = u64::max(waits[at], now - since[at]);
                    ran[at] += next - now;
                    since[at] = next;
                }
            }
            self.stage.pass_to(next);
        }
        (ran, waits)
    }
}

const FREE: (u32, u64, u64) = (100, 0, 0);

#[test]
fn every_class_gets_a_hundredth_whatever_runs_above_it() {
    for hogs in 1..4 {
        let field = Field::new();
        let (home, first) = field.spinner(Interactive, FREE);
        (1..hogs).for_each(|_| _ = field.thread(home, Interactive));
        let (_, middle) = field.spinner(Normal, FREE);
        let (_, low) = field.spinner(Idle, FREE);
        let (ran, waits) = field.watch(20 * SECOND, [first, middle, low]);
        assert!(ran[1] * 100 >= 20 * SECOND && ran[2] * 100 >= 20 * SECOND, "{ran:?} with {hogs}");
        assert!(waits[0] <= hogs * SLICE, "a slice each, and the guard's: {waits:?} with {hogs}");
    }
}

/// An Interactive thread that waits, and the root's handle that wakes it.
fn sleeper(field: &Field) -> (&'static Thread, Handle, Handle) {
    let (home, urgent) = field.spinner(Interactive, FREE);
    let signal = field.stage.does(urgent, NotificationCreate { process: None }).notification;
    field.stage.ask(urgent, Wait { notification: signal, deadline: Deadline::NEVER });
    let root = &field.stage.kernel.processes.at(field.stage.root.process.get() as u32);
    let object = field.stage.kernel.slot(home.process, signal).expect("it is there").object.get();
    (urgent, signal, testing::give(field.stage.kernel, root, Kind::Notification, object, Rights::ALL))
}

#[test]
fn a_higher_class_interrupts_the_guards_slice_which_goes_on_later() {
    let field = Field::new();
    let (urgent, signal, wake) = sleeper(&field);
    let (_, hog) = field.spinner(Normal, FREE);
    let (_, low) = field.spinner(Idle, FREE);
    field.stage.pass_to(field.stage.now.get() + GUARD_SLICES * SLICE);
    assert_eq!(field.current(), low.index(), "the guard's slice");

    field.stage.pass_to(field.stage.now.get() + SLICE / 2);
    field.stage.does(field.stage.root, Notify { notification: wake, bits: 1 });
    assert_eq!(field.current(), urgent.index(), "at once");
    field.stage.ask(urgent, Wait { notification: signal, deadline: Deadline::NEVER });
    assert_eq!(field.current(), low.index(), "the slice goes on");
    field.stage.pass_to(field.stage.now.get() + SLICE / 2);
    assert_eq!(field.current(), hog.index(), "and ends");
}

#[test]
fn the_guards_slice_is_in_the_lowest_class_that_was_worked_for() {
    let field = Field::new();
    let (urgent, _, wake) = sleeper(&field);
    let (_, server) = field.spinner(Interactive, FREE);
    let endpoint = field.stage.does(server, EndpointCreate { process: None, queue: 0 }).endpoint;
    field.stage.post(server, ipc::RECV, Mail::to(endpoint));
    let (home, client) = field.spinner(Normal, FREE);
    let door = field.stage.grant_while_waiting(server, endpoint, home);
    let low = field.thread(home, Idle);
    field.stage.post(client, ipc::CALL, Mail::to(door));

    field.stage.pass_to(field.stage.now.get() + GUARD_SLICES * SLICE);
    assert_eq!(field.current(), server.index(), "nobody is lifted above whom an Interactive server works for");
    server.frame.set(reg::T2, ipc::REPLY_RECV);
    server.frame.set(reg::T3, endpoint.raw());
    let kernel = field.stage.kernel;
    kernel.call_by(kernel.cpus[1].here(), server, (Way::Straight, field.stage.now.get()));
    assert_eq!(field.current(), low.index(), "the straight way does not pass who waits for its slice");
    field.stage.does(field.stage.root, Notify { notification: wake, bits: 1 });
    assert_eq!(field.current(), urgent.index(), "at once");
}

#[test]
fn who_waits_for_its_slice_in_too_low_a_class_gets_it_in_a_higher_one() {
    let field = Field::new();
    let (urgent, _, wake) = sleeper(&field);
    let (_, hog) = field.spinner(Normal, FREE);
    let (_, low) = field.spinner(Idle, FREE);
    field.stage.pass_to(field.stage.now.get() + GUARD_SLICES * SLICE + SLICE / 2);
    assert_eq!(field.current(), low.index(), "the guard's slice, in Normal");

    field.stage.does(field.stage.root, Notify { notification: wake, bits: 1 });
    let (ran, waits) = field.watch(20 * SECOND, [urgent, hog, low]);
    assert!(ran[1] * 100 >= 20 * SECOND && ran[2] * 100 >= 20 * SECOND, "{ran:?} beside one that never waits again");
    assert!(waits[0] <= SLICE, "{waits:?}");
}

#[test]
fn a_class_that_has_time_now_and_then_does_not_starve_one_below_it() {
    let field = Field::new();
    let (urgent, signal, wake) = sleeper(&field);
    let (_, hog) = field.spinner(Normal, FREE);
    let (_, low) = field.spinner(Idle, FREE);
    let (mut ran, mut slept) = (0, 0);
    while field.stage.now.get() < 20 * SECOND {
        field.stage.does(field.stage.root, Notify { notification: wake, bits: 1 });
        ran += field.watch(SLICE, [low]).0[0];
        if field.current() == urgent.index() {
            field.stage.ask(urgent, Wait { notification: signal, deadline: Deadline::NEVER });
            ran += field.watch(1, [low]).0[0];
            slept += 1;
        }
    }
    assert!(ran * 100 >= 20 * SECOND, "{ran} beside a gap of a tick in each of {slept} slices");
    assert!(hog.cpu_time.get() > 0);
}

#[test]
fn the_guard_wakes_nobody_on_an_idle_machine() {
    let field = Field::new();
    let (_, hog) = field.spinner(Normal, FREE);
    let (_, low) = field.spinner(Idle, FREE);
    for thread in [hog, low] {
        let notification = field.stage.does(thread, NotificationCreate { process: None }).notification;
        field.stage.ask(thread, Wait { notification, deadline: Deadline::NEVER });
    }
    assert_eq!(field.stage.kernel.cpus[1].at_rest().alarm(), NEVER);
}

#[test]
fn shares_divide_the_time_of_a_class() {
    let field = Field::new();
    let (_, light) = field.spinner(Normal, (100, 0, 0));
    let (_, heavy) = field.spinner(Normal, (300, 0, 0));
    let (ran, _) = field.watch(SECOND, [light, heavy]);
    assert!((285..=315).contains(&(ran[1] * 100 / ran[0])), "{ran:?}");
}

#[test]
fn a_budget_is_its_part_of_the_time_alone_and_beside_others() {
    for (class, beside) in [(Interactive, false), (Interactive, true), (Normal, false), (Idle, false)] {
        let field = Field::new();
        let (home, thread) = field.spinner(class, (100, 2_000, 10_000));
        let second = field.thread(home, class);
        if beside {
            field.spinner(Normal, FREE);
        }
        let (ran, _) = field.watch(SECOND, [thread, second]);
        let part = (ran[0] + ran[1]) * 1000 / SECOND;
        assert!((190..=210).contains(&part), "{part} per mille");
        let root = field.stage.kernel.processes.at(field.stage.root.process.get() as u32);
        let info = testing::give(field.stage.kernel, root, Kind::Info, 0, Rights::ALL);
        let limits = field.stage.does(field.stage.root, InfoLimits { info, index: home.process.index() });
        assert_eq!((limits.budget, limits.period, limits.mask), (2_000, 10_000, 2));
        assert!((19..=20).contains(&limits.throttled), "{limits:?}");
    }
}

#[test]
fn who_comes_back_with_new_time_has_a_whole_slice() {
    let field = Field::new();
    let (_, thread) = field.spinner(Normal, (250, 2_000, 10_000));
    field.spinner(Normal, (500, 0, 0));
    let ([ran], _) = field.watch(SECOND, [thread]);
    assert!(
        (190..=210).contains(&(ran * 1000 / SECOND)),
        "{ran} of {SECOND}: it never waits for two slices of the other"
    );
}

#[test]
fn a_spent_burst_goes_on_in_normal() {
    let field = Field::new();
    let (_, hog) = field.spinner(Interactive, FREE);
    let (_, burst) = field.spinner(PerfBurst, (100, 2_000, 10_000));
    let (ran, waits) = field.watch(9_000, [burst, hog]);
    assert!((2_000..2_100).contains(&ran[0]), "{ran:?}");
    assert!(waits[1] <= 2_100);
    assert_eq!((burst.class(), burst.wished_class()), (Normal, PerfBurst));
    let (ran, _) = field.watch(SECOND, [burst, hog]);
    assert!((190..=240).contains(&(ran[0] * 1000 / SECOND)), "its budget, and what the guard gives: {ran:?}");
}

/// A client with a budget calls a server that works for ever.
fn serving(class: QosClass) -> (Field, &'static Thread, &'static Thread, Handle) {
    let field = Field::new();
    let (_, server) = field.spinner(Idle, FREE);
    let endpoint = field.stage.does(server, EndpointCreate { process: None, queue: 0 }).endpoint;
    field.stage.post(server, ipc::RECV, Mail::to(endpoint));
    let (home, client) = field.spinner(class, (100, 2_000, 10_000));
    let door = field.stage.grant_while_waiting(server, endpoint, home);
    field.stage.post(client, ipc::CALL, Mail::to(door));
    assert_eq!((field.current(), server.class()), (server.index(), class));
    (field, server, client, endpoint)
}

#[test]
fn work_is_charged_to_the_client_and_what_is_over_is_its_debt() {
    for class in [Interactive, PerfBurst] {
        let (field, server, client, endpoint) = serving(class);
        let budget = &field.stage.kernel.processes.at(client.process.get() as u32).budget;
        field.stage.pass_to(field.stage.now.get() + 2_000);
        assert!(budget.spent.get() != 0);
        assert_eq!((field.current(), server.class()), (server.index(), if class == PerfBurst { Normal } else { Idle }));
        assert_eq!(server.cpu_time.get(), 0);
        field.stage.pass_to(field.stage.now.get() + 1_000);
        field.stage.post(server, ipc::REPLY_RECV, Mail::to(endpoint));
        let (left, parked) = if class == PerfBurst { (0, State::Running) } else { (-1_000, State::Parked) };
        assert_eq!((budget.left(), client.state()), (left, parked));
        let (ran, _) = field.watch(20_000 - (field.stage.now.get() % 10_000), [client]);
        assert!(ran[0] >= 1_000, "it runs again: {ran:?}");
    }
}

#[test]
fn a_signal_that_nobody_waits_for_lets_its_shard_go_before_who_runs_is_chosen_anew() {
    let field = Field::new();
    let (_, burst) = field.spinner(PerfBurst, (100, 2_000, 10_000));
    let notification = field.stage.does(burst, NotificationCreate { process: None }).notification;
    field.stage.pass_to(field.stage.now.get() + 3_000);
    assert_eq!((field.current(), burst.class()), (burst.index(), Normal), "its time is used up");
    let registers = [(reg::T2, Notify::NUMBER), (reg::T3, notification.raw()), (reg::A0, 1)];
    registers.into_iter().for_each(|(register, value)| burst.frame.set(register, value));
    let kernel = field.stage.kernel;
    let way = kernel.call_by(kernel.cpus[1].here(), burst, (Way::Turn, field.stage.now.get()));
    assert_eq!((way, field.current()), (Way::Turn, burst.index()));
}

#[test]
fn a_debt_is_bounded_by_one_budget() {
    let (field, server, client, endpoint) = serving(Interactive);
    let begun = field.stage.now.get();
    field.stage.pass_to(begun + 100_500);
    field.stage.post(server, ipc::REPLY_RECV, Mail::to(endpoint));
    assert_eq!(client.state(), State::Parked);
    field.stage.pass_to(begun + 120_000);
    assert_eq!(client.state(), State::Running, "two periods later at most");
}

#[test]
fn a_spent_server_goes_on_for_who_has_time() {
    let field = Field::new();
    let (_, server) = field.spinner(Normal, (100, 1_000, 10_000));
    let endpoint = field.stage.does(server, EndpointCreate { process: None, queue: 0 }).endpoint;
    let (home, client) = field.spinner(Normal, FREE);
    let door = field.stage.grant_while_waiting(server, endpoint, home);
    field.stage.post(server, ipc::RECV, Mail { deadline: field.stage.now.get() + 1, ..Mail::to(endpoint) });
    field.stage.pass_to(field.stage.now.get() + 5_000);
    assert_eq!((server.class(), field.current()), (Idle, client.index()));
    field.stage.post(client, ipc::CALL, Mail::to(door));
    assert_eq!(field.current(), server.index(), "its caller waits for it");
    field.stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a call waits");
    field.stage.pass_to(field.stage.now.get() + 2_000);
    assert_eq!(field.current(), server.index(), "on its caller's time");
    field.stage.post(server, ipc::REPLY, Mail { to: 0, ..Mail::to(endpoint) });
    assert_eq!((server.class(), field.current()), (Idle, client.index()));
}

/// One that spins, a server in the same class that waits for messages, and a client of it, which has the CPU.
fn beside_a_hog() -> (Field, &'static Thread, [&'static Thread; 2], [Handle; 2]) {
    let field = Field::new();
    let (_, server) = field.spinner(Normal, FREE);
    let endpoint = field.stage.does(server, EndpointCreate { process: None, queue: 2 }).endpoint;
    field.stage.post(server, ipc::RECV, Mail::to(endpoint));
    let (home, client) = field.spinner(Normal, FREE);
    let door = field.stage.grant_while_waiting(server, endpoint, home);
    let (_, hog) = field.spinner(Normal, FREE);
    assert_eq!(field.current(), client.index());
    (field, hog, [server, client], [endpoint, door])
}

#[test]
fn who_calls_a_server_that_others_woke_lends_it_the_slice_and_goes_on_in_what_is_left() {
    let (field, hog, [server, client], [endpoint, door]) = beside_a_hog();
    let root = Home { process: field.stage.kernel.processes.at(field.stage.root.process.get() as u32), handle: door };
    let flooded = field.stage.grant_while_waiting(server, endpoint, root);
    let end = field.stage.kernel.cpus[1].at_rest().slice_end.get();
    for _ in 0..3 {
        field.stage.post(field.stage.root, ipc::SEND, Mail::to(flooded));
    }
    field.stage.pass_to(field.stage.now.get() + SLICE / 2);
    assert_eq!((field.current(), server.state()), (client.index(), State::Ready), "it waits behind the one that spins");

    field.stage.post(client, ipc::CALL, Mail::to(door));
    assert_eq!(field.current(), server.index(), "before the one that spins");
    let receive = || field.stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("one waits");
    while receive().status.has(Status::ONE_WAY) {}
    field.stage.post(field.stage.root, ipc::SEND, Mail::to(flooded));
    field.stage.post(server, ipc::REPLY_RECV, Mail::to(endpoint));
    assert_eq!((field.current(), client.state()), (server.index(), State::Ready), "it has another message");
    while server.state() != State::Receiving {
        field.stage.post(server, ipc::RECV, Mail::to(endpoint));
    }
    assert_eq!((field.current(), field.stage.kernel.cpus[1].at_rest().slice_end.get()), (client.index(), end));
    field.stage.pass_to(end);
    assert_eq!(field.current(), hog.index());
}

#[test]
fn a_slice_that_ends_in_a_servers_work_lasts_until_the_answer_and_no_longer() {
    let (field, hog, [server, client], [endpoint, door]) = beside_a_hog();
    field.stage.post(client, ipc::CALL, Mail::to(door));
    let end = field.stage.kernel.cpus[1].at_rest().slice_end.get();
    field.stage.pass_to(end + 1);
    assert_eq!(field.current(), server.index(), "it is not done");
    field.stage.post(server, ipc::REPLY_RECV, Mail::to(endpoint));
    assert_eq!((field.current(), client.state()), (hog.index(), State::Ready), "now it is");
    field.stage.pass_to(end + 2 * SLICE);
    assert_eq!(field.current(), client.index(), "its turn was not the server's");
}

#[test]
fn a_server_that_does_not_answer_soon_after_a_slice_is_over_waits_for_its_turn() {
    let (field, hog, [server, client], [_, door]) = beside_a_hog();
    field.stage.post(client, ipc::CALL, Mail::to(door));
    let end = field.stage.kernel.cpus[1].at_rest().slice_end.get();
    field.stage.pass_to(end + SLICE / 16);
    assert_eq!((field.current(), server.state()), (hog.index(), State::Ready));
    let begun = field.stage.now.get();
    let (ran, _) = field.watch(10 * SLICE, [server, hog]);
    assert!(ran[0] <= 5 * (SLICE + SLICE / 16), "{ran:?} since {begun}");
}

#[test]
fn limits_are_widened_by_the_list_only() {
    let field = Field::new();
    let set = |home: Home, shares, mask, budget, period| {
        field.stage.asks(field.stage.root, LimitsSet { process: home.handle, shares, mask, budget, period }).map(|_| ())
    };
    let (home, _) = field.spinner(Normal, FREE);
    for (budget, period) in [(0, 10_000), (10_000, 10_000), (1, 9_999), (1, u64::MAX), (1, 0)] {
        assert_eq!(set(home, 100, 1, budget, period), Err(Error::Invalid), "{budget} of {period}");
    }
    assert_eq!(set(home, 100, 4, 0, 0), Err(Error::Invalid), "no such CPU");
    field.stage.root.service.set(1);
    assert_eq!(set(home, 100, 3, 0, 0), Err(Error::Permission), "a CPU more");
    assert_eq!(set(home, 101, 2, 0, 0), Err(Error::Permission), "more weight");
    let fresh = field.stage.process("fresh");
    assert_eq!(set(fresh, 501, 2, 0, 0), Err(Error::Permission), "more than is free");
    assert_eq!(set(fresh, 500, 2, 0, 0), Ok(()), "what is free");
    assert_eq!(set(home, 100, 2, 1, 10_000), Ok(()), "a first budget");
    assert_eq!(set(home, 100, 2, 2, 10_000), Err(Error::Permission), "another one");
    assert_eq!(set(home, 100, 2, 0, 0), Err(Error::Permission), "none again");
}

#[test]
fn a_thread_takes_no_more_weight_than_its_process_has() {
    let field = Field::new();
    let (home, thread) = field.spinner(Normal, (50, 0, 0));
    let take = |shares| field.stage.asks(thread, SharesSet { thread: None, shares }).map(|_| ());
    assert_eq!((take(51), thread.shares.get()), (Err(Error::Permission), 50));
    assert_eq!((take(20), thread.shares.get()), (Ok(()), 20));
    field.stage.does(field.stage.root, LimitsSet { process: home.handle, shares: 600, mask: 2, budget: 0, period: 0 });
    assert_eq!((thread.shares.get(), take(601), take(600)), (600, Err(Error::Permission), Ok(())));
}

#[test]
fn a_thread_stays_on_the_cpus_of_its_process() {
    let field = Field::new();
    let (home, thread) = field.spinner(Normal, FREE);
    let object = thread.header.me();
    let root = field.stage.kernel.processes.at(field.stage.root.process.get() as u32);
    let handle = testing::give(field.stage.kernel, home.process, Kind::Thread, object, Rights::ALL);
    assert_eq!(thread.affinity.get(), 2);
    assert_eq!(field.stage.asks(thread, AffinitySet { thread: Some(handle), mask: 1 }).err(), Some(Error::Invalid));
    let handle = testing::give(field.stage.kernel, root, Kind::Thread, object, Rights::ALL);
    field.stage.does(field.stage.root, AffinitySet { thread: Some(handle), mask: 1 });
    assert_eq!((thread.affinity.get(), thread.cpu()), (1, 0));
    assert!(field.stage.kernel.cpus.iter().all(|cpu| cpu.counters.outside.get() == 0));
}
