//! `cargo xtask trace`: what ran when on which CPU, as a timeline.
//!
//! Boots with the kernel's event rings on, types a line at the prompt, stops the machine through the emulator's debugger
//! stub and reads the rings from its memory. Writes `<name>.json` for Perfetto or `chrome://tracing`, and `<name>.svg`, into
//! `build/trace`; `--write` puts the pictures of all scripts into `docs`; `--cost` counts what a trace point costs meanwhile.

mod chrome;
mod cost;
pub(crate) mod points;
mod ring;
mod stub;
mod svg;
mod timeline;

#[cfg(test)]
mod trace_tests;

use crate::manifest;
use crate::proof::emulator::Machine;
use crate::proof::session::{Session, SessionError};
use ring::Recording;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use stub::Stub;
use timeline::Timeline;

const USAGE: &str = "usage: cargo xtask trace [start|classes|<line to type>] | --write | --cost";
const PROMPT: &str = "nexus> ";
/// For an answer of a machine whose instructions are counted.
const ANSWER: Duration = Duration::from_secs(60);

/// What is typed: before the recording, and in it.
struct Script {
    name: &'static str,
    about: String,
    before: &'static [&'static str],
    line: String,
}

fn scripts() -> [Script; 2] {
    let script = |name, about: &str, before, line: &str| Script {
        name,
        about: about.to_string(),
        before,
        line: line.to_string(),
    };
    [
        script("start", "run hello: a program starts, says its words and ends", &[], "run hello"),
        script(
            "classes",
            "run hello beside two programs that spin, one Normal, one Idle",
            &["run rogue spin &", "run rogue spin &", "qos 9 idle"],
            "run hello",
        ),
    ]
}

/// Records, and writes the pictures.
pub fn main(args: &[String]) -> ExitCode {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["--write"] => crate::run::build().and_then(|()| scripts().iter().try_for_each(|script| draw(script, "docs"))),
        ["--cost"] => crate::run::build().and_then(|()| cost::judge()),
        [] | ["start"] => one(&scripts()[0]),
        ["classes"] => one(&scripts()[1]),
        [line] if !line.starts_with('-') => {
            one(&Script { name: "line", about: line.to_string(), before: &[], line: line.to_string() })
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("trace: {text}");
            ExitCode::FAILURE
        }
    }
}

fn one(script: &Script) -> Result<(), String> {
    crate::run::build()?;
    draw(script, "build/trace")
}

fn draw(script: &Script, folder: &str) -> Result<(), String> {
    let root = crate::root();
    let recording = record(&root, script)?;
    let timeline = Timeline::new(&recording, &names(&root)?)?;
    println!("trace: {}: {}", script.name, timeline.summary());
    timeline.judge()?;
    let write = |path: PathBuf, text: String| {
        let folder = path.parent().unwrap_or(&root);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        println!("trace: {}", path.strip_prefix(&root).unwrap_or(&path).display());
        Ok::<(), String>(())
    };
    write(root.join(format!("build/trace/{}.json", script.name)), chrome::text(&timeline))?;
    write(root.join(format!("{folder}/trace-{}.svg", script.name)), svg::text(&timeline, &script.about))
}

/// Boots, types, and reads what the rings have of the script's line.
fn record(root: &Path, script: &Script) -> Result<Recording, String> {
    let port = stub::free_port()?;
    let machine = Machine::default().with("SMP", 1).with("ICOUNT", "shift=0").with("GDB", port).append("trace");
    let text = |error: SessionError| error.to_string();
    let mut session = Session::boot(root, &machine).map_err(text)?;
    let mut stub = Stub::connect(port)?;
    stub.go_on()?;
    session.wait_for("init: ready", ANSWER).map_err(text)?;
    session.wait_for(PROMPT, ANSWER).map_err(text)?;
    for line in ["uptime"].iter().chain(script.before) {
        ask(&mut session, line).map_err(text)?;
    }
    let place = session.transcript().iter().find(|line| line.text.contains("KINIT: tracing "));
    let mut rings = ring::Rings::at(&place.ok_or("the kernel does not say where its rings are")?.text)?;
    stub.halt()?;
    rings.begin(&mut stub)?;
    stub.go_on()?;
    ask(&mut session, &script.line).map_err(text)?;
    stub.halt()?;
    rings.read(&mut stub)
}

fn ask(session: &mut Session, line: &str) -> Result<(), SessionError> {
    session.send_line(line)?;
    session.wait_for(PROMPT, ANSWER)?;
    // A line of the system prints the prompt again: the last one is awaited.
    session.wait_for(PROMPT, Duration::from_millis(300)).map(drop).or(Ok(()))
}

/// Whom the events name, by what they hold of the identity.
fn names(root: &Path) -> Result<BTreeMap<u64, String>, String> {
    let resolved = manifest::load(&root.join("system.toml")).map_err(|refusal| refusal.to_string())?;
    let services = resolved.wiring.services.iter().map(|service| service.name.as_str().to_string());
    let programs = resolved.wiring.programs.iter().map(|program| program.name.as_str().to_string());
    let named = |name: String| {
        let service = nexus_abi::ServiceId::service(&name).0;
        let program = nexus_abi::ServiceId::program(&name).0;
        [(ring::shown(service), name.clone()), (ring::shown(program), name)]
    };
    Ok(services.chain(programs).chain(["init".to_string()]).flat_map(named).collect())
}
