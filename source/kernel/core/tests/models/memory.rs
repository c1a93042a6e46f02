//! Shoot-down: what was unmapped is freed behind its fence, and an address space when no CPU has it loaded.
//!
//! In the core: `Kernel::fences_done` and `Kernel::unmap_process_step`; in the machine layer: `requests` and `run`.

use super::{Form, explore};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// CPU 0 unmaps a page and fences; CPU 1 frees the page's frame; CPU 2 has the page in its translation cache until the
/// fence, and uses it.
fn shoot_down(form: Form) {
    struct World {
        mapped: Mutex<bool>,
        fence: AtomicUsize,
        cached: AtomicUsize,
        freed: AtomicUsize,
    }
    let world = Arc::new(World {
        mapped: Mutex::new(true),
        fence: AtomicUsize::new(0),
        cached: AtomicUsize::new(1),
        freed: AtomicUsize::new(0),
    });
    let (unmapping, using) = (world.clone(), world.clone());
    let unmaps = thread::spawn(move || {
        let mut mapped = unmapping.mapped.lock().expect("no panic");
        *mapped = false;
        unmapping.fence.store(1, Relaxed);
        drop(mapped);
        // The remote fence: it has been done when the firmware returns.
        unmapping.cached.store(0, Relaxed);
        unmapping.fence.store(0, Release);
    });
    let uses = thread::spawn(move || {
        // The frame may be freed between the two looks only if the cache was emptied before.
        let freed = using.freed.load(Acquire);
        let cached = using.cached.load(Relaxed);
        assert!(freed == 0 || cached == 0, "a translation to a free frame is used");
    });
    let mapped = world.mapped.lock().expect("no panic");
    let fenced = form == Form::Broken || world.fence.load(Acquire) == 0;
    if !*mapped && fenced {
        world.freed.store(1, Release);
    }
    drop(mapped);
    unmaps.join().expect("it ends");
    uses.join().expect("it ends");
}

#[test]
fn no_frame_is_freed_before_its_fence() {
    explore("shoot-down", shoot_down);
}

/// CPU 0 leaves an address space; CPU 1 takes its tables back.
fn leave(form: Form) {
    let tables = Arc::new((AtomicUsize::new(1), UnsafeCell::new(())));
    let leaving = tables.clone();
    let leaves = thread::spawn(move || {
        // It walks the tables until the translation register holds another root.
        leaving.1.with(|_| ());
        leaving.0.store(0, if form == Form::Sound { Release } else { Relaxed });
    });
    if tables.0.load(Acquire) == 0 {
        tables.1.with_mut(|_| ());
    }
    leaves.join().expect("it ends");
}

#[test]
fn no_root_is_freed_while_it_is_loaded() {
    explore("leaving an address space", leave);
}
