//! The service in process: its contract, who may what, what is refused, and what a refusal changes.

mod fake;

use fake::{Bench, Fake, MS, TIMEBASE, Wish, process};
use nexus_abi::{Deadline, Error, Handle, ProcessId, QosClass};
use nexus_ipc::local::LocalTransport;
use nexus_ipc::{Answered, Call, Caller, Local, Message, Outcome, Port, Serve};
use nexus_proto::audit::MAX_AUDITS;
use nexus_proto::contract::Broken;
use nexus_proto::contract::timer::{self as contract, Signalled};
use nexus_proto::timer::{self, Client, MAX_TIMERS, MAX_TIMERS_PER_OWNER, REGISTER, STATUS_OVER_LIMIT, Turns};
use timed::Timed;

/// The service over a machine whose clock is the transport's, and what is wrong with it.
struct Hosted(Timed<Fake>, Flaw);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    AcceptsAll,
    CancelsNothing,
    FiresAtOnce,
    NeverWakes,
    ForgetsTurns,
}

impl Serve for Hosted {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        let now = call.port.now();
        self.0.board().0.borrow_mut().now = now;
        let cancel = nexus_ipc::interface::tag("timer", 2);
        match (self.1, request.tag()) {
            (Flaw::AcceptsAll, REGISTER) => _ = self.0.call(call, request),
            (Flaw::CancelsNothing, tag) if tag == cancel && request.is_plain() => {}
            (Flaw::FiresAtOnce, REGISTER) => {
                self.0.board().0.borrow_mut().signals.push((now, 1, request.words[5]));
                return self.0.call(call, request);
            }
            _ => return self.0.call(call, request),
        }
        call.answer(&timer::Cancelled {})
    }

    fn deadline(&self) -> Deadline {
        if self.1 == Flaw::NeverWakes { Deadline::NEVER } else { self.0.deadline() }
    }

    fn expired(&mut self, port: &mut dyn Port) {
        self.0.board().0.borrow_mut().now = port.now();
        self.0.expired(port);
        if self.1 == Flaw::ForgetsTurns {
            self.0 = Timed::new(self.0.board().clone(), TIMEBASE);
        }
    }
}

fn events() -> Handle {
    Handle::from_raw(1).expect("not 0")
}

fn hosted() -> (Fake, Local<Hosted>) {
    flawed(Flaw::None)
}

fn flawed(flaw: Flaw) -> (Fake, Local<Hosted>) {
    let fake = Fake::default();
    (fake.clone(), Local::new(Hosted(Timed::new(fake, TIMEBASE), flaw)))
}

/// Waits in virtual time: to the service's next wake-up, until there is a signal that was not seen yet.
struct Waiter<'a> {
    fake: &'a Fake,
    local: &'a Local<Hosted>,
    now: u64,
    seen: usize,
}

impl Waiter<'_> {
    fn wait(&mut self, until: Deadline) -> Signalled {
        loop {
            let fresh = self.fake.0.borrow().signals[self.seen..].to_vec();
            if !fresh.is_empty() {
                self.seen += fresh.len();
                let bits = fresh.iter().fold(0, |bits, signal| bits | signal.2);
                return Signalled { at: fresh[fresh.len() - 1].0, bits };
            }
            let wake = self.local.service().deadline().0.min(until.0).max(self.now);
            self.local.advance(wake - self.now);
            self.now = wake;
            if wake == until.0 && self.fake.0.borrow().signals.len() == self.seen {
                return Signalled { at: wake, bits: 0 };
            }
        }
    }
}

fn plain(number: u64) -> Caller {
    Caller { badge: 0, ..process(number) }
}

#[test]
fn the_service_keeps_its_contract() {
    let (fake, local) = hosted();
    contract::registration(local.connect(process(1)), events()).expect("registrations");
    contract::owner_limit(local.connect(plain(1)), events()).expect("the limit of an owner");
    contract::without_permissions(local.connect(plain(1)), events()).expect("strangers");
    contract::wall_clock(local.connect(plain(1))).expect("the clock");
    let mut waiter = Waiter { fake: &fake, local: &local, now: 0, seen: 0 };
    contract::firing(local.connect(process(1)), events(), TIMEBASE, &mut |until| waiter.wait(until)).expect("firing");
}

