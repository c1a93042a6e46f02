//! The front page shows a boot and what was typed then: it must still look so.
//!
//! What is typed there is typed here, and what comes is compared line by line. Figures may differ, and how columns are
//! filled; a line of the kernel's own audit may come before or behind the answer to what caused it.

use super::{ANSWER, Desk, PROMPT};
use crate::proof::session::SessionError;
use std::time::Duration;

/// The last command of the page: it ends the machine with the scene's status.
const END: &str = "shutdown 3";
/// No further prompt for so long: the console has said all that there was.
const QUIET: Duration = Duration::from_secs(1);

pub(super) fn act(desk: &mut Desk) -> Result<(), SessionError> {
    let page = shown(&std::fs::read_to_string(crate::root().join("README.md"))?);
    let Some((_, session)) = page.split_last().filter(|(last, _)| **last == format!("{PROMPT}{END}")) else {
        return Err(missed("a boot on the front page that ends with a shutdown", page));
    };
    for command in session.iter().filter_map(|line| line.strip_prefix(PROMPT)) {
        desk.session.send_line(command)?;
        desk.session.wait_for(PROMPT, ANSWER)?;
        while desk.session.wait_for(PROMPT, QUIET).is_ok() {}
    }
    let printed: Vec<String> = desk.session.transcript().iter().map(|line| line.text.clone()).collect();
    match difference(session, &printed) {
        Some(line) => Err(missed(&line, printed)),
        None => desk.session.send_line(END),
    }
}

/// The block of the page that begins with the kernel's first line.
fn shown(page: &str) -> Vec<String> {
    let lines = page.lines().skip_while(|line| !line.starts_with("KINIT: "));
    lines.take_while(|line| *line != "```").map(str::to_string).collect()
}

/// The first line of the page that the console did not print there, or the other way round.
fn difference(page: &[String], printed: &[String]) -> Option<String> {
    let printed: Vec<String> = printed.iter().skip_while(|line| !line.starts_with("KINIT: ")).cloned().collect();
    for kind in [Kind::Answer, Kind::Audit] {
        let (page, printed) = (of(kind, page), of(kind, &printed));
        let most = page.len().max(printed.len());
        if let Some(at) = (0..most).find(|at| page.get(*at) != printed.get(*at)) {
            let line = |lines: &[String]| lines.get(at).map_or("nothing", String::as_str).to_string();
            return Some(format!("the front page says `{}`, the console `{}`", line(&page), line(&printed)));
        }
    }
    None
}

/// Who decides when a line comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Answer,
    Audit,
}

/// The lines of this kind, their figures and columns alike, without empty prompts and without how the scene sat down.
fn of(kind: Kind, lines: &[String]) -> Vec<String> {
    let is_audit = |line: &str| line.starts_with("QOS-AUDIT");
    let left_out = |line: &str| ["", "nexus>", "nexus> uptime"].contains(&line) || line.starts_with("up ");
    let lines = lines.iter().map(|line| alike(line)).filter(|line| !left_out(line));
    lines.filter(|line| is_audit(line) == (kind == Kind::Audit)).collect()
}

/// `line` with `#` for each number and one space between words.
fn alike(line: &str) -> String {
    let mut text = String::new();
    for character in line.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match character {
            '0'..='9' if text.ends_with('#') => {}
            '0'..='9' => text.push('#'),
            other => text.push(other),
        }
    }
    text
}

fn missed(what: &str, printed: Vec<String>) -> SessionError {
    SessionError::Missed(what.to_string(), "the page is not as the system looks", printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# N\n```text\nKINIT: hart 0\ninit: ready\nQOS-AUDIT x=1\nnexus> ps\n 1  init  70\n```\nmore\n";

    fn differs(printed: &str) -> Option<String> {
        let printed: Vec<String> = printed.lines().map(str::to_string).collect();
        difference(&shown(PAGE), &printed)
    }

    #[test]
    fn figures_columns_and_repeated_prompts_do_not_matter() {
        let printed = "Firmware\nKINIT: hart 2\ninit: ready\nnexus> uptime\nup 1.2 s\nnexus> \nnexus> ps\n123 init 7\n";
        assert_eq!(differs(&format!("{printed}QOS-AUDIT x=22\n")), None);
    }

    #[test]
    fn a_line_less_or_more_or_another_word_is_found() {
        let good = "KINIT: hart 0\ninit: ready\nQOS-AUDIT x=1\nnexus> ps\n1 init 70\n";
        assert_eq!(differs(good), None);
        for line in good.lines() {
            let without: String = good.lines().filter(|other| *other != line).map(|line| format!("{line}\n")).collect();
            assert!(differs(&without).is_some(), "{line}");
            assert!(differs(&format!("{good}{line}\n")).is_some(), "{line}");
        }
        let told = differs(&good.replace("1 init", "1 idle")).expect("it differs");
        assert_eq!(told, "the front page says `# init #`, the console `# idle #`");
    }

    #[test]
    fn the_front_page_has_a_boot_with_commands() {
        let page = shown(&std::fs::read_to_string(crate::root().join("README.md")).unwrap());
        assert!(page.iter().filter(|line| line.starts_with(PROMPT)).count() > 3, "{page:?}");
    }
}
