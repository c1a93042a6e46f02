//! The threads that call: without a pause while a victim is hunted, until its successor has answered each of them.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nexus_abi::syscall::{NotificationCreate, Notify, QosSet, Wait};
use nexus_abi::{Deadline, Error, Handle, QosClass};
use nexus_rt::kernel::invoke;
use nexus_rt::{Instant, println};

use crate::victim::{Clients, PATIENCE, Question};

/// Ticks behind a deadline after which an answer is late: 100 µs.
const LATE: u64 = 1_000;

/// What a caller and the killer share. Each field has one writer while an episode lasts.
pub(crate) struct Shared {
    pub(crate) go: Handle,
    pub(crate) over: Handle,
    victim: AtomicU32,
    once: AtomicU32,
    pub(crate) begun: AtomicU64,
    pub(crate) done: AtomicU64,
    /// When the kill began, 0 before.
    pub(crate) killed: AtomicU64,
    /// What the episode came to.
    pub(crate) calls: AtomicU64,
    pub(crate) told: AtomicU64,
    pub(crate) wrong: AtomicU64,
    pub(crate) in_flight: AtomicU64,
    pub(crate) restart: AtomicU64,
}

/// The callers, a thread each.
pub(crate) type Callers = [Arc<Shared>; 3];

impl Shared {
    pub(crate) fn new() -> Result<Shared, Error> {
        let notification = || Ok::<_, Error>(invoke(NotificationCreate { process: None })?.notification);
        let zero = AtomicU64::default;
        Ok(Shared {
            go: notification()?,
            over: notification()?,
            victim: AtomicU32::default(),
            once: AtomicU32::default(),
            begun: zero(),
            done: zero(),
            killed: zero(),
            calls: zero(),
            told: zero(),
            wrong: zero(),
            in_flight: zero(),
            restart: zero(),
        })
    }

    /// Lets the caller call.
    pub(crate) fn begin(&self, victim: usize, question: Question) -> Result<(), Error> {
        let fields = [&self.killed, &self.calls, &self.told, &self.wrong, &self.in_flight, &self.restart];
        fields.iter().for_each(|field| field.store(0, Ordering::Relaxed));
        self.victim.store(victim as u32, Ordering::Relaxed);
        self.once.store(u32::from(question == Question::Once), Ordering::Release);
        invoke(Notify { notification: self.go, bits: 1 }).map(drop)
    }

    /// Whether it has found its victim in this episode.
    pub(crate) fn calls(&self) -> bool {
        self.calls.load(Ordering::Acquire) != 0
    }

    /// Whether a call has begun that has not come back.
    pub(crate) fn waits(&self) -> bool {
        self.begun.load(Ordering::Acquire) != self.done.load(Ordering::Acquire)
    }
}

/// The thread.
pub(crate) fn run(shared: &Shared) {
    let lowered = invoke(QosSet { class: QosClass::Normal as u8, target: 0 });
    let ended = lowered.and_then(|_| Clients::new()).and_then(|mut clients| {
        loop {
            invoke(Wait { notification: shared.go, deadline: Deadline::NEVER })?;
            episode(shared, &mut clients);
            invoke(Notify { notification: shared.over, bits: 1 })?;
        }
    });
    let Err::<core::convert::Infallible, _>(error) = ended;
    println!("chaos: the caller ended with {}", error.name());
}

/// Calls until the successor of the victim has answered.
fn episode(shared: &Shared, clients: &mut Clients) {
    let victim = shared.victim.load(Ordering::Relaxed) as usize;
    let question = if shared.once.load(Ordering::Acquire) == 1 { Question::Once } else { Question::Again };
    // It may have ended by itself since it was called last, as the shell does with consoled.
    let _ = clients.ask(victim, question);
    let first = clients.endpoint(victim);
    let patience = Instant::from_ticks(0).after(PATIENCE).0;
    let count = |field: &AtomicU64| field.fetch_add(1, Ordering::Relaxed);
    loop {
        let start = Instant::now().ticks();
        count(&shared.begun);
        let outcome = clients.ask(victim, question);
        count(&shared.done);
        let end = Instant::now().ticks();
        count(&shared.calls);
        let killed = shared.killed.load(Ordering::Acquire);
        let across = killed != 0 && start < killed && killed < end;
        let moved = clients.endpoint(victim) != first;
        if end > start + patience + LATE {
            count(&shared.wrong);
        }
        match outcome {
            Ok(()) if moved => {
                shared.in_flight.fetch_add(u64::from(across), Ordering::Relaxed);
                shared.restart.store(end.saturating_sub(killed).max(1), Ordering::Relaxed);
                return;
            }
            Ok(()) => {}
            // One typed error, for what may not be asked again, when the service died.
            Err(Error::PeerClosed) if question == Question::Once && killed != 0 => {
                count(&shared.told);
                shared.in_flight.fetch_add(u64::from(across), Ordering::Relaxed);
            }
            Err(_) => {
                count(&shared.wrong);
                if killed != 0 && end > killed + 4 * patience {
                    return;
                }
            }
        }
    }
}