#[test]
fn the_contract_catches_each_broken_service() {
    let registration = |flaw| contract::registration(flawed(flaw).1.connect(process(1)), events());
    let firing = |flaw| {
        let (fake, local) = flawed(flaw);
        let mut waiter = Waiter { fake: &fake, local: &local, now: 0, seen: 0 };
        contract::firing(local.connect(process(1)), events(), TIMEBASE, &mut |until| waiter.wait(until))
    };
    let malformed = "a malformed request is EMALFORMED, EINVAL, ETOOLONG or EBADHANDLE";
    assert_eq!(registration(Flaw::AcceptsAll), Err(Broken(malformed)));
    assert_eq!(registration(Flaw::CancelsNothing), Err(Broken("what was refused is not pending")));
    assert_eq!(firing(Flaw::FiresAtOnce), Err(Broken("a timer never fires early")));
    let late = Err(Broken("a timer fires soon after its window, with its own bits"));
    assert_eq!((firing(Flaw::NeverWakes), firing(Flaw::ForgetsTurns)), (late, late));
}

#[test]
fn sixty_four_timers_wake_it_as_seldom_as_the_greedy_optimum() {
    println!("class        window  wake-ups  fewest  late");
    for (class, fewest) in QosClass::ALL.into_iter().zip([8, 13, 36, 64]) {
        let (fake, local) = hosted();
        let mut waiter = Waiter { fake: &fake, local: &local, now: 0, seen: 0 };
        let owner: LocalTransport<Hosted> = local.connect(process(1));
        let found = contract::coalescing(owner, events(), class, TIMEBASE, &mut |until| waiter.wait(until));
        let found = found.expect("every promise");
        let window = nexus_proto::timer::window(class);
        println!("{:<12} {window:>6?}  {:>8}  {:>6}  {:>4}", class.name(), found.wakes, found.fewest, found.late);
        assert_eq!((found.wakes, found.fewest, found.late), (fewest, fewest, 0), "{class:?}");
        let counted = Client::new(local.connect(process(1))).count(class).expect("an answer");
        assert_eq!((counted.fired, counted.woken, counted.coalesced), (64, fewest, 64 - fewest));
        assert_eq!((counted.saved, counted.pending), (64 - fewest, 0));
    }
}

/// Everything that a refusal must leave as it is.
fn state(bench: &Bench) -> (Deadline, usize) {
    (bench.timed.deadline(), bench.fake.0.borrow().signals.len())
}

fn refused(bench: &mut Bench, caller: Caller, wish: &Wish, error: Error) {
    let (before, closed) = (state(bench), bench.fake.0.borrow().closed.len());
    assert_eq!(bench.register(caller, wish), Err(error), "{wish:?}");
    assert_eq!(state(bench), before);
    assert_eq!(bench.fake.0.borrow().closed[closed..], [wish.notification], "the refused handle is closed");
}

fn fill(bench: &mut Bench, owner: u64, count: usize) {
    for token in 0..count as u64 {
        let notification = 1000 * owner + token + 1;
        let wish = Wish { token, deadline: 1000 * MS, notification, ..Wish::default() };
        assert_eq!(bench.register(process(owner), &wish), Ok(()));
    }
}

#[test]
fn test_reject_timer_registration_over_limit() {
    let mut bench = Bench::new();
    fill(&mut bench, 1, MAX_TIMERS_PER_OWNER);
    let wish = Wish { token: 64, deadline: 1, notification: 9, ..Wish::default() };
    refused(&mut bench, process(1), &wish, STATUS_OVER_LIMIT);
    assert_eq!(bench.register(process(2), &wish), Ok(()), "others have limits of their own");
    assert_eq!(bench.cancel(process(1), 3), Ok(()));
    assert_eq!(bench.register(process(1), &Wish { notification: 10, ..wish }), Ok(()));
}

#[test]
fn test_reject_timer_registration_over_global_limit() {
    let mut bench = Bench::new();
    let owners = (MAX_TIMERS / MAX_TIMERS_PER_OWNER) as u64;
    (1..=owners).for_each(|owner| fill(&mut bench, owner, MAX_TIMERS_PER_OWNER));
    let wish = Wish { deadline: 1, notification: 9, ..Wish::default() };
    refused(&mut bench, process(owners + 1), &wish, STATUS_OVER_LIMIT);
    let replacing = Wish { token: 5, deadline: 2000 * MS, notification: 10, ..Wish::default() };
    assert_eq!(bench.register(process(1), &replacing), Ok(()), "a token of its own may be registered again");
    assert_eq!(bench.cancel(process(1), 5), Ok(()));
    assert_eq!(bench.register(process(owners + 1), &Wish { notification: 11, ..wish }), Ok(()));
}

