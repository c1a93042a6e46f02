//! Packets, rings, spans and what is written of them.

use super::ring::{Event, Recording, Rings, What, Who, decode, shown};
use super::timeline::{Lane, Mark, Span, Timeline};
use super::{chrome, stub, svg};
use nexus_abi::{QosClass, ServiceId};
use std::collections::BTreeMap;

fn who(name: &str, thread: u64, class: QosClass) -> Who {
    Who { service: shown(ServiceId::service(name).0), thread, class }
}

fn word(what: u64, who: Who) -> u64 {
    what | (who.class as u64) << 3 | who.thread << 5 | who.service << 16
}

fn time(at: u64) -> u64 {
    1 | at << 3
}

fn shell() -> Who {
    who("shell", 7, QosClass::Interactive)
}

fn execd() -> Who {
    who("execd", 5, QosClass::Normal)
}

fn timeline() -> Timeline {
    let events = [
        (10, What::Timer),
        (10, What::Wake(shell())),
        (10, What::Run(shell())),
        (30, What::Message(execd())),
        (30, What::Run(execd())),
        (60, What::Idle),
    ];
    let events = events.map(|(at, what)| Event { at, what }).into();
    let names = [shell(), execd()].into_iter().zip(["shell", "execd"]);
    let names = names.map(|(who, name)| (who.service, name.to_string())).collect();
    Timeline::new(&Recording { cpus: vec![events] }, &names).expect("a sound recording")
}

#[test]
fn packets_carry_their_sum_and_are_found_whole_only() {
    assert_eq!(stub::packet("vCont;c"), "$vCont;c#a8");
    assert_eq!(stub::first_packet(b"+$OK#9a$T"), Some(("OK".to_string(), 7)));
    assert_eq!(stub::first_packet(b"$OK#9"), None);
}

#[test]
fn the_rings_are_where_the_kernels_line_says() {
    assert!(Rings::at("KINIT: tracing 8192 words of each of 2 CPUs at 0x81234000").is_ok());
    for line in ["KINIT: tracing", "KINIT: tracing 8 words of each of 1 CPUs at nowhere", ""] {
        assert!(Rings::at(line).is_err(), "{line}");
    }
}

#[test]
fn events_take_the_time_that_stands_behind_them_and_the_ring_turns() {
    let (run, wake) = (word(2, shell()), word(3, execd()));
    // Seven places: word 7 of the count stands in place 0 again.
    let ring = [9, time(30), word(2, who("", 0, QosClass::Idle)) & 0xffff, run, time(10), run, wake, time(20)];
    let found = decode(&ring, 2).expect("sound");
    let told: Vec<(u64, What)> = found.iter().map(|event| (event.at, event.what)).collect();
    let expected = [(10, What::Run(shell())), (20, What::Run(shell())), (20, What::Wake(execd())), (30, What::Idle)];
    assert_eq!(told, expected[..3], "the last one has no time yet");
    assert!(decode(&ring, 1).is_err(), "the first was written over");
    assert!(decode(&[1, 0, 0], 0).is_err(), "no event is 0");
}

#[test]
fn spans_end_where_the_next_begins() {
    let timeline = timeline();
    assert_eq!((&timeline.rows[..], timeline.length), (&["shell".to_string(), "execd".to_string()][..], 5_000));
    let span = |row, class, from, to| Span { row, class, from, to };
    let lane = &timeline.lanes[0];
    let spans = [span(0, QosClass::Interactive, 0, 2_000), span(1, QosClass::Normal, 2_000, 5_000)];
    assert_eq!(lane.spans, spans);
    assert_eq!(lane.marks, [(0, Mark::Timer), (0, Mark::Wake(0)), (2_000, Mark::Message(0, 1))]);
    let summary = "5 us on 1 CPUs, 2 threads: 2 runs, 1 wake-ups, 1 messages, 1 timer interrupts";
    assert_eq!(timeline.summary(), summary);
    assert_eq!(timeline.judge(), Ok(()));
    let deaf = Timeline { lanes: vec![Lane { marks: vec![], ..lane.clone() }], ..timeline.clone() };
    assert_eq!(deaf.judge(), Err("the recording lacks a wake-up".to_string()));
}

#[test]
fn what_lies_before_and_behind_the_work_of_services_is_cut_off() {
    let rogue = who("app/boot/rogue", 9, QosClass::Normal);
    let events =
        [(1, What::Run(rogue)), (5, What::Timer), (20, What::Run(shell())), (30, What::Run(rogue)), (90, What::Timer)];
    let events = events.map(|(at, what)| Event { at, what }).into();
    let names = [(shell(), "shell"), (rogue, "app/boot/rogue")];
    let names = names.into_iter().map(|(who, name)| (who.service, name.to_string())).collect();
    let timeline = Timeline::new(&Recording { cpus: vec![events] }, &names).expect("sound");
    assert_eq!((timeline.length, timeline.lanes[0].spans.len(), timeline.lanes[0].marks.len()), (1_000, 1, 0));
}

#[test]
fn a_clock_that_goes_back_and_an_empty_recording_are_refused() {
    let names = BTreeMap::from([(shell().service, "shell".to_string())]);
    let of = |times: [u64; 2]| {
        let events = times.map(|at| Event { at, what: What::Run(shell()) }).into();
        Timeline::new(&Recording { cpus: vec![events] }, &names)
    };
    assert!(of([1, 2]).is_ok());
    assert!(of([2, 1]).is_err());
    assert!(Timeline::new(&Recording::default(), &names).is_err());
}

#[test]
fn the_trace_file_has_a_slice_a_run_on_both_tracks_and_names_for_all() {
    let text = chrome::text(&timeline());
    let read: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let events = read["traceEvents"].as_array().expect("a list");
    let of = |kind: &str| events.iter().filter(|event| event["ph"] == kind).collect::<Vec<_>>();
    assert_eq!((of("X").len(), of("i").len(), of("M").len()), (4, 3, 5));
    let first = of("X")[0];
    assert_eq!(
        (first["name"].as_str(), first["ts"].as_f64(), first["dur"].as_f64()),
        (Some("shell"), Some(0.0), Some(2.0))
    );
    assert_eq!(of("X")[1]["name"], "interactive");
}

#[test]
fn the_picture_has_a_bar_a_run_and_every_mark() {
    let text = svg::text(&timeline(), "a < b & c");
    assert!(text.contains(">a &lt; b &amp; c</text>"), "{text}");
    // One of each class and mark stands in the legend.
    for (class, count) in [("interactive", 2), ("normal", 2), ("idle", 1), ("timer", 2), ("wake", 2), ("message", 2)] {
        assert_eq!(text.matches(&format!("class=\"{class}\"")).count(), count, "{class}");
    }
}
