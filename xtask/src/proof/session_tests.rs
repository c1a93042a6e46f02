//! Sessions and runs against a script that plays the emulator.

use super::super::ladder::Ladder;
use super::super::plan::Plan;
use super::super::settings::{Settings, Until};
use super::super::verdict::{Reason, Verdict};
use super::super::{runner, verdict};
use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

const SOON: Duration = Duration::from_secs(10);
const BRIEF: Duration = Duration::from_millis(200);

/// A tree whose emulator is the shell script `body`.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str, body: &str) -> Self {
        let root = std::env::temp_dir().join(format!("nexus-session-{name}-{}", std::process::id()));
        fs::create_dir_all(root.join("scripts")).unwrap();
        let script = root.join("scripts/run-qemu-rv64.sh");
        fs::write(&script, format!("#!/usr/bin/env bash\n{body}\n")).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        Tree(root)
    }

    fn boot(&self) -> Session {
        Session::boot(&self.0, &Machine::default()).unwrap()
    }

    fn judge(&self, until: Until, timeout: Duration) -> (Verdict, Vec<verdict::Stamped>) {
        let ladder = "b | every | init | 1 | init | init: start\nb | every | init | 1 | init | init: ready";
        let ladder = Ladder::parse(ladder, "", "init", "").unwrap();
        let plan = Plan::new(&ladder, &Settings { until, ..Settings::default() }).unwrap();
        let run = runner::run(&self.0, &Machine::default(), &plan, timeout).unwrap();
        (run.verdict, run.transcript)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn failure(verdict: Verdict) -> Reason {
    match verdict {
        Verdict::Failed(failure) => failure.reason,
        Verdict::Passed(_) => panic!("passed"),
    }
}

#[test]
fn a_session_types_waits_and_reads_the_status() {
    let tree = Tree::new("talk", "printf 'nexus> '; read -r -d $'\\r' word; echo \"got $word\"; exit 3");
    let mut session = tree.boot();
    session.wait_for("nexus> ", SOON).unwrap();
    session.send_line("help").unwrap();
    assert!(session.wait_for("got help", SOON).unwrap().text.ends_with("got help"));
    let (transcript, ending) = session.finish(SOON);
    assert_eq!((transcript.len(), ending), (1, Ending::Exited(3)));
}

#[test]
fn a_prompt_that_was_passed_is_not_passed_again_by_what_follows_it() {
    let tree = Tree::new("prompt", "printf 'nexus> '; sleep 0.3; echo typed; sleep 5");
    let mut session = tree.boot();
    session.wait_for("nexus> ", SOON).unwrap();
    let error = session.wait_for("nexus> ", Duration::from_millis(600)).unwrap_err();
    assert!(error.to_string().contains("`nexus> ` did not come: the time was over"), "{error}");
    assert_eq!(session.transcript()[0].text, "nexus> typed");
}

#[test]
fn a_wait_ends_with_the_machine_and_shows_the_last_lines() {
    let tree = Tree::new("gone", "echo last words");
    let mut session = tree.boot();
    let error = session.wait_for("never", SOON).unwrap_err().to_string();
    assert!(error.contains("the machine ended") && error.contains("last words"), "{error}");
}

#[test]
fn options_reach_the_script_and_others_of_the_environment_do_not() {
    let tree = Tree::new("options", "echo \"$SMP/${MEM:-none}/$APPEND/$CONSOLE\"");
    let machine = Machine::default().with("SMP", 1).with("SMP", 4).append("selftest").append("panic=exit");
    let mut session = Session::boot(&tree.0, &machine).unwrap();
    session.wait_for("4/none/selftest panic=exit/raw", SOON).unwrap();
}

#[test]
fn a_dropped_session_ends_the_process_that_it_started() {
    let tree = Tree::new("drop", "echo pid=$$; exec sleep 60");
    let mut session = tree.boot();
    let line = session.wait_for("pid=", SOON).unwrap().text;
    let process = PathBuf::from("/proc").join(line.strip_prefix("pid=").unwrap());
    assert!(process.exists());
    drop(session);
    assert!(!process.exists());
}

#[test]
fn a_line_without_end_is_cut_and_bytes_that_are_no_text_are_kept_apart() {
    let tree = Tree::new("flood", "head -c 200000 /dev/zero | tr '\\0' x; printf '\\n\\377\\376\\n'");
    let (transcript, ending) = tree.boot().finish(SOON);
    assert_eq!((transcript.len(), ending), (5, Ending::Exited(0)));
    assert!(transcript.iter().all(|line| line.text.len() <= 64 * 1024));
}

#[test]
fn a_run_stops_at_the_last_expected_line() {
    let tree = Tree::new("stop", "echo init: start; echo init: ready; sleep 60");
    assert_eq!(tree.judge(Until::Complete, SOON).0, Verdict::Passed(2));
}

#[test]
fn a_run_that_says_too_little_ends_with_its_time() {
    let tree = Tree::new("late", "echo init: start; sleep 60");
    assert_eq!(failure(tree.judge(Until::Complete, BRIEF).0), Reason::Missing { boot: 1 });
}

#[test]
fn a_run_to_the_end_passes_the_status_on() {
    let text = "echo init: start; echo init: ready; exit";
    assert_eq!(Tree::new("end", text).judge(Until::Shutdown, SOON).0, Verdict::Passed(2));
    let bad = Tree::new("bad", &format!("{text} 4")).judge(Until::Shutdown, SOON).0;
    assert_eq!(failure(bad), Reason::ExitStatus(4));
}

#[test]
fn a_failed_line_ends_the_run_soon_but_not_before_what_explains_it() {
    let tree = Tree::new("panic", "echo PANIC: x; echo why; sleep 60");
    let (verdict, transcript) = tree.judge(Until::Complete, SOON);
    assert_eq!(failure(verdict), Reason::Forbidden("a panic"));
    assert_eq!(transcript[1].text, "why");
}

#[test]
fn a_guest_that_takes_no_keys_does_not_stop_the_run() {
    let tree = Tree::new("deaf", "echo up; exec sleep 60");
    let mut session = tree.boot();
    session.send_bytes(&vec![b'x'; 1 << 20]).unwrap();
    session.wait_for("up", SOON).unwrap();
    assert_eq!(session.finish(BRIEF).1, Ending::TimedOut);
}