#[test]
fn a_full_table_gets_back_what_dead_owners_left() {
    let mut bench = Bench::new();
    let owners = (MAX_TIMERS / MAX_TIMERS_PER_OWNER) as u64;
    (1..=owners).for_each(|owner| fill(&mut bench, owner, MAX_TIMERS_PER_OWNER));
    bench.fake.0.borrow_mut().dead.extend(2001..=2064);
    fill(&mut bench, 9, MAX_TIMERS_PER_OWNER);
    assert_eq!(bench.fake.0.borrow().closed, Vec::from_iter(2001..=2064));
}

#[test]
fn test_reject_malformed_and_invalid_registrations() {
    let mut bench = Bench::new();
    let wish = Wish::default();
    for invalid in [
        Wish { bits: 0, ..wish },
        Wish { deadline: u64::MAX, ..wish },
        Wish { period: 1, ..wish },
        Wish { period: MS - 1, ..wish },
    ] {
        refused(&mut bench, process(1), &invalid, Error::Invalid);
    }
    for class in [QosClass::Interactive, QosClass::PerfBurst] {
        refused(&mut bench, plain(1), &Wish { class, ..wish }, Error::Permission);
    }
    bench.fake.0.borrow_mut().dead.insert(77);
    refused(&mut bench, process(1), &Wish { notification: 77, ..wish }, Error::PeerClosed);
    let changed = |change: fn(&mut Message)| {
        let mut request = wish.request();
        change(&mut request);
        request
    };
    let malformed = [
        (changed(|request| request.words[2] = 4), Error::Invalid),
        (changed(|request| request.words[2] = 1 << 32 | 1), Error::Invalid),
        (changed(|request| request.words[6] = 1), Error::Malformed),
        (changed(|request| request.payload.push(0)), Error::Malformed),
        (changed(|request| request.handles = Default::default()), Error::BadHandle),
    ];
    for (request, error) in malformed {
        assert_eq!(bench.ask(process(1), &request).err(), Some(error));
        assert_eq!(state(&bench), (Deadline::NEVER, 0));
    }
}

#[test]
fn a_past_deadline_fires_at_once_and_one_at_the_end_of_time_never_overflows() {
    let mut bench = Bench::new();
    bench.set_now(500 * MS);
    let wish = Wish { deadline: 10 * MS, ..Wish::default() };
    assert_eq!(bench.register(process(1), &wish), Ok(()));
    assert!(bench.wake(500 * MS, 0));
    assert_eq!(bench.signals(), [(500 * MS, 1, 1)]);

    let last = Wish { deadline: u64::MAX - 1, period: u64::MAX - 1, notification: 2, ..wish };
    assert_eq!(bench.register(process(1), &last), Ok(()));
    assert_eq!(bench.timed.deadline(), Deadline::NEVER, "its window ends behind the end of time");
    bench.set_now(u64::MAX - 1);
    bench.timed.expired(&mut bench.fake);
    assert_eq!(bench.signals().len(), 1, "nothing is due before a window ends");
}

#[test]
fn a_periodic_timer_keeps_its_rhythm_and_leaves_out_missed_turns() {
    let mut bench = Bench::new();
    let wish = Wish { class: QosClass::PerfBurst, deadline: 10 * MS, period: 5 * MS, ..Wish::default() };
    assert_eq!(bench.register(process(1), &wish), Ok(()));
    assert_eq!(bench.pass(20 * MS), 3);
    assert!(bench.wake(25 * MS, 12 * MS), "as after a long halt");
    bench.pass(40 * MS);
    let times: Vec<u64> = bench.signals().into_iter().map(|(at, ..)| at / MS).collect();
    assert_eq!(times, [10, 15, 20, 37, 40]);
    assert_eq!(bench.cancel(process(1), wish.token), Ok(()));
    assert_eq!(bench.pass(100 * MS), 0);
    assert_eq!(bench.fake.0.borrow().closed, [1]);
}

#[test]
fn windows_of_several_classes_share_a_wake_up() {
    let mut bench = Bench::new();
    for (token, class) in (1..).zip(QosClass::ALL) {
        let deadline = [10, 12, 16, 17][class as usize] * MS;
        assert_eq!(
            bench.register(
                process(1),
                &Wish { token, class, deadline, bits: 1 << class as u8, notification: token, ..Wish::default() }
            ),
            Ok(())
        );
    }
    assert_eq!(bench.pass(100 * MS), 2);
    let fired: Vec<(u64, u64)> = bench.signals().into_iter().map(|(at, _, bits)| (at / MS, bits)).collect();
    assert_eq!(fired, [(16, 4), (16, 2), (16, 1), (17, 8)], "the window of Normal is the first to end");
}

