//! Commands that start, end and await programs.

use super::listings::describe;
use crate::command::Context;
use crate::system::{End, NotStarted, Waited};
use crate::{Failure, Place};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use nexus_abi::Error;

/// `run <program> [args…] [| program…] [&]`
pub(crate) fn run(context: &mut Context<'_>) -> Result<(), Failure> {
    let mut stages = vec![context.words.to_vec()];
    stages.extend_from_slice(&context.stages[1..]);
    launch(context, &stages)
}

/// `selftest`
pub(crate) fn selftest(context: &mut Context<'_>) -> Result<(), Failure> {
    context.no_words()?;
    launch(context, &[vec![String::from("selftest")]])
}

/// `bench`
pub(crate) fn bench(context: &mut Context<'_>) -> Result<(), Failure> {
    context.no_words()?;
    launch(context, &[["bench", "short"].map(String::from).to_vec()])
}

/// `wait <pid>`
pub(crate) fn wait(context: &mut Context<'_>) -> Result<(), Failure> {
    let [word] = context.words else {
        return Err(Failure::invalid("wait <pid>"));
    };
    let pid = word.parse().map_err(|_| Failure::invalid("a pid is a number"))?;
    let ended =
        context.system.wait(pid).map_err(|error| Failure::new(error, format!("no program {pid} to wait for")))?;
    match ended {
        Waited::Ended(end) => {
            context.print(&format!("{pid}: {}\n", describe(end)));
            verdict(&pid.to_string(), end)
        }
        Waited::Interrupted => Err(Failure::new(Error::Cancelled, format!("{pid} goes on"))),
    }
}

/// `kill <pid|service>`
pub(crate) fn kill(context: &mut Context<'_>) -> Result<(), Failure> {
    let [word] = context.words else {
        return Err(Failure::invalid("kill <pid|service>"));
    };
    let killed = match word.parse() {
        Ok(pid) => context.system.kill_program(pid),
        Err(_) => context.system.kill_service(word),
    };
    killed.map_err(|error| Failure::new(error, format!("cannot kill `{}`", word.escape_debug())))
}

fn launch(context: &mut Context<'_>, stages: &[Vec<String>]) -> Result<(), Failure> {
    if stages.iter().any(Vec::is_empty) {
        return Err(Failure::invalid("run <program> [args…]"));
    }
    let name = name_of(stages, 0);
    let started = context.system.start(stages, context.place);
    let pids = started.map_err(|NotStarted { stage, error }| {
        Failure::new(error, format!("cannot start `{}`", name_of(stages, stage)))
    })?;
    if context.place == Place::Background {
        pids.iter().for_each(|pid| context.print(&format!("[{pid}]\n")));
        return Ok(());
    }
    let mut last = Ok(());
    for (at, pid) in pids.iter().enumerate() {
        match context.system.wait(*pid) {
            // As in every shell, the last stage says how the line ended.
            Ok(Waited::Ended(end)) => last = verdict(&name_of(stages, at), end),
            Ok(Waited::Interrupted) => return interrupted(context, &pids[at..], &name),
            Err(error) => return Err(Failure::new(error, format!("lost sight of `{name}`"))),
        }
    }
    last
}

/// The program of a stage, as it can be shown.
fn name_of(stages: &[Vec<String>], at: usize) -> String {
    stages.get(at).and_then(|words| words.first()).map(|name| name.escape_debug().to_string()).unwrap_or_default()
}

/// Ctrl-C ends the foreground program, all its stages.
fn interrupted(context: &mut Context<'_>, pids: &[u32], name: &str) -> Result<(), Failure> {
    for pid in pids {
        match context.system.kill_program(*pid) {
            // It may have ended by itself in between.
            Ok(()) | Err(Error::NotFound) => {}
            Err(error) => return Err(Failure::new(error, format!("cannot end `{name}`"))),
        }
        // Takes the record of its end away; there is nothing to say about a program that is ended on purpose.
        let _ = context.system.wait(*pid);
    }
    Err(Failure::new(Error::Cancelled, format!("`{name}` was interrupted")))
}

fn verdict(name: &str, end: End) -> Result<(), Failure> {
    let kind = match end {
        End::Exited(0) => return Ok(()),
        End::Exited(_) => "EEXIT",
        End::Killed(_) => "EKILLED",
        End::Faulted { .. } => "EFAULTED",
    };
    Err(Failure::ended(kind, format!("`{name}` {}", describe(end))))
}
