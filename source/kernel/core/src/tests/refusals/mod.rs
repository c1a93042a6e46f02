//! Every refusal that the ABI declares, provoked; and none beside.
//!
//! Of each call there is one example that is not refused. In it each handle is replaced by one that was never valid, by
//! one of another kind, by one without rights, and by one whose object is dead; for all other errors a row says what to
//! change. The lists of the ABI and what is provoked here must be the same.

mod ends;
mod examples;
mod rows;
mod scene;

use super::*;
use examples::EXAMPLES;
use nexus_abi::syscall::{ENDS, REFUSALS};
use rows::{PATCHED, ROWS, ROWS_OF_TWO};
use scene::{Registers, Scene, Setting};
use std::{collections::BTreeSet, println};

/// A call and an error.
type Pair = (&'static str, &'static str);

/// True if the ABI says that a call may be refused so, or that a wait that it began may end so.
pub(super) fn declared(name: &str, error: Error) -> bool {
    let named = |list: &[(&str, &[Error])]| list.iter().any(|(call, errors)| *call == name && errors.contains(&error));
    named(REFUSALS) || named(ENDS)
}

fn pairs(list: &'static [(&'static str, &'static [Error])]) -> BTreeSet<Pair> {
    list.iter().flat_map(|(call, errors)| errors.iter().map(move |error| (*call, error.name()))).collect()
}

/// The handles among the registers of a call: which register, which handle.
fn handles(scene: &Scene, registers: &Registers) -> Vec<(usize, Handle)> {
    let held =
        |value| Handle::from_raw(value).filter(|handle| scene.stage.kernel.slot(scene.home.process, *handle).is_ok());
    registers.iter().filter_map(|&(register, value)| Some((register, held(value)?))).collect()
}

/// Makes of a handle one that does not serve.
type Wrong = fn(&Scene, Handle) -> Option<Handle>;

/// What a handle can be replaced by so that it no longer serves.
const WRONG: [(&str, Wrong); 4] = [
    ("forged", |_, handle| Handle::from_raw(handle.raw() + 1)),
    ("another kind", |scene, handle| Some(scene.own(if handle == scene.own("info") { "power" } else { "info" }))),
    ("without rights", |scene, handle| scene.mute(handle)),
    ("dead", |scene, handle| {
        let found = scene.stage.kernel.slot(scene.home.process, handle).ok()?;
        scene.dead.get(&(found.kind()? as u8)).copied()
    }),
];

/// Replaces each handle of an example by each that does not serve; what the calls were refused with.
fn wrong_handles(name: &'static str, example: Setting, provoked: &mut BTreeSet<Pair>) {
    let scene = Scene::new();
    let found = handles(&scene, &example(&scene));
    for at in 0..found.len() {
        for (how, wrong) in WRONG {
            let scene = Scene::new();
            let mut registers = example(&scene);
            let (register, handle) = handles(&scene, &registers)[at];
            let Some(other) = wrong(&scene, handle) else { continue };
            registers.retain(|(kept, _)| *kept != register);
            registers.push((register, other.raw()));
            let what = std::format!("{name} with a handle in x{register} that is {how}");
            let refused = scene.enter(&registers, &what);
            assert!(how != "forged" || refused == Some(Error::BadHandle), "{what}: {refused:?}");
            provoked.extend(refused.map(|error| (name, error.name())));
        }
    }
}

#[test]
fn examples_are_not_refused() {
    for (name, example) in EXAMPLES {
        let scene = Scene::new();
        let registers = example(&scene);
        assert_eq!(scene.enter(&registers, name), None, "{name}");
    }
}

#[test]
fn every_refusal_that_the_abi_declares_is_provoked_and_none_beside() {
    let mut provoked = BTreeSet::new();
    for (name, example) in EXAMPLES {
        wrong_handles(name, *example, &mut provoked);
    }
    for &(name, error, register, value) in PATCHED {
        let scene = Scene::new();
        let mut registers = examples::named(name)(&scene);
        registers.retain(|(kept, _)| *kept != register);
        registers.push((register, value));
        assert_eq!(scene.enter(&registers, name), Some(error), "{name} with {value:#x} in x{register}");
        provoked.insert((name, error.name()));
    }
    let rows = ROWS.iter().map(|row| (1, row)).chain(ROWS_OF_TWO.iter().map(|row| (2, row)));
    for (cpus, (name, error, row)) in rows {
        let scene = Scene::on(Stage::new(cpus));
        let registers = row(&scene);
        assert_eq!(scene.enter(&registers, name), Some(*error), "{name}");
        provoked.insert((name, error.name()));
    }
    let unproven = Scene::on(Stage::on(testing::machine_with(1, 512, crate::kernel::Machine::default())));
    let asks = examples::named("InfoInvariants")(&unproven);
    assert_eq!(unproven.enter(&asks, "InfoInvariants"), Some(Error::State));
    provoked.insert(("InfoInvariants", Error::State.name()));
    let declared = pairs(REFUSALS);
    println!("{} refusals", declared.len());
    let missing: Vec<_> = declared.difference(&provoked).collect();
    let beside: Vec<_> = provoked.difference(&declared).collect();
    assert!(missing.is_empty() && beside.is_empty(), "not provoked: {missing:?}; not declared: {beside:?}");
}

#[test]
fn every_end_of_a_wait_that_the_abi_declares_comes_and_none_beside() {
    let mut came = BTreeSet::new();
    for (name, error, row) in ends::ROWS {
        assert_eq!(row(&Scene::new()), Some(*error), "{name}");
        came.insert((*name, error.name()));
    }
    assert_eq!(came, pairs(ENDS));
}