#[test]
fn an_owner_that_dies_is_signalled_no_more_and_its_handle_is_closed() {
    let mut bench = Bench::new();
    let wish = Wish { period: 5 * MS, ..Wish::default() };
    assert_eq!(bench.register(process(1), &wish), Ok(()));
    bench.fake.0.borrow_mut().dead.insert(wish.notification);
    assert_eq!(bench.pass(200 * MS), 1);
    assert_eq!((bench.signals(), bench.timed.deadline()), (vec![], Deadline::NEVER));
    assert_eq!(bench.fake.0.borrow().closed, [wish.notification]);
}

#[test]
fn an_owner_sees_and_cancels_its_own_timers_only() {
    let (_, local) = hosted();
    let mut first = Client::new(local.connect(plain(1)));
    let mut second = Client::new(local.connect(plain(1 << 32 | 1)));
    let far = Deadline(1 << 60);
    first.register(5, QosClass::Idle, Turns::once(far), 1, events()).expect("registered");
    assert_eq!(second.list(0).err(), Some(Error::NotFound), "the next process of the same number is another");
    assert_eq!(second.cancel(5).err(), Some(Error::NotFound));
    assert_eq!(first.list(0).map(|row| (row.owner, row.token)), Ok((ProcessId(1), 5)));
    let mut shell = Client::new(local.connect(process(3)));
    assert_eq!(shell.list(0).map(|row| row.owner), Ok(ProcessId(1)), "who controls sees everybody's");
    assert_eq!(first.cancel(5).map(drop), Ok(()));
}

#[test]
fn after_a_restart_owners_register_again_by_their_own_tokens() {
    let mut bench = Bench::new();
    let wish = Wish::default();
    assert_eq!(bench.register(process(1), &wish), Ok(()));

    bench.timed = Timed::new(bench.fake.clone(), TIMEBASE);
    bench.set_now(wish.deadline + 10 * MS);
    let again = Wish { notification: 2, ..wish };
    for _ in 0..2 {
        assert_eq!(bench.register(process(1), &again), Ok(()), "an owner that is not sure asks again");
    }
    assert_eq!(bench.pass(1000 * MS), 1);
    assert_eq!(bench.signals(), [(wish.deadline + 10 * MS, 2, 1)], "late, since nobody was there, and once");
}

#[test]
fn audit_lines_say_every_decision_up_to_their_rate_and_count_the_rest() {
    let mut bench = Bench::new();
    fill(&mut bench, 1, MAX_TIMERS_PER_OWNER);
    for _ in 0..20 {
        let _ = bench.register(process(1), &Wish { token: 99, ..Wish::default() });
    }
    bench.set_now(TIMEBASE);
    let _ = bench.ask(process(1), &{
        let mut request = Wish::default().request();
        request.words[7] = 1;
        request
    });
    assert_eq!(bench.register(process(2), &Wish::default()), Ok(()));
    let lines = bench.fake.0.borrow().lines.clone();
    let caller = format!("caller={:#x} object=", process(1).service.0);
    let count = |part: &str| lines.iter().filter(|line| line.starts_with(&format!("audit register {part}"))).count();
    let most = MAX_AUDITS as usize;
    assert_eq!(count(&format!("decision=allow reason=within_limits {caller}1")), most);
    assert_eq!(count(&format!("decision=deny reason=EOVERLIMIT {caller}1")), most);
    let line = |decided: &str, process: u64| format!("audit register {decided} {caller}{process}");
    assert_eq!(
        lines[2 * most..],
        [
            line("decision=deny reason=EMALFORMED", 1) + &format!(" dropped={}", 20 - most),
            line("decision=allow reason=within_limits", 2) + &format!(" dropped={}", MAX_TIMERS_PER_OWNER - most),
        ]
    );
}

#[test]
fn the_clock_follows_the_chip_and_does_not_go_back() {
    let mut bench = Bench::new();
    let mut read = |chip_ns| {
        bench.fake.0.borrow_mut().chip_ns = chip_ns;
        let request = Message::tagged(nexus_ipc::interface::tag("timer", 6));
        bench.ask(plain(1), &request).map(|answer| answer.words[1])
    };
    assert_eq!([read(7), read(9), read(8), read(10)], [Ok(7), Ok(9), Ok(9), Ok(10)]);
}
