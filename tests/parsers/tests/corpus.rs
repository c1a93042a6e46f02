//! Each parser under its corpus, every truncation and flipped bit of it, and mutations from a seed.
//!
//! `NEXUS_SEED=n` gives other mutations, `NEXUS_MUTATIONS=m` as many. `NEXUS_CORPUS=write` with the ignored test
//! `the_corpus_is_written_anew` writes the files that the harnesses can make themselves.

use parsers::{Effort, PARSERS, Parser, Report, examine, folder, load, parser};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::{env, fs, thread};

/// Mutations of each parser in every test run.
const FEW: u64 = 5_000;
/// And in the daily one.
const MANY: u64 = 10_000_000;
const SEED: u64 = 0x5eed;

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).ok().map_or(default, |text| text.parse().expect("a decimal number"))
}

fn seed() -> u64 {
    number("NEXUS_SEED", SEED)
}

/// Examines one parser: nothing is found, and every error that it declares came up.
fn passes(name: &str) {
    let parser = parser(name).expect("the test is named as its parser");
    let effort = Effort::Everything { mutations: number("NEXUS_MUTATIONS", FEW), seed: seed() };
    let report = examine(parser, &load(parser), effort).unwrap_or_else(|found| panic!("{found}"));
    println!("{report}");
    assert_eq!(report.missing(parser), Vec::<&str>::new(), "{name} declares errors that never came");
}

macro_rules! parsers {
    ($($test:ident $name:literal;)*) => {
        $(#[test] fn $test() { passes($name); })*

        const TESTED: &[&str] = &[$($name),*];
    };
}

parsers! {
    boot_image "boot-image";
    start_page "start-page";
    system_calls "system-calls";
    words "words";
    device_tree "device-tree";
    device_nodes "device-nodes";
    boot_arguments "boot-arguments";
    elf "elf";
    wiring "wiring";
    system_toml "system-toml";
    message_console "message-console";
    message_exec "message-exec";
    message_logs "message-logs";
    message_policy "message-policy";
    message_stream "message-stream";
    message_supervisor "message-supervisor";
    message_timer "message-timer";
    message_notice "message-notice";
    shell_line "shell-line";
    exec_arguments "exec-arguments";
    record "record";
    ring "ring";
}

#[test]
fn every_parser_is_examined() {
    let all: Vec<&str> = PARSERS.iter().map(|parser| parser.name).collect();
    assert_eq!(TESTED, all);
    let folders = fs::read_dir(folder(&PARSERS[0]).join("..")).expect("the corpus is in the tree");
    let folders: BTreeSet<String> =
        folders.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(folders, all.iter().map(ToString::to_string).collect(), "a folder a parser, and no other");
}

#[test]
fn every_interface_is_examined() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../userspace/nexus-proto/src");
    let declared = fs::read_dir(sources).expect("the interfaces are in the tree").filter_map(|entry| {
        let text = fs::read_to_string(entry.expect("readable").path()).ok()?;
        let (_, body) = text.split_once("\ninterface! {")?;
        let name = body.lines().map(str::trim).find_map(|line| line.strip_prefix('"')?.split('"').next())?;
        Some(format!("message-{name}"))
    });
    let missing: Vec<String> = declared.filter(|name| parser(name).is_none()).collect();
    assert_eq!(missing, Vec::<String>::new(), "interfaces without a harness");
}

#[test]
fn the_same_seed_gives_the_same_mutations() {
    let parser = parser("shell-line").expect("it is there");
    let run = |seed| examine(parser, &load(parser), Effort::Mutations { mutations: 2_000, seed });
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn every_parser_has_a_target_of_cargo_fuzz() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/targets");
    for parser in PARSERS {
        let text = fs::read_to_string(targets.join(format!("{}.rs", parser.name))).unwrap_or_default();
        assert!(text.contains(&format!("parsers::read(\"{}\", bytes)", parser.name)), "{}", parser.name);
    }
}

/// Everything beside the mutations, and ten million of them each: a parser a thread, as many threads as processors.
#[test]
#[ignore = "the daily tier's length"]
fn ten_million_mutations_of_each() {
    let (seed, mutations) = (seed(), number("NEXUS_MUTATIONS", MANY));
    println!("NEXUS_SEED={seed} NEXUS_MUTATIONS={mutations}");
    println!("parser           files truncated   flipped    mutated   accepted    refused  each error");
    let (next, (done, reports)) = (AtomicUsize::new(0), mpsc::channel());
    let mut found = Vec::new();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let (next, done) = (&next, done.clone());
            scope.spawn(move || {
                while let Some(parser) = PARSERS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = examine(parser, &load(parser), Effort::Everything { mutations, seed });
                    done.send((parser, report)).expect("somebody listens");
                }
            });
        }
        drop(done);
        for (parser, report) in reports {
            found.extend(judge(parser, &report));
        }
    });
    assert_eq!(found, Vec::<String>::new());
}

/// Prints a report, and says what is wrong with it.
fn judge(parser: &Parser, report: &Result<Report, String>) -> Option<String> {
    match report {
        Err(finding) => Some(finding.clone()),
        Ok(report) => {
            println!("{report}");
            let missing = report.missing(parser);
            (!missing.is_empty()).then(|| format!("{} never refused with {missing:?}", parser.name))
        }
    }
}

#[test]
#[ignore = "writes files, and only if NEXUS_CORPUS=write says so"]
fn the_corpus_is_written_anew() {
    if env::var("NEXUS_CORPUS").as_deref() != Ok("write") {
        return;
    }
    for parser in PARSERS {
        let folder = folder(parser);
        fs::create_dir_all(&folder).expect("the folder can be made");
        for sample in (parser.samples)() {
            fs::write(folder.join(&sample.name), &sample.bytes).expect("a file can be written");
        }
    }
}
