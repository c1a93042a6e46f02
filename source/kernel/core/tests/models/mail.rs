//! Mailbox, kick and acknowledgement, wake against block, stealing, going idle (`sched::wake`, `sched::spread`).

use super::{Form, explore};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// A mailbox of two threads, 1 and 2; what a sender wrote to a thread before is `word`.
struct Mailbox {
    head: AtomicUsize,
    link: [AtomicUsize; 3],
    word: [UnsafeCell<usize>; 3],
}

impl Mailbox {
    fn new() -> Mailbox {
        let link = [0, 0, 0].map(AtomicUsize::new);
        Mailbox { head: AtomicUsize::new(0), link, word: [0, 0, 0].map(UnsafeCell::new) }
    }

    /// `wake::push`.
    fn push(&self, index: usize, form: Form) {
        let order = if form == Form::Sound { Release } else { Relaxed };
        let mut head = self.head.load(Relaxed);
        loop {
            self.link[index].store(head, Relaxed);
            match self.head.compare_exchange_weak(head, index, order, Acquire) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// The first half of `Kernel::take_mail`.
    fn take(&self, mut each: impl FnMut(usize)) {
        let mut index = self.head.swap(0, Acquire);
        while index != 0 {
            let next = self.link[index].load(Relaxed);
            each(index);
            index = next;
        }
    }
}

/// Two senders and the owner: each thread arrives once, with what its sender wrote.
fn mailbox(form: Form) {
    let mailbox = Arc::new(Mailbox::new());
    let senders = [1, 2].map(|index| {
        let mailbox = mailbox.clone();
        thread::spawn(move || {
            mailbox.word[index].with_mut(|_| ());
            mailbox.push(index, form);
        })
    });
    let mut seen = [0; 3];
    let mut arrive = |mailbox: &Mailbox| {
        mailbox.take(|index| {
            mailbox.word[index].with(|_| ());
            seen[index] += 1;
        });
    };
    arrive(&mailbox);
    arrive(&mailbox);
    for sender in senders {
        sender.join().expect("a sender ends");
    }
    arrive(&mailbox);
    assert_eq!(seen, [0, 1, 1]);
}

#[test]
fn mail_arrives_once_and_whole() {
    explore("mailbox", mailbox);
}

/// A CPU that is kicked: mail, the mark that coalesces, the pending interrupt.
struct Kicked {
    mail: AtomicUsize,
    kicked: AtomicUsize,
    pending: AtomicBool,
    sent: AtomicUsize,
}

impl Kicked {
    /// `Kernel::mail_wake` and `Kernel::kick_cpu`.
    fn send(&self) {
        self.mail.fetch_add(1, Release);
        if self.kicked.swap(1, AcqRel) == 0 {
            self.sent.fetch_add(1, Relaxed);
            // The device has one order of what it is told.
            self.pending.swap(true, AcqRel);
        }
    }

    /// The interrupt: cleared, then `Kernel::take_mail`.
    fn interrupt(&self, form: Form) -> usize {
        if !self.pending.swap(false, AcqRel) {
            return 0;
        }
        if form == Form::Sound {
            self.kicked.swap(0, AcqRel);
            return self.mail.swap(0, Acquire);
        }
        let mail = self.mail.swap(0, Acquire);
        self.kicked.swap(0, AcqRel);
        mail
    }
}

/// Two senders and a CPU that takes interrupts: no mail is slept over.
fn kick(form: Form) {
    let cpu = Arc::new(Kicked {
        mail: AtomicUsize::new(0),
        kicked: AtomicUsize::new(0),
        pending: AtomicBool::new(false),
        sent: AtomicUsize::new(0),
    });
    let senders = [(); 2].map(|()| {
        let cpu = cpu.clone();
        thread::spawn(move || cpu.send())
    });
    let mut taken = cpu.interrupt(form);
    for sender in senders {
        sender.join().expect("a sender ends");
    }
    while cpu.pending.load(Acquire) {
        taken += cpu.interrupt(form);
    }
    assert_eq!((taken, cpu.mail.load(Acquire)), (2, 0), "mail is left and no interrupt is coming");
    assert!(cpu.sent.load(Relaxed) <= 2);
}

#[test]
fn no_kick_is_lost() {
    explore("kick and acknowledgement", kick);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Waiting,
    Ready,
}

/// A notification and who waits for it, under their shard's lock.
struct Signal {
    bits: bool,
    state: State,
}

/// One CPU waits for a signal, another gives it: the waiter has it, or is woken (`Wait`, `Kernel::signal_within`).
fn wake(form: Form) {
    let shard = Arc::new(Mutex::new(Signal { bits: false, state: State::Running }));
    let (mail, other) = (Arc::new(AtomicUsize::new(0)), shard.clone());
    let box_of_other = mail.clone();
    let signaller = thread::spawn(move || {
        let mut signal = other.lock().expect("no panic");
        if signal.state == State::Waiting {
            signal.state = State::Ready;
            box_of_other.store(1, Release);
        } else {
            signal.bits = true;
        }
    });
    let mut has = false;
    let early = form == Form::Broken && shard.lock().expect("no panic").bits;
    let mut signal = shard.lock().expect("no panic");
    let there = if form == Form::Sound { signal.bits } else { early };
    if there {
        (signal.bits, has) = (false, true);
    } else {
        signal.state = State::Waiting;
    }
    drop(signal);
    signaller.join().expect("it ends");
    let signal = shard.lock().expect("no panic");
    let woken = mail.load(Acquire) == 1 && signal.state == State::Ready;
    assert!(has ^ woken, "the waiter sleeps over its signal, or has it twice");
}

#[test]
fn no_wake_is_lost() {
    explore("wake against block", wake);
}

/// A thread's CPU and the queues it may be in, and its shard.
struct Stolen {
    shard: Mutex<()>,
    cpu: AtomicUsize,
    mail: AtomicUsize,
    queued: [AtomicUsize; 2],
}

/// CPU 0 gives its thread to CPU 1, where somebody who holds the thread's shard stops what uses that CPU (`Kernel::hand`,
/// `Kernel::stop_thread`): whoever finds the thread at home finds it in the queue or the mail.
fn steal(form: Form) {
    let stolen = Arc::new(Stolen {
        shard: Mutex::new(()),
        cpu: AtomicUsize::new(0),
        mail: AtomicUsize::new(0),
        queued: [AtomicUsize::new(1), AtomicUsize::new(0)],
    });
    let victim = stolen.clone();
    let giver = thread::spawn(move || {
        let held = (form == Form::Sound).then(|| victim.shard.lock().expect("no panic"));
        victim.queued[0].store(0, Relaxed);
        victim.cpu.store(1, Relaxed);
        victim.mail.store(1, Release);
        drop(held);
    });
    let mut found = 0;
    for _ in 0..2 {
        let _held = stolen.shard.lock().expect("no panic");
        if stolen.mail.swap(0, Acquire) == 1 {
            stolen.queued[1].store(1, Relaxed);
        }
        if stolen.cpu.load(Relaxed) == 1 && found == 0 {
            assert_eq!(stolen.queued[1].load(Relaxed), 1, "taken out of a queue that it is not in");
            found += 1;
        }
    }
    giver.join().expect("it ends");
    let all = stolen.queued.iter().map(|queue| queue.load(Relaxed)).sum::<usize>() + stolen.mail.load(Acquire);
    assert_eq!(all, 1, "a thread is lost or doubled");
}

#[test]
fn no_thread_is_stolen_twice_or_lost() {
    explore("steal", steal);
}

/// A CPU goes idle while another queues a thread: one of them sees the other (`Kernel::seek`, `Kernel::invite`).
fn idle(form: Form) {
    let words = Arc::new([AtomicUsize::new(1), AtomicUsize::new(0)]);
    let other = words.clone();
    let between = move || {
        if form == Form::Sound {
            fence(SeqCst);
        }
    };
    let queues = thread::spawn(move || {
        other[1].store(1, Relaxed);
        between();
        other[0].load(Relaxed) == 0
    });
    words[0].store(0, Relaxed);
    between();
    let found = words[1].load(Relaxed) == 1;
    let invited = queues.join().expect("it ends");
    assert!(found || invited, "one CPU sleeps while a thread waits at the other");
}

#[test]
fn nobody_goes_idle_over_a_waiting_thread() {
    explore("going idle", idle);
}
