//! Several requests on their way over one inbox: each is answered once with its own answer, within its budget.

use std::collections::{BTreeMap, VecDeque};

use nexus_abi::{Deadline, Error, Handle, Name, ProcessId, ServiceId};
use nexus_ipc::pipeline::Link;
use nexus_ipc::{
    Answered, Call, Caller, Local, LocalInbox, Message, NonceMismatchBudget, Notice, Outcome, Pipeline, Port, Post,
    Serve, Waited,
};

const NONE: NonceMismatchBudget = NonceMismatchBudget::new(0);
const LATE: Deadline = Deadline(100);
/// What stands in the scripted inbox at once, at most.
const ROOM: usize = 4;

/// A link whose inbox a test fills.
#[derive(Default)]
struct Scripted {
    asked: Vec<(u64, u64)>,
    inbox: VecDeque<Result<(u64, u64), Error>>,
    dropped: Vec<u64>,
    waits: Vec<Deadline>,
    refuses: Option<Error>,
}

impl Scripted {
    /// What a server does: nothing for a full inbox.
    fn arrive(&mut self, nonce: u64, answer: u64) -> bool {
        let room = self.inbox.len() < ROOM;
        if room {
            self.inbox.push_back(Ok((nonce, answer)));
        }
        room
    }
}

impl Link for &mut Scripted {
    type Request = u64;
    type Answer = u64;

    fn ask(&mut self, request: u64, nonce: u64) -> Result<(), Error> {
        self.refuses.map_or(Ok(()), Err)?;
        self.asked.push((request, nonce));
        Ok(())
    }

    fn answer(&mut self, deadline: Deadline) -> Result<(u64, u64), Error> {
        self.waits.push(deadline);
        self.inbox.pop_front().unwrap_or(Err(Error::TimedOut))
    }

    fn drop_answer(&mut self, answer: u64) {
        self.dropped.push(answer);
    }
}

fn answers(link: &mut Scripted, arriving: &[(u64, u64)]) {
    link.inbox.extend(arriving.iter().copied().map(Ok));
}

#[test]
fn answers_in_any_order_reach_their_requests() {
    let mut link = Scripted::default();
    let mut line = Pipeline::<_, 3>::over(&mut link, 10);
    let [one, two, three] = [1, 2, 3].map(|request| line.ask(request).expect("room"));
    answers(line.link(), &[(13, 103), (12, 102), (11, 101)]);

    assert_eq!(line.wait(one, NONE, LATE), Waited::Answered(101));
    assert_eq!(line.wait(two, NONE, LATE), Waited::Answered(102));
    assert_eq!(line.wait(three, NONE, LATE), Waited::Answered(103));

    assert_eq!(link.asked, [(1, 11), (2, 12), (3, 13)]);
    assert_eq!(link.waits.len(), 3, "what was put aside is not waited for");
    assert!(link.dropped.is_empty());
}

#[test]
fn test_reject_request_above_the_window() {
    let mut link = Scripted::default();
    let mut line = Pipeline::<_, 2>::over(&mut link, 0);
    let first = line.ask(1).expect("room");
    let _second = line.ask(2).expect("room");

    assert_eq!(line.ask(3), Err(Error::OverLimit));
    assert_eq!(line.link().asked.len(), 2, "nothing was sent");

    answers(line.link(), &[(1, 9)]);
    assert_eq!(line.wait(first, NONE, LATE), Waited::Answered(9));
    assert!(line.ask(3).is_ok(), "who was answered has left its place");
}

#[test]
fn answers_to_others_cost_no_budget_and_foreign_ones_do() {
    for (budget, outcome) in [(1, Waited::NonceMismatchBudgetExceeded), (2, Waited::Answered(101))] {
        let mut link = Scripted::default();
        let mut line = Pipeline::<_, 3>::over(&mut link, 10);
        let [one, two, _] = [1, 2, 3].map(|request| line.ask(request).expect("room"));
        answers(line.link(), &[(77, 1), (12, 102), (13, 103), (77, 2), (11, 101)]);

        assert_eq!(line.wait(one, NonceMismatchBudget::new(budget), LATE), outcome);

        assert_eq!(line.link().dropped, [1, 2]);
        assert_eq!(line.wait(two, NONE, LATE), Waited::Answered(102), "the stash outlives another's failure");
    }
}

#[test]
fn a_second_answer_to_a_request_is_foreign() {
    let mut link = Scripted::default();
    let mut line = Pipeline::<_, 2>::over(&mut link, 0);
    let [one, two] = [1, 2].map(|request| line.ask(request).expect("room"));
    answers(line.link(), &[(2, 20), (2, 21), (1, 10)]);

    assert_eq!(line.wait(one, NonceMismatchBudget::new(1), LATE), Waited::Answered(10));
    assert_eq!(line.wait(two, NONE, LATE), Waited::Answered(20));

    assert_eq!(link.dropped, [21]);
}

