//! Runs a harness so that a panic inside it is a finding with its input, not the end of the run.

use crate::{Parser, Verdict};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Panics of this thread's harness are not printed: they are reported by whoever asked.
fn be_quiet() {
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
}

/// The verdict, or what the parser or its harness panicked with.
pub(crate) fn verdict(parser: &Parser, bytes: &[u8]) -> Result<Verdict, String> {
    be_quiet();
    QUIET.set(true);
    let caught = catch_unwind(AssertUnwindSafe(|| (parser.read)(bytes)));
    QUIET.set(false);
    match caught {
        Ok(Verdict::Refused(error)) if !parser.errors.contains(&error) => {
            Err(format!("refuses with undeclared {error}"))
        }
        Ok(verdict) => Ok(verdict),
        Err(panic) => Err(match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
            (Some(text), _) => text.clone(),
            (_, Some(text)) => (*text).to_string(),
            _ => "a panic".to_string(),
        }),
    }
}
