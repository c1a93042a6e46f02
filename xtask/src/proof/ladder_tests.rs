//! The tree's own data, and what the reader refuses.

use super::*;

const PHASES: [&str; 9] = ["kernel", "bring-up", "mmio", "routing", "policy", "logd", "vfs", "persist", "ota"];

fn refused(ladder: &str, services: &str) -> String {
    Ladder::parse(ladder, services, "", "").unwrap_err().to_string()
}

#[test]
fn the_tree_s_ladder_parses_and_holds_the_phases_in_their_order() {
    let ladder = Ladder::load(&crate::root().join("tests/boot")).unwrap();
    assert_eq!(ladder.phases()[..9], PHASES);
    assert_eq!(ladder.phases()[9..], ["end"]);
}

#[test]
fn every_built_feature_is_one_that_a_row_or_a_service_names() {
    let ladder = Ladder::load(&crate::root().join("tests/boot")).unwrap();
    for feature in &ladder.built {
        let known = ladder.rungs.iter().any(|rung| rung.needs.contains(feature))
            || ladder.services.iter().any(|service| service.name == *feature);
        assert!(known, "`{feature}` in tests/boot/built fills no line");
    }
}

#[test]
fn a_repeated_line_is_refused() {
    let row = "end | last | selftest | 1 | x | SELFTEST: end\n";
    assert_eq!(refused(&format!("{row}{row}"), ""), "ladder:2: `SELFTEST: end` stands twice");
}

#[test]
fn a_line_that_its_printer_cannot_print_is_refused() {
    let text = refused("end | last | init | 1 | x | SELFTEST: end", "");
    assert_eq!(text, "ladder:1: `SELFTEST: end` does not begin as a line of `init` does");
}

#[test]
fn a_phase_in_two_places_is_refused() {
    let text = "a | 1 | init | 1 | x | init: a\nb | 1 | init | 1 | x | init: b\na | 1 | init | 1 | x | init: c";
    assert_eq!(refused(text, ""), "ladder:3: phase `a` is torn apart");
}

#[test]
fn a_boot_that_is_none_is_refused() {
    assert_eq!(refused("a | 0 | init | 1 | x | init: a", ""), "ladder:1: boot `0`");
    assert_eq!(refused("a | later | init | 1 | x | init: a", ""), "ladder:1: boot `later`");
}

#[test]
fn a_row_without_needs_or_with_a_bad_smp_is_refused() {
    assert_eq!(refused("a | 1 | init | 1 | | init: a", ""), "ladder:1: a row names its phase and what it needs");
    assert_eq!(refused("a | 1 | init | two | x | init: a", ""), "ladder:1: smp `two`");
}

#[test]
fn a_call_to_a_stranger_is_refused() {
    assert_eq!(refused("", "a | b"), "services:1: `b` is no service");
    assert_eq!(refused("", "a |\na |"), "services:2: `a` stands twice");
}

#[test]
fn the_services_and_their_calls_are_those_of_the_manifest() {
    let root = crate::root();
    let ladder = Ladder::load(&root.join("tests/boot")).unwrap();
    let wiring = crate::manifest::load(&root.join("system.toml")).unwrap_or_else(|error| panic!("{error}")).wiring;
    for (index, service) in wiring.services.iter().enumerate() {
        let holder = wiring::Party::Service(index as u16);
        let routes = wiring.routes.iter().filter(|route| route.holder == holder);
        let owner = |route: &wiring::Route| match wiring.interfaces[usize::from(route.interface)].owner {
            wiring::Party::Service(owner) => Some(wiring.services[usize::from(owner)].name.as_str().to_string()),
            _ => None,
        };
        let mut calls: Vec<String> = routes.filter_map(owner).collect();
        calls.sort();
        let name = service.name.as_str().to_string();
        assert!(ladder.services.contains(&Service { name, calls }), "`{}` differs", service.name.as_str());
    }
}
