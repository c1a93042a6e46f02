//! What it takes to get somewhere: instructions to the first program and to the prompt, and the smallest memory.

use super::trace::{self, Reached};
use crate::proof::emulator::Machine;
use crate::proof::session::Session;
use std::path::Path;
use std::time::Duration;

/// The most that the prompt may need, on a busy host.
const BOOT: Duration = Duration::from_secs(120);
const PROMPT: &str = "nexus> ";
/// MiB that must do; and that no machine that is worth the search has less of.
const MUST: u64 = 16;
const LEAST: u64 = 4;

/// Rows of the boot, in the form of the program's.
pub(super) fn rows() -> Result<Vec<String>, String> {
    let Reached { main, prompt } = trace::start(PROMPT)?;
    let memory = smallest_memory(&crate::root())?;
    let row = |name: &str, value: u64| format!("bench: {name} | {value} | {value}");
    Ok(vec![
        row("kernel entry to the first main", main),
        row("kernel entry to the shell's prompt", prompt),
        row("smallest memory, MiB", memory),
    ])
}

/// From what must do down to the first machine that does not come to the prompt: each that came before it did.
fn smallest_memory(root: &Path) -> Result<u64, String> {
    let comes = |memory: &u64| comes_to_prompt(root, *memory);
    let least = (LEAST..=MUST).rev().take_while(comes).last();
    least.ok_or_else(|| format!("{MUST} MiB do not come to the prompt"))
}

fn comes_to_prompt(root: &Path, memory: u64) -> bool {
    let machine = Machine::default().with("SMP", 1).with("MEM", format!("{memory}M")).append("panic=exit");
    let session = Session::boot(root, &machine);
    session.is_ok_and(|mut session| session.wait_for(PROMPT, BOOT).is_ok())
}