#[test]
fn noise_is_endured_within_the_budget_and_a_broken_inbox_is_told() {
    let mut link = Scripted::default();
    link.inbox.extend([Err(Error::Protocol), Err(Error::Protocol), Ok((1, 10)), Err(Error::PeerClosed)]);
    let mut line = Pipeline::<_, 2>::over(&mut link, 0);
    let [one, two] = [1, 2].map(|request| line.ask(request).expect("room"));

    assert_eq!(line.wait(one, NonceMismatchBudget::new(2), LATE), Waited::Answered(10));
    assert_eq!(line.wait(two, NONE, LATE), Waited::Ipc(Error::PeerClosed));
}

#[test]
fn what_was_given_up_is_foreign_when_it_comes_and_takes_no_room() {
    let mut link = Scripted::default();
    let mut line = Pipeline::<_, ROOM>::over(&mut link, 0);
    let given_up = [1, 2, 3, 4].map(|request| line.ask(request).expect("room"));
    for pending in given_up {
        assert_eq!(line.wait(pending, NONE, LATE), Waited::Timeout);
    }
    answers(line.link(), &[(1, 1), (2, 2), (3, 3), (4, 4)]);

    let fresh = line.ask(5).expect("room");
    assert!(line.link().arrive(5, 50), "its answer finds room");

    assert_eq!(line.wait(fresh, NONE, LATE), Waited::Answered(50), "and costs no budget");
    assert_eq!(link.dropped, [1, 2, 3, 4]);
    assert!(link.waits.iter().filter(|&&wait| wait == Deadline::POLL).count() <= ROOM, "{:?}", link.waits);
}

#[test]
fn a_forgotten_request_leaves_its_place_and_its_answer_is_dropped() {
    let mut link = Scripted::default();
    let mut line = Pipeline::<_, 2>::over(&mut link, 0);
    let [one, two] = [1, 2].map(|request| line.ask(request).expect("room"));
    answers(line.link(), &[(2, 20), (1, 10)]);
    assert_eq!(line.wait(one, NONE, LATE), Waited::Answered(10));

    line.forget(two);

    assert_eq!(line.link().dropped, [20]);
    assert!(line.ask(3).is_ok() && line.ask(4).is_ok());
}

#[test]
fn a_request_that_cannot_be_sent_leaves_no_trace() {
    let mut link = Scripted { refuses: Some(Error::Again), ..Scripted::default() };
    let mut line = Pipeline::<_, 1>::over(&mut link, 0);

    assert_eq!(line.ask(1), Err(Error::Again));
    line.link().refuses = None;
    assert!(line.ask(1).is_ok());
}

#[test]
fn more_requests_than_the_window_are_asked_in_turns() {
    let mut link = Scripted::default();
    let mut line = Pipeline::<_, 2>::over(&mut link, 0);
    answers(line.link(), &[(2, 20), (1, 10), (4, 40), (3, 30), (5, 50)]);
    let mut ended = Vec::new();

    line.ask_each(1..=5, NONE, LATE, |waited| ended.push(waited));

    assert_eq!(ended, [10, 20, 30, 40, 50].map(Waited::Answered));
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % end
    }
}

/// 20,000 random steps; `PIPELINE_SEED` replays. Whatever arrives: an answer goes to whom it belongs or is dropped,
/// exactly once, and nobody waits longer than its budget says.
#[test]
fn no_answer_is_lost_taken_twice_or_given_to_another() {
    let seed = std::env::var("PIPELINE_SEED").map_or(1, |text| text.parse().expect("a number"));
    println!("PIPELINE_SEED={seed}");
    let mut random = Random(seed);
    let mut link = Scripted::default();
    let mut line = Pipeline::<_, ROOM>::over(&mut link, u64::MAX - 1_000);
    // Of each request on its way: what its answer says. Answers are numbered, so each is another.
    let (mut waiting, mut unanswered): (Vec<(nexus_ipc::Pending, u64)>, Vec<u64>) = (Vec::new(), Vec::new());
    let (mut expected, mut sent, mut taken, mut number) = (BTreeMap::new(), 0_u64, 0_usize, 0);
    for step in 0..20_000 {
        match random.below(8) {
            0 | 1 => match line.ask(step) {
                Ok(pending) => {
                    let nonce = line.link().asked.last().expect("one was sent").1;
                    unanswered.push(nonce);
                    waiting.push((pending, nonce));
                }
                Err(error) => assert!(error == Error::OverLimit && waiting.len() == ROOM, "step {step}: {error:?}"),
            },
            2..=4 if !unanswered.is_empty() => {
                // Mostly the newest: the others were given up long ago.
                let at = unanswered.len() - 1 - random.below(unanswered.len().min(5) as u64) as usize;
                number += 1;
                // Sometimes twice, or for nobody.
                let nonce = if random.below(8) == 0 { 1 << 40 | number } else { unanswered[at] };
                if line.link().arrive(nonce, number) {
                    sent += 1;
                    expected.entry(nonce).or_insert(number);
                    if random.below(8) != 0 {
                        unanswered.remove(at);
                    }
                }
            }
            5 if !waiting.is_empty() => {
                let (pending, nonce) = waiting.swap_remove(random.below(waiting.len() as u64) as usize);
                let (budget, before) = (random.below(3) as u32, line.link().waits.len());
                match line.wait(pending, NonceMismatchBudget::new(budget), LATE) {
                    Waited::Answered(answer) => {
                        assert_eq!(Some(&answer), expected.get(&nonce), "step {step}");
                        taken += 1;
                    }
                    Waited::Timeout => assert!(line.link().inbox.is_empty(), "step {step}"),
                    Waited::NonceMismatchBudgetExceeded => {}
                    Waited::Ipc(error) => panic!("step {step}: {error:?}"),
                }
                assert!(line.link().waits.len() - before <= budget as usize + ROOM, "step {step}");
            }
            6 if !waiting.is_empty() && random.below(4) == 0 => {
                line.forget(waiting.swap_remove(random.below(waiting.len() as u64) as usize).0);
            }
            _ => {}
        }
    }
    waiting.drain(..).for_each(|(pending, _)| line.forget(pending));
    let (left, dropped) = (link.inbox.len(), link.dropped.len());
    assert_eq!(taken + dropped + left, sent as usize);
    assert!(taken > 1_000 && dropped > 100, "{taken} taken, {dropped} dropped");
}

