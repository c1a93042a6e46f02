//! Models of the protocols between CPUs, run under every interleaving and every order that C++ atomics allow.
//!
//! Each model makes the steps of the named function of the core, in their order and with their orderings, over two or
//! three CPUs, and has a twin with one step broken, which the search must catch. `NEXUS_PREEMPTIONS` is the bound of
//! preemptions (2; the daily tier 3). A search that is cut off fails. What the models leave out: more CPUs, device order,
//! and what a translation cache may do by itself.

mod locks;
mod mail;
mod memory;

use loom::model::Builder;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Branches of one execution; more is an error, not a cut.
const BRANCHES: usize = 20_000;

/// Whether the protocol is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Sound,
    Broken,
}

/// Runs a model in both forms: the sound one holds in every execution, the broken one fails in one.
fn explore(name: &str, model: fn(Form)) {
    let preemptions = std::env::var("NEXUS_PREEMPTIONS").map_or(2, |text| text.parse().expect("a decimal number"));
    let executions: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(0)));
    let builder = || {
        let mut builder = Builder::new();
        builder.preemption_bound = Some(preemptions);
        builder.max_branches = BRANCHES;
        builder.max_permutations = None;
        builder.max_duration = None;
        builder
    };
    builder().check(move || {
        executions.fetch_add(1, Ordering::Relaxed);
        model(Form::Sound);
    });
    let caught = catch_unwind(AssertUnwindSafe(|| builder().check(move || model(Form::Broken)))).is_err();
    let found = executions.load(Ordering::Relaxed);
    println!("model {name}: {found} executions at preemption bound {preemptions}, all of them");
    assert!(found > 1, "{name}: one execution is no search");
    assert!(caught, "{name}: the broken twin was not caught");
}
