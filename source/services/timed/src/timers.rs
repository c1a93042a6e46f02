//! Pending timers, in an order in which nothing has to be searched.
//!
//! All timers of a class have the same window, so the order of their deadlines is also the order of their windows'
//! ends: the first one of a class is both the first that may fire and the first that must. Four ordered maps and
//! their heads are the whole of coalescing. Waking at the earliest end and firing everything whose deadline has come is
//! the greedy way to stab a set of intervals with the fewest points, and there is no better one.

use alloc::collections::BTreeMap;
use nexus_abi::{Handle, ProcessId, QosClass};

/// Which timer: the owner by the kernel's record, and the owner's own name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    owner: u64,
    /// The owner's name for it.
    pub token: u64,
}

impl Key {
    /// The timer that `owner` calls `token`.
    pub const fn new(owner: ProcessId, token: u64) -> Key {
        Key { owner: owner.0, token }
    }

    /// Whose it is.
    pub const fn owner(self) -> ProcessId {
        ProcessId(self.owner)
    }
}

/// A timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// The class whose window it has.
    pub class: QosClass,
    /// Not before this tick.
    pub deadline: u64,
    /// Ticks from one deadline to the next; 0: there is no next.
    pub period: u64,
    /// What is signalled.
    pub bits: u64,
    /// To whom.
    pub notification: Handle,
}

impl Timer {
    /// Its next turn, the first one after `now`: turns that were missed are left out, and the rhythm stays. None if it
    /// has no period, or time ends before.
    pub fn next_turn(&self, now: u64) -> Option<Timer> {
        let missed = now.saturating_sub(self.deadline).checked_div(self.period)?;
        let deadline = missed.checked_add(1)?.checked_mul(self.period)?.checked_add(self.deadline)?;
        (deadline != u64::MAX).then_some(Timer { deadline, ..*self })
    }
}

/// When to wake, and for the sake of which class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// The earliest end of a window.
    pub at: u64,
    /// Whose window it is.
    pub class: QosClass,
}

/// All pending timers.
#[derive(Debug)]
pub struct Timers {
    /// Ticks of each class's window.
    windows: [u64; QosClass::COUNT],
    /// By class, then by deadline.
    pending: [BTreeMap<(u64, Key), Timer>; QosClass::COUNT],
    /// Where each one stands.
    places: BTreeMap<Key, (QosClass, u64)>,
}

impl Timers {
    /// None yet; each class has a window of so many ticks.
    pub const fn new(windows: [u64; QosClass::COUNT]) -> Timers {
        Timers { windows, pending: [const { BTreeMap::new() }; QosClass::COUNT], places: BTreeMap::new() }
    }

    /// Puts a timer in; the one that it replaces comes back.
    pub fn insert(&mut self, key: Key, timer: Timer) -> Option<Timer> {
        let replaced = self.remove(key);
        self.places.insert(key, (timer.class, timer.deadline));
        self.pending[timer.class as usize].insert((timer.deadline, key), timer);
        replaced
    }

    /// Takes a timer out.
    pub fn remove(&mut self, key: Key) -> Option<Timer> {
        let (class, deadline) = self.places.remove(&key)?;
        self.pending[class as usize].remove(&(deadline, key))
    }

    /// The earliest end of a pending window; of two, the higher class's.
    pub fn alarm(&self) -> Option<Alarm> {
        let heads = QosClass::ALL.into_iter().rev().filter_map(|class| {
            let ((deadline, _), _) = self.pending[class as usize].first_key_value()?;
            Some(Alarm { at: self.window_end(class, *deadline), class })
        });
        heads.min_by_key(|alarm| alarm.at)
    }

    /// Takes a timer out whose deadline has come, the higher classes' first, the earlier ones' first.
    pub fn take_due(&mut self, now: u64) -> Option<(Key, Timer)> {
        let due = |pending: &BTreeMap<(u64, Key), Timer>| pending.first_key_value().is_some_and(|(at, _)| at.0 <= now);
        let pending = self.pending.iter_mut().rev().find(|pending| due(pending))?;
        let ((_, key), timer) = pending.pop_first()?;
        self.places.remove(&key);
        Some((key, timer))
    }

    /// When the window of a timer ends.
    pub fn window_end(&self, class: QosClass, deadline: u64) -> u64 {
        deadline.saturating_add(self.windows[class as usize])
    }

    /// True if it is pending.
    pub fn contains(&self, key: Key) -> bool {
        self.places.contains_key(&key)
    }

    /// All, by owner and token.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Timer)> {
        self.places.iter().filter_map(|(&key, &(class, deadline))| {
            self.pending[class as usize].get(&(deadline, key)).map(|timer| (key, timer))
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// How many are of this class.
    pub fn len_of_class(&self, class: QosClass) -> usize {
        self.pending[class as usize].len()
    }

    /// How many are this owner's.
    pub fn len_of_owner(&self, owner: ProcessId) -> usize {
        self.places.range(Key::new(owner, 0)..=Key::new(owner, u64::MAX)).count()
    }
}