/// A service that answers routes when time has come, the last first.
struct Router {
    post: Post,
    asked: Vec<(u64, Handle)>,
    at: Deadline,
}

const ROUTER: ServiceId = ServiceId::service("init");

impl Serve for Router {
    fn call(&mut self, _: &mut Call<'_>, _: &Message) -> Outcome<Answered> {
        Err(Error::NoCall.into())
    }

    fn notice(&mut self, call: &mut Call<'_>, message: &Message) {
        if let Ok(Notice::Route { nonce, inbox, .. }) = Notice::from_message(message) {
            self.asked.push((nonce, inbox));
            self.at = Deadline(call.port.now() + 50);
        }
    }

    fn deadline(&self) -> Deadline {
        self.at
    }

    fn expired(&mut self, _: &mut dyn Port) {
        self.at = Deadline::NEVER;
        for (nonce, inbox) in self.asked.drain(..).rev() {
            let answer = Notice::Routed { nonce, result: Handle::pack(7, 0, nonce).ok_or(Error::Exhausted) };
            // Whoever gave a full or dead inbox gets no answer.
            let _ = self.post.send(ROUTER, inbox, answer.to_message());
        }
    }
}

fn routed(room: usize) -> (Post, Pipeline<LocalInbox<Router>, ROOM>) {
    let post = Post::default();
    let local = Local::new(Router { post: post.clone(), asked: Vec::new(), at: Deadline::NEVER });
    let caller = Caller { service: ServiceId::program("app/test"), process: ProcessId(1), badge: 0, trace: 0 };
    let inbox = post.open(local.connect(caller), ROUTER, room).expect("a handle");
    (post, Pipeline::over(inbox, 0))
}

fn name() -> Name {
    Name::new("exec").expect("short")
}

#[test]
fn routes_are_pipelined_in_process() {
    let (_, mut line) = routed(ROOM);
    let pending = [(); ROOM].map(|()| line.ask(name()).expect("room"));

    for (nonce, pending) in (1..).zip(pending) {
        assert_eq!(line.wait(pending, NONE, LATE), Waited::Answered(Ok(Handle::pack(7, 0, nonce).expect("small"))));
    }
}

#[test]
fn a_deadline_ends_a_wait_in_process_and_the_late_answer_is_dropped() {
    let (post, mut line) = routed(ROOM);
    let early = line.ask(name()).expect("room");
    assert_eq!(line.wait(early, NONE, Deadline(20)), Waited::Timeout);

    let next = line.ask(name()).expect("room");

    assert_eq!(line.wait(next, NONE, LATE), Waited::Answered(Ok(Handle::pack(7, 0, 2).expect("small"))));
    let again = line.ask(name()).expect("room");
    line.forget(again);
    assert_eq!(post.closed(), [Handle::pack(7, 0, 1).expect("small")]);
}

#[test]
fn an_inbox_refuses_what_it_has_no_room_for_and_counts_only_its_services_answers() {
    let (post, mut line) = routed(2);
    let inbox = line.link().handle();
    let forged = Notice::Routed { nonce: 1, result: Handle::pack(9, 0, 9).ok_or(Error::Exhausted) }.to_message();
    let stranger = ServiceId::program("app/stranger");
    assert_eq!(post.send(stranger, inbox, forged.clone()), Ok(()));
    assert_eq!(post.send(stranger, inbox, forged.clone()), Ok(()));
    assert_eq!(post.send(stranger, inbox, forged.clone()), Err(Error::Again));

    let pending = line.ask(name()).expect("room");
    assert_eq!(line.wait(pending, NonceMismatchBudget::new(1), LATE), Waited::NonceMismatchBudgetExceeded);

    assert_eq!(post.closed().len(), 2);
    drop(line);
    assert_eq!(post.send(stranger, inbox, forged), Err(Error::PeerClosed));
}
