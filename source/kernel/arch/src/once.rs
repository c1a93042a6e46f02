//! A place that is filled once, at boot, and read ever after.

use core::sync::atomic::{AtomicU32, Ordering};
use core::{cell::UnsafeCell, mem::MaybeUninit};

const EMPTY: u32 = 0;
const FILLING: u32 = 1;
const FULL: u32 = 2;

/// Empty until it is filled.
pub(crate) struct Once<T> {
    state: AtomicU32,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: `fill` lets exactly one caller write, before anybody may read; after that the value is only shared.
unsafe impl<T: Send + Sync> Sync for Once<T> {}

impl<T> Once<T> {
    pub(crate) const fn new() -> Once<T> {
        Once { state: AtomicU32::new(EMPTY), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Fills it and returns what it holds. A second call is a defect.
    pub(crate) fn fill(&'static self, value: T) -> &'static T {
        assert!(self.state.swap(FILLING, Ordering::Acquire) == EMPTY, "filled twice");
        // SAFETY: the swap made this the only writer, and no reader looks before the store below.
        unsafe { self.value.get().write(MaybeUninit::new(value)) };
        self.state.store(FULL, Ordering::Release);
        self.get().expect("the line above filled it")
    }

    /// What it holds.
    ///
    /// # Safety
    /// It was filled before, and this hart knows of it.
    #[inline(always)]
    pub(crate) unsafe fn filled(&'static self) -> &'static T {
        // SAFETY: nobody writes once it was filled.
        let value = unsafe { &*self.value.get() };
        // SAFETY: the caller's promise.
        unsafe { value.assume_init_ref() }
    }

    /// What it holds. Happens-before: the load that reads `FULL` synchronises with the store in `fill`.
    #[inline(always)]
    pub(crate) fn get(&'static self) -> Option<&'static T> {
        if self.state.load(Ordering::Acquire) != FULL {
            return None;
        }
        // SAFETY: nobody writes once the state is `FULL`.
        let value = unsafe { &*self.value.get() };
        // SAFETY: `FULL` is stored only after the value was written.
        Some(unsafe { value.assume_init_ref() })
    }
}
