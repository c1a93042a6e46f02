//! The first program of somebody new: made from the template in a copy of the tree, built and run there.
//!
//! What the front page says of it is done word by word. The copy has the tracked files only, so that nothing counts that
//! lies about in this tree.

use super::emulator::Machine;
use super::session::{Session, SessionError};
use super::verdict::Ending;
use crate::defects::scratch::{Scratch, Snapshot};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What the program is called: no other file of the tree knows the name.
const NAME: &str = "newcomer-greets";
/// From the start of the emulator to the prompt, and from there to an answer, on a busy host.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes, builds and runs it.
pub(super) fn prove(root: &Path) -> Result<String, String> {
    let folder = root.join("target/first-program");
    let source = Snapshot::of(root).map_err(|error| error.to_string())?;
    let copy = Scratch::copy_of(&source, folder.join("tree")).map_err(|error| error.to_string())?;
    for words in [&["xtask", "new-app", NAME][..], &["xtask", "image"]] {
        let mut command: Command = crate::packages::cargo();
        command.args(words).current_dir(&copy.tree).env("CARGO_TARGET_DIR", folder.join("build"));
        crate::packages::output(&mut command)?;
    }
    let ending = greet(&copy.tree).map_err(|error| error.to_string())?;
    match ending {
        Ending::Exited(3) => Ok(format!("PASSED: `{NAME}` was made, built and run")),
        other => Err(format!("the machine ended with {other:?}")),
    }
}

fn greet(tree: &Path) -> Result<Ending, SessionError> {
    let mut session = Session::boot(tree, &Machine::default())?;
    session.wait_for("nexus> ", PATIENCE)?;
    session.send_line(&format!("run {NAME} you"))?;
    session.wait_for("hello, you", PATIENCE)?;
    session.wait_for("nexus> ", PATIENCE)?;
    session.send_line("shutdown 3")?;
    Ok(session.finish(PATIENCE).1)
}
